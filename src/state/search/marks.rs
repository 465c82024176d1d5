//! A passage in pieces, by what is marked in it.

/// A piece of a passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub text: String,
    /// A word of the query.
    pub is_word: bool,
    /// How close to the query, from 0 to 1 among the passage's words; 0: not marked.
    pub glow: f32,
}

/// Words that glow: the closest fifth of a passage's, at least one. Little words lend their neighbours'
/// meaning and would glow with them.
const SHARE: usize = 5;

/// The passage in pieces. `words` are byte ranges, `glows` byte ranges with cosines; what does not fit the
/// text is left out.
pub fn pieces(text: &str, words: &[(u32, u32)], glows: &[(u32, u32, f32)]) -> Vec<Piece> {
    let glows = strongest(glows);
    let mut cuts: Vec<usize> = vec![0, text.len()];
    let ends = words.iter().flat_map(|(start, end)| [*start, *end]);
    let ends = ends.chain(glows.iter().flat_map(|(start, end, _)| [*start, *end]));
    cuts.extend(ends.map(|at| at as usize).filter(|at| text.is_char_boundary(*at)));
    cuts.sort_unstable();
    cuts.dedup();
    let within =
        |start: usize, end: usize, from: u32, to: u32| from as usize <= start && end <= to as usize;
    let pairs = cuts.iter().zip(cuts.iter().skip(1));
    let piece = |(&start, &end): (&usize, &usize)| Piece {
        text: text.get(start..end).unwrap_or_default().to_owned(),
        is_word: words.iter().any(|(from, to)| within(start, end, *from, *to)),
        glow: glows
            .iter()
            .find(|(from, to, _)| within(start, end, *from, *to))
            .map_or(0.0, |(.., glow)| *glow),
    };
    pairs.map(piece).filter(|piece| !piece.text.is_empty()).collect()
}

/// The closest words, with their strength between the weakest of the passage and the strongest.
fn strongest(glows: &[(u32, u32, f32)]) -> Vec<(u32, u32, f32)> {
    let mut sorted: Vec<f32> = glows.iter().map(|(.., cosine)| *cosine).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (Some(most), Some(least)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let limit = sorted.get(glows.len().div_ceil(SHARE) - 1).copied().unwrap_or(*most);
    let spread = (most - least).max(1e-6);
    let strong = glows.iter().filter(|(.., cosine)| *cosine >= limit);
    strong.map(|(start, end, cosine)| (*start, *end, (cosine - least) / spread)).collect()
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn words_are_marked_and_the_closest_glow() {
        let text = "The harbour froze";
        let found = pieces(text, &[(4, 11)], &[(0, 3, 0.1), (4, 11, 0.7), (12, 17, 0.4)]);
        let marked: Vec<(&str, bool, f32)> =
            found.iter().map(|it| (it.text.as_str(), it.is_word, it.glow)).collect();
        let wanted = [("The ", false, 0.0), ("harbour", true, 1.0), (" froze", false, 0.0)];
        assert_eq!(marked, wanted);
        assert_eq!(pieces("one", &[], &[]).len(), 1);
        assert!(pieces("", &[(0, 4)], &[]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_letter_is_lost(text in "\\PC{0,30}", ranges in proptest::collection::vec((0..40_u32, 0..40_u32, -1.0..1.0_f32), 0..6)) {
            let words: Vec<(u32, u32)> = ranges.iter().map(|(a, b, _)| (*a, *b)).collect();
            let whole: String = pieces(&text, &words, &ranges).into_iter().map(|it| it.text).collect();
            proptest::prop_assert_eq!(whole, text);
        }
    }
}
