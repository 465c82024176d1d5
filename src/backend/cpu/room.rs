//! Buffers that are used again: once a batch of some size went through, another one takes no new
//! memory.

use std::sync::{Mutex, PoisonError};

use crate::backend::Error;
use crate::backend::cpu::{attention, attention_blocks};
use crate::simd::codes::Codes;
use crate::simd::kernel::Kernel;

/// Buffers nobody uses at the moment.
#[derive(Default)]
pub struct Room {
    numbers: Mutex<Vec<Vec<f32>>>,
    codes: Mutex<Vec<Codes>>,
    attention: Mutex<Vec<attention::Scratch>>,
    attention_blocks: Mutex<Vec<attention_blocks::Scratch>>,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Room")
    }
}

fn with<T, R>(shelf: &Mutex<Vec<T>>, work: impl FnOnce(&mut Vec<T>) -> R) -> R {
    // Nothing is left half done in a list of buffers.
    work(&mut shelf.lock().unwrap_or_else(PoisonError::into_inner))
}

/// An empty vector with room for `count`; an error where memory is short.
pub fn reserved<T>(count: usize) -> Result<Vec<T>, Error> {
    let mut values = Vec::new();
    grow(&mut values, count)?;
    Ok(values)
}

fn grow<T>(values: &mut Vec<T>, count: usize) -> Result<(), Error> {
    let needed_bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
    let missing = count.saturating_sub(values.len());
    values.try_reserve_exact(missing).map_err(|_| Error::Memory { needed_bytes })
}

impl Room {
    /// So many numbers; what they are is left over from before.
    pub fn numbers(&self, count: usize) -> Result<Vec<f32>, Error> {
        let mut values = with(&self.numbers, |free| {
            let fitting = (0..free.len()).filter(|at| free[*at].capacity() >= count);
            let best = fitting.min_by_key(|at| free[*at].capacity());
            // None fits: the largest grows, so that in the end a few large ones are left.
            let largest = || (0..free.len()).max_by_key(|at| free[*at].capacity());
            best.or_else(largest).map(|at| free.swap_remove(at)).unwrap_or_default()
        });
        grow(&mut values, count)?;
        values.resize(count, 0.0);
        Ok(values)
    }

    pub fn give_numbers(&self, values: Vec<f32>) {
        if values.capacity() > 0 {
            with(&self.numbers, |free| free.push(values));
        }
    }

    pub fn codes(&self, make: impl FnOnce() -> Codes) -> Codes {
        with(&self.codes, Vec::pop).unwrap_or_else(make)
    }

    pub fn give_codes(&self, codes: Codes) {
        with(&self.codes, |free| free.push(codes));
    }

    /// Hands room for attention in `f32` out.
    pub fn with_attention(&self, work: impl FnOnce(&mut attention::Scratch)) {
        lend(&self.attention, attention::Scratch::new, work);
    }

    /// Hands room for attention in int8 out.
    pub fn with_attention_blocks(
        &self,
        kernel: &Kernel,
        work: impl FnOnce(&mut attention_blocks::Scratch),
    ) {
        lend(&self.attention_blocks, || attention_blocks::Scratch::new(kernel), work);
    }
}

fn lend<T>(shelf: &Mutex<Vec<T>>, make: impl FnOnce() -> T, work: impl FnOnce(&mut T)) {
    let mut scratch = with(shelf, Vec::pop).unwrap_or_else(make);
    work(&mut scratch);
    with(shelf, |free| free.push(scratch));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_and_the_best_fit_is_taken() {
        let room = Room::default();
        let (small, large) = (room.numbers(10).unwrap(), room.numbers(1_000).unwrap());
        let places = (small.as_ptr(), large.as_ptr());
        room.give_numbers(small);
        room.give_numbers(large);
        let again = room.numbers(10).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (places.0, 10));
        let large = room.numbers(900).unwrap();
        assert_eq!((large.as_ptr(), large.len()), (places.1, 900));
        room.give_numbers(large);
        assert!(room.numbers(1_001).unwrap().capacity() >= 1_001);
        assert!(matches!(room.numbers(usize::MAX / 8), Err(Error::Memory { .. })));
    }
}
