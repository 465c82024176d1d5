//! How much one step does, so that other work may go between.

/// Multiplications and additions of single-precision rows that take some 7 ms natively, up to
/// twice as long in a browser.
pub const PRODUCTS: usize = 1 << 25;

/// What is done with a product of two rows costs as much as so many values of them.
pub const OVERHEAD: usize = 32;

/// Rows of that width that a step may read once and do `products` multiplications with each value
/// of; at least one.
pub fn rows_a_step(hidden: usize, products: usize) -> usize {
    (PRODUCTS / hidden.saturating_add(OVERHEAD) / products.max(1)).max(1)
}

/// The dot product of two unit rows as a cosine: between -1 and 1 whatever rounding did, and -1
/// where it is no number, so that such rows are nobody's neighbours while others are left.
pub fn cosine(dot: f32) -> f32 {
    if dot > -1.0 { dot.min(1.0) } else { -1.0 }
}

/// A count as the protocol has it.
pub fn told(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_at_least_a_row() {
        assert_eq!(rows_a_step(usize::MAX, 7), 1);
        assert_eq!(rows_a_step(0, 0), PRODUCTS / OVERHEAD);
        assert_eq!(rows_a_step((1 << 10) - OVERHEAD, 1 << 6), PRODUCTS >> 16);
    }

    #[test]
    fn cosines_stay_in_their_range() {
        let found = [1.000_001, -7.0, 0.25, f32::NAN, f32::INFINITY].map(cosine);
        assert_eq!(found, [1.0, -1.0, 0.25, -1.0, 1.0]);
    }
}
