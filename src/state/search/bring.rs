//! A corpus on its way in: a file, what was pasted, the sample.

use crate::protocol::search::{Cut, Intake};
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::search::{Draft, Origin, Stage};

/// The bundled corpus, beside the page, and its name.
const SAMPLE: &str = "stories.tsv";
/// What is looked for in it at first.
const SAMPLE_QUERY: &str = "bad weather is coming";

/// Begins to read a corpus.
pub(super) fn bring(state: &mut State, origin: Origin) -> Vec<Effect> {
    let revision = state.revision();
    let search = &mut state.search;
    let (file, name) = match &origin {
        Origin::File { name } => (Some(name.clone()), without_ending(name)),
        Origin::Pasted => (None, first_words(&search.pasted)),
        Origin::Sample => (Some(SAMPLE.to_owned()), without_ending(SAMPLE)),
    };
    let is_sample = origin == Origin::Sample;
    // A file of prose is more often searched by its sentences than by its lines.
    let ending = file.as_deref().and_then(|file| file.rsplit_once('.')).map(|(_, end)| end);
    let cut = if ending == Some("md") { Cut::Passages { words: 80 } } else { Cut::Rows };
    let intake = Intake { name: file, cut, ..Intake::default() };
    let stage = Stage::Reading { done_bytes: 0, total_bytes: 0 };
    search.draft = Some(Draft { revision, intake: intake.clone(), name, stage, is_sample });
    search.trouble = None;
    if is_sample && search.form.is_empty() {
        search.form.text = SAMPLE_QUERY.to_owned();
        search.settled = SAMPLE_QUERY.to_owned();
    }
    vec![match origin {
        Origin::File { .. } => Effect::SendCorpusFile { revision, intake },
        Origin::Pasted => {
            let text = search.pasted.clone();
            Effect::SendCorpusText { revision, intake, text }
        }
        Origin::Sample => {
            Effect::SendCorpusAt { revision, intake, url: format!("corpora/{SAMPLE}") }
        }
    }]
}

fn without_ending(name: &str) -> String {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

fn first_words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(4).collect();
    words.join(" ").chars().take(40).collect()
}
