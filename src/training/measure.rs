//! What is measured of the encoder while it is trained: a probe's geometry and correlation.

use std::collections::HashMap;

use web_time::Instant;

use crate::geometry::alignment::{POSITIVE_ABOVE, alignment};
use crate::geometry::shape::shape;
use crate::math::ranks::spearman;
use crate::math::rng::seed_of;
use crate::math::rows::{dot, normalise, row};
use crate::model;
use crate::protocol::readout::Pooling;
use crate::protocol::training::{Measures, Positives, Probe};
use crate::text::tokeniser::Tokens;
use crate::training::error::Error;
use crate::training::learner::{Learner, Noise};

/// A slice of a measurement runs through about so many tokens.
const SLICE_TOKENS: usize = 512;

/// Alignment without scored pairs is measured on at most so many sentences.
const VIEWED: usize = 128;

/// Of the two views that such an alignment is measured on: SimCSE's, whatever the recipe says.
const VIEW_DROPOUT: f32 = 0.1;

/// Random numbers of those views are drawn apart from other random numbers.
const VIEWS: u64 = 0x616c_6967;

/// A probe as tokens. Sentences are not cut at the recipe's length, only at the model's.
#[derive(Debug, Default)]
pub struct TokenisedProbe {
    /// Each text once.
    texts: Vec<Vec<u32>>,
    numbers: HashMap<Vec<u32>, usize>,
    /// Numbers of texts.
    sentences: Vec<usize>,
    scored: Vec<(usize, usize)>,
    gold: Vec<f32>,
    pinned: Vec<(usize, usize)>,
}

impl TokenisedProbe {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sentence for the shape.
    ///
    /// # Errors
    /// Where the tokeniser fails.
    pub fn push_sentence(
        &mut self,
        text: &str,
        tokenise: &impl Fn(&str) -> Result<Tokens, model::error::Error>,
    ) -> Result<(), Error> {
        let number = self.number(text, tokenise)?;
        self.sentences.push(number);
        Ok(())
    }

    /// Adds a pair with its gold score; a score that is no number is passed over.
    ///
    /// # Errors
    /// Where the tokeniser fails.
    pub fn push_scored(
        &mut self,
        (first, second, gold): &(String, String, f32),
        tokenise: &impl Fn(&str) -> Result<Tokens, model::error::Error>,
    ) -> Result<(), Error> {
        let pair = (self.number(first, tokenise)?, self.number(second, tokenise)?);
        if gold.is_finite() {
            self.scored.push(pair);
            self.gold.push(*gold);
        }
        Ok(())
    }

    /// Adds a pair whose cosine is followed.
    ///
    /// # Errors
    /// Where the tokeniser fails.
    pub fn push_pinned(
        &mut self,
        (first, second): &(String, String),
        tokenise: &impl Fn(&str) -> Result<Tokens, model::error::Error>,
    ) -> Result<(), Error> {
        let pair = (self.number(first, tokenise)?, self.number(second, tokenise)?);
        self.pinned.push(pair);
        Ok(())
    }

    /// Adds the item of that place of a probe: its sentences, then its scored, then its pinned
    /// pairs. `false` where there is none.
    ///
    /// # Errors
    /// Where the tokeniser fails.
    pub fn push(
        &mut self,
        probe: &Probe,
        place: usize,
        tokenise: &impl Fn(&str) -> Result<Tokens, model::error::Error>,
    ) -> Result<bool, Error> {
        let (sentences, scored) = (probe.sentences.len(), probe.scored.len());
        if let Some(sentence) = probe.sentences.get(place) {
            self.push_sentence(sentence, tokenise)?;
        } else if let Some(pair) = probe.scored.get(place - sentences) {
            self.push_scored(pair, tokenise)?;
        } else if let Some(pair) = probe.pinned.get(place - sentences - scored) {
            self.push_pinned(pair, tokenise)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn number(
        &mut self,
        text: &str,
        tokenise: &impl Fn(&str) -> Result<Tokens, model::error::Error>,
    ) -> Result<usize, Error> {
        let ids = tokenise(text)?.ids;
        if let Some(number) = self.numbers.get(&ids) {
            return Ok(*number);
        }
        let number = self.texts.len();
        self.numbers.insert(ids.clone(), number);
        self.texts.push(ids);
        Ok(number)
    }
}

/// A measurement on its way, a slice at a time.
#[derive(Debug)]
pub struct Measuring {
    run_ms: f64,
    hidden: usize,
    /// The trained readout, then the mean where it is another and there are gold scores.
    poolings: Vec<Pooling>,
    /// Numbers of texts, shortest first, so that slices hold like lengths.
    order: Vec<usize>,
    /// Of `order`: done.
    done: usize,
    /// `[texts, hidden]` a pooling, unit length.
    rows: Vec<Vec<f32>>,
    /// Numbers of the texts that are viewed twice.
    viewed: Vec<usize>,
    /// Of `viewed`: done.
    done_views: usize,
    /// Two times `[viewed, hidden]`, unit length.
    views: [Vec<f32>; 2],
}

impl Measuring {
    /// A measurement of a readout.
    pub fn new(probe: &TokenisedProbe, trained: Pooling, hidden: usize) -> Self {
        let with_mean = trained != Pooling::Mean && !probe.scored.is_empty();
        let poolings = if with_mean { vec![trained, Pooling::Mean] } else { vec![trained] };
        let mut order: Vec<usize> = (0..probe.texts.len()).collect();
        order.sort_by_key(|number| probe.texts.get(*number).map_or(0, Vec::len));
        let mut viewed = Vec::new();
        if !probe.gold.iter().any(|gold| *gold > POSITIVE_ABOVE) {
            viewed = probe.sentences.clone();
            viewed.sort_unstable();
            viewed.dedup();
            viewed.truncate(VIEWED);
        }
        let rows = vec![vec![0.0; probe.texts.len() * hidden]; poolings.len()];
        let views = [Vec::new(), Vec::new()];
        let (run_ms, done, done_views) = (0.0, 0, 0);
        Self { run_ms, hidden, poolings, order, done, rows, viewed, done_views, views }
    }

    /// Does a slice. `false` once everything is done.
    ///
    /// # Errors
    /// Where the learner fails.
    pub async fn step<L: Learner>(
        &mut self,
        learner: &mut L,
        probe: &TokenisedProbe,
    ) -> Result<bool, Error> {
        let start = Instant::now();
        if self.done < self.order.len() {
            self.embed(learner, probe).await?;
        } else if self.done_views < self.viewed.len() {
            self.view(learner, probe).await?;
        }
        self.run_ms += start.elapsed().as_secs_f64() * 1e3;
        Ok(self.done < self.order.len() || self.done_views < self.viewed.len())
    }

    async fn embed<L: Learner>(
        &mut self,
        learner: &mut L,
        probe: &TokenisedProbe,
    ) -> Result<(), Error> {
        let numbers = slice(&self.order, self.done, probe);
        let found = learner.embed(&texts(numbers, probe), &self.poolings).await?;
        for (all, found) in self.rows.iter_mut().zip(found) {
            for (number, row) in numbers.iter().zip(found.chunks_exact(self.hidden.max(1))) {
                let start = number * self.hidden;
                if let Some(place) = all.get_mut(start..start + self.hidden) {
                    place.copy_from_slice(row);
                }
            }
        }
        self.done += numbers.len();
        Ok(())
    }

    async fn view<L: Learner>(
        &mut self,
        learner: &mut L,
        probe: &TokenisedProbe,
    ) -> Result<(), Error> {
        let numbers = slice(&self.viewed, self.done_views, probe);
        let texts = texts(numbers, probe);
        for (view, rows) in (0..).zip(&mut self.views) {
            // The same masks in every measurement: what moves is the encoder.
            let seed = seed_of(&[VIEWS, view, self.done_views as u64]);
            let noise = Noise { dropout: VIEW_DROPOUT, seed };
            rows.extend(learner.forward(&texts, Some(noise), false).await?.rows);
        }
        self.done_views += numbers.len();
        Ok(())
    }

    /// The measures; `None` where an embedding is not finite.
    pub fn finish(mut self, probe: &TokenisedProbe, step: u32) -> Option<Measures> {
        let start = Instant::now();
        let hidden = self.hidden.max(1);
        let all = self.rows.iter().chain(&self.views).flatten();
        if !all.fold(0.0, |sum: f32, value| sum + value * 0.0).eq(&0.0) {
            return None;
        }
        for view in &mut self.views {
            view.chunks_exact_mut(hidden).for_each(normalise);
        }
        let trained = self.rows.first()?;
        let of = |rows: &[f32], (first, second): &(usize, usize)| {
            dot(row(rows, hidden, *first), row(rows, hidden, *second))
        };
        let agreement = |rows: &Vec<f32>| {
            let cosines: Vec<f32> = probe.scored.iter().map(|pair| of(rows, pair)).collect();
            spearman(&cosines, &probe.gold)
        };
        let sentences: Vec<f32> = probe
            .sentences
            .iter()
            .flat_map(|number| row(trained, hidden, *number))
            .copied()
            .collect();
        let (positives, alignment) = self.alignment(probe, trained);
        // Where the mean is trained, it is its own neighbour.
        let mean = self.rows.last().filter(|_| !probe.scored.is_empty());
        Some(Measures {
            step,
            shape: shape(&sentences, hidden),
            alignment,
            positives,
            spearman: agreement(trained),
            spearman_mean: mean.and_then(agreement),
            pinned: probe.pinned.iter().map(|pair| of(trained, pair).clamp(-1.0, 1.0)).collect(),
            measure_ms: self.run_ms + start.elapsed().as_secs_f64() * 1e3,
        })
    }

    fn alignment(&self, probe: &TokenisedProbe, trained: &[f32]) -> (Positives, Option<f64>) {
        let hidden = self.hidden.max(1);
        if self.viewed.is_empty() {
            let scored = probe.scored.iter().zip(&probe.gold);
            let near = scored.filter(|(_, gold)| **gold > POSITIVE_ABOVE).map(|(pair, _)| pair);
            let pairs = near.map(|(first, second)| {
                (row(trained, hidden, *first), row(trained, hidden, *second))
            });
            return (Positives::Scored, alignment(pairs));
        }
        let [first, second] = &self.views;
        let pairs = first.chunks_exact(hidden).zip(second.chunks_exact(hidden));
        (Positives::Views, alignment(pairs))
    }
}

/// The next of the numbers whose texts fit into a slice; at least one, if there are any.
fn slice<'a>(numbers: &'a [usize], done: usize, probe: &TokenisedProbe) -> &'a [usize] {
    let rest = numbers.get(done..).unwrap_or_default();
    let mut tokens = 0;
    let fitting = rest.iter().take_while(|number| {
        tokens += probe.texts.get(**number).map_or(0, Vec::len);
        tokens <= SLICE_TOKENS
    });
    rest.get(..fitting.count().max(1)).unwrap_or(rest)
}

fn texts<'a>(numbers: &[usize], probe: &'a TokenisedProbe) -> Vec<&'a [u32]> {
    numbers.iter().filter_map(|number| probe.texts.get(*number)).map(Vec::as_slice).collect()
}
