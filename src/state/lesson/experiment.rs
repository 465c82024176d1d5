//! The lesson's own fine-tunes: SimCSE, and SimCSE with one thing changed.

use serde::{Deserialize, Serialize};

use crate::protocol::training::{Measures, Rest};
use crate::state::fine_tune::draft::Preset;
use crate::state::fine_tune::field::Field;
use crate::state::fine_tune::run::{Phase, Run};

/// Where the second view comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variant {
    Dropout,
    NoDropout,
    MuchDropout,
    SameMask,
    Crop,
    DeleteWords,
    DeleteOneWord,
}

impl Variant {
    pub const ALL: [Self; 7] = [
        Self::Dropout,
        Self::NoDropout,
        Self::MuchDropout,
        Self::SameMask,
        Self::Crop,
        Self::DeleteWords,
        Self::DeleteOneWord,
    ];

    /// Spearman x 100 on STS-B dev of the paper's BERT base (SimCSE, arXiv 2104.08821, tables 1
    /// and 3).
    pub fn papers(self) -> f64 {
        match self {
            Self::Dropout => 82.5,
            Self::NoDropout => 71.1,
            Self::MuchDropout => 71.0,
            Self::SameMask => 43.6,
            Self::Crop => 77.8,
            Self::DeleteWords | Self::DeleteOneWord => 75.9,
        }
    }

    /// The recipe it begins from.
    pub(super) fn preset(self) -> Preset {
        match self {
            Self::Dropout | Self::MuchDropout | Self::DeleteWords => Preset::SimCse,
            Self::NoDropout => Preset::NoDropout,
            Self::SameMask => Preset::SameMask,
            Self::Crop => Preset::Crop,
            Self::DeleteOneWord => Preset::DeleteOneWord,
        }
    }

    /// What is changed beyond that.
    pub(super) fn changes(self) -> &'static [(Field, &'static str)] {
        match self {
            Self::MuchDropout => &[(Field::Dropout, "0.5")],
            Self::Crop => &[(Field::Share, "0.1")],
            Self::DeleteWords => &[(Field::Augmentation, "delete-words"), (Field::Share, "0.1")],
            Self::Dropout | Self::NoDropout | Self::SameMask | Self::DeleteOneWord => &[],
        }
    }
}

/// How long a fine-tune of the lesson is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Step five: the cone opens before the reader's eyes.
    Full,
    /// A line of the table.
    Short,
}

impl Length {
    /// Steps, and sentences in each.
    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Full => (25, 64),
            Self::Short => (12, 32),
        }
    }

    /// Steps between two measurements.
    pub(super) fn measure_every(self) -> u32 {
        match self {
            Self::Full => 3,
            Self::Short => 6,
        }
    }
}

/// What was measured of a run's beginning or end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub uniformity: f64,
    pub mean_cosine: f64,
    /// With the bundled pairs' gold scores.
    pub spearman: Option<f64>,
}

impl Score {
    fn of(measures: &Measures) -> Self {
        let (uniformity, mean_cosine) = (measures.shape.uniformity, measures.shape.mean_cosine);
        Self { uniformity, mean_cosine, spearman: measures.spearman }
    }
}

/// A run that is done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub variant: Variant,
    pub start: Score,
    pub end: Score,
}

impl Outcome {
    /// What a run came to; `None` while it is not finished.
    pub(super) fn of(variant: Variant, run: &Run) -> Option<Self> {
        if run.phase != Phase::Over(Rest::Finished) {
            return None;
        }
        let end = &run.trail.last()?.measures;
        Some(Self { variant, start: Score::of(run.start()?), end: Score::of(end) })
    }
}
