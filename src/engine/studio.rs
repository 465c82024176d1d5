//! Two views of some sentences under dropout, and the matrix of their cosines.
//!
//! Inference has no dropout, so the views come from a learner of the training side, which is not
//! trained here. Making one decodes the linear layers (43 MB for the shipped model, some 100 ms),
//! so it is kept for the next views, which follow each other while a slider moves. It is dropped
//! when views of something else are asked for, when another model comes, and at the first work of
//! any kind after a minute without views: a worker that does nothing has no use for the memory.

use web_time::{Duration, Instant};

use crate::backend::cpu::Cpu;
use crate::engine::sides::Sides;
use crate::engine::views::Views;
use crate::geometry::cosine::grid;
use crate::math::rows::normalise;
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Pooling, Readout, Side};
use crate::protocol::recipe::{Linears, Recipe, Trained, TrainedReadout};
use crate::training::cpu::CpuLearner;
use crate::training::learner::{Learner, Noise};
use crate::weights::adapter::{Change, Changes};

/// Tokens that run together: some 30 ms in a browser.
const CHUNK_TOKENS: usize = 128;

/// The learner is kept for so long.
const KEEP: Duration = Duration::from_secs(60);

/// Draws views.
#[derive(Debug, Default)]
pub struct Studio {
    kept: Option<Kept>,
}

/// A learner that draws views.
#[derive(Debug)]
struct Kept {
    learner: CpuLearner<Cpu>,
    of: Of,
    used: Instant,
}

/// What a learner was made of.
#[derive(Debug, Clone, PartialEq)]
struct Of {
    model: String,
    /// Hash and blend.
    adapter: Option<(String, f32)>,
    readout: TrainedReadout,
}

impl Studio {
    /// Drops the learner where nobody asked for views for a while.
    pub fn tidy(&mut self) {
        self.kept.take_if(|kept| kept.used.elapsed() > KEEP);
    }

    /// Does a little: tokenises and makes the learner ready, then a few sentences of a view at a
    /// time. The cosines `[sentences, sentences]` once they are complete.
    pub async fn step(
        &mut self,
        views: &mut Views,
        sides: &Sides<Cpu>,
    ) -> Result<Option<Vec<f32>>, Problem> {
        if views.work.ids.len() < views.texts.len() {
            self.prepare(views, sides)?;
            return Ok(None);
        }
        if views.work.view < 2 && views.work.done < views.texts.len() {
            // Another request's views may have put another learner in its place.
            draw(views, self.ready(views.lens, sides)?).await?;
            return Ok(None);
        }
        let [mut first, mut second] = std::mem::take(&mut views.work.rows);
        let hidden = sides.file().map_or(1, |file| file.config.hidden);
        first.chunks_exact_mut(hidden).for_each(normalise);
        second.chunks_exact_mut(hidden).for_each(normalise);
        Ok(Some(grid(&first, &second, hidden)))
    }

    fn prepare(&mut self, views: &mut Views, sides: &Sides<Cpu>) -> Result<(), Problem> {
        let range = Recipe { dropout: views.dropout, ..Recipe::default() }.check();
        range.map_err(|error| Problem::from(&crate::training::error::Error::from(error)))?;
        let encoder = sides.encoder(views.lens.side).ok_or(Problem::NoModel)?;
        for text in &views.texts {
            let tokens = encoder.tokenise(text).map_err(|error| Problem::from(&error))?;
            views.work.ids.push(tokens.ids);
        }
        self.ready(views.lens, sides).map(|_| ())
    }

    /// The learner of this lens: the one that is kept, or a new one.
    fn ready(&mut self, lens: Lens, sides: &Sides<Cpu>) -> Result<&mut CpuLearner<Cpu>, Problem> {
        let file = sides.file().ok_or(Problem::NoModel)?;
        let readout = trained_readout(lens.readout, file.config.layers)?;
        let adapter = match lens.side {
            Side::Before => None,
            Side::After => Some(sides.adapter().ok_or(Problem::NoAdapter)?),
        };
        let of = Of {
            model: file.sha256.clone(),
            adapter: adapter.map(|(adapter, blend)| (adapter.sha256.clone(), blend)),
            readout,
        };
        // The old one goes before the new one is made: both would be 86 MB.
        let kept = match self.kept.take().filter(|kept| kept.of == of) {
            Some(kept) => kept,
            None => {
                let changes = adapter.map(|(file, blend)| blended(&file.changes, blend, readout));
                let recipe = recipe(readout, changes.as_ref());
                let learner = CpuLearner::new(file, &recipe, changes.as_ref())
                    .map_err(|error| Problem::from(&error))?;
                Kept { learner, of, used: Instant::now() }
            }
        };
        let kept = self.kept.insert(kept);
        kept.used = Instant::now();
        Ok(&mut kept.learner)
    }
}

/// A few sentences of the view that is being drawn.
async fn draw(views: &mut Views, learner: &mut CpuLearner<Cpu>) -> Result<(), Problem> {
    let work = &mut views.work;
    let rest = work.ids.get(work.done..).unwrap_or_default();
    let mut tokens = 0;
    let fitting = rest.iter().take_while(|ids| {
        tokens += ids.len();
        tokens <= CHUNK_TOKENS
    });
    let count = fitting.count().max(1);
    let chunk: Vec<&[u32]> = rest.iter().take(count).map(Vec::as_slice).collect();
    // Masks depend on the place in the chunk, so that every chunk has a seed of its own.
    let view = if views.same_mask { 0 } else { work.view as u64 };
    let seed = views.seed.wrapping_mul(2).wrapping_add(view) << 8 | work.done as u64;
    let noise = Noise { dropout: views.dropout, seed };
    let found = learner.forward(&chunk, Some(noise), false).await;
    let found = found.map_err(|error| Problem::from(&error))?;
    if let Some(rows) = work.rows.get_mut(work.view) {
        rows.extend(found.rows);
    }
    work.done += count;
    if work.done >= views.texts.len() && work.view == 0 {
        (work.view, work.done) = (1, 0);
    }
    Ok(())
}

/// The readout as training has it.
fn trained_readout(readout: Readout, layers: usize) -> Result<TrainedReadout, Problem> {
    let is_last = readout.layer.is_none_or(|layer| usize::from(layer) == layers);
    match readout.pooling {
        Pooling::Cls if is_last => Ok(TrainedReadout::Cls),
        Pooling::ClsMlp if is_last => Ok(TrainedReadout::ClsMlp),
        Pooling::Mean if is_last => Ok(TrainedReadout::Mean),
        Pooling::Cls | Pooling::ClsMlp | Pooling::Mean | Pooling::FirstLast => {
            let detail = format!("there is no dropout for the readout {readout:?}");
            Err(Problem::Internal { detail })
        }
    }
}

/// The adapter as far as it is switched on, without an MLP that the readout does not read, in one of
/// the two forms that a learner takes: all low-rank, of one rank, or all differences.
fn blended(changes: &Changes, blend: f32, readout: TrainedReadout) -> Changes {
    let differs = changes.values().any(|change| matches!(change, Change::Difference { .. }));
    let most = changes.values().filter_map(rank).max().unwrap_or(1);
    let read = |change: &Change| {
        !matches!(change, Change::Added { .. }) || readout == TrainedReadout::ClsMlp
    };
    let formed = |change: &Change| match change {
        Change::LowRank { .. } if differs => product(change, blend),
        Change::LowRank { .. } => padded(change, most, blend),
        Change::Difference { rows, columns, difference } => Change::Difference {
            rows: *rows,
            columns: *columns,
            difference: difference.iter().map(|value| value * blend).collect(),
        },
        Change::Added { .. } => change.clone(),
    };
    let kept = changes.iter().filter(|(_, change)| read(change));
    kept.map(|(name, change)| (name.clone(), formed(change))).collect()
}

fn rank(change: &Change) -> Option<usize> {
    match change {
        Change::LowRank { rank, .. } => Some(*rank),
        Change::Difference { .. } | Change::Added { .. } => None,
    }
}

/// A low-rank change with zeros up to another rank.
fn padded(change: &Change, to: usize, blend: f32) -> Change {
    let Change::LowRank { rank, inputs, outputs, a, b, scale } = change else {
        return change.clone();
    };
    let mut a = a.clone();
    a.resize(to * inputs, 0.0);
    let mut wide = vec![0.0; outputs * to];
    for (wide, b) in wide.chunks_exact_mut(to).zip(b.chunks_exact((*rank).max(1))) {
        wide.iter_mut().zip(b).for_each(|(wide, b)| *wide = *b);
    }
    let (inputs, outputs, scale) = (*inputs, *outputs, scale * blend);
    Change::LowRank { rank: to, inputs, outputs, a, b: wide, scale }
}

/// A low-rank change as the difference that it makes, `scale B A`.
fn product(change: &Change, blend: f32) -> Change {
    let Change::LowRank { rank, inputs, outputs, a, b, scale } = change else {
        return change.clone();
    };
    let mut difference = vec![0.0; outputs * inputs];
    let rank = (*rank).max(1);
    for (line, b) in difference.chunks_exact_mut((*inputs).max(1)).zip(b.chunks_exact(rank)) {
        for (a, b) in a.chunks_exact((*inputs).max(1)).zip(b) {
            line.iter_mut().zip(a).for_each(|(cell, a)| *cell += scale * blend * b * a);
        }
    }
    Change::Difference { rows: *outputs, columns: *inputs, difference }
}

/// A recipe that has dropout in every layer, and a place for everything that the adapter changes.
fn recipe(readout: TrainedReadout, changes: Option<&Changes>) -> Recipe {
    let all = || changes.into_iter().flat_map(Changes::values);
    let trained = if all().any(|change| matches!(change, Change::Difference { .. })) {
        Trained::Everything
    } else {
        let found = all().find_map(rank);
        let rank = u16::try_from(found.unwrap_or(1)).unwrap_or(u16::MAX);
        let linears = if found.is_some() { Linears::All } else { Linears::QueryValue };
        Trained::Lora { rank, alpha: f32::from(rank), linears, last_layers: None }
    };
    Recipe { readout, trained, ..Recipe::default() }
}
