//! One step of training, a piece at a time: forward, loss, backward, update.
//!
//! The loss needs the vectors of the whole batch, the gradient needs the graph of each. Where the
//! graphs of all pieces do not fit into memory, a piece is run once for its vectors and once more,
//! with the same noise, for its graph: gradient caching (Gao et al., arXiv 2101.06983). Both ways
//! give the same gradient, to the last bit, because the pieces are the same.

use std::ops::Range;

use web_time::Instant;

use crate::math::rng::seed_of;
use crate::protocol::recipe::{Augmentation, Recipe};
use crate::protocol::training::StepReport;
use crate::training::error::Error;
use crate::training::examples::Views;
use crate::training::learner::{Learner, Noise, Update};
use crate::training::loss::{Loss, Rows, contrast};
use crate::training::schedule::learning_rate;

/// A piece holds about so many tokens, where the recipe does not say how many sentences: few enough
/// that an order is obeyed soon, and enough for the matrix products to be fast.
const PIECE_TOKENS: usize = 512;

/// Random numbers of dropout are drawn apart from other random numbers.
const MASKS: u64 = 0x6d61_736b;

/// A step on its way.
#[derive(Debug)]
pub struct Step<T> {
    number: u32,
    views: Views,
    pieces: Vec<Piece<T>>,
    /// Pieces that have gone forward, and back.
    forwarded: usize,
    returned: usize,
    /// `[sentences, hidden]` a view.
    rows: [Vec<f32>; 3],
    loss: Option<Loss>,
    run_ms: f64,
}

/// Sentences of one view that run together.
#[derive(Debug)]
struct Piece<T> {
    /// Anchors, positives, hard negatives.
    view: usize,
    range: Range<usize>,
    noise: Option<Noise>,
    /// The graph stays in memory until the way back.
    keeps_tape: bool,
    tape: Option<T>,
}

/// What a piece of work came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    Working,
    Done(StepReport),
    /// Vectors, loss or gradient are not numbers; the weights are as before.
    NotFinite,
}

impl<T> Step<T> {
    /// A step over the views of a batch. Graphs of at most `tape_tokens` tokens are in memory
    /// together (and that of one piece); where the recipe sets `micro_batch`, of so many sentences.
    pub fn new(number: u32, views: Views, recipe: &Recipe, tape_tokens: usize) -> Self {
        let mut pieces = Vec::new();
        for (micro, examples) in (0..).zip(parts(&views, recipe.micro_batch as usize)) {
            for view in 0..3 {
                let range = rows_of(&views, view, &examples);
                let noise = noise(recipe, number, view, micro);
                if !range.is_empty() {
                    pieces.push(Piece { view, range, noise, keeps_tape: false, tape: None });
                }
            }
        }
        let mut step = Self {
            number,
            views,
            pieces,
            forwarded: 0,
            returned: 0,
            rows: [Vec::new(), Vec::new(), Vec::new()],
            loss: None,
            run_ms: 0.0,
        };
        step.share_memory(recipe.micro_batch as usize, tape_tokens);
        step
    }

    /// The first pieces, as far as the memory goes, keep their graphs.
    fn share_memory(&mut self, micro_batch: usize, tape_tokens: usize) {
        let (mut left, by_sentences) =
            if micro_batch > 0 { (micro_batch, true) } else { (tape_tokens, false) };
        for index in 0..self.pieces.len() {
            let sentences = self.sentences(index);
            let tokens = sentences.iter().map(|ids| ids.len()).sum();
            let needed = if by_sentences { sentences.len() } else { tokens };
            let Some(rest) = left.checked_sub(needed) else { return };
            left = rest;
            if let Some(piece) = self.pieces.get_mut(index) {
                piece.keeps_tape = true;
            }
        }
    }

    /// Does one piece of work.
    ///
    /// # Errors
    /// Where the learner fails.
    pub async fn advance<L: Learner<Tape = T>>(
        &mut self,
        learner: &mut L,
        recipe: &Recipe,
    ) -> Result<Progress, Error> {
        let start = Instant::now();
        let progress = if self.forwarded < self.pieces.len() {
            self.forward(learner, recipe).await?
        } else if self.returned < self.pieces.len() {
            self.backward(learner).await?
        } else {
            self.update(learner, recipe).await?
        };
        self.run_ms += start.elapsed().as_secs_f64() * 1e3;
        let Progress::Done(report) = progress else { return Ok(progress) };
        Ok(Progress::Done(StepReport { step_ms: self.run_ms, ..report }))
    }

    async fn forward<L: Learner<Tape = T>>(
        &mut self,
        learner: &mut L,
        recipe: &Recipe,
    ) -> Result<Progress, Error> {
        let sentences = self.sentences(self.forwarded);
        let Some(piece) = self.pieces.get(self.forwarded) else { return Ok(Progress::Working) };
        let (view, keeps_tape) = (piece.view, piece.keeps_tape);
        let found = learner.forward(&sentences, piece.noise, keeps_tape).await?;
        if !found.rows.iter().all(|value| value.is_finite()) {
            return Ok(Progress::NotFinite);
        }
        if let Some(rows) = self.rows.get_mut(view) {
            rows.extend(found.rows);
        }
        if let Some(piece) = self.pieces.get_mut(self.forwarded) {
            piece.tape = found.tape;
        }
        self.forwarded += 1;
        if self.forwarded < self.pieces.len() {
            return Ok(Progress::Working);
        }
        let [anchors, positives, negatives] = &self.rows;
        let owners = &self.views.owners;
        let rows = Rows { hidden: learner.hidden(), anchors, positives, negatives, owners };
        let loss = contrast(&rows, recipe.temperature, recipe.hard_negative_weight);
        let is_finite = loss.loss.is_finite();
        self.loss = Some(loss);
        Ok(if is_finite { Progress::Working } else { Progress::NotFinite })
    }

    async fn backward<L: Learner<Tape = T>>(&mut self, learner: &mut L) -> Result<Progress, Error> {
        let sentences = self.sentences(self.returned);
        let Some(piece) = self.pieces.get(self.returned) else { return Ok(Progress::Working) };
        let noise = piece.noise;
        let again = if piece.tape.is_none() {
            Some(learner.forward(&sentences, noise, true).await?)
        } else {
            None
        };
        let Some(piece) = self.pieces.get_mut(self.returned) else { return Ok(Progress::Working) };
        if let Some(found) = again {
            // The way back is the next piece of work.
            piece.tape = found.tape;
            return Ok(Progress::Working);
        }
        let Some(tape) = piece.tape.take() else { return Ok(Progress::Working) };
        let hidden = learner.hidden();
        let gradient = self.loss.as_ref().map_or(&[][..], |loss| match piece.view {
            0 => &loss.anchors,
            1 => &loss.positives,
            _ => &loss.negatives,
        });
        let span = piece.range.start * hidden..piece.range.end * hidden;
        learner.backward(tape, gradient.get(span).unwrap_or_default()).await?;
        self.returned += 1;
        Ok(Progress::Working)
    }

    async fn update<L: Learner<Tape = T>>(
        &mut self,
        learner: &mut L,
        recipe: &Recipe,
    ) -> Result<Progress, Error> {
        let learning_rate = learning_rate(recipe, self.number);
        let (weight_decay, gradient_clip) = (recipe.weight_decay, recipe.gradient_clip);
        let gradient_norm =
            learner.update(Update { learning_rate, weight_decay, gradient_clip }).await?;
        let Some(loss) = self.loss.as_ref().filter(|_| gradient_norm.is_finite()) else {
            return Ok(Progress::NotFinite);
        };
        Ok(Progress::Done(StepReport {
            step: self.number,
            loss: loss.loss as f32,
            accuracy: loss.accuracy as f32,
            positive_cosine: loss.positive_cosine as f32,
            negative_cosine: loss.negative_cosine as f32,
            learning_rate,
            gradient_norm,
            step_ms: 0.0,
        }))
    }

    fn sentences(&self, piece: usize) -> Vec<&[u32]> {
        let Some(piece) = self.pieces.get(piece) else { return Vec::new() };
        let all = view(&self.views, piece.view);
        all.get(piece.range.clone()).unwrap_or_default().iter().map(Vec::as_slice).collect()
    }
}

fn view(views: &Views, number: usize) -> &[Vec<u32>] {
    match number {
        0 => &views.anchors,
        1 => &views.positives,
        _ => &views.negatives,
    }
}

/// Ranges of examples whose views run together: both views of a piece hold the same examples, so
/// that under the same mask equal sentences have equal vectors.
fn parts(views: &Views, micro_batch: usize) -> Vec<Range<usize>> {
    let count = views.anchors.len();
    if micro_batch > 0 {
        let starts = (0..count).step_by(micro_batch);
        return starts.map(|start| start..(start + micro_batch).min(count)).collect();
    }
    let mut parts = Vec::new();
    let (mut start, mut tokens) = (0, 0);
    for (example, (anchor, positive)) in views.anchors.iter().zip(&views.positives).enumerate() {
        let longer = anchor.len().max(positive.len());
        if example > start && tokens + longer > PIECE_TOKENS {
            parts.push(start..example);
            (start, tokens) = (example, 0);
        }
        tokens += longer;
    }
    parts.push(start..count);
    parts
}

/// The rows of a view that belong to a range of examples.
fn rows_of(views: &Views, view: usize, examples: &Range<usize>) -> Range<usize> {
    if view < 2 {
        return examples.clone();
    }
    let before = |example: usize| views.owners.partition_point(|owner| *owner < example);
    before(examples.start)..before(examples.end)
}

fn noise(recipe: &Recipe, step: u32, view: usize, micro: u64) -> Option<Noise> {
    let same = recipe.augmentation == Augmentation::SameMask;
    let view = if same { 0 } else { view as u64 };
    let seed = seed_of(&[MASKS, recipe.seed, u64::from(step), view, micro]);
    (recipe.dropout > 0.0).then_some(Noise { dropout: recipe.dropout, seed })
}
