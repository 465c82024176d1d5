//! The bundled collection for fine-tuning: short everyday sentences, all written for this page.

/// One sentence a line, on many subjects and in many styles; none of them is among the scored pairs
/// of [`crate::catalogue::scored`], so that what is trained on is not what is tested on.
pub const EVERYDAY: &str = include_str!("../../assets/sentences.txt");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::EVERYDAY;
    use crate::catalogue::scored::SCORED;

    #[test]
    fn the_collection_is_large_distinct_and_apart_from_the_test() {
        let distinct: BTreeSet<&str> = EVERYDAY.lines().collect();
        assert_eq!(distinct.len(), EVERYDAY.lines().count());
        assert!(distinct.len() >= 320 && distinct.iter().all(|line| line.trim().len() > 10));
        let tested = SCORED.iter().flat_map(|(first, second, _)| [first, second]);
        let both: Vec<_> = tested.filter(|sentence| distinct.contains(*sentence)).collect();
        assert!(both.is_empty(), "{both:?}");
    }
}
