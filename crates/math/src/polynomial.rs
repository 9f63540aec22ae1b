//! A smooth function as one polynomial, for loops that evaluate it for many arguments at once.

use crate::Real;
use crate::lanes::Simd;

/// Largest degree that is tried.
const MOST: usize = 63;

/// Σ aₖ tᵏ with t in [−1, 1] for x in an interval: the truncated Chebyshev series of a function.
///
/// For an entire function such as erf(√x)/√x the coefficients fall faster than any power, so that a single polynomial
/// reaches the rounding error; W. Fraser, J. ACM 12, 295 (1965), doi:10.1145/321281.321282.
#[derive(Clone, Debug)]
pub struct Polynomial {
    /// Coefficients of t²ᵏ and t²ᵏ⁺¹, from the constant up.
    powers: Vec<[f64; 2]>,
    degree: usize,
    /// t = scale · x + offset.
    scale: f64,
    offset: f64,
    /// Sum of the moduli of the dropped coefficients, estimated where none was dropped.
    error: f64,
}

impl Polynomial {
    /// The shortest polynomial whose series drops no term above `tolerance` times the largest value of `f` over
    /// \[`low`, `high`\]; of degree 63 where no shorter one will do: see [`Polynomial::error`].
    pub fn fit(f: impl Fn(f64) -> f64, low: f64, high: f64, tolerance: f64) -> Self {
        const N: usize = MOST + 1;
        // cos(π m / 2N), the angle reduced exactly.
        let cos = |m: usize| crate::special::cos(std::f64::consts::PI * (m % (4 * N)) as f64 / (2 * N) as f64);
        let at = |t: f64| f(0.5 * (low + high) + 0.5 * (high - low) * t);
        let values: Vec<f64> = (0..N).map(|k| at(cos(2 * k + 1))).collect();
        let size = values.iter().fold(0.0, |size: f64, v| size.max(v.abs()));
        let series: Vec<f64> = (0..N)
            .map(|n| {
                let sum: f64 = values.iter().enumerate().map(|(k, v)| v * cos(n * (2 * k + 1))).sum();
                sum * if n == 0 { 1.0 } else { 2.0 } / N as f64
            })
            .collect();
        // Below a few roundings the coefficients are noise.
        let least = tolerance.max(4.0 * f64::EPSILON) * size;
        let kept = series.iter().rposition(|c| c.abs() > least).map_or(1, |last| last + 1);
        let tail = |from: usize| series[from..].iter().map(|c| c.abs()).sum::<f64>();
        // A series that does not end before the last terms goes on beyond them.
        let error = if kept + 2 < N { tail(kept) } else { tail(N - 4) * N as f64 };
        // T_{n+1} = 2t T_n − T_{n−1}. The powers' coefficients stay small where those of the series fall fast.
        let mut coefficients = vec![0.0; kept];
        let (mut previous, mut current) = (vec![0.0; kept + 1], vec![0.0; kept + 1]);
        current[0] = 1.0;
        for (n, c) in series[..kept].iter().enumerate() {
            for (a, t) in coefficients.iter_mut().zip(&current) {
                *a += c * t;
            }
            let factor = if n == 0 { 1.0 } else { 2.0 };
            let next: Vec<f64> =
                (0..=kept).map(|k| if k == 0 { 0.0 } else { factor * current[k - 1] } - previous[k]).collect();
            previous = std::mem::replace(&mut current, next);
        }
        Polynomial::of(coefficients, low, high, error)
    }

    /// The polynomial of lowest degree with (∫ (`weight` · (P − `f`))² dx)^½ ≤ `error` over \[`low`, `high`\]; of degree 63 where
    /// no lower one will do.
    ///
    /// The series in polynomials that are orthogonal on Chebyshev's points, by their recurrence; G. E. Forsythe, J. SIAM 5, 74
    /// (1957), doi:10.1137/0105007.
    pub fn least_squares(f: impl Fn(f64) -> f64, weight: impl Fn(f64) -> f64, low: f64, high: f64, error: f64) -> Self {
        const N: usize = 2 * (MOST + 1);
        let half = 0.5 * (high - low);
        let angle = |k: usize| std::f64::consts::PI * (2 * k + 1) as f64 / (2 * N) as f64;
        let nodes: [f64; N] = std::array::from_fn(|k| crate::special::cos(angle(k)));
        let at = |t: f64| 0.5 * (low + high) + half * t;
        // dx = ½ (high − low) sin θ dθ.
        let shares =
            nodes.map(|t| weight(at(t)).powi(2) * half * (1.0 - t * t).sqrt() * std::f64::consts::PI / N as f64);
        let product = |a: &[f64; N], b: &[f64; N]| (0..N).map(|k| shares[k] * a[k] * b[k]).sum::<f64>();
        let mut rest = nodes.map(|t| f(at(t)));
        // Values at the nodes and coefficients of tᵏ of the last two orthogonal polynomials.
        let (mut before, mut last) = (([0.0; N], vec![0.0; MOST + 1]), ([1.0; N], vec![0.0; MOST + 1]));
        last.1[0] = 1.0;
        let (mut norm2_before, mut degree, mut coefficients) = (f64::INFINITY, 0, vec![0.0; MOST + 1]);
        loop {
            let norm2 = product(&last.0, &last.0);
            let share = product(&last.0, &rest) / norm2;
            for (rest, value) in rest.iter_mut().zip(&last.0) {
                *rest -= share * value;
            }
            for (a, b) in coefficients.iter_mut().zip(&last.1) {
                *a += share * b;
            }
            if degree == MOST || product(&rest, &rest).sqrt() <= error {
                break;
            }
            let turned: [f64; N] = std::array::from_fn(|k| nodes[k] * last.0[k]);
            let (a, b) = (product(&turned, &last.0) / norm2, norm2 / norm2_before);
            let values = std::array::from_fn(|k| turned[k] - a * last.0[k] - b * before.0[k]);
            let up = |k: usize| if k == 0 { 0.0 } else { last.1[k - 1] };
            let powers = (0..=MOST).map(|k| up(k) - a * last.1[k] - b * before.1[k]).collect();
            before = std::mem::replace(&mut last, (values, powers));
            norm2_before = norm2;
            degree += 1;
        }
        coefficients.truncate(degree + 1);
        let error = rest.iter().fold(0.0, |most: f64, r| most.max(r.abs()));
        Polynomial::of(coefficients, low, high, error)
    }

    /// With the coefficients of tᵏ, from the constant up.
    fn of(mut coefficients: Vec<f64>, low: f64, high: f64, error: f64) -> Self {
        let degree = coefficients.len() - 1;
        coefficients.push(0.0);
        let powers = coefficients.chunks_exact(2).map(|c| [c[0], c[1]]).collect();
        Polynomial { powers, degree, scale: 2.0 / (high - low), offset: -(high + low) / (high - low), error }
    }

    /// Degree.
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// The largest error of the truncated series, rounding aside.
    pub fn error(&self) -> f64 {
        self.error
    }

    /// Coefficients of t²ᵏ and t²ᵏ⁺¹, from the constant up, and a, b of t = a x + b: for [`horner`].
    pub fn powers(&self) -> (&[[f64; 2]], [f64; 2]) {
        (&self.powers, [self.scale, self.offset])
    }

    /// The value at `x`.
    #[inline(always)]
    pub fn eval<R: Real>(&self, x: R) -> R {
        horner(x.mul_add(R::splat(self.scale), R::splat(self.offset)), self.powers.iter().map(|p| p.map(R::splat)))
    }

    /// The values at each of `x`, for plain loops over arrays with the instructions of `S`.
    #[inline(always)]
    pub fn eval_each<S: Simd, const N: usize>(&self, x: &[f64; N]) -> [f64; N] {
        let last = self.powers[self.powers.len() - 1];
        let (mut even, mut odd, mut t, mut t2) = ([last[0]; N], [last[1]; N], [0.0; N], [0.0; N]);
        for k in 0..N {
            t[k] = fma::<S>(x[k], self.scale, self.offset);
            t2[k] = t[k] * t[k];
        }
        for &[e, o] in self.powers[..self.powers.len() - 1].iter().rev() {
            for k in 0..N {
                even[k] = fma::<S>(even[k], t2[k], e);
            }
            for k in 0..N {
                odd[k] = fma::<S>(odd[k], t2[k], o);
            }
        }
        for k in 0..N {
            even[k] = fma::<S>(odd[k], t[k], even[k]);
        }
        even
    }
}

/// Σ (e_k + o_k t) t²ᵏ with [e_k, o_k] from k = 0 up: even and odd powers side by side, so that half as many steps wait
/// for each other.
#[inline(always)]
pub fn horner<R: Real>(t: R, powers: impl DoubleEndedIterator<Item = [R; 2]>) -> R {
    let t2 = t * t;
    let mut powers = powers.rev();
    let [mut even, mut odd] = powers.next().unwrap_or([R::splat(0.0); 2]);
    for [e, o] in powers {
        even = even.mul_add(t2, e);
        odd = odd.mul_add(t2, o);
    }
    odd.mul_add(t, even)
}

/// a·b + c.
#[inline(always)]
fn fma<S: Simd>(a: f64, b: f64, c: f64) -> f64 {
    if S::FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{Isa, Job, dispatch};
    use crate::special;

    /// erf(√x)/√x as Ewald's sum needs it, up to tolerances of 1e-5 and 1e-13 at the cut-off.
    #[test]
    fn the_smooth_part_of_coulomb_is_a_short_polynomial() {
        let f = |x: f64| if x == 0.0 { std::f64::consts::FRAC_2_SQRT_PI } else { special::erf(x.sqrt()) / x.sqrt() };
        for (high, tolerance, degree) in [(9.75, 1e-16, 25), (28.0, 1e-16, 42), (9.75, 1e-7, 13)] {
            let p = Polynomial::fit(f, 0.0, high, tolerance);
            assert!(p.degree() <= degree, "degree {} for {high}, {tolerance:e}", p.degree());
            for k in 0..=1000 {
                let x = high * f64::from(k) / 1000.0;
                let error = (p.eval(x) - f(x)).abs();
                // The dropped terms and some roundings of the largest value, 1.128.
                assert!(error < 2.0 * tolerance + 2e-15, "{high}, {tolerance:e}: {error:e} at {x}");
            }
        }
    }

    struct Each<'a>(&'a Polynomial, [f64; 4]);

    impl Job for Each<'_> {
        type Output = [f64; 4];

        #[inline(always)]
        fn run<S: Simd>(self) -> [f64; 4] {
            self.0.eval_each::<S, 4>(&self.1)
        }
    }

    #[test]
    fn arrays_have_the_values_of_single_numbers() {
        let p = Polynomial::fit(special::exp, -1.0, 2.0, 1e-15);
        let x = [-1.0, 0.1, 1.3, 2.0];
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let values = dispatch(isa, Each(&p, x));
            assert!((0..4).all(|k| (values[k] - p.eval(x[k])).abs() < 1e-14), "{isa:?}: {values:?}");
        }
    }

    #[test]
    fn a_polynomial_is_found_again() {
        let f = |x: f64| 3.0 - x + 0.5 * x * x * x;
        let p = Polynomial::fit(f, -1.0, 3.0, 1e-14);
        assert_eq!(p.degree(), 3);
        assert!((0..=40).all(|k| (p.eval(-1.0 + 0.1 * f64::from(k)) - f(-1.0 + 0.1 * f64::from(k))).abs() < 1e-13));
        let constant = Polynomial::fit(|_| 2.5, 0.0, 1.0, 1e-14);
        assert_eq!((constant.degree(), constant.eval(0.3)), (0, 2.5));
    }

    // ∫ x² dx over [0, 1] of the error, by points of its own; one degree less must not do.
    #[test]
    fn least_squares_are_as_close_as_asked_and_no_closer_than_need_be() {
        let (f, weight) = (|x: f64| special::exp(-3.0 * x), |x: f64| x);
        let error = |p: &Polynomial| {
            let of = |x: f64| (weight(x) * (p.eval(x) - f(x))).powi(2);
            ((0..20_000).map(|k| of((f64::from(k) + 0.5) / 20_000.0)).sum::<f64>() / 20_000.0).sqrt()
        };
        for asked in [1e-3, 1e-6, 1e-9] {
            let p = Polynomial::least_squares(f, weight, 0.0, 1.0, asked);
            assert!(error(&p) <= 1.001 * asked, "{asked:e}: {:e}", error(&p));
            let shorter = Polynomial::least_squares(f, weight, 0.0, 1.0, 1.001 * error(&p));
            assert_eq!(shorter.degree(), p.degree());
            // Nor is there a better one of this degree: a little of any power more makes it worse.
            for k in 0..=p.degree() {
                for by in [-0.01 * asked, 0.01 * asked] {
                    let mut other = p.clone();
                    other.powers[k / 2][k % 2] += by;
                    assert!(error(&other) > error(&p), "{asked:e}, power {k}");
                }
            }
        }
        let cubic = Polynomial::least_squares(|x| x * x * x - 2.0, |_| 1.0, -1.0, 3.0, 1e-12);
        assert!(cubic.degree() == 3 && (cubic.eval(2.5) - 13.625).abs() < 1e-12);
    }

    #[test]
    fn what_no_polynomial_reaches_is_reported() {
        assert!(Polynomial::fit(|x| x.abs().sqrt(), -1.0, 1.0, 1e-12).error() > 1e-3);
    }
}
