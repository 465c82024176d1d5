//! What the points of the map look like: a colour's number and marks for each.

use std::sync::Arc;

use crate::chart::points::{DIMMED, HUB, RAISED, SELECTED, WARNED};
use crate::protocol::problem::Problem;
use crate::state::geometry::held::Held;
use crate::state::geometry::map::settings::Colouring;
use crate::state::geometry::map::{Clusters, Compared, Drawing, MOST_FALSE, Points};
use crate::state::geometry::{Geometry, Plot};

/// Groups that have a colour of their own; all others are 0.
pub const HUES: u8 = 8;
/// The highest step of the ramp of cosines; 0 is as near as unrelated sentences, or less.
pub const STEPS: u8 = 63;

/// A topic or cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub number: u16,
    /// Number of its colour, 1 to [`HUES`]; 0: shares one with all others.
    pub colour: u8,
    /// A topic's name; a cluster's most typical sentence.
    pub name: String,
    pub count: u32,
    /// The sentence that its name is written at: a cluster's most typical one, or of a topic the one
    /// nearest to the middle of its points on the map.
    pub anchor: Option<u32>,
}

/// All that colours depend on, to be compared cheaply.
#[derive(Debug, Clone, PartialEq)]
pub struct ColoursOf {
    colouring: Colouring,
    corpus: u32,
    clusters: Held<u16>,
    cosines: Held<f32>,
    unrelated: f64,
}

/// All that marks depend on, to be compared cheaply.
#[derive(Debug, Clone, PartialEq)]
pub struct MarksOf {
    corpus: u32,
    selection: Arc<[u32]>,
    pinned: Option<u32>,
    neighbours: Vec<(u32, f32)>,
    false_shares: Held<f32>,
    hub: Option<u32>,
}

impl Geometry {
    /// The map of one of the two.
    pub fn drawing(&self, plot: Plot) -> &Drawing {
        &self.map.drawings[plot.place()]
    }

    /// Positions to draw, `[sentences, 2]`: those of `B` are laid over those of `A`. Empty where there is
    /// no map.
    pub fn laid(&self, plot: Plot) -> &Held<f32> {
        &self.map.laid[plot.place()]
    }

    /// Whether a map is of something else than is wanted now, or unfinished.
    pub fn is_old(&self, plot: Plot) -> bool {
        let drawing = self.drawing(plot);
        let waits = drawing.points.is_some() && self.making(plot).is_none();
        let other = |points: &Points| self.making(plot).is_some_and(|making| making != points.of);
        waits || drawing.points.as_ref().is_some_and(other)
    }

    /// The nearest sentences to the pinned one, in the vectors that the map shows.
    pub fn neighbours(&self) -> &[(u32, f32)] {
        let near = self.map.answers[self.shown().place()].near.last();
        let near = near.filter(|(of, _)| Some(of.position) == self.map.pinned);
        near.map_or(&[], |(_, neighbours)| neighbours)
    }

    /// How near the query is to every sentence.
    pub fn compared(&self) -> Option<&Compared> {
        let query = &self.map.query.asked;
        let text = self.map.answers[self.shown().place()].text.last();
        text.filter(|(of, _)| !query.is_empty() && of.text == *query).map(|(_, compared)| compared)
    }

    /// The clusters of the one that the map shows.
    pub fn clusters(&self) -> Option<&Clusters> {
        self.map.answers[self.shown().place()].clusters.last().map(|(_, clusters)| clusters)
    }

    /// Why there are no neighbours of the pinned sentence.
    pub fn near_problem(&self) -> Option<&Problem> {
        self.map.answers[self.shown().place()].near.problem().filter(|_| self.map.pinned.is_some())
    }

    /// Why the query has no answer.
    pub fn query_problem(&self) -> Option<&Problem> {
        let has_query = !self.map.query.asked.is_empty();
        self.map.answers[self.shown().place()].text.problem().filter(|_| has_query)
    }

    /// Why there are no clusters.
    pub fn clusters_problem(&self) -> Option<&Problem> {
        let is_wanted = self.colouring() == Colouring::Cluster;
        self.map.answers[self.shown().place()].clusters.problem().filter(|_| is_wanted)
    }

    /// Whether the corpus has a column of topics.
    pub fn has_topics(&self) -> bool {
        !self.corpus.topics.names.is_empty()
    }

    /// What the colours say: what was chosen, if there is such a thing.
    pub fn colouring(&self) -> Colouring {
        let usual = if self.has_topics() { Colouring::Topic } else { Colouring::Cluster };
        let chosen = self.map.settings.colouring.filter(|colouring| match colouring {
            Colouring::Topic => self.has_topics(),
            Colouring::Query => !self.map.query.text.trim().is_empty(),
            Colouring::Plain | Colouring::Cluster => true,
        });
        chosen.unwrap_or(usual)
    }

    /// The mean cosine of the sentences: as near as unrelated ones are.
    pub fn unrelated(&self) -> f64 {
        let measured = self.figure(self.shown()).measured.as_ref();
        measured.map_or(0.0, |measured| measured.findings.shape.mean_cosine)
    }

    /// Topic or cluster of a sentence, whichever the colours say.
    pub fn group_of(&self, position: u32) -> Option<u16> {
        match self.colouring() {
            Colouring::Topic => self.corpus.topics.of.get(position as usize).copied().flatten(),
            Colouring::Cluster => self.clusters()?.labels.get(position as usize).copied(),
            Colouring::Plain | Colouring::Query => None,
        }
    }

    /// The sentences of a topic or cluster.
    pub fn members(&self, group: u16) -> Vec<u32> {
        let all = 0..u32::try_from(self.corpus.sentences.len()).unwrap_or(u32::MAX);
        all.filter(|position| self.group_of(*position) == Some(group)).collect()
    }

    /// Topics or clusters, the largest first; none where the colours say something else.
    pub fn groups(&self) -> Vec<Group> {
        let topics = &self.corpus.topics;
        let (clusters, count) = match self.colouring() {
            Colouring::Topic => (None, topics.names.len()),
            Colouring::Cluster => {
                (self.clusters(), self.clusters().map_or(0, |it| it.typical.len()))
            }
            Colouring::Plain | Colouring::Query => return Vec::new(),
        };
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); count];
        for position in 0..u32::try_from(self.corpus.sentences.len()).unwrap_or(u32::MAX) {
            let group = self.group_of(position).map(usize::from);
            if let Some(members) = group.and_then(|group| members.get_mut(group)) {
                members.push(position);
            }
        }
        let laid = self.laid(self.shown());
        let group = |(number, members): (usize, Vec<u32>)| {
            let typical = clusters.and_then(|it| it.typical.get(number).copied());
            let name = match typical {
                Some(position) => self.corpus.sentences.get(position as usize),
                None => topics.names.get(number),
            };
            let (name, number) = (name.cloned().unwrap_or_default(), number as u16);
            let anchor = typical.or_else(|| central(&members, laid));
            Group { number, colour: 0, name, count: members.len() as u32, anchor }
        };
        let mut groups: Vec<Group> = members.into_iter().enumerate().map(group).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        for (group, colour) in groups.iter_mut().zip(1..=HUES) {
            group.colour = colour;
        }
        groups
    }

    /// What [`Geometry::colours`] depends on.
    pub fn colours_of(&self) -> ColoursOf {
        let colouring = self.colouring();
        let clusters = self.clusters().filter(|_| colouring == Colouring::Cluster);
        let compared = self.compared().filter(|_| colouring == Colouring::Query);
        ColoursOf {
            colouring,
            corpus: self.corpus.number(),
            clusters: clusters.map(|it| it.labels.clone()).unwrap_or_default(),
            cosines: compared.map(|it| it.cosines.clone()).unwrap_or_default(),
            unrelated: if compared.is_some() { self.unrelated() } else { 0.0 },
        }
    }

    /// Number of every point's colour: 0 where there is nothing to say, then the groups' colours, or the
    /// steps of the ramp from unrelated to the same.
    pub fn colours(&self) -> Held<u8> {
        let count = self.corpus.sentences.len();
        let colours: Vec<u8> = match self.colouring() {
            Colouring::Plain => vec![1; count],
            Colouring::Topic | Colouring::Cluster => {
                let groups = self.groups();
                let mut of_group = vec![0; groups.len()];
                for group in groups {
                    if let Some(colour) = of_group.get_mut(usize::from(group.number)) {
                        *colour = group.colour;
                    }
                }
                let colour = |group: Option<u16>| {
                    group.and_then(|group| of_group.get(usize::from(group)).copied())
                };
                let all = 0..count as u32;
                all.map(|position| colour(self.group_of(position)).unwrap_or_default()).collect()
            }
            Colouring::Query => {
                let cosines = self.compared().map_or(&[][..], |compared| &compared.cosines);
                cosines.iter().map(|cosine| step(f64::from(*cosine), self.unrelated())).collect()
            }
        };
        colours.into()
    }

    /// The sentence that is most often among others' nearest, where some are so unduly.
    pub fn hub(&self) -> Option<u32> {
        let hubness = self.figure(self.shown()).measured.as_ref()?.findings.hubness?;
        (hubness.skewness > 0.0).then_some(hubness.hub)
    }

    /// What [`Geometry::marks`] depends on.
    pub fn marks_of(&self) -> MarksOf {
        let points = self.drawing(self.shown()).points.as_ref();
        let points = points.filter(|_| self.map.settings.warnings);
        MarksOf {
            corpus: self.corpus.number(),
            selection: self.map.selection.clone(),
            pinned: self.map.pinned,
            neighbours: self.neighbours().to_vec(),
            false_shares: points.map(|it| it.false_shares.clone()).unwrap_or_default(),
            hub: self.hub(),
        }
    }

    /// The marks of every point, as [`crate::chart::points`] has them.
    pub fn marks(&self) -> Held<u8> {
        let MarksOf { selection, pinned, neighbours, false_shares, hub, .. } = self.marks_of();
        let mut marks = vec![0_u8; self.corpus.sentences.len()];
        for (mark, share) in marks.iter_mut().zip(false_shares.iter()) {
            *mark |= if *share > MOST_FALSE { WARNED } else { 0 };
        }
        if !selection.is_empty() {
            marks.iter_mut().for_each(|mark| *mark |= DIMMED);
        }
        let mut set = |position: u32, bit: u8| {
            if let Some(mark) = marks.get_mut(position as usize) {
                *mark = (*mark | bit) & !DIMMED;
            }
        };
        selection.iter().for_each(|position| set(*position, SELECTED));
        neighbours.iter().for_each(|(position, _)| set(*position, RAISED));
        pinned.iter().for_each(|position| set(*position, RAISED));
        if let Some(mark) = hub.and_then(|hub| marks.get_mut(hub as usize)) {
            *mark |= HUB;
        }
        marks.into()
    }
}

/// The one of the points nearest to their middle: the medians along both axes, which a few far points
/// do not move.
fn central(members: &[u32], positions: &[f32]) -> Option<u32> {
    let points = positions.as_chunks::<2>().0;
    let place = |position: &u32| points.get(*position as usize).copied();
    let median = |axis: usize| {
        let mut values: Vec<f32> =
            members.iter().filter_map(place).map(|point| point[axis]).collect();
        let half = values.len() / 2;
        (!values.is_empty()).then(|| *values.select_nth_unstable_by(half, f32::total_cmp).1)
    };
    let (x, y) = (median(0)?, median(1)?);
    let away = |position: &&u32| {
        place(position).map_or(f32::INFINITY, |point| {
            (point[0] - x) * (point[0] - x) + (point[1] - y) * (point[1] - y)
        })
    };
    members.iter().min_by(|a, b| away(a).total_cmp(&away(b))).copied()
}

/// The ramp's step for a cosine: 0 at `unrelated` and below, [`STEPS`] at 1.
fn step(cosine: f64, unrelated: f64) -> u8 {
    let share = (cosine - unrelated) / (1.0 - unrelated).max(1e-6);
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    (share * f64::from(STEPS)).round() as u8
}

#[cfg(test)]
mod tests {
    use super::{STEPS, central, step};

    #[test]
    fn a_name_stands_at_the_middle_of_its_points() {
        let positions = [9.0, 9.0, 0.0, 0.0, 1.0, 0.5, 2.0, 0.0, 90.0, -90.0];
        assert_eq!(central(&[1, 2, 3, 4], &positions), Some(3));
        assert_eq!(central(&[1, 2, 3], &positions), Some(2));
        assert_eq!(central(&[7], &positions), None);
        assert_eq!(central(&[], &positions), None);
    }

    #[test]
    fn the_ramp_goes_from_unrelated_to_the_same() {
        assert_eq!([step(-0.5, 0.2), step(0.2, 0.2), step(1.0, 0.2)], [0, 0, STEPS]);
        assert_eq!(step(0.7, 0.2), 39);
        assert_eq!([step(f64::NAN, 0.2), step(1.0, 1.0), step(0.9, 1.0)], [0, 0, 0]);
    }
}
