//! Dot products of 8-bit codes with 16-bit codes: a query against many rows, exact whatever adds.

/// Codes of a row are padded with zeros to a multiple of this.
pub const STEP: usize = 16;

/// `sum_i codes[i] query[i]`, of whole steps; a longer side is cut to the shorter.
///
/// The sum must fit `i32`: at most `i32::MAX / (128 length)` in the query.
#[cfg(not(target_arch = "wasm32"))]
pub fn dot(codes: &[i8], query: &[i16]) -> i32 {
    let mut sum = 0_i32;
    for (codes, query) in codes.as_chunks::<STEP>().0.iter().zip(query.as_chunks::<STEP>().0) {
        // Products first: so it becomes `pmaddwd`, the same as the browser's `dot_i16x8_s`.
        for lane in 0..STEP {
            sum = sum.wrapping_add(i32::from(codes[lane]) * i32::from(query[lane]));
        }
    }
    sum
}

/// `sum_i codes[i] query[i]`, of whole steps; a longer side is cut to the shorter.
///
/// The sum must fit `i32`: at most `i32::MAX / (128 length)` in the query.
#[cfg(target_arch = "wasm32")]
pub fn dot(codes: &[i8], query: &[i16]) -> i32 {
    use core::arch::wasm32::{
        i8x16, i16x8, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
        i32x4_extract_lane, i32x4_splat,
    };
    let mut sums = [i32x4_splat(0); 2];
    for (c, q) in codes.as_chunks::<STEP>().0.iter().zip(query.as_chunks::<STEP>().0) {
        // The compiler makes one load of each of these.
        let codes = i8x16(
            c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13],
            c[14], c[15],
        );
        let low = i16x8(q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7]);
        let high = i16x8(q[8], q[9], q[10], q[11], q[12], q[13], q[14], q[15]);
        sums[0] = i32x4_add(sums[0], i32x4_dot_i16x8(i16x8_extend_low_i8x16(codes), low));
        sums[1] = i32x4_add(sums[1], i32x4_dot_i16x8(i16x8_extend_high_i8x16(codes), high));
    }
    let sum = i32x4_add(sums[0], sums[1]);
    let halves = i32x4_extract_lane::<0>(sum).wrapping_add(i32x4_extract_lane::<1>(sum));
    let others = i32x4_extract_lane::<2>(sum).wrapping_add(i32x4_extract_lane::<3>(sum));
    halves.wrapping_add(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_the_sum_at_the_ends_of_the_codes_too() {
        for length in [0, 16, 32, 384, 1024] {
            let most = (i32::MAX as usize / (128 * length.max(1))).min(32_767) as i16;
            for sign in [1, -1] {
                let codes = vec![-127_i8; length];
                let query = vec![sign * most; length];
                let wanted = -127 * i64::from(sign * most) * length as i64;
                assert_eq!(i64::from(dot(&codes, &query)), wanted);
            }
            let codes: Vec<i8> = (0..length).map(|i| (i * 37 % 255) as i8).collect();
            let query: Vec<i16> = (0..length).map(|i| (i * 91 % 2_001) as i16 - 1_000).collect();
            let wanted: i64 =
                codes.iter().zip(&query).map(|(c, q)| i64::from(*c) * i64::from(*q)).sum();
            assert_eq!(i64::from(dot(&codes, &query)), wanted);
        }
    }
}
