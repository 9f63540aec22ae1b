//! Charges that add up to what is declared, whatever rounding does.

/// Takes what rounding adds to the sum of the charges of `kept`, which is `declared` (e), off the last reduced atom.
pub fn settle(charges: &mut [f64], declared: f64, kept: &[usize], reduced: &[bool]) {
    if let Some(&last) = kept.iter().rev().find(|k| reduced[**k]) {
        charges[last] -= exact_sum(kept.iter().map(|&k| charges[k])) - declared;
    }
}

/// Sum with the rounding errors carried along (A. Neumaier, Z. Angew. Math. Mech. 54, 39 (1974)).
pub fn exact_sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut rest) = (0.0f64, 0.0f64);
    for x in values {
        let next = sum + x;
        rest += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
        sum = next;
    }
    sum + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_what_rounding_loses_and_charges_settle_on_what_was_declared() {
        assert_eq!(exact_sum([1e16, 1.0, -1e16, 1.0].into_iter()), 2.0);
        // 7 vacancies over 10⁵ Ti: each charge is rounded, all the same way.
        let n = 100_000;
        let share = 2.196 - 7.0 * 1.098 / n as f64;
        let mut charges: Vec<f64> = (0..n).map(|_| share).chain((0..2 * n - 7).map(|_| -1.098)).collect();
        let reduced: Vec<bool> = (0..charges.len()).map(|k| k < n).collect();
        let kept: Vec<usize> = (0..charges.len()).collect();
        assert!(exact_sum(charges.iter().copied()).abs() > 1e-12);
        settle(&mut charges, 0.0, &kept, &reduced);
        assert!(exact_sum(charges.iter().copied()).abs() < 1e-15);
        assert!((charges[n - 1] - share).abs() < 1e-9);
    }
}
