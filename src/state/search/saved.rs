//! What of the view survives a reload; the corpora themselves are in the worker's store.

use serde::{Deserialize, Serialize};

use crate::protocol::search::{CorpusId, Ranking};
use crate::state::fine_tune::saved::MOST_SAVED_BYTES;
use crate::state::search::{Form, MOST_HITS, Sample, Search};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedSearch {
    open: Option<u64>,
    paused: Vec<u64>,
    text: String,
    ranking: Ranking,
    count: Option<u16>,
    least_cosine: Option<f32>,
    is_beside: bool,
    /// What stands in the box for pasting, unless it is too long.
    pasted: Option<String>,
    had_sample: bool,
    rate: Option<f64>,
}

/// As text.
pub(in crate::state) fn to_json(search: &Search) -> String {
    let form = &search.form;
    let saved = SavedSearch {
        open: search.open.map(|open| open.0),
        paused: search.paused.iter().map(|paused| paused.0).collect(),
        text: form.text.clone(),
        ranking: form.ranking,
        count: Some(form.count),
        least_cosine: form.least_cosine,
        is_beside: form.is_beside,
        pasted: Some(search.pasted.clone()).filter(|text| text.len() <= MOST_SAVED_BYTES),
        had_sample: search.sample == Sample::Done,
        rate: search.rate,
    };
    // Serialising strings and numbers cannot fail; if it did, nothing would be kept.
    serde_json::to_string(&saved).unwrap_or_default()
}

/// As it was left; as at a first visit where the text is not ours.
pub(in crate::state) fn from_json(text: &str) -> Search {
    let Ok(saved) = serde_json::from_str::<SavedSearch>(text) else { return Search::default() };
    Search {
        open: saved.open.map(CorpusId),
        paused: saved.paused.into_iter().map(CorpusId).collect(),
        settled: saved.text.clone(),
        form: Form {
            text: saved.text,
            ranking: saved.ranking,
            count: saved.count.unwrap_or(Form::default().count).clamp(1, MOST_HITS),
            least_cosine: saved.least_cosine.filter(|least| (-1.0..=1.0).contains(least)),
            is_beside: saved.is_beside,
            ..Form::default()
        },
        pasted: saved.pasted.unwrap_or_default(),
        sample: if saved.had_sample { Sample::Done } else { Sample::Untouched },
        rate: saved.rate.filter(|rate| rate.is_finite() && *rate > 0.0),
        ..Search::default()
    }
}
