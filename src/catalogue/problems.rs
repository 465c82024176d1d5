//! Problems in words: what happened, and what to do.

use crate::catalogue::fill;
use crate::catalogue::language::Language;
use crate::catalogue::numbers::{grouped, megabytes};
use crate::catalogue::text::Text;
use crate::catalogue::words::Words;
use crate::protocol::problem::{GpuFault, HubFault, Problem};

/// What happened and what to do, as two sentences or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub happened: String,
    pub remedy: String,
}

/// The problem in a language.
pub fn explain(problem: &Problem, language: Language) -> Explanation {
    let (text, remedy) = texts(problem);
    let places = places(problem);
    let places: Vec<(&str, &str)> =
        places.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut happened = fill(text.in_language(language), &places);
    if let Problem::NotGguf { looks_like: Some(kind), .. } = problem {
        happened.push(' ');
        happened.push_str(&fill(Text::ProblemLooksLike.in_language(language), &[("kind", kind)]));
    }
    Explanation { happened, remedy: remedy.in_language(language).to_owned() }
}

fn texts(problem: &Problem) -> (Text, Text) {
    match problem {
        Problem::NotGguf { .. } => (Text::ProblemNotGguf, Text::RemedyNotGguf),
        Problem::GgufVersion { .. } => (Text::ProblemVersion, Text::RemedyVersion),
        Problem::Truncated { .. } => (Text::ProblemTruncated, Text::RemedyAgain),
        Problem::Damaged { .. } => (Text::ProblemDamaged, Text::RemedyAgain),
        Problem::Absurd { .. } => (Text::ProblemAbsurd, Text::RemedyAgain),
        Problem::Architecture { .. } => (Text::ProblemArchitecture, Text::RemedyArchitecture),
        Problem::MissingTensor { .. } => (Text::ProblemMissing, Text::RemedyVersion),
        Problem::TensorShape { .. } => (Text::ProblemShape, Text::RemedyVersion),
        Problem::TensorType { .. } => (Text::ProblemType, Text::RemedyType),
        Problem::NotFinite { .. } => (Text::ProblemNotFinite, Text::RemedyAgain),
        Problem::Tokeniser { .. } => (Text::ProblemTokeniser, Text::RemedyTokeniser),
        Problem::Memory { .. } => (Text::ProblemMemory, Text::RemedyMemory),
        Problem::Layer { .. } => (Text::ProblemLayer, Text::RemedyLayer),
        Problem::Network { .. } => (Text::ProblemNetwork, Text::RemedyNetwork),
        Problem::Checkpoint { .. } => (Text::ProblemCheckpoint, Text::RemedyCheckpoint),
        Problem::Pickle { .. } => (Text::ProblemPickle, Text::RemedyPickle),
        Problem::Hub { fault, .. } => hub_texts(*fault),
        Problem::ModelNotKept { .. } => (Text::ProblemModelNotKept, Text::RemedyModelNotKept),
        Problem::TooLarge { .. } => (Text::ProblemTooLarge, Text::RemedyTooLarge),
        Problem::Hash { .. } => (Text::ProblemHash, Text::RemedyHash),
        Problem::NoModel => (Text::ProblemNoModel, Text::RemedyNoModel),
        Problem::NoAdapter => (Text::ProblemNoAdapter, Text::RemedyNoAdapter),
        Problem::NotKept => (Text::ProblemNotKept, Text::RemedyNotKept),
        Problem::AdapterBase { .. } => (Text::ProblemAdapterBase, Text::RemedyAdapterBase),
        Problem::IsAdapter { .. } => (Text::ProblemIsAdapter, Text::RemedyIsAdapter),
        Problem::NotAdapter { .. } => (Text::ProblemNotAdapter, Text::RemedyNotAdapter),
        Problem::NoMlp => (Text::ProblemNoMlp, Text::RemedyNoMlp),
        Problem::Recipe { .. } => (Text::ProblemRecipe, Text::RemedyRecipe),
        Problem::TooFewExamples { .. } => (Text::ProblemTooFew, Text::RemedyTooFew),
        Problem::Program { .. } => (Text::ProblemProgram, Text::RemedyProgram),
        Problem::Gpu { fault, .. } => (gpu_text(*fault), Text::RemedyGpu),
        Problem::Busy => (Text::ProblemBusy, Text::RemedyBusy),
        Problem::NoBackend { .. } => (Text::ProblemNoBackend, Text::RemedyNoBackend),
        Problem::NoSurvey => (Text::ProblemNoSurvey, Text::RemedyNoSurvey),
        Problem::NoCorpus => (Text::ProblemNoCorpus, Text::RemedyNoCorpus),
        Problem::Unreadable { .. } => (Text::ProblemUnreadable, Text::RemedyUnreadable),
        Problem::EmptyCorpus { .. } => (Text::ProblemEmptyCorpus, Text::RemedyEmptyCorpus),
        Problem::NoWindow | Problem::Internal { .. } => {
            (Text::ProblemInternal, Text::RemedyInternal)
        }
    }
}

fn hub_texts(fault: HubFault) -> (Text, Text) {
    match fault {
        HubFault::NoName => (Text::ProblemHubName, Text::RemedyHubName),
        HubFault::Missing => (Text::ProblemHubMissing, Text::RemedyHubMissing),
        HubFault::Forbidden => (Text::ProblemHubForbidden, Text::RemedyHubForbidden),
        HubFault::Busy { .. } => (Text::ProblemHubBusy, Text::RemedyHubBusy),
        HubFault::Refused { .. } => (Text::ProblemHubRefused, Text::RemedyHubRefused),
        HubFault::NoWeights => (Text::ProblemHubNoWeights, Text::RemedyHubNoWeights),
        HubFault::NoHub => (Text::ProblemHubNone, Text::RemedyHubRefused),
        HubFault::NoSize => (Text::ProblemHubNoSize, Text::RemedyHubNoSize),
    }
}

fn gpu_text(fault: GpuFault) -> Text {
    match fault {
        GpuFault::NoAdapter => Text::ProblemGpuNone,
        GpuFault::Limit => Text::ProblemGpuLimit,
        GpuFault::Memory => Text::ProblemGpuMemory,
        GpuFault::Refused => Text::ProblemGpuRefused,
        GpuFault::Lost => Text::ProblemGpuLost,
    }
}

fn places(problem: &Problem) -> Vec<(&'static str, String)> {
    match problem {
        Problem::NotGguf { .. }
        | Problem::Hash { .. }
        | Problem::NoModel
        | Problem::NoAdapter
        | Problem::NotKept
        | Problem::NoMlp
        | Problem::NoCorpus
        | Problem::Busy => Vec::new(),
        Problem::Checkpoint { file, detail } => {
            vec![("file", file.clone()), ("detail", detail.clone())]
        }
        Problem::Pickle { file, asked } => vec![("file", file.clone()), ("asked", asked.clone())],
        Problem::Hub { name, fault, detail } => {
            let mut places = vec![("name", name.clone()), ("detail", detail.clone())];
            match fault {
                HubFault::Busy { wait_s } => places.push(("wait", wait_s.to_string())),
                HubFault::Refused { status } => places.push(("status", status.to_string())),
                _ => {}
            }
            places
        }
        Problem::TooLarge { name, needed_bytes, available_bytes } => vec![
            ("name", name.clone()),
            ("needed", megabytes(*needed_bytes)),
            ("available", megabytes(*available_bytes)),
        ],
        Problem::Unreadable { name, detail } => vec![
            ("name", name.clone().unwrap_or_else(|| "text".to_owned())),
            ("detail", detail.clone()),
        ],
        Problem::EmptyCorpus { rows, skipped } => {
            vec![("rows", grouped(u64::from(*rows))), ("skipped", grouped(u64::from(*skipped)))]
        }
        Problem::AdapterBase { expected, expected_name, .. } => {
            let hash = expected.chars().take(12).collect();
            vec![("expected", expected_name.clone()), ("hash", hash)]
        }
        Problem::Recipe { field, found, low, high } => vec![
            ("field", field.clone()),
            ("found", found.to_string()),
            ("low", low.to_string()),
            ("high", high.to_string()),
        ],
        Problem::TooFewExamples { found, needed } => {
            vec![("found", grouped(u64::from(*found))), ("needed", grouped(u64::from(*needed)))]
        }
        Problem::GgufVersion { found } => vec![("found", found.to_string())],
        Problem::Truncated { needed_bytes, found_bytes } => {
            vec![("needed", megabytes(*needed_bytes)), ("found", megabytes(*found_bytes))]
        }
        Problem::Damaged { what } => vec![("what", what.clone())],
        Problem::Absurd { what, found, limit } => {
            vec![("what", what.clone()), ("found", grouped(*found)), ("limit", grouped(*limit))]
        }
        Problem::Architecture { found } => vec![("found", found.clone())],
        Problem::MissingTensor { name }
        | Problem::NotFinite { name }
        | Problem::IsAdapter { name }
        | Problem::ModelNotKept { name }
        | Problem::NotAdapter { name } => {
            vec![("name", name.clone())]
        }
        Problem::TensorShape { name, expected, found } => {
            vec![("name", name.clone()), ("expected", shape(expected)), ("found", shape(found))]
        }
        Problem::TensorType { name, found } => {
            vec![("name", name.clone()), ("found", found.clone())]
        }
        Problem::Memory { needed_bytes } => vec![("mb", megabytes(*needed_bytes))],
        Problem::Layer { found, layers } => {
            vec![("found", found.to_string()), ("layers", layers.to_string())]
        }
        Problem::Network { detail, done_bytes, total_bytes } => vec![
            ("detail", detail.clone()),
            ("done", megabytes(*done_bytes)),
            ("total", megabytes(*total_bytes)),
        ],
        Problem::NoBackend { name } => vec![("name", name.clone())],
        Problem::NoWindow => vec![("detail", "the matrix window does not exist".to_owned())],
        Problem::NoSurvey => vec![("detail", "the vectors are not kept".to_owned())],
        Problem::Tokeniser { detail }
        | Problem::Program { detail }
        | Problem::Gpu { detail, .. }
        | Problem::Internal { detail } => {
            vec![("detail", detail.clone())]
        }
    }
}

fn shape(dimensions: &[u64]) -> String {
    let sides: Vec<String> = dimensions.iter().map(u64::to_string).collect();
    format!("[{}]", sides.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Language, Problem, explain};

    #[test]
    fn operands_reach_the_sentence_in_both_languages() {
        let problem = Problem::TensorShape {
            name: "blk.0.attn_q.weight".into(),
            expected: vec![384, 384],
            found: vec![384],
        };
        for language in Language::ALL {
            let words = explain(&problem, language);
            assert!(
                words.happened.contains("[384, 384]")
                    && words.happened.contains("blk.0.attn_q.weight")
            );
            assert!(!words.happened.contains('{') && !words.remedy.is_empty());
        }
    }
}
