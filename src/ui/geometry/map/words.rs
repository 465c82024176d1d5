//! The map in words.

use leptos::prelude::*;

use crate::catalogue::map::MapText as Text;
use crate::catalogue::numbers::{decimals, grouped};
use crate::protocol::lab::Method;
use crate::state::app::State;
use crate::state::geometry::map::paint::Group;
use crate::state::geometry::map::settings::Kind;
use crate::state::geometry::{Look, Plot};
use crate::ui::geometry::look::{look_words, plot_name};
use crate::ui::page::Page;

/// The method's name; the same in every language.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Pca => "PCA",
        Kind::Tsne => "t-SNE",
        Kind::Umap => "UMAP",
    }
}

/// "t-SNE (perplexity 30, 1,000 steps)"
pub fn method_words(page: Page, method: Method) -> String {
    let lower = |text: Text| page.words(text).to_lowercase();
    let part = |text: Text, value: String| format!("{} {value}", lower(text));
    match method {
        Method::Pca => kind_name(Kind::Pca).to_owned(),
        Method::Tsne { perplexity, steps } => {
            let parts = [
                part(Text::Perplexity, short(perplexity)),
                part(Text::Steps, grouped(u64::from(steps))),
            ];
            format!("{} ({})", kind_name(Kind::Tsne), parts.join(", "))
        }
        Method::Umap { neighbours, least_distance, epochs } => {
            let parts = [
                part(Text::Neighbours, neighbours.to_string()),
                part(Text::LeastDistance, short(least_distance)),
                part(Text::Epochs, grouped(u64::from(epochs))),
            ];
            format!("{} ({})", kind_name(Kind::Umap), parts.join(", "))
        }
    }
}

/// Up to two decimals, as many as say something.
pub fn short(value: f32) -> String {
    let text = decimals(value, 2);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a description of the map is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    method: Method,
    seed: u64,
    plot: Plot,
    looks: [Look; 2],
    sentences: usize,
    has_map: bool,
}

impl Told {
    /// Of the page's state.
    pub fn of(page: Page) -> Memo<Self> {
        page.part(|state: &State| {
            let geometry = &state.geometry;
            let sentences = geometry.corpus.sentences.len();
            let settings = &geometry.map.settings;
            Self {
                method: settings.method(sentences),
                seed: settings.seed,
                plot: geometry.shown(),
                looks: Plot::ALL.map(|plot| geometry.look(plot)),
                sentences,
                has_map: Plot::ALL.iter().any(|plot| !geometry.laid(*plot).is_empty()),
            }
        })
    }

    /// For who does not see it.
    pub fn description(&self, page: Page, groups: &[Group]) -> String {
        if !self.has_map {
            return page.words(Text::Waiting).to_owned();
        }
        let [a, b] = self.looks;
        let look = if self.plot == Plot::A { a } else { b };
        let look = format!("{}: {}", page.words(plot_name(self.plot)), look_words(page, look));
        let names: Vec<&str> = groups.iter().take(8).map(|group| group.name.as_str()).collect();
        let count = groups.len().to_string();
        let groups = if names.is_empty() {
            String::new()
        } else {
            page.filled(Text::WordsGroups, &[("n", &count), ("names", &names.join("; "))])
        };
        let method = method_words(page, self.method);
        let sentences = grouped(self.sentences as u64);
        let places =
            [("n", &*sentences), ("look", &look), ("method", &method), ("groups", &groups)];
        page.filled(Text::Words, &places)
    }

    /// What a file of the map depends on.
    pub fn caption(&self, page: Page) -> String {
        let [a, b] = self.looks.map(|look| look_words(page, look));
        let (method, seed) = (method_words(page, self.method), self.seed.to_string());
        let (n, shown) = (grouped(self.sentences as u64), page.words(plot_name(self.plot)));
        let places = [
            ("method", &*method),
            ("seed", &seed),
            ("a", &a),
            ("b", &b),
            ("n", &n),
            ("shown", shown),
        ];
        page.filled(Text::CaptionMap, &places)
    }
}
