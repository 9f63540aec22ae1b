//! From sums of squared displacements to g₁(t), α(t) and, where the rule allows it, D.

use amelo_math::special::ln;

/// Half a decade: √10.
pub(crate) const HALF_DECADE: f64 = 3.162_277_660_168_379_5;

/// Lags (frames) from 1 to `max`, about twelve per decade, with those of `window` among them.
pub(crate) fn lag_grid(max: usize, window: Option<[usize; 2]>) -> Vec<usize> {
    let mut lags: Vec<usize> = (0..)
        .map(|k| amelo_math::special::pow(10.0, f64::from(k) / 12.0).round() as usize)
        .take_while(|&lag| lag < max)
        .chain([max])
        .chain(window.into_iter().flatten().filter(|&lag| lag <= max))
        .filter(|&lag| lag > 0)
        .collect();
    lags.sort_unstable();
    lags.dedup();
    lags
}

/// Slope of the least-squares line through (x, y).
fn slope(points: impl Iterator<Item = (f64, f64, f64)>) -> f64 {
    let (mut w, mut x, mut y, mut xx, mut xy, mut n) = (0.0, 0.0, 0.0, 0.0, 0.0, 0);
    for (px, py, pw) in points {
        w += pw;
        x += pw * px;
        y += pw * py;
        xx += pw * px * px;
        xy += pw * px * py;
        n += 1;
    }
    if n < 2 { f64::NAN } else { (w * xy - x * y) / (w * xx - x * x) }
}

/// What is computed from one curve g(t) at the grid's lags; every number of it gets its interval from the same
/// resampled curves.
#[derive(Clone, Debug)]
pub(crate) struct Estimator {
    /// Lags (ps).
    pub times: Vec<f64>,
    /// First and last lag of the window for α and D (ps).
    pub window: [f64; 2],
    /// Dimensions that g counts: 3, 2 in the plane, or 1 along an axis.
    pub dimensions: f64,
}

/// The estimator's numbers.
#[derive(Clone, Debug)]
pub(crate) struct Estimates {
    /// g(t), nm².
    pub g: Vec<f64>,
    /// Local exponent d ln g / d ln t over half a decade about each lag.
    pub alpha: Vec<f64>,
    /// g(t)/(2 d t), nm²/ps.
    pub apparent: Vec<f64>,
    /// Exponent over the window, over its first and over its second half.
    pub window_alpha: [f64; 3],
    /// Slope of g over the window over 2d, nm²/ps.
    pub diffusion: f64,
    /// g/(2 d t) at the end of the window, nm²/ps.
    pub apparent_at_end: f64,
    /// Share of those present that are still there (layers), else empty.
    pub survival: Vec<f64>,
    /// ∫ survival dt over the lags, ps (layers), else 0.
    pub residence: f64,
}

impl Estimator {
    /// All numbers of `ratios` = g at every lag, then survival at every lag where there are layers.
    pub fn estimate(&self, ratios: &[f64]) -> Estimates {
        let (g, survival) = ratios.split_at(self.times.len());
        let [t1, t2] = self.window;
        let middle = (t1 * t2).sqrt();
        let quarter = HALF_DECADE.sqrt();
        // Where only one lag lies in a half, the point next to it beyond the middle makes the slope.
        let halves = [self.exponent(g, t1, middle), self.exponent(g, middle, t2)];
        let line = |t: f64, g: f64| (t, g, 1.0 / (t * t));
        let inside = |t: f64| (t1 * 0.999..=t2 * 1.001).contains(&t);
        let diffusion = slope(self.times.iter().zip(g).filter(|(t, _)| inside(**t)).map(|(&t, &g)| line(t, g)));
        let apparent: Vec<f64> = self.times.iter().zip(g).map(|(t, g)| g / (2.0 * self.dimensions * t)).collect();
        let end = self.times.iter().rposition(|&t| inside(t)).unwrap_or(self.times.len() - 1);
        let mut residence = 0.0;
        let mut last = (0.0, 1.0);
        for (&t, &p) in self.times.iter().zip(survival) {
            residence += 0.5 * (t - last.0) * (p + last.1);
            last = (t, p);
        }
        Estimates {
            alpha: self.times.iter().map(|&t| self.exponent(g, t / quarter, t * quarter)).collect(),
            window_alpha: [self.exponent(g, t1, t2), halves[0], halves[1]],
            diffusion: diffusion / (2.0 * self.dimensions),
            apparent_at_end: apparent[end],
            apparent,
            g: g.to_vec(),
            survival: survival.to_vec(),
            residence,
        }
    }

    /// Exponent of g between two lags; NaN with fewer than two lags or where nothing moves.
    fn exponent(&self, g: &[f64], from: f64, to: f64) -> f64 {
        let inside = |t: f64| (from * 0.999..=to * 1.001).contains(&t);
        slope(self.times.iter().zip(g).filter(|(t, _)| inside(**t)).map(|(&t, &g)| (ln(t), ln(g), 1.0)))
    }
}

impl Estimates {
    /// All numbers in one row, for the bootstrap.
    pub fn flatten(&self) -> Vec<f64> {
        let mut row = self.g.clone();
        row.extend(&self.alpha);
        row.extend(&self.apparent);
        row.extend(self.window_alpha);
        row.extend([self.diffusion, self.apparent_at_end]);
        row.extend(&self.survival);
        row.push(self.residence);
        row
    }

    /// The shape of `self` with the numbers of a row.
    pub fn with(&self, row: &[f64]) -> Estimates {
        let n = self.g.len();
        let m = 3 * n;
        Estimates {
            g: row[..n].to_vec(),
            alpha: row[n..2 * n].to_vec(),
            apparent: row[2 * n..m].to_vec(),
            window_alpha: [row[m], row[m + 1], row[m + 2]],
            diffusion: row[m + 3],
            apparent_at_end: row[m + 4],
            survival: row[m + 5..m + 5 + self.survival.len()].to_vec(),
            residence: row[row.len() - 1],
        }
    }
}

/// Whether a slope may be called D.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Yes.
    Diffusive,
    /// No, with what it is instead.
    Not(String),
}

/// The rule: the whole 95 % interval of α lies in [0.9, 1.1] and |α − 1| < 0.05 over at least half a decade of
/// lags (asked of the window and of each of its halves, so that a bend through 1 does not pass).
pub(crate) fn verdict(alpha: &[f64; 3], half_width: Option<f64>, window: [f64; 2]) -> Verdict {
    let Some(h) = half_width.filter(|h| h.is_finite()) else {
        return Verdict::Not("not shown to be diffusive: the exponent has no interval".into());
    };
    let [low, high] = [alpha[0] - h, alpha[0] + h];
    if high < 1.0 && alpha[0] <= 0.95 {
        return Verdict::Not("sub-diffusive".into());
    }
    if low > 1.0 && alpha[0] >= 1.05 {
        return Verdict::Not("super-diffusive".into());
    }
    if window[1] < window[0] * HALF_DECADE * 0.999 {
        return Verdict::Not("not shown to be diffusive: the lags span less than half a decade".into());
    }
    if !(low >= 0.9 && high <= 1.1) {
        return Verdict::Not(
            "not shown to be diffusive: the interval of the exponent reaches beyond 0.9 to 1.1".into(),
        );
    }
    if !alpha.iter().all(|a| (a - 1.0).abs() < 0.05) {
        return Verdict::Not(
            "not shown to be diffusive: the exponent is not within 0.05 of 1 over half a decade".into(),
        );
    }
    Verdict::Diffusive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_laws_give_their_exponent_and_lines_their_slope() {
        let lags = lag_grid(200, Some([31, 100]));
        assert!(lags.contains(&31) && lags.contains(&100) && lags.contains(&200) && lags[0] == 1);
        let times: Vec<f64> = lags.iter().map(|&l| l as f64 * 0.5).collect();
        let e = Estimator { times: times.clone(), window: [15.5, 50.0], dimensions: 3.0 };
        for power in [0.5, 1.0, 2.0] {
            let g: Vec<f64> = times.iter().map(|&t| 0.7 * amelo_math::special::pow(t, power)).collect();
            let out = e.estimate(&g);
            assert!(out.window_alpha.iter().chain(&out.alpha[3..]).all(|a| (a - power).abs() < 1e-12), "{out:?}");
        }
        let g: Vec<f64> = times.iter().map(|t| 0.4 + 0.6 * t).collect();
        assert!((e.estimate(&g).diffusion - 0.1).abs() < 1e-14);
        let out = e.estimate(&g);
        let bits = |e: &Estimates| e.flatten().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&out.with(&out.flatten())), bits(&out));
    }

    #[test]
    fn the_rule_for_d() {
        let decade = [1.0, 3.2];
        assert_eq!(verdict(&[1.0, 1.01, 0.99], Some(0.08), decade), Verdict::Diffusive);
        let not = |v: Verdict, text: &str| assert!(matches!(&v, Verdict::Not(t) if t.starts_with(text)), "{v:?}");
        not(verdict(&[0.5, 0.5, 0.5], Some(0.05), decade), "sub-diffusive");
        not(verdict(&[2.0, 2.0, 2.0], Some(0.05), decade), "super-diffusive");
        not(verdict(&[0.93, 0.93, 0.93], Some(0.02), decade), "sub-diffusive");
        not(verdict(&[1.0, 1.0, 1.0], Some(0.15), decade), "not shown");
        not(verdict(&[1.0, 0.93, 1.07], Some(0.05), decade), "not shown");
        not(verdict(&[1.0, 1.0, 1.0], Some(0.05), [1.0, 2.0]), "not shown");
        not(verdict(&[1.0, 1.0, 1.0], None, decade), "not shown");
    }
}
