//! Dual numbers a + b·ε with ε² = 0: the value of a formula and its exact derivative from one evaluation.
//!
//! W. K. Clifford, Proc. London Math. Soc. s1-4, 381 (1873). The engine takes the slope of a force at its cut-off
//! from them, the tests every force.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::{Real, special};

/// A number with its derivative along one chosen direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dual {
    /// The value.
    pub value: f64,
    /// Its derivative.
    pub derivative: f64,
}

impl Dual {
    /// The quantity that is differentiated by: derivative one.
    pub fn variable(value: f64) -> Self {
        Dual { value, derivative: 1.0 }
    }

    /// A quantity that does not depend on it: derivative zero.
    pub fn constant(value: f64) -> Self {
        Dual { value, derivative: 0.0 }
    }

    /// f(x) from its value and slope at x.
    fn chain(self, value: f64, slope: f64) -> Self {
        Dual { value, derivative: slope * self.derivative }
    }
}

impl Add for Dual {
    type Output = Dual;
    fn add(self, o: Dual) -> Dual {
        Dual { value: self.value + o.value, derivative: self.derivative + o.derivative }
    }
}

impl Sub for Dual {
    type Output = Dual;
    fn sub(self, o: Dual) -> Dual {
        Dual { value: self.value - o.value, derivative: self.derivative - o.derivative }
    }
}

impl Mul for Dual {
    type Output = Dual;
    fn mul(self, o: Dual) -> Dual {
        Dual { value: self.value * o.value, derivative: self.derivative * o.value + self.value * o.derivative }
    }
}

impl Div for Dual {
    type Output = Dual;
    fn div(self, o: Dual) -> Dual {
        let value = self.value / o.value;
        Dual { value, derivative: (self.derivative - value * o.derivative) / o.value }
    }
}

impl Neg for Dual {
    type Output = Dual;
    fn neg(self) -> Dual {
        Dual { value: -self.value, derivative: -self.derivative }
    }
}

impl Real for Dual {
    fn splat(value: f64) -> Self {
        Dual::constant(value)
    }
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, 0.5 / root)
    }
    fn exp2(self) -> Self {
        let e = special::exp2(self.value);
        self.chain(e, std::f64::consts::LN_2 * e)
    }
    fn erfc(self) -> Self {
        let slope = -std::f64::consts::FRAC_2_SQRT_PI * special::exp(-self.value * self.value);
        self.chain(special::erfc(self.value), slope)
    }
    fn cos(self) -> Self {
        self.chain(special::cos(self.value), -special::sin(self.value))
    }
    fn sin(self) -> Self {
        self.chain(special::sin(self.value), special::cos(self.value))
    }
    fn acos(self) -> Self {
        self.chain(special::acos(self.value), -1.0 / (1.0 - self.value * self.value).sqrt())
    }
    fn atan2(self, other: Self) -> Self {
        let r2 = self.value * self.value + other.value * other.value;
        Dual {
            value: special::atan2(self.value, other.value),
            derivative: (self.derivative * other.value - self.value * other.derivative) / r2,
        }
    }
    fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
        if self.value < bound.value { a } else { b }
    }
    fn value(self) -> f64 {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every function of the trait against a central difference of its own f64 version.
    #[test]
    fn derivatives_agree_with_central_differences() {
        fn close(name: &str, f: impl Fn(f64) -> f64, d: impl Fn(Dual) -> Dual) {
            let (x, h) = (0.37, 1e-5);
            let exact = d(Dual::variable(x));
            let numerical = (f(x + h) - f(x - h)) / (2.0 * h);
            assert_eq!(exact.value, f(x), "{name}");
            // Truncation h²·f‴/6 with f‴ up to 320 (of 1/x), 5e-9, and rounding ε/h, 1e-10.
            assert!((exact.derivative - numerical).abs() < 1e-8, "{name}: {} and {numerical}", exact.derivative);
        }
        close("sqrt", Real::sqrt, Real::sqrt);
        close("exp2", Real::exp2, Real::exp2);
        close("erfc", Real::erfc, Real::erfc);
        close("cos", Real::cos, Real::cos);
        close("sin", Real::sin, Real::sin);
        close("acos", Real::acos, Real::acos);
        close("atan2", |x| Real::atan2(x * x, x - 1.0), |x| (x * x).atan2(x - Dual::splat(1.0)));
        close("recip", Real::recip, Real::recip);
        close("rsqrt", Real::rsqrt, Real::rsqrt);
        close(
            "product",
            |x| (x + 2.0) * (x - 3.0) / (x * x + 1.0),
            |x| (x + Dual::splat(2.0)) * (x - Dual::splat(3.0)) / (x * x + Dual::splat(1.0)),
        );
    }

    #[test]
    fn selection_takes_the_branch_with_its_derivative() {
        let x = Dual::variable(2.0);
        assert_eq!(x.select_lt(Dual::splat(3.0), x * x, -x), Dual { value: 4.0, derivative: 4.0 });
        assert_eq!(x.select_lt(Dual::splat(2.0), x * x, -x), Dual { value: -2.0, derivative: -1.0 });
    }
}
