//! Exponential, logarithm and powers that are the same to the last bit on every machine: only the
//! four basic operations are used, which IEEE 754 fixes. The platform's `exp`, `ln` and `powf` it
//! does not, and where a result feeds back a thousand times, a last bit becomes another picture.

use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

use crate::math::lanes;

/// `e^x` to a few parts in 1e16; below -700 it stays at `e^-700`, above 700 at `e^700`.
///
/// `x = k ln 2 + r` with whole `k`, so `e^x = 2^k e^r` and `|r| <= 0.35`, where 14 terms of the
/// exponential series leave less than 2^-53.
pub fn exp(x: f64) -> f64 {
    // ln 2 in two parts: the first has few bits, so `k * LN2_HIGH` is exact.
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const TERMS: i32 = 14;
    let x = x.clamp(-700.0, 700.0);
    let k = (x * LOG2_E + 0.5).floor();
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    // 1 + r (1 + r/2 (1 + r/3 (...)))
    let series = (1..TERMS).rev().fold(1.0, |sum, term| 1.0 + sum * r / f64::from(term));
    // What is no number casts to 0, and the series stays what it is.
    let power = f64::from_bits(((k as i64 + 1023) as u64) << 52);
    series * power
}

/// Natural logarithm of a positive, normal number: x = m 2^e with m near 1, and
/// ln m = 2 artanh((m - 1) / (m + 1)) by its series.
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as f64 - 1023.0;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > SQRT_2 {
        mantissa *= 0.5;
        exponent += 1.0;
    }
    let quotient = (mantissa - 1.0) / (mantissa + 1.0);
    let square = quotient * quotient;
    // |quotient| is below 0.172: ten terms leave less than 2^-53.
    let series = (0..10).rev().fold(0.0, |sum, term| sum * square + 1.0 / f64::from(2 * term + 1));
    2.0 * quotient * series + exponent * LN_2
}

/// `x^y` of a number that is not negative; 0 of 0.
pub fn power(x: f64, y: f64) -> f64 {
    if x < f64::MIN_POSITIVE { 0.0 } else { exp(y * ln(x)) }
}

/// `x^y` of a positive, normal number, to about 1e-6 of its value where `x^y` is between 1e-4 and
/// 1e4: ln as in [`ln`] with fewer terms, then [`lanes::exp`].
#[inline]
pub fn power_f32(x: f32, y: f32) -> f32 {
    let bits = x.to_bits();
    // The exponent is taken so that the mantissa lies between about 0.7 and 1.4.
    let shifted = bits.wrapping_sub(0x3f35_04f3);
    let exponent = (shifted as i32 >> 23) as f32;
    let mantissa = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    let quotient = (mantissa - 1.0) / (mantissa + 1.0);
    let square = quotient * quotient;
    let series = 1.0 / 5.0 + square * (1.0 / 7.0 + square * (1.0 / 9.0));
    let series = 2.0 * quotient * (1.0 + square * (1.0 / 3.0 + square * series));
    lanes::exp(y * (series + exponent * std::f32::consts::LN_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exp() {
        for step in -7_000..=7_000 {
            let x = f64::from(step) * 0.099_9;
            let relative = (exp(x) - x.exp()).abs() / x.exp();
            assert!(relative < 1e-13, "exp({x}): {relative}");
        }
        for step in -100..=100 {
            let x = f64::from(step) * 0.0123;
            assert!((exp(x) - x.exp()).abs() <= 4e-16 * x.exp(), "{x}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f64::NEG_INFINITY) < 1e-300 && exp(1e9).is_finite());
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn ln_is_ln() {
        for x in [1e-300, 1e-9, 0.1, 0.5, 0.999_999, 1.0, 1.414, 1.415, 2.0, 77.0, 1e300] {
            assert!((ln(x) - x.ln()).abs() <= 1e-15 * x.ln().abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn powers_are_powers() {
        for x in [1e-6, 0.01, 0.7, 0.999, 1.0, 1.3, 42.0, 1e5] {
            for y in [-1.0, 0.25, 0.79, 0.9, 1.0, 1.8] {
                let wanted = f64::powf(x, y);
                assert!((power(x, y) - wanted).abs() < 1e-13 * wanted, "{x}^{y}");
                let found = f64::from(power_f32(x as f32, y as f32));
                assert!((found - wanted).abs() < 3e-6 * wanted, "{x}^{y}: {found} {wanted}");
            }
        }
        assert_eq!(power(0.0, 0.5), 0.0);
    }
}
