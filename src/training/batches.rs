//! Which examples meet in a batch.
//!
//! Every epoch is a shuffle of all examples. A text that occurs twice in a batch would count as
//! its own negative, so an example is put back for the next batch where one of its texts is in the
//! batch already. A batch that begins in one epoch may end in the next.

use std::collections::{HashSet, VecDeque};

use crate::math::rng::Rng;
use crate::training::examples::Examples;

/// Random numbers of shuffles are drawn apart from other random numbers.
const SHUFFLES: u64 = 0x7368_7566;

/// The examples still to come. A clone goes on in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batches {
    seed: u64,
    size: usize,
    /// Shuffled so far.
    epochs: u64,
    queue: VecDeque<usize>,
}

impl Batches {
    /// Batches of `wanted` examples, or of as many as have different anchors.
    pub fn new(examples: &Examples, wanted: u32, seed: u64) -> Self {
        let size = (wanted as usize).min(examples.distinct());
        Self { seed, size, epochs: 0, queue: VecDeque::new() }
    }

    /// Examples in a batch.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Memory that the state takes, at most.
    pub fn size_bytes(examples: &Examples) -> u64 {
        (examples.len() * size_of::<usize>()) as u64
    }

    /// The next batch: positions of examples. Equal texts meet only where it cannot be filled
    /// without them.
    pub fn draw(&mut self, examples: &Examples) -> Vec<usize> {
        let mut batch = Vec::with_capacity(self.size);
        let mut texts = HashSet::new();
        let mut later = VecDeque::new();
        let mut has_shuffled = false;
        while batch.len() < self.size {
            let Some(example) = self.queue.pop_front() else {
                // Every example was looked at: another epoch brings nothing new.
                if std::mem::replace(&mut has_shuffled, true) {
                    break;
                }
                self.shuffle(examples.len(), &later);
                continue;
            };
            let own = examples.texts(example);
            if own.iter().any(|text| texts.contains(text)) {
                later.push_back(example);
            } else {
                texts.extend(own);
                batch.push(example);
            }
        }
        while batch.len() < self.size
            && let Some(place) = later.iter().position(|example| !batch.contains(example))
        {
            batch.extend(later.remove(place));
        }
        later.append(&mut self.queue);
        self.queue = later;
        batch
    }

    /// Queues all examples but those that wait already: they would pile up.
    fn shuffle(&mut self, count: usize, waiting: &VecDeque<usize>) {
        let waiting: HashSet<&usize> = waiting.iter().collect();
        let mut order: Vec<usize> =
            (0..count).filter(|example| !waiting.contains(example)).collect();
        Rng::of(&[SHUFFLES, self.seed, self.epochs]).shuffle(&mut order);
        self.epochs += 1;
        self.queue.extend(order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::recipe::Recipe;
    use crate::protocol::training::Example;
    use crate::text::tokeniser::Tokens;
    use crate::training::examples::Reader;

    /// A text is a number here, and its token.
    fn examples(texts: &[(u32, Option<u32>)]) -> Examples {
        let mut reader = Reader::new(&Recipe::default());
        for (anchor, positive) in texts {
            let positive = positive.map(|text| text.to_string());
            let example = Example { anchor: anchor.to_string(), positive, hard_negative: None };
            let token = |text: &str| text.parse().unwrap_or_default();
            let tokens =
                |text: &str| Ok(Tokens { ids: vec![0, token(text), 0], ..Tokens::default() });
            reader.push(&example, &tokens).unwrap();
        }
        reader.finish().unwrap()
    }

    fn singles(count: u32) -> Examples {
        examples(&(0..count).map(|text| (text, None)).collect::<Vec<_>>())
    }

    #[test]
    fn every_epoch_has_every_example_once_in_another_order() {
        let examples = singles(10);
        let mut batches = Batches::new(&examples, 4, 3);
        let drawn: Vec<usize> = (0..5).flat_map(|_| batches.draw(&examples)).collect();
        for epoch in drawn.chunks(10) {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..10), "{drawn:?}");
        }
        assert_ne!(drawn[..10], drawn[10..]);
        let other = Batches::new(&examples, 10, 4).draw(&examples);
        assert_ne!(other, drawn[..10]);
    }

    #[test]
    fn batches_across_epochs_repeat_nothing_and_a_clone_goes_on_alike() {
        let examples = singles(7);
        let mut batches = Batches::new(&examples, 5, 1);
        for _ in 0..20 {
            let mut batch = batches.clone().draw(&examples);
            assert_eq!(batch, batches.draw(&examples));
            batch.sort_unstable();
            batch.dedup();
            assert_eq!(batch.len(), 5);
        }
    }

    #[test]
    fn equal_texts_do_not_meet() {
        // Text 0 five times as an anchor and once as a partner, text 1 twice.
        let texts = [0, 0, 0, 0, 0, 1, 1, 2, 3].map(|text| (text, None));
        let examples = examples(&[&texts[..], &[(4, Some(0))]].concat());
        let mut batches = Batches::new(&examples, 3, 5);
        let mut counts = [0; 10];
        for _ in 0..100 {
            let batch = batches.draw(&examples);
            assert_eq!(batch.len(), 3);
            let mut seen = HashSet::new();
            for example in batch {
                counts[example] += 1;
                let [anchor, partner] = examples.texts(example);
                assert!(seen.insert(anchor) && (partner == anchor || seen.insert(partner)));
            }
        }
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
        assert!(batches.queue.len() <= 10, "what is put back does not pile up");
    }

    #[test]
    fn where_equal_texts_cannot_be_kept_apart_the_batch_is_full_all_the_same() {
        let examples = examples(&[(0, Some(1)), (1, Some(0))]);
        let mut batches = Batches::new(&examples, 64, 5);
        assert_eq!(batches.size(), 2);
        for _ in 0..50 {
            let mut batch = batches.draw(&examples);
            batch.sort_unstable();
            assert_eq!(batch, [0, 1]);
            assert!(batches.queue.len() <= 2);
        }
    }
}
