//! Neighbours of many rows, without looking at every pair.

use std::cmp::Ordering;
use std::ops::Range;

use crate::math::rng::Rng;
use crate::math::rows::{dot, dot_tile, row};
use crate::projection::lists::{Entry, Lists};
use crate::projection::work::{PRODUCTS, cosine};

/// Trees that the search begins with.
const TREES: usize = 8;

/// Rows in a leaf of a tree, at most; all their pairs are looked at.
const LEAF: usize = 80;

/// Neighbours that descend, at most: with more the rounds would cost their square. Longer lists are
/// filled at the end, from the neighbours' neighbours.
const WIDEST: usize = 32;

/// And at least, for with few the descent ends in dead ends.
const NARROWEST: usize = 16;

/// Neighbours of a row that are compared with each other in a round, new and old, at most each.
const COMPARED: usize = 24;

/// Rounds, at most.
const ROUNDS: usize = 10;

/// The rounds end when fewer than this share of all places changed.
const SETTLED: f64 = 0.002;

/// Neighbours that are chosen in a step.
const CHOSEN_A_STEP: usize = 100_000;

/// Products of rows with each other rather than streaming by are slower.
const SLOWER: usize = 2;

/// Offering a pair to two lists costs as much as so many products.
const OFFERING: usize = 80;

/// NN-descent (Dong, Moses & Li, WWW 2011), begun in a forest of random projection trees (Dasgupta
/// & Freund, STOC 2008): rows that fall into one leaf are compared; then, as the neighbour of a
/// neighbour is likely to be one too, so are the neighbours of each row, round by round. Seeded, and
/// in one order, so that equal seeds give equal lists.
#[derive(Debug, Clone)]
pub struct Descent {
    hidden: usize,
    each: usize,
    lists: Lists,
    rng: Rng,
    phase: Phase,
}

#[derive(Debug, Clone)]
enum Phase {
    Tree { number: usize, order: Vec<u32>, ranges: Vec<Range<usize>> },
    Choose(Round),
    Round(Round),
    Reverse { reverse: Candidates, next: usize },
    Widen { reverse: Candidates, wide: Lists, next: usize },
    Done,
}

/// A round on its way.
#[derive(Debug, Clone)]
struct Round {
    number: usize,
    new: Candidates,
    old: Candidates,
    next: usize,
    changes: usize,
}

/// For each row some of what it was given, each as likely as any other.
#[derive(Debug, Clone)]
struct Candidates {
    /// `[rows, COMPARED]`
    positions: Vec<u32>,
    /// How many each row was given.
    given: Vec<u32>,
}

impl Candidates {
    fn new(rows: usize) -> Self {
        Self { positions: vec![0; rows * COMPARED], given: vec![0; rows] }
    }

    fn of(&self, row: usize) -> &[u32] {
        let count = self.given.get(row).map_or(0, |given| COMPARED.min(*given as usize));
        self.positions.get(row * COMPARED..row * COMPARED + count).unwrap_or_default()
    }

    /// Vitter's reservoir (algorithm R).
    fn give(&mut self, row: usize, position: u32, rng: &mut Rng) {
        let Some(given) = self.given.get_mut(row) else { return };
        let count = *given as usize;
        *given += 1;
        let place = if count < COMPARED { count } else { rng.below(count + 1) };
        if place < COMPARED {
            self.positions[row * COMPARED + place] = position;
        }
    }
}

impl Descent {
    /// For `each` neighbours of each of `count` rows, of which there are more.
    pub fn new(count: usize, hidden: usize, each: usize, seed: u64) -> Self {
        let width = each.clamp(NARROWEST, WIDEST).min(count.saturating_sub(1));
        Self {
            hidden,
            each,
            lists: Lists::new(count, width),
            rng: Rng::of(&[seed, count as u64]),
            phase: Phase::tree(0, count),
        }
    }

    /// Goes on for a while. Whether it is done.
    pub fn step(&mut self, rows: &[f32]) -> bool {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Tree { number, order, ranges } => self.grow(rows, number, order, ranges),
            Phase::Choose(round) => self.choose(round),
            Phase::Round(round) => self.descend(rows, round),
            Phase::Reverse { reverse, next } => self.turn(reverse, next),
            Phase::Widen { reverse, wide, next } => self.widen(rows, reverse, wide, next),
            Phase::Done => Phase::Done,
        };
        matches!(self.phase, Phase::Done)
    }

    /// How far it is, 0 to 1, if it takes as many rounds as it may.
    pub fn share(&self) -> f64 {
        let count = self.lists.rows().max(1) as f64;
        let (trees, rounds) = (TREES as f64, ROUNDS as f64);
        let done = match &self.phase {
            Phase::Tree { number, order, ranges } => {
                let left: usize = ranges.iter().map(Range::len).sum();
                *number as f64 + 1.0 - left as f64 / order.len().max(1) as f64
            }
            Phase::Choose(round) => trees + round.number as f64,
            Phase::Round(round) => trees + round.number as f64 + round.next as f64 / count,
            Phase::Reverse { .. } => trees + rounds,
            Phase::Widen { next, .. } => trees + rounds + *next as f64 / count,
            Phase::Done => trees + rounds + 1.0,
        };
        done / (trees + rounds + 1.0)
    }

    /// What was found, not in order.
    pub fn into_lists(self) -> Lists {
        self.lists
    }

    /// Splits ranges of the order until they are leaves.
    fn grow(
        &mut self,
        rows: &[f32],
        number: usize,
        mut order: Vec<u32>,
        mut ranges: Vec<Range<usize>>,
    ) -> Phase {
        let mut left = PRODUCTS / SLOWER;
        while left > 0 {
            let Some(range) = ranges.pop() else { break };
            let members = &mut order[range.clone()];
            let cost;
            if members.len() <= LEAF {
                cost = members.len() * members.len() / 2;
                let lists = &mut self.lists;
                among(rows, self.hidden, members, |i, j, cosine| {
                    lists.offer_again(i, j, cosine);
                    lists.offer_again(j, i, cosine);
                });
            } else {
                cost = members.len();
                let middle = range.start + split(rows, self.hidden, members, &mut self.rng);
                ranges.extend([middle..range.end, range.start..middle]);
            }
            left = left.saturating_sub((cost + 1) * (self.hidden + OFFERING));
        }
        if !ranges.is_empty() {
            Phase::Tree { number, order, ranges }
        } else if number + 1 < TREES && order.len() > LEAF {
            Phase::tree(number + 1, order.len())
        } else {
            self.begin(0)
        }
    }

    fn begin(&self, number: usize) -> Phase {
        let count = self.lists.rows();
        let (new, old) = (Candidates::new(count), Candidates::new(count));
        Phase::Choose(Round { number, new, old, next: 0, changes: 0 })
    }

    /// Chooses who is compared in a round: goes through all rows, and then again to mark as old
    /// whoever was chosen.
    fn choose(&mut self, mut round: Round) -> Phase {
        let count = self.lists.rows();
        let end = (round.next + CHOSEN_A_STEP / self.lists.width().max(1)).min(2 * count);
        for i in round.next..end.min(count) {
            for entry in self.lists.of(i).iter().filter(|entry| !entry.is_free()) {
                let chosen = if entry.is_new { &mut round.new } else { &mut round.old };
                chosen.give(i, entry.position, &mut self.rng);
                chosen.give(entry.position as usize, i as u32, &mut self.rng);
            }
        }
        for i in round.next.max(count)..end {
            let chosen = round.new.of(i - count);
            for entry in self.lists.of_mut(i - count) {
                entry.is_new &= !chosen.contains(&entry.position);
            }
        }
        round.next = end;
        if end < 2 * count {
            return Phase::Choose(round);
        }
        round.next = 0;
        Phase::Round(round)
    }

    /// Finds out who has whom as a neighbour.
    fn turn(&mut self, mut reverse: Candidates, next: usize) -> Phase {
        let count = self.lists.rows();
        let end = (next + CHOSEN_A_STEP / self.lists.width().max(1)).min(count);
        for i in next..end {
            for entry in self.lists.of(i).iter().filter(|entry| !entry.is_free()) {
                reverse.give(entry.position as usize, i as u32, &mut self.rng);
            }
        }
        if end < count {
            return Phase::Reverse { reverse, next: end };
        }
        Phase::Widen { reverse, wide: Lists::new(count, self.each), next: 0 }
    }

    /// Compares the neighbours of some rows with each other.
    fn descend(&mut self, rows: &[f32], mut round: Round) -> Phase {
        let count = self.lists.rows();
        let mut left = PRODUCTS / SLOWER;
        while left > 0 && round.next < count {
            let (new, old) = (round.new.of(round.next), round.old.of(round.next));
            let lists = &mut self.lists;
            let changes = &mut round.changes;
            let mut each = |i: usize, j: usize, cosine: f32| {
                if i != j {
                    *changes += usize::from(lists.offer_again(i, j, cosine));
                    *changes += usize::from(lists.offer_again(j, i, cosine));
                }
            };
            among(rows, self.hidden, new, &mut each);
            between(rows, self.hidden, new, old, &mut each);
            let cost = new.len() * (new.len() / 2 + old.len());
            left = left.saturating_sub((cost + 1) * (self.hidden + OFFERING));
            round.next += 1;
        }
        if round.next < count {
            return Phase::Round(round);
        }
        let settled = SETTLED * (count * self.lists.width()) as f64;
        if round.number + 1 < ROUNDS && round.changes as f64 > settled {
            return self.begin(round.number + 1);
        }
        Phase::Reverse { reverse: Candidates::new(count), next: 0 }
    }

    /// Lists of the length that was asked for, from neighbours and theirs.
    fn widen(
        &mut self,
        rows: &[f32],
        reverse: Candidates,
        mut wide: Lists,
        mut next: usize,
    ) -> Phase {
        let count = self.lists.rows();
        let mut left = PRODUCTS / SLOWER;
        let mut near: Vec<u32> = Vec::new();
        while left > 0 && next < count {
            near.clear();
            let listed = |i: usize| self.lists.of(i).iter().map(|entry| entry.position);
            near.extend(listed(next));
            if self.each > self.lists.width() {
                near.extend(reverse.of(next));
                for position in 0..near.len() {
                    let via = near[position] as usize;
                    near.extend(listed(via).chain(reverse.of(via).iter().copied()));
                }
            }
            near.sort_unstable();
            near.dedup();
            near.retain(|other| *other as usize != next && (*other as usize) < count);
            between(rows, self.hidden, &[next as u32], &near, |i, j, cosine| {
                wide.offer(i, j, cosine);
            });
            fill(rows, self.hidden, &mut wide, next);
            left = left.saturating_sub((near.len() + 1) * (self.hidden + OFFERING));
            next += 1;
        }
        if next < count {
            return Phase::Widen { reverse, wide, next };
        }
        self.lists = wide;
        Phase::Done
    }
}

/// Gives a list with free places the next rows there are: a row that next to nobody was compared
/// with has neighbours too.
fn fill(rows: &[f32], hidden: usize, wide: &mut Lists, i: usize) {
    let count = wide.rows();
    let mut others = (1..count).map(|offset| (i + offset) % count);
    while wide.of(i).iter().any(Entry::is_free)
        && let Some(j) = others.next()
    {
        let [[dot]] = dot_tile([row(rows, hidden, i)], [row(rows, hidden, j)]);
        wide.offer_again(i, j, cosine(dot));
    }
}

impl Phase {
    fn tree(number: usize, count: usize) -> Self {
        let order = (0..count).map(|i| u32::try_from(i).unwrap_or(u32::MAX)).collect();
        let all = 0..count;
        Self::Tree { number, order, ranges: vec![all] }
    }
}

/// Divides rows by the plane between two of them; how many are on the first side. A coin decides
/// for rows in the plane, and for all where it divides off next to none.
fn split(rows: &[f32], hidden: usize, members: &mut [u32], rng: &mut Rng) -> usize {
    let of = |member: u32| row(rows, hidden, member as usize);
    let (first, second) = (rng.below(members.len()), rng.below(members.len()));
    let normal: Vec<f32> =
        of(members[first]).iter().zip(of(members[second])).map(|(a, b)| a - b).collect();
    let sides: Vec<bool> = members
        .iter()
        .map(|member| {
            let side = dot(of(*member), &normal);
            match side.partial_cmp(&0.0) {
                Some(Ordering::Greater) => true,
                Some(Ordering::Less) => false,
                Some(Ordering::Equal) | None => rng.bits() >> 63 == 0,
            }
        })
        .collect();
    let middle = sides.iter().filter(|side| **side).count();
    if middle.min(members.len() - middle) < members.len() / 16 {
        rng.shuffle(members);
        return members.len() / 2;
    }
    let chosen =
        |wanted: bool| members.iter().zip(&sides).filter(move |(_, side)| **side == wanted);
    let sorted: Vec<u32> = chosen(true).chain(chosen(false)).map(|(member, _)| *member).collect();
    members.copy_from_slice(&sorted);
    middle
}

/// The cosines of all pairs among some rows.
fn among(rows: &[f32], hidden: usize, members: &[u32], mut each: impl FnMut(usize, usize, f32)) {
    for (place, pair) in members.chunks(2).enumerate() {
        let (start, rest) = (2 * place, members.get(2 * place + 1..).unwrap_or_default());
        if let [first, second] = pair {
            // The two with each other are met as the first's next.
            tiles(rows, hidden, [*first, *second], rest, |side, offset, cosine| {
                let (i, j) = (start + side, start + 1 + offset);
                if i < j {
                    each(members[i] as usize, members[j] as usize, cosine);
                }
            });
        }
    }
}

/// The cosines of all pairs of one of some rows and one of others.
fn between(
    rows: &[f32],
    hidden: usize,
    left: &[u32],
    right: &[u32],
    mut each: impl FnMut(usize, usize, f32),
) {
    let (pairs, single) = left.as_chunks::<2>();
    for pair in pairs {
        tiles(rows, hidden, *pair, right, |side, offset, cosine| {
            each(pair[side] as usize, right[offset] as usize, cosine);
        });
    }
    for one in single {
        tiles(rows, hidden, [*one], right, |_, offset, cosine| {
            each(*one as usize, right[offset] as usize, cosine);
        });
    }
}

/// `each(which of left, which of right, cosine)`.
#[inline(always)]
fn tiles<const A: usize>(
    rows: &[f32],
    hidden: usize,
    left: [u32; A],
    right: &[u32],
    mut each: impl FnMut(usize, usize, f32),
) {
    let of = |member: u32| row(rows, hidden, member as usize);
    let left = left.map(of);
    let (fours, rest) = right.as_chunks::<4>();
    for (place, four) in fours.iter().enumerate() {
        for (side, dots) in dot_tile(left, four.map(of)).into_iter().enumerate() {
            for (offset, dot) in dots.into_iter().enumerate() {
                each(side, 4 * place + offset, cosine(dot));
            }
        }
    }
    for (place, one) in rest.iter().enumerate() {
        for (side, [dot]) in dot_tile(left, [of(*one)]).into_iter().enumerate() {
            each(side, 4 * fours.len() + place, cosine(dot));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_among_and_between_are_met_once() {
        let rows: Vec<f32> = (0..40).map(|i| i as f32 * 0.01).collect();
        for count in 0..12 {
            let members: Vec<u32> = (0..count).map(|i| (i * 7) % 20).collect();
            let mut found = Vec::new();
            among(&rows, 2, &members, |i, j, cosine| {
                assert!((cosine - dot(row(&rows, 2, i), row(&rows, 2, j))).abs() < 1e-6);
                found.push((i.min(j), i.max(j)));
            });
            found.sort_unstable();
            found.dedup();
            assert_eq!(found.len(), (count * count.saturating_sub(1) / 2) as usize);
            let mut met = 0;
            between(&rows, 2, &members, &[1, 2, 3, 4, 5], |_, _, _| met += 1);
            assert_eq!(met, count * 5);
        }
    }

    #[test]
    fn candidates_are_an_even_choice() {
        let mut rng = Rng::new(1);
        let mut met = [0_u32; 60];
        for _ in 0..2_000 {
            let mut candidates = Candidates::new(1);
            (0..60).for_each(|position| candidates.give(0, position, &mut rng));
            candidates.of(0).iter().for_each(|position| met[*position as usize] += 1);
        }
        assert!(met.iter().all(|count| count.abs_diff(800) < 120), "{met:?}");
    }
}
