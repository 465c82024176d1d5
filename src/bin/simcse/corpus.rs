//! Examples from a recipe's sources.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::Context;

use simcse_lab::math::rng::Rng;
use simcse_lab::protocol::training::Example;
use simcse_lab::text::lists;

use crate::simcse::input;
use crate::simcse::recipe_file::Kind;
use crate::simcse::recipe_file::Portion;
use crate::simcse::recipe_file::Source;

/// The examples of every source, by its name.
pub type Corpus = BTreeMap<String, Vec<Example>>;

/// Reads all sources. Sentences in `held_out` are left out, with the examples they are in, and
/// equal examples but the first.
pub fn read(sources: &[Source], folder: &Path, held_out: &HashSet<&str>) -> anyhow::Result<Corpus> {
    let mut corpus = Corpus::new();
    for source in sources {
        let path = folder.join(&source.path);
        let examples = examples(source, &path)
            .with_context(|| format!("source {} from {}", source.name, path.display()))?;
        let mut seen = HashSet::new();
        let texts = |example: &Example| {
            let Example { anchor, positive, hard_negative } = example.clone();
            [Some(anchor), positive, hard_negative]
        };
        let fits = |text: &String| {
            let words = text.split_whitespace().count();
            words > 0
                && (source.min_words..=source.max_words).contains(&words)
                && !held_out.contains(text.as_str())
        };
        let kept = examples.into_iter().filter(|example| {
            let texts = texts(example);
            texts.iter().flatten().all(fits) && seen.insert(texts)
        });
        corpus.insert(source.name.clone(), kept.collect());
    }
    Ok(corpus)
}

/// What a stage takes of a corpus: drawn by its seed, and in the order of the sources.
pub fn choose(
    corpus: &Corpus,
    portions: Option<&BTreeMap<String, Portion>>,
    seed: u64,
) -> anyhow::Result<Vec<Example>> {
    let Some(portions) = portions else {
        return Ok(corpus.values().flatten().cloned().collect());
    };
    let mut wanted = Vec::new();
    for (name, portion) in portions {
        let examples = corpus.get(name).with_context(|| format!("there is no source {name}"))?;
        wanted.push((examples, *portion));
    }
    let shares = || wanted.iter().filter_map(|(list, portion)| Some((list, portion.share?)));
    let valid = |share: f64| share > 0.0 && share.is_finite();
    anyhow::ensure!(shares().all(|(_, share)| valid(share)), "a share must be above 0");
    // As many as possible without repetition: the scarcest source sets the measure.
    let unit =
        shares().map(|(list, share)| list.len() as f64 / share).fold(f64::INFINITY, f64::min);
    let mut chosen = Vec::new();
    for (number, (examples, portion)) in (0..).zip(wanted) {
        let by_share = portion.share.map(|share| (share * unit).round() as usize);
        let count = by_share.into_iter().chain(portion.count).min().unwrap_or(examples.len());
        let mut order: Vec<&Example> = examples.iter().collect();
        Rng::of(&[seed, number]).shuffle(&mut order);
        chosen.extend(order.into_iter().take(count).cloned());
    }
    Ok(chosen)
}

fn examples(source: &Source, path: &Path) -> anyhow::Result<Vec<Example>> {
    let alone = |anchor: &str| Example { anchor: anchor.trim().to_owned(), ..Example::default() };
    match source.kind {
        Kind::Lines => Ok(text(path)?.lines().map(alone).collect()),
        Kind::Tsv => {
            let column = source.column.saturating_sub(1);
            let text = text(path)?;
            Ok(text.lines().filter_map(|line| line.split('\t').nth(column)).map(alone).collect())
        }
        Kind::ScoredSentences => {
            let (pairs, _) = input::scored_pairs(path)?;
            Ok(pairs.iter().flat_map(|(first, second)| [alone(first), alone(second)]).collect())
        }
        Kind::ScoredPairs => {
            let (pairs, gold) = input::scored_pairs(path)?;
            let near = pairs.into_iter().zip(gold).filter(|(_, score)| *score >= source.above);
            Ok(near.map(|((first, second), _)| triplet(&first, Some(&second), None)).collect())
        }
        Kind::ScoredOpposites => {
            let (pairs, gold) = input::scored_pairs(path)?;
            let far = pairs.into_iter().zip(gold).filter(|(_, score)| *score <= source.below);
            let both = |(first, second): (String, String)| {
                [(&first, &second), (&second, &first)]
                    .map(|(one, other)| triplet(one, Some(one), Some(other)))
            };
            Ok(far.flat_map(|(pair, _)| both(pair)).collect())
        }
        Kind::TripletSentences => {
            let sentences = triplets(path)?.into_iter().flatten();
            Ok(sentences.map(|sentence| alone(&sentence)).collect())
        }
        Kind::TripletAnchors => {
            Ok(triplets(path)?.iter().map(|[anchor, ..]| alone(anchor)).collect())
        }
        Kind::TripletPairs => {
            let all = triplets(path)?;
            Ok(all.iter().map(|[anchor, near, _]| triplet(anchor, Some(near), None)).collect())
        }
        Kind::Triplets => {
            let all = triplets(path)?;
            Ok(all
                .iter()
                .map(|[anchor, near, far]| triplet(anchor, Some(near), Some(far)))
                .collect())
        }
    }
}

fn triplet(anchor: &str, positive: Option<&str>, hard_negative: Option<&str>) -> Example {
    let owned = |text: Option<&str>| text.map(|text| text.trim().to_owned());
    let (positive, hard_negative) = (owned(positive), owned(hard_negative));
    Example { anchor: anchor.trim().to_owned(), positive, hard_negative }
}

fn text(path: &Path) -> anyhow::Result<String> {
    Ok(lists::decode(&fs::read(path)?)?)
}

/// Tab-separated lines of premise, entailment, contradiction, below a header.
fn triplets(path: &Path) -> anyhow::Result<Vec<[String; 3]>> {
    let text = text(path)?;
    let rows = text.lines().skip(1).map(|line| {
        let mut cells = line.split('\t').map(str::to_owned);
        Some([cells.next()?, cells.next()?, cells.next()?])
    });
    let rows: Option<Vec<_>> = rows.collect();
    rows.context("a line has fewer than three columns")
}
