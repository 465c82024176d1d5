//! The map: every sentence a point of a plane, `A` and `B` laid over each other; what is selected on it,
//! whose neighbours are looked at, and what is looked for.

pub(in crate::state) mod ask;
pub mod asked;
pub(in crate::state) mod events;
pub mod export;
pub mod paint;
pub(in crate::state) mod picked;
pub mod settings;
pub(in crate::state) mod update;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::math::align::{Size, nearest_similarity};
use crate::protocol::Revision;
use crate::protocol::lab::{MapQuality, MapStage, Method};
use crate::protocol::problem::Problem;
use crate::state::geometry::held::Held;
use crate::state::geometry::map::asked::Asked;
use crate::state::geometry::map::settings::{Colouring, Settings};

/// Neighbours of a point that are shown.
pub const NEIGHBOURS: u16 = 10;
/// Share of false neighbours above which a point is warned of.
pub const MOST_FALSE: f32 = 0.5;
/// So many of a query's nearest sentences say where on the map its mark goes.
const ANCHORS: usize = 5;

/// What a map is made of: it is made again when any of this changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Making {
    survey: Revision,
    pub method: Method,
    pub seed: u64,
}

/// Positions on a map, finished or on their way.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// `[sentences, 2]`, as they came.
    pub at: Held<f32>,
    pub of: Making,
    /// `None`: they still move.
    pub quality: Option<MapQuality>,
    /// `[sentences]`, which share of a point's neighbours on the map are false; not a number: not judged.
    pub false_shares: Held<f32>,
    /// Points that are warned of.
    pub warned: u32,
    /// Points that were judged.
    pub judged: u32,
}

/// A map that is being made.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    revision: Revision,
    pub of: Making,
    pub stage: MapStage,
    pub done: u32,
    pub total: u32,
    pub elapsed_ms: f64,
    /// What was done, and when, where this stage was first heard of.
    since: (u32, f64),
}

impl Job {
    fn new(revision: Revision, of: Making, total: u32) -> Self {
        let (stage, done, elapsed_ms) = (MapStage::Neighbours, 0, 0.0);
        Self { revision, of, stage, done, total, elapsed_ms, since: (done, elapsed_ms) }
    }

    /// It moves on.
    fn advance(&mut self, stage: MapStage, (done, total): (u32, u32), elapsed_ms: f64) {
        if stage != self.stage {
            self.since = (done, elapsed_ms);
        }
        (self.stage, self.done, self.total, self.elapsed_ms) = (stage, done, total, elapsed_ms);
    }

    /// Seconds that the rest of this stage takes, if it goes on as so far.
    pub fn left_s(&self) -> Option<f64> {
        let done = f64::from(self.done.saturating_sub(self.since.0));
        let took_ms = (self.elapsed_ms - self.since.1).max(0.0);
        let rest = f64::from(self.total.saturating_sub(self.done));
        (done > 0.0).then(|| rest * took_ms / done / 1e3)
    }
}

/// Why there is no map.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The visitor gave it up.
    Stopped,
    Problem(Problem),
}

/// The map of one of the two.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawing {
    /// The latest; of something else than is wanted until that comes.
    pub points: Option<Points>,
    pub job: Option<Job>,
    /// The same map is not asked for again by itself.
    failed: Option<(Trouble, Making)>,
}

impl Drawing {
    /// Why there is no map.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.failed.as_ref().map(|failed| &failed.0)
    }

    /// Whether the map of this making is finished.
    fn has(&self, making: &Making) -> bool {
        self.points.as_ref().is_some_and(|it| it.quality.is_some() && it.of == *making)
    }

    fn has_failed(&self, making: &Making) -> bool {
        self.failed.as_ref().is_some_and(|failed| failed.1 == *making)
    }
}

/// Whose nearest sentences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearOf {
    survey: Revision,
    pub position: u32,
}

/// A text that every sentence is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct TextOf {
    survey: Revision,
    pub text: String,
}

/// Groups of sentences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClustersOf {
    survey: Revision,
    count: u16,
    seed: u64,
}

/// How near a text is to every sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// `[sentences]`
    pub cosines: Held<f32>,
    /// The nearest, best first: positions and cosines.
    pub neighbours: Vec<(u32, f32)>,
}

/// Groups, the largest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// `[sentences]`
    pub labels: Held<u16>,
    /// Of each group the sentence nearest to its middle.
    pub typical: Vec<u32>,
}

/// What is known of one of the two, beside its map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    pub near: Asked<NearOf, Vec<(u32, f32)>>,
    pub text: Asked<TextOf, Compared>,
    pub clusters: Asked<ClustersOf, Clusters>,
}

/// What the visitor looks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    pub text: String,
    typed_count: u32,
    /// What is asked, after a pause; without spaces around it.
    asked: String,
    /// What the colours said before there was a query.
    before: Option<Colouring>,
}

/// The map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map {
    pub settings: Settings,
    /// 0 is `A`, 1 is `B`.
    pub share: f64,
    /// Positions of sentences, rising.
    pub selection: Arc<[u32]>,
    /// The sentence whose neighbours are shown.
    pub pinned: Option<u32>,
    pub query: Query,
    /// Of the corpus with this number is all of the above.
    corpus: u32,
    drawings: [Drawing; 2],
    answers: [Answers; 2],
    /// Positions that are drawn: those of `B` are laid over those of `A`.
    laid: [Held<f32>; 2],
}

impl Map {
    /// Settings of an earlier visit.
    pub(in crate::state) fn with_settings(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// What of the settings is worth keeping: a query does not outlive the visit, nor do its colours.
    pub(in crate::state) fn kept_settings(&self) -> Settings {
        let colouring = self.settings.colouring;
        let is_query = colouring == Some(Colouring::Query);
        Settings {
            colouring: if is_query { self.query.before } else { colouring },
            ..self.settings
        }
    }

    /// Everything but what the visitor chose is of another corpus.
    fn begin_corpus(&mut self, corpus: u32) {
        self.corpus = corpus;
        self.selection = Arc::default();
        self.pinned = None;
        for drawing in &mut self.drawings {
            drawing.points = None;
            drawing.failed = None;
        }
        for answers in &mut self.answers {
            answers.near.forget();
            answers.text.forget();
            answers.clusters.forget();
        }
        self.lay();
    }

    /// `A` and `B` change places.
    pub(in crate::state) fn swap(&mut self) {
        self.drawings.swap(0, 1);
        self.answers.swap(0, 1);
        self.lay();
    }

    /// The same survey was made again, under another number.
    pub(in crate::state) fn rename_survey(&mut self, from: Revision, to: Revision) {
        let renamed = |survey: &mut Revision| {
            if *survey == from {
                *survey = to;
            }
        };
        for drawing in &mut self.drawings {
            drawing.points.iter_mut().for_each(|points| renamed(&mut points.of.survey));
            drawing.failed.iter_mut().for_each(|failed| renamed(&mut failed.1.survey));
        }
        for Answers { near, text, clusters } in &mut self.answers {
            near.rename(|of| renamed(&mut of.survey));
            text.rename(|of| renamed(&mut of.survey));
            clusters.rename(|of| renamed(&mut of.survey));
        }
    }

    /// What was asked is lost with the worker that was asked.
    pub(in crate::state) fn forget_questions(&mut self) {
        self.drawings.iter_mut().for_each(|drawing| drawing.job = None);
        for Answers { near, text, clusters } in &mut self.answers {
            near.forget_job();
            text.forget_job();
            clusters.forget_job();
        }
    }

    /// Lays the points of `B` over those of `A`. Two PCA maps keep their sizes, which are in the same
    /// units: how a cone opens is to be seen. The units of other maps mean nothing.
    fn lay(&mut self) {
        let [a, b] = self.drawings.each_ref().map(|drawing| drawing.points.as_ref());
        let at = |points: Option<&Points>| points.map(|it| it.at.clone()).unwrap_or_default();
        let laid_b = a.zip(b).and_then(|(a, b)| {
            let both_pca = [a, b].iter().all(|points| points.of.method == Method::Pca);
            let size = if both_pca { Size::Kept } else { Size::Matched };
            let similarity = nearest_similarity(&b.at, &a.at, size)?;
            Some(Held::from(similarity.apply(&b.at)))
        });
        self.laid = [at(a), laid_b.unwrap_or_else(|| at(b))];
    }
}

/// Where the mark of a query goes: the mean of its nearest sentences' places, the nearer ones counting
/// more (by their cosines above 0; none has any: alike).
pub fn query_place(neighbours: &[(u32, f32)], positions: &[f32]) -> Option<[f64; 2]> {
    let points = positions.as_chunks::<2>().0;
    let near = neighbours.iter().take(ANCHORS).filter_map(|(position, cosine)| {
        let point = points.get(*position as usize)?.map(f64::from);
        point.iter().all(|value| value.is_finite()).then_some((point, f64::from(*cosine)))
    });
    let near: Vec<([f64; 2], f64)> = near.collect();
    let has_weight = near.iter().any(|(_, cosine)| *cosine > 0.0);
    let weight = |cosine: f64| if has_weight { cosine.max(0.0) } else { 1.0 };
    let total: f64 = near.iter().map(|(_, cosine)| weight(*cosine)).sum();
    let mean = |axis: usize| {
        near.iter().map(|(point, cosine)| point[axis] * weight(*cosine)).sum::<f64>() / total
    };
    (!near.is_empty()).then(|| [mean(0), mean(1)])
}

/// What happens on the map.
#[derive(Debug, Clone, PartialEq)]
pub enum MapAction {
    Chosen(Settings),
    /// The same again, with another seed.
    Reseeded,
    /// Both maps that are being made are given up.
    Stopped,
    /// Asked for again what was stopped or failed.
    Resumed,
    /// 0 is `A`, 1 is `B`.
    Slid(f64),
    QueryTyped(String),
    /// The pause after typing is over; the number tells whether typing went on.
    QuerySettled(u32),
    /// Whose neighbours are shown.
    Pinned(Option<u32>),
    /// In place of what is selected, or in addition to it.
    Selected {
        positions: Vec<u32>,
        added: bool,
    },
    /// Into the selection, or out of it.
    Toggled(u32),
    /// All sentences of a topic or cluster, as coloured.
    GroupSelected {
        group: u16,
        added: bool,
    },
    /// Nothing is selected, nor are neighbours shown.
    Cleared,
    SelectionCopied,
}

impl MapAction {
    /// Whether it changes what survives a reload.
    pub(in crate::state) fn changes_saved(&self) -> bool {
        matches!(self, Self::Chosen(_) | Self::Reseeded | Self::QueryTyped(_))
    }
}
