//! Loops over `f32` written so that the compiler turns them into SIMD: eight independent sums,
//! no calls, no branches. (A plain `iter().sum()` must add in order and stays scalar.)

/// Numbers handled side by side.
pub const LANES: usize = 8;

/// Sum of `f(value)`.
pub fn sum_of(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += f(*value);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| f(*value)).sum::<f32>()
}

/// The largest value; negative infinity for none.
pub fn largest(values: &[f32]) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut tops = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (top, value) in tops.iter_mut().zip(block) {
            *top = if *value > *top { *value } else { *top };
        }
    }
    let larger = |top, value| if value > top { value } else { top };
    tops.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger)
}

/// `e^x` to about 2e-7 of its value; below -87 it stays at `e^-87`, above 88 at `e^88`.
///
/// `x = k ln 2 + r` with whole `k`, so `e^x = 2^k e^r` and `|r| <= 0.35`, where seven terms of
/// the exponential series are enough.
#[inline]
pub fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits.
    const ROUNDER: f32 = 12_582_912.0;
    // ln 2 in two parts: the first has few bits, so `k * LN2_HIGH` is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
    let k = shifted - ROUNDER;
    let r = x - k * LN2_HIGH - k * LN2_LOW;
    let series = 1.0 / 120.0 + r * (1.0 / 720.0);
    let series = 1.0 / 6.0 + r * (1.0 / 24.0 + r * series);
    let series = 1.0 + r * (1.0 + r * (0.5 + r * series));
    let power = (shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits());
    series * f32::from_bits(power)
}

/// `erf(x)` to about 3e-7: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
#[inline]
pub fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let series = -1.453_152_1 + t * 1.061_405_4;
    let series = 0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * series));
    (1.0 - t * series * exp(-size * size)).copysign(x)
}

/// Adds `bias` to every row of `values`.
pub fn add_bias(values: &mut [f32], bias: &[f32]) {
    for row in values.chunks_exact_mut(bias.len().max(1)) {
        for (value, bias) in row.iter_mut().zip(bias) {
            *value += bias;
        }
    }
}

/// `x Phi(x) = x (1 + erf(x / sqrt 2)) / 2`, to about 5e-6.
///
/// `Phi(x) = 1/2 + x Q(x^2)` with a polynomial `Q` of degree 11 on `|x| <= 5`, fitted to the least
/// error of `x Phi(x)` and written in `2 x^2 / 25 - 1`, where its terms do not cancel. Above 5 `Phi`
/// stays what it is there, 3e-7 from 1; below -5 the result stays what it is there.
#[inline]
pub fn gelu(x: f32) -> f32 {
    const END: f32 = 5.0;
    const SERIES: [f32; 12] = [
        1.413_637_5e-1,
        -7.029_823e-2,
        5.152_539_5e-2,
        -4.039_198e-2,
        3.135_673e-2,
        -2.362_495_8e-2,
        1.691_011_5e-2,
        -1.016_543_2e-2,
        5.113_295_7e-3,
        -3.886_901_5e-3,
        3.194_444e-3,
        -1.096_341_2e-3,
    ];
    gelu_by(x, END, &SERIES)
}

/// No [`gelu_to_code`] is below this.
pub const GELU_FLOOR: f32 = -0.1702;

/// As [`gelu`] with degree 6 on `|x| <= 4`, to about 2e-4 or 5e-5 of its value: a fraction of the
/// step between 8-bit codes.
#[inline]
pub fn gelu_to_code(x: f32) -> f32 {
    const SERIES: [f32; 7] = [
        1.759_702_1e-1,
        -8.442_66e-2,
        5.541_015_4e-2,
        -3.546_247_3e-2,
        2.409_123_3e-2,
        -1.655_074e-2,
        5.971_84e-3,
    ];
    gelu_by(x, 4.0, &SERIES)
}

#[inline(always)]
fn gelu_by<const TERMS: usize>(x: f32, end: f32, series: &[f32; TERMS]) -> f32 {
    // Comparisons that let NaN through.
    let x = if x < -end { -end } else { x };
    let inner = if x > end { end } else { x };
    let u = inner * inner * (2.0 / (end * end)) - 1.0;
    x * (0.5 + inner * polynomial(series, u))
}

/// `sum_i terms[i] u^i`, even powers and odd ones side by side: half as long a chain of operations
/// that wait for each other, and processors look only so far ahead.
#[inline(always)]
fn polynomial<const TERMS: usize>(terms: &[f32; TERMS], u: f32) -> f32 {
    let square = u * u;
    let mut halves = [0.0; 2];
    for power in (0..TERMS).rev() {
        let sum = &mut halves[power % 2];
        let is_first = power + 2 >= TERMS;
        *sum = if is_first { terms[power] } else { *sum * square + terms[power] };
    }
    halves[0] + u * halves[1]
}

/// [`gelu`] of each number.
#[inline(never)]
pub fn gelu_each(values: &mut [f32]) {
    each(values, gelu);
}

/// [`gelu_to_code`] of each number.
#[inline(never)]
pub fn gelu_to_code_each(values: &mut [f32]) {
    each(values, gelu_to_code);
}

/// Out of line where it is used, and a few numbers at a time: with more, or with what comes before
/// and after, a browser's compiler would run out of registers.
#[inline(always)]
fn each(values: &mut [f32], f: impl Fn(f32) -> f32) {
    let (blocks, rest) = values.as_chunks_mut::<{ 2 * LANES }>();
    for block in blocks {
        *block = block.map(&f);
    }
    rest.iter_mut().for_each(|value| *value = f(*value));
}

/// `to += factor from`
pub fn add_scaled(to: &mut [f32], factor: f32, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

/// Layer norm of one row, in place.
pub fn layer_norm(row: &mut [f32], gain: &[f32], offset: &[f32], epsilon: f32) {
    let count = row.len().max(1) as f32;
    let mean = sum_of(row, |value| value) / count;
    let variance = sum_of(row, |value| (value - mean) * (value - mean)) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((value, gain), offset) in row.iter_mut().zip(gain).zip(offset) {
        *value = (*value - mean) * scale * gain + offset;
    }
}

/// Divides a row by its L2 norm; a row of zeros stays. A row too long for `f32` becomes NaN, where
/// dividing by infinity would pass it off as zeros.
pub fn unit(row: &mut [f32]) {
    let norm = sum_of(row, |value| value * value).sqrt();
    if norm != 0.0 {
        let scale = if norm.is_finite() { 1.0 / norm } else { f32::NAN };
        row.iter_mut().for_each(|value| *value *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exp() {
        for step in -8_700..=8_800 {
            let x = step as f32 / 100.0;
            let wanted = f64::from(x).exp();
            let relative = (f64::from(exp(x)) - wanted).abs() / wanted;
            assert!(relative < 4e-7, "exp({x}): {relative}");
        }
        assert!(exp(-1e9) < 2e-38 && exp(1e9).is_finite());
    }

    #[test]
    fn erf_is_erf() {
        // Values of the error function from its series, summed in f64.
        for step in -300..=300 {
            let x = f64::from(step) / 100.0;
            let mut term = x;
            let mut wanted = x;
            for n in 1..200 {
                term *= -x * x / f64::from(n);
                wanted += term / f64::from(2 * n + 1);
            }
            wanted *= 2.0 / std::f64::consts::PI.sqrt();
            let found = f64::from(erf(x as f32));
            assert!((found - wanted).abs() < 5e-7, "erf({x}): {found} {wanted}");
        }
    }

    #[test]
    fn gelu_is_gelu() {
        for step in -1_000..=1_000 {
            let x = step as f32 / 100.0;
            let wanted = 0.5 * f64::from(x) * (1.0 + f64::from(erf(x * 0.5_f32.sqrt())));
            let difference = (f64::from(gelu(x)) - wanted).abs();
            assert!(difference < 7e-6, "gelu({x}): {} {wanted}", gelu(x));
        }
        assert!(gelu(0.0) == 0.0 && (gelu(1e30) / 1e30 - 1.0).abs() < 1e-6);
        assert!(gelu(f32::NAN).is_nan() && gelu(-100.0).abs() < 1e-3);
    }

    #[test]
    fn gelu_to_code_is_nearly_gelu_and_above_its_floor() {
        for step in -100_000..=100_000 {
            let x = step as f32 / 1_000.0;
            let (found, wanted) = (gelu_to_code(x), gelu(x));
            assert!((found - wanted).abs() < 2e-4 + 5e-5 * x.max(0.0), "{x}: {found} {wanted}");
            assert!(found >= GELU_FLOOR, "{x}: {found}");
        }
        assert!(gelu_to_code(-1e30).abs() < 2e-4 && gelu_to_code(f32::NEG_INFINITY).abs() < 2e-4);
        assert!(gelu_to_code(f32::NAN).is_nan() && gelu_to_code(f32::INFINITY) > 1e30);
    }

    #[test]
    fn sums_and_tops_take_every_value() {
        let values: Vec<f32> = (0..29).map(|i| i as f32).collect();
        assert_eq!(sum_of(&values, |value| value), 406.0);
        assert_eq!(largest(&values), 28.0);
        assert_eq!(largest(&[]), f32::NEG_INFINITY);
    }

    #[test]
    fn a_row_of_zeros_stays() {
        let mut row = [0.0; 5];
        unit(&mut row);
        assert_eq!(row, [0.0; 5]);
    }

    #[test]
    fn a_row_beyond_f32_is_not_passed_off_as_zeros() {
        let mut row = [1e30, 1.0, f32::MAX];
        unit(&mut row);
        assert!(row.iter().all(|value| value.is_nan()));
    }
}
