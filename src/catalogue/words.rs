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
