//! What the visitor chose of the map: how it is made, and what its colours say.

use serde::{Deserialize, Serialize};

use crate::protocol::lab::Method;

/// A way to make a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Kind {
    #[default]
    Pca,
    Tsne,
    Umap,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Pca, Self::Tsne, Self::Umap];
}

/// What the points' colours say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Colouring {
    /// Amber is A, teal is B.
    Plain,
    /// The corpus's column of topics.
    Topic,
    /// Groups of sentences that lie together.
    Cluster,
    /// How near to the visitor's query.
    Query,
}

impl Colouring {
    pub const ALL: [Self; 4] = [Self::Plain, Self::Topic, Self::Cluster, Self::Query];
}

/// Ranges of the parameters, ends included.
pub const PERPLEXITY: (f32, f32) = (2.0, 100.0);
pub const STEPS: (u32, u32) = (250, 5_000);
pub const NEIGHBOURS: (u16, u16) = (2, 200);
pub const LEAST_DISTANCE: (f32, f32) = (0.0, 0.99);
pub const EPOCHS: (u32, u32) = (50, 2_000);
pub const CLUSTERS: (u16, u16) = (2, 20);
/// Above so many sentences UMAP takes fewer epochs by itself, as its authors have it.
const MANY: usize = 10_000;

/// What the visitor chose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub kind: Kind,
    pub perplexity: f32,
    pub steps: u32,
    pub neighbours: u16,
    pub least_distance: f32,
    /// `None`: 500, or 200 of more than 10,000 sentences.
    pub epochs: Option<u32>,
    pub seed: u64,
    /// `None`: topics where there are some, else clusters.
    pub colouring: Option<Colouring>,
    pub clusters: u16,
    /// Points whose neighbours are mostly false are in a ring.
    pub warnings: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            perplexity: 30.0,
            steps: 1_000,
            neighbours: 15,
            least_distance: 0.1,
            epochs: None,
            seed: 1,
            colouring: None,
            clusters: 8,
            warnings: true,
        }
    }
}

impl Settings {
    /// Everything within its range.
    pub fn checked(self) -> Self {
        let within = |value: f32, (low, high): (f32, f32)| {
            if value.is_finite() { value.clamp(low, high) } else { low }
        };
        Self {
            perplexity: within(self.perplexity, PERPLEXITY),
            steps: self.steps.clamp(STEPS.0, STEPS.1),
            neighbours: self.neighbours.clamp(NEIGHBOURS.0, NEIGHBOURS.1),
            least_distance: within(self.least_distance, LEAST_DISTANCE),
            epochs: self.epochs.map(|epochs| epochs.clamp(EPOCHS.0, EPOCHS.1)),
            clusters: self.clusters.clamp(CLUSTERS.0, CLUSTERS.1),
            ..self
        }
    }

    /// The method for so many sentences: a perplexity or a number of neighbours that they do not allow
    /// becomes the greatest they do (a third of the others, all others).
    pub fn method(&self, sentences: usize) -> Method {
        let others = sentences.saturating_sub(1);
        match self.kind {
            Kind::Pca => Method::Pca,
            Kind::Tsne => {
                let most = (others as f32 / 3.0).max(1.0);
                Method::Tsne { perplexity: self.perplexity.min(most), steps: self.steps }
            }
            Kind::Umap => {
                let most = u16::try_from(others).unwrap_or(u16::MAX).max(1);
                let usual = if sentences > MANY { 200 } else { 500 };
                Method::Umap {
                    neighbours: self.neighbours.min(most),
                    least_distance: self.least_distance,
                    epochs: self.epochs.unwrap_or(usual),
                }
            }
        }
    }

    /// As text, for a later visit.
    pub fn to_json(self) -> String {
        // Serialising names and numbers cannot fail; if it did, nothing would be kept.
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// From such a text; as at a first visit where it is not ours.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str::<Self>(text).unwrap_or_default().checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_fits_the_number_of_sentences() {
        let tsne = Settings { kind: Kind::Tsne, ..Settings::default() };
        assert_eq!(tsne.method(1_000), Method::Tsne { perplexity: 30.0, steps: 1_000 });
        assert_eq!(tsne.method(31), Method::Tsne { perplexity: 10.0, steps: 1_000 });
        assert_eq!(tsne.method(0), Method::Tsne { perplexity: 1.0, steps: 1_000 });
        let umap = Settings { kind: Kind::Umap, ..Settings::default() };
        let made = |neighbours, epochs| Method::Umap { neighbours, least_distance: 0.1, epochs };
        assert_eq!(umap.method(10_000), made(15, 500));
        assert_eq!(umap.method(10_001), made(15, 200));
        assert_eq!(umap.method(4), made(3, 500));
        assert_eq!(Settings { epochs: Some(77), ..umap }.method(9), made(8, 77));
        assert_eq!(Settings::default().method(9), Method::Pca);
    }

    #[test]
    fn settings_are_kept_and_strange_ones_come_back_into_range() {
        let chosen = Settings {
            kind: Kind::Umap,
            seed: u64::MAX,
            colouring: Some(Colouring::Plain),
            epochs: Some(100),
            ..Settings::default()
        };
        assert_eq!(Settings::from_json(&chosen.to_json()), chosen);
        let strange = Settings::from_json("{\"perplexity\": -4, \"clusters\": 900, \"steps\": 0}");
        assert_eq!((strange.perplexity, strange.clusters, strange.steps), (2.0, 20, 250));
        assert_eq!(Settings::from_json("{\"kind\": \"Sammon\"}"), Settings::default());
    }
}
