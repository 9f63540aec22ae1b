//! Transcendental functions. They come from the pure-Rust `libm`, never from the system's C library,
//! so that a trajectory has the same bits on every machine; this file is the one place to swap them.

/// eˣ.
#[inline]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
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

/// Angle of the point (x, y).
#[inline]
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
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

    #[test]
    fn ewald_beta_meets_its_tolerance() {
        let beta = ewald_beta(1.2, 1e-5);
        assert!((erfc(beta * 1.2) / 1e-5 - 1.0).abs() < 1e-10);
    }
}
