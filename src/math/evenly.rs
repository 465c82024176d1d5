//! Some of many things, evenly chosen.

/// Which of `all` things stands in that place of `some` chosen ones. In 64 bits: in a page a `usize` has
/// 32, and 65,536 of 65,536 things would begin anew.
pub fn evenly(place: usize, some: usize, all: usize) -> usize {
    let at = place as u64 * all as u64 / (some as u64).max(1);
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_all_are_themselves_and_some_lie_evenly() {
        assert!((0..100_000).all(|place| evenly(place, 100_000, 100_000) == place));
        let some: Vec<usize> = (0..4).map(|place| evenly(place, 4, 10)).collect();
        assert_eq!(some, [0, 2, 5, 7]);
        // More than 32 bits on the way.
        assert_eq!(evenly(999_999, 1_000_000, 4_000_000_000), 3_999_996_000);
    }
}
