//! Buffers in GPU memory that are used again once nobody holds them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

/// Lengths are rounded up to this, or to a power of two above it, so that batches of similar length
/// find each other's buffers.
const LEAST_BYTES: u64 = 1024;
/// Above this, lengths are rounded up to multiples of it: powers of two would waste too much.
const COARSE_BYTES: u64 = 1 << 20;
/// Buffers that nobody holds are given back to the device beyond so many bytes.
const MOST_FREE_BYTES: u64 = 256 << 20;

/// A piece of GPU memory. Copies are the same piece; the last one gives it back to be used again.
#[derive(Debug, Clone)]
pub struct Buffer(Rc<Piece>);

#[derive(Debug)]
struct Piece {
    raw: wgpu::Buffer,
    /// Where it goes when nobody holds it; uploads are never used again (see `Gpu::upload`).
    shelf: Weak<RefCell<Shelf>>,
}

impl Buffer {
    /// A piece that goes back to the device when nobody holds it.
    pub(super) fn once(raw: wgpu::Buffer) -> Self {
        Self(Rc::new(Piece { raw, shelf: Weak::new() }))
    }

    pub(super) fn raw(&self) -> &wgpu::Buffer {
        &self.0.raw
    }

    /// Its length, which may be more than was asked for.
    pub fn size_bytes(&self) -> u64 {
        self.0.raw.size()
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if let Some(shelf) = self.shelf.upgrade() {
            shelf.borrow_mut().put(self.raw.clone());
        }
    }
}

/// Buffers that nobody holds.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    free: BTreeMap<u64, Vec<wgpu::Buffer>>,
    free_bytes: u64,
}

impl Shelf {
    fn put(&mut self, raw: wgpu::Buffer) {
        if self.free_bytes + raw.size() > MOST_FREE_BYTES {
            return;
        }
        self.free_bytes += raw.size();
        self.free.entry(raw.size()).or_default().push(raw);
    }

    /// A free piece of at least so many bytes, or a new one.
    pub(super) fn take(
        shelf: &Rc<RefCell<Self>>,
        needed_bytes: u64,
        make: impl FnOnce(u64) -> wgpu::Buffer,
    ) -> Buffer {
        let size = rounded(needed_bytes);
        let mut free = shelf.borrow_mut();
        let raw = free.free.get_mut(&size).and_then(Vec::pop);
        if raw.is_some() {
            free.free_bytes -= size;
        }
        Buffer(Rc::new(Piece {
            raw: raw.unwrap_or_else(|| make(size)),
            shelf: Rc::downgrade(shelf),
        }))
    }
}

/// The length that a piece of so many bytes gets.
pub(super) fn rounded(bytes: u64) -> u64 {
    if bytes > COARSE_BYTES {
        bytes.next_multiple_of(COARSE_BYTES)
    } else {
        bytes.max(LEAST_BYTES).next_power_of_two()
    }
}

/// The longest piece of no more than so many bytes; 0 where even the shortest is longer.
pub(super) fn rounded_down(bytes: u64) -> u64 {
    match bytes {
        0..LEAST_BYTES => 0,
        LEAST_BYTES..COARSE_BYTES => 1 << bytes.ilog2(),
        _ => bytes - bytes % COARSE_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::{rounded, rounded_down};

    #[test]
    fn similar_lengths_share_pieces() {
        assert_eq!([1, 1024, 1025, 3 << 10].map(rounded), [1024, 1024, 2048, 4096]);
        assert_eq!(rounded((5 << 20) + 1), 6 << 20);
    }

    #[test]
    fn the_longest_piece_is_one_that_is_made() {
        assert_eq!([0, 1023, 1024, 3000].map(rounded_down), [0, 0, 1024, 2048]);
        assert_eq!(rounded_down((5 << 20) + 1), 5 << 20);
        for bytes in [1024, 5000, (1 << 20) - 1, 1 << 20, (7 << 20) + 5] {
            assert_eq!(rounded(rounded_down(bytes)), rounded_down(bytes));
        }
    }
}
