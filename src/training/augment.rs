//! Second views of a sentence by leaving words out: the paper's Table 1 beside dropout.

use crate::math::rng::Rng;
use crate::protocol::recipe::Augmentation;

/// Positions of the words that a view keeps, of a sentence of `count` words; at least one, where
/// there is one.
///
/// - crop: one run of consecutive words, the share cut away being rounded down;
/// - deletion: each word goes with the probability `share`, or one word goes.
pub fn kept_words(augmentation: Augmentation, count: usize, rng: &mut Rng) -> Vec<usize> {
    match augmentation {
        Augmentation::Dropout | Augmentation::SameMask => (0..count).collect(),
        Augmentation::Crop { share } => {
            let cut = (f64::from(share) * count as f64) as usize;
            let kept = count.saturating_sub(cut).max(1).min(count);
            let start = rng.below(count - kept + 1);
            (start..start + kept).collect()
        }
        Augmentation::DeleteWords { share } => {
            let mut kept: Vec<usize> =
                (0..count).filter(|_| rng.uniform() >= f64::from(share)).collect();
            if kept.is_empty() && count > 0 {
                kept.push(rng.below(count));
            }
            kept
        }
        Augmentation::DeleteOneWord => {
            let gone = (count > 1).then(|| rng.below(count));
            (0..count).filter(|word| Some(*word) != gone).collect()
        }
    }
}

/// The words of a text: what blanks part, and each Chinese character by itself. Put together they
/// are the text. BERT's tokenisation looks at none of them across its border.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |character: char| {
        // Not every white space: `clean_text` deletes U+0085 and joins its neighbours.
        matches!(character, ' ' | '\n' | '\r' | '\t' | '\u{4e00}'..='\u{9fff}')
    };
    text.split_inclusive(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(augmentation: Augmentation, count: usize, seed: u64) -> Vec<usize> {
        kept_words(augmentation, count, &mut Rng::new(seed))
    }

    #[test]
    fn a_crop_is_one_run_of_the_right_length_and_reaches_both_ends() {
        let crop = Augmentation::Crop { share: 0.2 };
        let mut starts = [0; 3];
        for seed in 0..60 {
            let kept = kept(crop, 10, seed);
            assert_eq!(kept.len(), 8);
            assert!(kept.windows(2).all(|pair| pair[1] == pair[0] + 1));
            starts[kept[0]] += 1;
        }
        assert!(starts.iter().all(|count| *count > 5), "{starts:?}");
        assert_eq!(kept(Augmentation::Crop { share: 0.9 }, 3, 1).len(), 1);
        assert_eq!(kept(crop, 1, 1), [0]);
        assert_eq!(kept(crop, 0, 1), [] as [usize; 0]);
    }

    #[test]
    fn deletion_takes_the_share_and_never_everything() {
        let delete = Augmentation::DeleteWords { share: 0.3 };
        let total: usize = (0..200).map(|seed| kept(delete, 20, seed).len()).sum();
        assert!((2_650..2_950).contains(&total), "{total}");
        for seed in 0..50 {
            assert_eq!(kept(Augmentation::DeleteWords { share: 0.9 }, 1, seed), [0]);
            let one = kept(Augmentation::DeleteOneWord, 5, seed);
            assert!(one.len() == 4 && one.is_sorted());
        }
        assert_eq!(kept(Augmentation::DeleteOneWord, 1, 3), [0]);
        assert_eq!(kept(delete, 0, 3), [] as [usize; 0]);
    }

    #[test]
    fn dropout_keeps_every_word() {
        assert_eq!(kept(Augmentation::Dropout, 3, 1), [0, 1, 2]);
        assert_eq!(kept(Augmentation::SameMask, 3, 1), [0, 1, 2]);
    }

    #[test]
    fn words_are_parted_by_blanks_and_chinese_characters() {
        let split = |text| words(text).collect::<Vec<_>>();
        assert_eq!(split("Don't stop, now"), ["Don't ", "stop, ", "now"]);
        assert_eq!(split("我们go"), ["我", "们", "go"]);
        assert_eq!(split("a  b"), ["a ", " ", "b"]);
        assert_eq!(split(""), [] as [&str; 0]);
    }
}
