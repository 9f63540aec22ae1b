//! Small dense linear systems.

/// Solves A x = b by Gaussian elimination with partial pivoting; `a` is n × n row by row, `b` becomes x.
/// False where A is singular.
pub fn solve(a: &mut [f64], b: &mut [f64]) -> bool {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&p, &q| a[p * n + k].abs().total_cmp(&a[q * n + k].abs())).unwrap_or(k);
        let head = a[pivot * n + k];
        if head == 0.0 || !head.is_finite() {
            return false;
        }
        if pivot != k {
            for j in 0..n {
                a.swap(k * n + j, pivot * n + j);
            }
            b.swap(k, pivot);
        }
        for i in k + 1..n {
            let factor = a[i * n + k] / a[k * n + k];
            if factor != 0.0 {
                for j in k..n {
                    a[i * n + j] -= factor * a[k * n + j];
                }
                b[i] -= factor * b[k];
            }
        }
    }
    for i in (0..n).rev() {
        let tail: f64 = (i + 1..n).map(|j| a[i * n + j] * b[j]).sum();
        b[i] = (b[i] - tail) / a[i * n + i];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::solve;

    #[test]
    fn three_by_three_with_a_zero_pivot() {
        let mut a = [0.0, 2.0, 1.0, 1.0, 1.0, 1.0, 3.0, 0.0, -1.0];
        let mut b = [7.0, 6.0, 0.0]; // solution (1, 2, 3)
        assert!(solve(&mut a, &mut b));
        for (x, expected) in b.iter().zip([1.0, 2.0, 3.0]) {
            assert!((x - expected).abs() < 1e-14);
        }
        assert!(!solve(&mut [1.0, 2.0, 2.0, 4.0], &mut [1.0, 1.0]));
    }
}
