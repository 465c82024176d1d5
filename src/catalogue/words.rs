//! What every catalogue of texts is: a closed enum whose members have words in each language.

use crate::catalogue::language::Language;

/// A text with words in every language.
pub trait Words: Copy + Send + Sync + 'static {
    /// The words in a language.
    fn in_language(self, language: Language) -> &'static str;
}

/// Makes a catalogue: the enum's name, then `Name: "English", "Chinese";` for each text.
macro_rules! words {
    ($catalogue:ident; $($name:ident: $english:literal, $chinese:literal;)*) => {
        /// Names of the texts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $catalogue { $($name),* }

        impl $catalogue {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }

        impl $crate::catalogue::words::Words for $catalogue {
            fn in_language(
                self,
                language: $crate::catalogue::language::Language,
            ) -> &'static str {
                use $crate::catalogue::language::Language;
                match (self, language) {
                    $((Self::$name, Language::English) => $english,
                      (Self::$name, Language::Chinese) => $chinese,)*
                }
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Words;
    use crate::catalogue::adapters::AdapterText;
    use crate::catalogue::fine_tune::FineTuneText;
    use crate::catalogue::language::Language;
    use crate::catalogue::lesson::LessonText;
    use crate::catalogue::text::Text;

    /// Texts that are names or symbols in both languages.
    const SAME_IN_BOTH: [&str; 15] = [
        "BlendValue",
        "Hash",
        "SideOf",
        "BackendCpu",
        "BackendWebGpu",
        "ExportCsv",
        "ExportPng",
        "ModelHash",
        "StatusReady",
        "StatusReadyUntimed",
        "ProblemAbout",
        "StepNumber",
        "VariantDropout",
        "ViewsAxis",
        "Working",
    ];

    /// Every text of every catalogue: its name, and its words in both languages.
    fn all() -> Vec<(String, [&'static str; 2])> {
        fn of<W: Words + std::fmt::Debug>(
            texts: &'static [W],
        ) -> impl Iterator<Item = (String, [&'static str; 2])> {
            texts.iter().map(|text| {
                (format!("{text:?}"), Language::ALL.map(|language| text.in_language(language)))
            })
        }
        of(Text::ALL)
            .chain(of(LessonText::ALL))
            .chain(of(FineTuneText::ALL))
            .chain(of(AdapterText::ALL))
            .collect()
    }

    fn places(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
        parts.map(|(name, _)| name).collect()
    }

    #[test]
    fn both_languages_have_the_same_places() {
        for (name, [english, chinese]) in all() {
            assert_eq!(places(english), places(chinese), "{name}");
        }
    }

    #[test]
    fn chinese_texts_are_chinese() {
        for (name, [_, chinese]) in all() {
            let has_han = chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(has_han || SAME_IN_BOTH.contains(&name.as_str()), "{name}: {chinese}");
        }
    }
}
