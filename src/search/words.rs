//! Words as keywords: letters and digits in small letters, Latin ones without their marks; of scripts
//! without spaces every two neighbours. There is no stemming: "ships" is not "ship".

/// A word, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    /// In bytes.
    pub start: usize,
    pub end: usize,
}

/// All words of a text, in their order.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start = None;
    let mut end = 0;
    let mut wide: Option<(usize, char)> = None;
    for (at, character) in text.char_indices() {
        let after = at + character.len_utf8();
        if is_wide(character) {
            close(text, &mut start, end, &mut found);
            match wide {
                Some((begin, before)) => {
                    let text = [before, character].iter().collect();
                    found.push(Word { text, start: begin, end: after });
                }
                // One that stands alone is a word, too.
                None => {
                    let alone = text[after..].chars().next().is_none_or(|next| !is_wide(next));
                    if alone {
                        found.push(Word { text: character.to_string(), start: at, end: after });
                    }
                }
            }
            wide = Some((at, character));
        } else {
            wide = None;
            let is_inner = matches!(character, '\'' | '’') && start.is_some();
            if character.is_alphanumeric() || (is_inner && next_is_letter(text, after)) {
                start.get_or_insert(at);
                end = after;
            } else {
                close(text, &mut start, end, &mut found);
            }
        }
    }
    close(text, &mut start, end, &mut found);
    found
}

fn next_is_letter(text: &str, after: usize) -> bool {
    text[after..].chars().next().is_some_and(char::is_alphabetic)
}

fn close(text: &str, start: &mut Option<usize>, end: usize, found: &mut Vec<Word>) {
    if let Some(start) = start.take() {
        found.push(Word { text: fold(&text[start..end]), start, end });
    }
}

/// Small letters; Latin ones without marks.
fn fold(word: &str) -> String {
    word.chars().flat_map(char::to_lowercase).filter(|it| !is_mark(*it)).map(plain).collect()
}

fn is_mark(character: char) -> bool {
    matches!(u32::from(character), 0x300..=0x36f) || matches!(character, '\'' | '’')
}

fn is_wide(character: char) -> bool {
    matches!(u32::from(character), 0x0e00..=0x0e7f | 0x3040..=0x30ff | 0x3400..=0x9fff | 0x20000..=0x3ffff)
}

pub(super) fn plain(character: char) -> char {
    match character {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ł' | 'ľ' | 'ĺ' | 'ļ' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    fn of(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_folded_and_know_their_places() {
        assert_eq!(of("Crème BRÛLÉE, don't – 3rd!"), ["creme", "brulee", "dont", "3rd"]);
        assert_eq!(of("'quoted' it’s"), ["quoted", "its"]);
        assert_eq!(of("你好吗 a 是"), ["你好", "好吗", "a", "是"]);
        assert_eq!(of(" .,; "), [""; 0]);
        let text = "Über die Brücke";
        let places: Vec<&str> =
            words(text).iter().map(|word| &text[word.start..word.end]).collect();
        assert_eq!(places, ["Über", "die", "Brücke"]);
    }

    proptest::proptest! {
        #[test]
        fn places_are_within_the_text(text in "\\PC{0,60}") {
            for word in words(&text) {
                proptest::prop_assert!(text.get(word.start..word.end).is_some_and(|it| !it.is_empty()));
            }
        }
    }
}
