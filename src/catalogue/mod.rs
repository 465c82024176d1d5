//! Every visible text, in every language.
//!
//! [`text::Text`] names a text, [`language::Language`] chooses its words, [`fill`] puts numbers and
//! names into its `{places}`. Examples and the sentences of the baseline are in [`examples`].

pub mod adapters;
pub mod examples;
pub mod export;
pub mod fine_tune;
pub mod geometry;
pub mod gpu;
pub mod language;
pub mod lesson;
pub mod lesson_sentences;
pub mod map;
pub mod models;
pub mod numbers;
pub mod problems;
pub mod scored;
pub mod search;
pub mod sentences;
pub mod text;
pub mod words;

/// The template with each `{place}` replaced. Places that are not given stay as they are.
/// `{place:one|many}` is the first word where the place's number is 1, else the second.
pub fn fill(template: &str, places: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        let tail = &rest[open + 1..];
        let found = tail.find('}').and_then(|close| {
            let (name, forms) = tail[..close].split_once(':').unwrap_or((&tail[..close], ""));
            let value = places.iter().find(|(place, _)| *place == name)?.1;
            let form =
                forms.split_once('|').map(|(one, many)| if value == "1" { one } else { many });
            Some((form.unwrap_or(value), &tail[close + 1..]))
        });
        match found {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = tail;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests;
