//! Transcendental functions. They are our own plain arithmetic or come from the pure-Rust `libm`, never from the
//! system's C library, so that a trajectory has the same bits on every machine; this file is the one place to swap them.

/// The integer nearest to `x`, ties to even, for |x| < 2⁵¹: adding 1.5·2⁵² leaves no room for a fraction.
#[inline(always)]
pub fn round(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    (x + MAGIC) - MAGIC
}

/// eˣ, to 1 unit in the last place: eˣ = 2ᵏ eʳ with |r| ≤ ln 2 / 2.
#[inline]
pub fn exp(x: f64) -> f64 {
    if !(-700.0..=700.0).contains(&x) {
        return libm::exp(x);
    }
    // ln 2 in two parts, the first with trailing zeros so that its product with k is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let k = round(x * std::f64::consts::LOG2_E);
    scaled_exp(k, (x - k * LN2_HIGH) - k * LN2_LOW)
}

/// 2ˣ, to 1 unit in the last place.
#[inline]
pub fn exp2(x: f64) -> f64 {
    if !(-1000.0..=1000.0).contains(&x) {
        return libm::exp2(x);
    }
    exp2_within(x)
}

/// [`exp2`] for |x| below 1022, without a branch.
#[inline(always)]
pub(crate) fn exp2_within(x: f64) -> f64 {
    let k = round(x);
    scaled_exp(k, (x - k) * std::f64::consts::LN_2)
}

/// 2ᵏ eʳ for whole k and |r| ≤ ln 2 / 2 by the Taylor series, whose first missing term r¹⁴/14! is below 5·10⁻¹⁸.
#[inline(always)]
fn scaled_exp(k: f64, r: f64) -> f64 {
    let (r2, r4) = (r * r, (r * r) * (r * r));
    let low = (1.0 / 2.0 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    let middle = (1.0 / 720.0 + r * (1.0 / 5_040.0)) + r2 * (1.0 / 40_320.0 + r * (1.0 / 362_880.0));
    let high =
        (1.0 / 3_628_800.0 + r * (1.0 / 39_916_800.0)) + r2 * (1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0));
    let exp_r = 1.0 + (r + r2 * (low + r4 * (middle + r4 * high)));
    f64::from_bits(exp_r.to_bits().wrapping_add((k as i64 as u64) << 52))
}

/// Natural logarithm.
#[inline]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// xʸ.
#[inline]
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Error function.
#[inline]
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// Complementary error function.
#[inline]
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// (erfc x, exp(−x²)) for x ≥ 0, which Ewald's sum needs together: erfc to 3·10⁻¹⁶ absolutely and, up to x = 6, to
/// 10⁻¹⁴ relatively, by the rational approximations of W. J. Cody, Math. Comp. 23, 631 (1969),
/// doi:10.1090/S0025-5718-1969-0247736-4.
#[inline]
pub fn erfc_and_gaussian(x: f64) -> (f64, f64) {
    const A: [f64; 5] = [
        1.857_777_061_846_031_5e-1,
        3.161_123_743_870_565_5,
        1.138_641_541_510_501_6e2,
        3.774_852_376_853_02e2,
        3.209_377_589_138_469_4e3,
    ];
    const B: [f64; 5] =
        [1.0, 2.360_129_095_234_412e1, 2.440_246_379_344_441_8e2, 1.282_616_526_077_372e3, 2.844_236_833_439_171e3];
    const C: [f64; 9] = [
        2.153_115_354_744_038_3e-8,
        5.641_884_969_886_701e-1,
        8.883_149_794_388_377,
        6.611_919_063_714_163e1,
        2.986_351_381_974_001e2,
        8.819_522_212_417_69e2,
        1.712_047_612_634_070_7e3,
        2.051_078_377_826_071_6e3,
        1.230_339_354_797_997_2e3,
    ];
    const D: [f64; 9] = [
        1.0,
        1.574_492_611_070_983_5e1,
        1.176_939_508_913_125e2,
        5.371_811_018_620_099e2,
        1.621_389_574_566_690_3e3,
        3.290_799_235_733_459_7e3,
        4.362_619_090_143_247e3,
        3.439_367_674_143_721_6e3,
        1.230_339_354_803_749_5e3,
    ];
    const P: [f64; 6] = [
        1.631_538_713_730_209_7e-2,
        3.053_266_349_612_323_6e-1,
        3.603_448_999_498_044_5e-1,
        1.257_817_261_112_292_6e-1,
        1.608_378_514_874_227_5e-2,
        6.587_491_615_298_378e-4,
    ];
    const Q: [f64; 6] = [
        1.0,
        2.568_520_192_289_822,
        1.872_952_849_923_467_2,
        5.279_051_029_514_285e-1,
        6.051_834_131_244_132e-2,
        2.335_204_976_268_691_8e-3,
    ];
    let x2 = x * x;
    let gaussian = exp(-x2);
    let erfc = if x < 0.468_75 {
        1.0 - x * horner(&A, x2) / horner(&B, x2)
    } else if x < 4.0 {
        gaussian * horner(&C, x) / horner(&D, x)
    } else {
        let y = 1.0 / x2;
        let tail = y * horner(&P, y) / horner(&Q, y);
        gaussian * (0.5 * std::f64::consts::FRAC_2_SQRT_PI - tail) / x
    };
    (erfc, gaussian)
}

/// u = erf(√s)/√s and −2 u′(s), the smooth parts of 1/r and 1/r³ in Ewald's sum at s = (βr)²; both finite at s = 0
/// (2/√π and 4/(3√π)).
///
/// For small s by erf(x) = 2/√π exp(−x²) Σ 2ⁿ x²ⁿ⁺¹/(2n+1)!!, without a cancellation: M. Abramowitz and I. A. Stegun,
/// Handbook of Mathematical Functions, eq. 7.1.6.
pub fn smooth_coulomb(s: f64) -> [f64; 2] {
    // 2/√π exp(−s)
    let gaussian = std::f64::consts::FRAC_2_SQRT_PI * exp(-s);
    if s < 4.0 {
        // Σ (2s)ⁿ/(2n+3)!!
        let (mut sum, mut term) = (0.0, 1.0 / 3.0);
        for n in 0..40 {
            sum += term;
            term *= 2.0 * s / (2.0 * f64::from(n) + 5.0);
        }
        return [gaussian * (1.0 + 2.0 * s * sum), 2.0 * gaussian * sum];
    }
    let x = s.sqrt();
    let u = erf(x) / x;
    [u, (u - gaussian) / s]
}

/// A polynomial from its highest coefficient down.
#[inline(always)]
fn horner<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// sin x.
#[inline]
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// cos x.
#[inline]
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// arccos x.
#[inline]
pub fn acos(x: f64) -> f64 {
    libm::acos(x)
}

/// Angle of the point (x, y), −π to π, to 2 units in the last place, without a branch, so that loops over it vectorise.
/// The origin has the angle 0 or π of a point on the axis.
///
/// The smaller over the larger coordinate is t ≤ 1; beyond tan(π/8) arctan t = π/4 + arctan((t − 1)/(t + 1)); the rest
/// is t + t³ p(t²) with the polynomial of degree 10 that interpolates at Chebyshev's points, relative error 5·10⁻¹⁸.
#[inline(always)]
pub fn atan2(y: f64, x: f64) -> f64 {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    const TAN_EIGHTH_TURN: f64 = 0.414_213_562_373_095_03;
    const P: [f64; 11] = [
        -0.019_176_887_119_062_26,
        0.039_231_658_295_587_19,
        -0.050_854_497_379_402_6,
        0.058_581_489_128_022_1,
        -0.066_645_114_473_819_48,
        0.076_921_831_908_260_87,
        -0.090_909_045_781_239_03,
        0.111_111_110_152_563_61,
        -0.142_857_142_846_662_43,
        0.199_999_999_999_955_2,
        -0.333_333_333_333_333_3,
    ];
    let (ax, ay) = (x.abs(), y.abs());
    let steep = ax < ay;
    let (low, high) = if steep { (ax, ay) } else { (ay, ax) };
    let turned = low > TAN_EIGHTH_TURN * high;
    let (up, down) = if turned { (low - high, low + high) } else { (low, high) };
    // The smallest normal number changes no other and keeps the origin from being 0/0.
    let t = up / (down + f64::MIN_POSITIVE);
    let t2 = t * t;
    let arctan = t + t * (t2 * horner(&P, t2));
    let octant = if turned { FRAC_PI_4 + arctan } else { arctan };
    let quadrant = if steep { FRAC_PI_2 - octant } else { octant };
    let half_plane = if x < 0.0 { PI - quadrant } else { quadrant };
    half_plane.copysign(y)
}

/// The β for which erfc(β r_c) = `tolerance`, by bisection in β r_c; unit: inverse of `r_cut`'s.
pub fn ewald_beta(r_cut: f64, tolerance: f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..100 {
        let mid = 0.5 * (low + high);
        if erfc(mid) > tolerance {
            low = mid;
        } else {
            high = mid;
        }
    }
    0.5 * (low + high) / r_cut
}

#[cfg(test)]
mod tests {
    use super::*;

    // Abramowitz and Stegun, table 7.1 and NIST DLMF §7.
    #[test]
    fn erfc_special_points() {
        assert_eq!(erfc(0.0), 1.0);
        assert!((erfc(1.0) - 0.157_299_207_050_285_13).abs() < 1e-16);
        assert!((erfc(3.0) / 2.209_049_699_858_544e-5 - 1.0).abs() < 1e-14);
    }

    /// Against libm, whose functions are good to 1 unit in the last place.
    #[test]
    fn exp_agrees_with_libm_over_its_range() {
        for k in -70_000..=70_000 {
            let x = f64::from(k) * 0.010_007_3;
            let (ours, theirs) = (exp(x), libm::exp(x));
            assert!((ours - theirs).abs() <= 4.5e-16 * theirs, "{x}: {ours:e} and {theirs:e}");
        }
        for k in -4000..=4000 {
            let x = f64::from(k) * 0.2547;
            let (ours, theirs) = (exp2(x), libm::exp2(x));
            assert!((ours / theirs - 1.0).abs() < 3e-16, "{x}: {ours:e} and {theirs:e}");
        }
        assert_eq!((exp2(0.0), exp2(-3.0), exp2(-1100.0), exp2(1100.0)), (1.0, 0.125, 0.0, f64::INFINITY));
        assert_eq!((exp(0.0), exp(-800.0), exp(800.0)), (1.0, 0.0, f64::INFINITY));
        assert!(exp(-745.0) > 0.0 && exp(f64::NAN).is_nan() && exp(f64::NEG_INFINITY) == 0.0);
    }

    #[test]
    fn erfc_and_gaussian_agree_with_libm() {
        for k in 0..=26_000 {
            let x = f64::from(k) * 0.001;
            let (erfc, gaussian) = erfc_and_gaussian(x);
            let expected = libm::erfc(x);
            assert!((erfc - expected).abs() < 3e-16, "{x}: {erfc:e} and {expected:e}");
            assert!(x > 6.0 || (erfc / expected - 1.0).abs() < 1e-14, "{x}: {erfc:e} and {expected:e}");
            assert!((gaussian - libm::exp(-x * x)).abs() <= 4.5e-16 * gaussian, "{x}");
        }
    }

    #[test]
    fn smooth_coulomb_is_continuous_and_its_second_part_a_derivative() {
        for s in [1e-4_f64, 0.1, 1.0, 3.999, 4.001, 9.0] {
            let h = 1e-5 * s.max(0.1);
            let slope = (smooth_coulomb(s + h)[0] - smooth_coulomb(s - h)[0]) / (2.0 * h);
            assert!((smooth_coulomb(s)[1] + 2.0 * slope).abs() < 1e-9, "{s}");
            assert!((smooth_coulomb(s)[0] * s.sqrt() - erf(s.sqrt())).abs() < 5e-16);
        }
        let (below, above) = (smooth_coulomb(4.0 * (1.0 - 1e-15)), smooth_coulomb(4.0 * (1.0 + 1e-15)));
        assert!((0..2).all(|k| (below[k] / above[k] - 1.0).abs() < 1e-13));
        let root_pi = std::f64::consts::PI.sqrt();
        assert!((smooth_coulomb(0.0)[0] - 2.0 / root_pi).abs() < 1e-15);
        assert!((smooth_coulomb(0.0)[1] - 4.0 / (3.0 * root_pi)).abs() < 1e-15);
    }

    #[test]
    fn atan2_agrees_with_libm_all_around() {
        for k in -7_000..=7_000 {
            let angle = f64::from(k) * std::f64::consts::PI / 7_000.0;
            for r in [1.0, 1e-150, 3e150] {
                let (y, x) = (r * libm::sin(angle), r * libm::cos(angle));
                let (ours, theirs) = (atan2(y, x), libm::atan2(y, x));
                assert!((ours - theirs).abs() <= 4.5e-16 * theirs.abs(), "{y} {x}: {ours:e} and {theirs:e}");
            }
        }
        // Small angles keep their relative precision; on the axes the result is exact.
        for y in [1e-300, 3e-20, 1e-9, 1e-3] {
            assert!((atan2(y, 1.0) / libm::atan2(y, 1.0) - 1.0).abs() < 4.5e-16);
        }
        let (half, whole) = (std::f64::consts::FRAC_PI_2, std::f64::consts::PI);
        let axes = [(0.0, 2.0, 0.0), (3.0, 0.0, half), (0.0, -1.0, whole), (-0.0, -1.0, -whole), (-5.0, 0.0, -half)];
        for (y, x, angle) in axes {
            assert_eq!(atan2(y, x), angle);
        }
        assert_eq!(atan2(0.0, 0.0), 0.0);
        assert!(atan2(f64::NAN, 1.0).is_nan() && atan2(1.0, f64::NAN).is_nan());
    }

    #[test]
    fn rounding_is_that_of_ieee() {
        for x in [0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.499_999_999_999_999_94, 1e15 + 0.5, -7.3] {
            assert_eq!(round(x), x.round_ties_even(), "{x}");
        }
    }

    #[test]
    fn ewald_beta_meets_its_tolerance() {
        let beta = ewald_beta(1.2, 1e-5);
        assert!((erfc(beta * 1.2) / 1e-5 - 1.0).abs() < 1e-10);
    }
}
