//! The operations of a trained layer as candle operations with a backward pass of their own.
//!
//! candle's autograd walks the graph; what a node computes, forward and backward, is here: without
//! padding, without gradients for frozen weights, and with dropout whose masks are drawn anew in
//! the backward pass instead of being kept. Each operation has its formula at the top and is
//! checked against finite differences and against candle's own operations.

pub mod attention;
pub mod drop_add;
pub mod gelu;
pub mod linear;
pub mod norm;
pub mod pool;
#[cfg(test)]
pub mod test;

use std::ops::{Deref, Range};

use candle_core::{CpuStorage, Layout, Result, Storage, StorageRef, Tensor};

/// The numbers of a tensor, row-major, without a copy.
pub struct Values<'a> {
    storage: StorageRef<'a>,
    range: Range<usize>,
}

/// The numbers of a contiguous tensor.
pub fn values(tensor: &Tensor) -> Result<Values<'_>> {
    let (storage, layout) = tensor.storage_and_layout();
    let range = contiguous(layout)?;
    Ok(Values { storage, range })
}

impl Deref for Values<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(values)) => {
                values.get(self.range.clone()).unwrap_or_default()
            }
            // Every tensor here is made on the CPU as f32; an empty slice would fail every shape.
            _ => &[],
        }
    }
}

/// The numbers of an operation's argument.
pub fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    let range = contiguous(layout)?;
    all.get(range).ok_or_else(|| candle_core::Error::Msg("a tensor is cut short".to_owned()))
}

fn contiguous(layout: &Layout) -> Result<Range<usize>> {
    let offsets = layout.contiguous_offsets();
    let (from, to) = offsets.ok_or(candle_core::Error::RequiresContiguous { op: "training" })?;
    Ok(from..to)
}
