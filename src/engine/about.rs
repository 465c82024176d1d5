//! Questions about the vectors that a survey left: maps, neighbours, texts, groups.

use std::sync::Arc;

use web_time::Instant;

use crate::backend::Backend;
use crate::engine::clouds::{Cloud, Clouds};
use crate::engine::rows::Rows;
use crate::engine::sides::Sides;
use crate::math::rows::{dot, row};
use crate::projection::clusters::Clustering;
use crate::projection::mapping::{Mapped, Mapping, Progress};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::lab::{About, Question};
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::readout::Lens;

/// A question on its way to its answer.
#[derive(Debug)]
pub struct Asked<B: Backend> {
    /// Of the survey.
    pub slot: u8,
    cloud: Cloud,
    work: Work<B>,
}

#[derive(Debug)]
enum Work<B: Backend> {
    /// `None`: finished.
    Map(Option<Box<Mapping>>),
    Near {
        position: u32,
        count: u16,
    },
    Text {
        rows: Box<Rows<B>>,
        count: u16,
    },
    /// As above.
    Clusters(Option<Box<Clustering>>),
    Vectors,
}

/// What it is, for its place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Map,
    Text,
    Other,
}

impl<B: Backend + Clone> Asked<B> {
    /// `start`: where a map's points begin, `[n, 2]`.
    ///
    /// # Errors
    /// [`Problem::NoSurvey`] where the survey's vectors are not kept, or no longer.
    pub fn new(about: About, start: Option<Vec<f32>>, clouds: &Clouds) -> Result<Self, Problem> {
        let cloud = clouds.of(about.survey).ok_or(Problem::NoSurvey)?.clone();
        let work = match about.question {
            Question::Map { method, seed } => {
                let rows = Arc::clone(&cloud.rows);
                Work::Map(Some(Box::new(Mapping::new(rows, cloud.width, method, seed, start))))
            }
            Question::Near { position, count } => Work::Near { position, count },
            Question::Text { text, count } => {
                let rows = Rows::new(vec![text], cloud.lens.readout, false);
                Work::Text { rows: Box::new(rows), count }
            }
            Question::Clusters { count, seed } => {
                let rows = cloud.rows.len() / cloud.width.max(1);
                let clustering = Clustering::new(rows, cloud.width, usize::from(count), seed);
                Work::Clusters(Some(Box::new(clustering)))
            }
            Question::Vectors => Work::Vectors,
        };
        Ok(Self { slot: cloud.slot, cloud, work })
    }

    pub fn sort(&self) -> Sort {
        match &self.work {
            Work::Map(_) => Sort::Map,
            Work::Text { .. } => Sort::Text,
            Work::Near { .. } | Work::Clusters(_) | Work::Vectors => Sort::Other,
        }
    }

    /// Which encoder it needs, if any.
    pub fn lens(&self) -> Lens {
        self.cloud.lens
    }

    /// How far a map is, and where its points are.
    pub fn progress(&self, revision: Revision, elapsed_ms: f64) -> Option<Message<Event>> {
        let Work::Map(Some(mapping)) = &self.work else { return None };
        let Progress::Working { stage, done, total } = mapping.progress() else { return None };
        let event = Event::Mapping { revision, stage, done, total, elapsed_ms };
        let positions = mapping.positions();
        Some(if positions.is_empty() {
            Message::plain(event)
        } else {
            Message::with_f32(event, positions.to_vec())
        })
    }

    /// Does a little; the answer once it is there.
    ///
    /// # Errors
    /// Where the model refuses the text, or the question names a sentence that is not there.
    pub async fn step(
        &mut self,
        revision: Revision,
        begun: Instant,
        sides: &Sides<B>,
    ) -> Result<Option<Message<Event>>, Problem> {
        let cloud = &self.cloud;
        Ok(Some(match &mut self.work {
            Work::Map(slot) => {
                let Some(mut mapping) = slot.take() else { return Ok(None) };
                if let Progress::Working { .. } = mapping.step() {
                    *slot = Some(mapping);
                    return Ok(None);
                }
                mapped(revision, mapping.finish(), begun)
            }
            Work::Text { rows, count } => {
                let encoder = sides.encoder(cloud.lens.side).ok_or(Problem::NoModel)?;
                let found = rows.step(encoder).await.map_err(|error| Problem::from(&error))?;
                let Some(found) = found else { return Ok(None) };
                let treated = match &cloud.transform {
                    Some(transform) => transform.apply(&found.rows),
                    None => found.rows,
                };
                let cosines = cloud.cosines(&treated);
                let neighbours = nearest(&cosines, *count, None);
                Message::with_f32(Event::Compared { revision, neighbours }, cosines)
            }
            Work::Near { position, count } => {
                let this = row(&cloud.rows, cloud.width, *position as usize);
                if this.is_empty() {
                    let count = cloud.rows.len() / cloud.width.max(1);
                    let detail = format!("neighbours of sentence {position} of {count}");
                    return Err(Problem::Internal { detail });
                }
                let neighbours = nearest(&cloud.cosines(this), *count, Some(*position));
                Message::plain(Event::Near { revision, neighbours })
            }
            Work::Clusters(slot) => {
                let Some(mut clustering) = slot.take() else { return Ok(None) };
                if !clustering.step(&cloud.rows) {
                    *slot = Some(clustering);
                    return Ok(None);
                }
                let found = clustering.into_groups();
                let (labels, typical) = (found.labels, found.typical);
                Message::plain(Event::Clustered { revision, labels, typical })
            }
            Work::Vectors => {
                let dimensions = u32::try_from(cloud.width).unwrap_or(u32::MAX);
                Message::with_f32(
                    Event::Vectors { revision, dimensions },
                    cloud.rows.as_ref().clone(),
                )
            }
        }))
    }
}

fn mapped(revision: Revision, found: Mapped, begun: Instant) -> Message<Event> {
    let quality = found.quality(begun.elapsed().as_secs_f64() * 1e3);
    let mut answer = Message::with_f32(Event::Mapped { revision, quality }, found.positions);
    answer.bulk.push(Bulk::F32(found.false_shares));
    answer
}

impl Cloud {
    /// Cosine of a unit row with each sentence: `[n]`.
    fn cosines(&self, with: &[f32]) -> Vec<f32> {
        self.rows.chunks_exact(self.width.max(1)).map(|row| dot(row, with)).collect()
    }
}

/// The sentences with the highest cosines, best first, of equals the earlier; without one of them.
fn nearest(cosines: &[f32], count: u16, without: Option<u32>) -> Vec<(u32, f32)> {
    let all = (0..).zip(cosines.iter().copied());
    let mut others: Vec<(u32, f32)> = all.filter(|(place, _)| Some(*place) != without).collect();
    let by_cosine = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let count = usize::from(count).min(others.len());
    if count < others.len() {
        others.select_nth_unstable_by(count, by_cosine);
        others.truncate(count);
    }
    others.sort_unstable_by(by_cosine);
    others
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_come_first_and_equals_in_their_order() {
        let cosines = [0.1, 0.9, 0.5, 0.9, -0.2];
        assert_eq!(nearest(&cosines, 3, None), [(1, 0.9), (3, 0.9), (2, 0.5)]);
        assert_eq!(nearest(&cosines, 2, Some(1)), [(3, 0.9), (2, 0.5)]);
        assert_eq!(nearest(&cosines, 9, Some(4)).len(), 4);
        assert_eq!(nearest(&[], 3, None), []);
    }
}
