//! Every catalogue: the same places in both languages, and Chinese that is Chinese.

use std::collections::BTreeSet;

use crate::catalogue::adapters::AdapterText;
use crate::catalogue::export::ExportText;
use crate::catalogue::fill;
use crate::catalogue::fine_tune::FineTuneText;
use crate::catalogue::geometry::GeometryText;
use crate::catalogue::gpu::GpuText;
use crate::catalogue::language::Language;
use crate::catalogue::lesson::LessonText;
use crate::catalogue::map::MapText;
use crate::catalogue::models::ModelText;
use crate::catalogue::search::SearchText;
use crate::catalogue::text::Text;
use crate::catalogue::words::Words;

/// Texts that are names or symbols in both languages.
const SAME_IN_BOTH: [&str; 19] = [
    "Gpu",
    "PreferCpu",
    "Kilobytes",
    "Megabytes",
    "VariantDropout",
    "BlendValue",
    "Hash",
    "SideOf",
    "BackendCpu",
    "BackendWebGpu",
    "ExportCsv",
    "ExportPng",
    "ModelHash",
    "StatusReady",
    "StatusReadyUntimed",
    "ProblemAbout",
    "StepNumber",
    "ViewsAxis",
    "Working",
];

/// Every text of every catalogue: its name, and its words in both languages.
fn all() -> Vec<(String, [&'static str; 2])> {
    fn of<W: Words + std::fmt::Debug>(
        texts: &'static [W],
    ) -> impl Iterator<Item = (String, [&'static str; 2])> {
        texts.iter().map(|text| {
            (format!("{text:?}"), Language::ALL.map(|language| text.in_language(language)))
        })
    }
    of(Text::ALL)
        .chain(of(LessonText::ALL))
        .chain(of(GeometryText::ALL))
        .chain(of(ModelText::ALL))
        .chain(of(SearchText::ALL))
        .chain(of(ExportText::ALL))
        .chain(of(MapText::ALL))
        .chain(of(GpuText::ALL))
        .chain(of(FineTuneText::ALL))
        .chain(of(AdapterText::ALL))
        .collect()
}

fn places(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name.split(':').next().unwrap_or(name)).collect()
}

#[test]
fn both_languages_have_the_same_places() {
    for (name, [english, chinese]) in all() {
        assert_eq!(places(english), places(chinese), "{name}");
    }
}

#[test]
fn chinese_texts_are_chinese() {
    for (name, [_, chinese]) in all() {
        let has_han = chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(has_han || SAME_IN_BOTH.contains(&name.as_str()), "{name}: {chinese}");
    }
}

#[test]
fn places_are_filled_once_and_unknown_ones_stay() {
    assert_eq!(fill("{n} of {total}", &[("n", "{total}"), ("total", "9")]), "{total} of 9");
    assert_eq!(fill("{x} { {", &[]), "{x} { {");
}

#[test]
fn words_follow_their_number() {
    let say = |n| fill("{n} {n:sentence is|sentences are} here", &[("n", n)]);
    assert_eq!([say("1"), say("0"), say("1,001")].map(|it| it.len()), [18, 20, 24]);
    assert_eq!(say("1"), "1 sentence is here");
    assert_eq!(fill("{x:one|many}", &[]), "{x:one|many}");
}
