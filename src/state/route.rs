//! The URL's fragment: which view, and the sentences of a permalink.
//!
//! `#/compare?a=…&b=…&list=…&pooling=cls&layer=4`, values percent-encoded. A fragment never
//! leaves the browser, so a link shares sentences only with whom the visitor gives it to. The
//! geometry lab's are its settings: `#/geometry?a=before.cls.last&b=after.cls.4.whitened-32&corpus=stories`.

use crate::protocol::readout::Pooling;
use crate::state::geometry::Look;
use crate::state::geometry::corpus::Bundled;

/// The views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    #[default]
    Compare,
    Search,
    Geometry,
    FineTune,
    Lesson,
    Models,
}

impl View {
    pub const ALL: [Self; 6] =
        [Self::Compare, Self::Search, Self::Geometry, Self::FineTune, Self::Lesson, Self::Models];

    /// Name in the address.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Compare => "compare",
            Self::Search => "search",
            Self::Geometry => "geometry",
            Self::FineTune => "fine-tune",
            Self::Lesson => "lesson",
            Self::Models => "models",
        }
    }
}

/// What a fragment says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    pub view: View,
    /// Step of the lesson, from 0; `#/lesson/6` is the sixth.
    pub step: Option<usize>,
    pub first: Option<String>,
    pub second: Option<String>,
    pub list: Option<String>,
    pub pooling: Option<Pooling>,
    pub layer: Option<u16>,
    /// A and B of the geometry lab.
    pub looks: [Option<Look>; 2],
    /// A corpus that comes with the page.
    pub corpus: Option<Bundled>,
}

impl Route {
    /// The fragment, with `#`.
    pub fn to_fragment(&self) -> String {
        let layer = self.layer.map(|layer| layer.to_string());
        let [a, b] = self.looks.map(|look| look.map(Look::to_slug));
        let sentences = [self.first.as_deref(), self.second.as_deref()];
        let [a, b] = match self.view {
            View::Geometry => [a.as_deref(), b.as_deref()],
            _ => sentences,
        };
        let parts = [
            ("a", a),
            ("b", b),
            ("corpus", self.corpus.map(Bundled::slug)),
            ("list", self.list.as_deref()),
            ("pooling", self.pooling.map(Pooling::name)),
            ("layer", layer.as_deref()),
        ];
        let query: Vec<String> = parts
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", encode(value?))))
            .collect();
        let separator = if query.is_empty() { "" } else { "?" };
        let step = self.step.map(|step| format!("/{}", step + 1)).unwrap_or_default();
        format!("#/{}{step}{separator}{}", self.view.slug(), query.join("&"))
    }

    /// Reads a fragment; what is not understood is left out.
    pub fn from_fragment(fragment: &str) -> Self {
        let path = fragment.trim_start_matches('#').trim_start_matches('/');
        let (slug, query) = path.split_once('?').unwrap_or((path, ""));
        let (slug, step) = slug.split_once('/').unwrap_or((slug, ""));
        let view = View::ALL.into_iter().find(|view| view.slug() == slug).unwrap_or_default();
        let step = step.parse().ok().and_then(|step: usize| step.checked_sub(1));
        let step = step.filter(|_| view == View::Lesson);
        let mut route = Self { view, step, ..Self::default() };
        for (key, value) in query.split('&').filter_map(|part| part.split_once('=')) {
            let value = decode(value);
            match key {
                "a" if view == View::Geometry => route.looks[0] = Look::from_slug(&value),
                "b" if view == View::Geometry => route.looks[1] = Look::from_slug(&value),
                "corpus" => route.corpus = Bundled::from_slug(&value),
                "a" => route.first = Some(value),
                "b" => route.second = Some(value),
                "list" => route.list = Some(value),
                "pooling" => route.pooling = Pooling::from_name(&value),
                "layer" => route.layer = value.parse().ok(),
                _ => {}
            }
        }
        route
    }

    /// Whether the link brings sentences of its own.
    pub fn has_sentences(&self) -> bool {
        self.first.is_some() || self.second.is_some() || self.list.is_some()
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| tail.get(..2)).flatten().and_then(hexadecimal);
        match (byte, escaped) {
            (_, Some(escaped)) => {
                bytes.push(escaped);
                rest = &tail[2..];
            }
            (b'+', None) => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, None) => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Bundled, Look, Pooling, Route, View};
    use crate::state::geometry::link::tests::look;

    #[test]
    fn unknown_and_broken_fragments_open_the_first_view() {
        for fragment in ["", "#", "#/nowhere?x", "#/compare?a=%zz%f", "#/compare?layer=99999999"] {
            assert_eq!(Route::from_fragment(fragment).view, View::Compare, "{fragment}");
        }
        assert_eq!(Route::from_fragment("#/compare?a=%zz").first.as_deref(), Some("%zz"));
    }

    #[test]
    fn a_link_without_sentences_is_short() {
        assert_eq!(Route { view: View::Models, ..Route::default() }.to_fragment(), "#/models");
    }

    #[test]
    fn settings_of_the_lab_have_a_link_and_what_is_not_understood_is_left_out() {
        let fragment = "#/geometry?a=before.cls.last&b=after.cls.4.whitened-32&corpus=stories";
        let route = Route::from_fragment(fragment);
        assert_eq!(route.looks[1], Look::from_slug("after.cls.4.whitened-32"));
        assert_eq!((route.corpus, route.has_sentences()), (Some(Bundled::Stories), false));
        assert_eq!(route.to_fragment(), fragment);
        let broken = Route::from_fragment("#/geometry?a=before.nothing&b=&corpus=novels");
        assert_eq!(broken, Route { view: View::Geometry, ..Route::default() });
    }

    #[test]
    fn a_step_of_the_lesson_has_a_link() {
        let route = Route { view: View::Lesson, step: Some(5), ..Route::default() };
        assert_eq!(route.to_fragment(), "#/lesson/6");
        assert_eq!(Route::from_fragment("#/lesson/6"), route);
        for fragment in ["#/lesson", "#/lesson/", "#/lesson/0", "#/lesson/-1", "#/lesson/six"] {
            let route = Route { view: View::Lesson, ..Route::default() };
            assert_eq!(Route::from_fragment(fragment), route, "{fragment}");
        }
        assert_eq!(Route::from_fragment("#/compare/6"), Route::default());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again(a: String, b: String, list: String, layer: u16) {
            let route = Route {
                view: View::Compare, step: None, first: Some(a), second: Some(b), list: Some(list),
                pooling: Some(Pooling::FirstLast), layer: Some(layer), ..Route::default()
            };
            let fragment = route.to_fragment();
            proptest::prop_assert!(fragment.is_ascii());
            proptest::prop_assert_eq!(Route::from_fragment(&fragment), route);
        }

        #[test]
        fn settings_that_are_written_are_read_again(
            a in proptest::option::of(look()),
            b in proptest::option::of(look()),
            corpus in proptest::option::of(proptest::sample::select(Bundled::ALL.to_vec())),
        ) {
            let route = Route { view: View::Geometry, looks: [a, b], corpus, ..Route::default() };
            let fragment = route.to_fragment();
            proptest::prop_assert!(fragment.is_ascii() && !fragment.contains('%'), "{}", fragment);
            proptest::prop_assert_eq!(Route::from_fragment(&fragment), route);
        }
    }
}
