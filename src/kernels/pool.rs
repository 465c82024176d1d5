//! One row a sentence: the mean of its tokens' rows, or its first token's row. A sentence without
//! tokens gets zeros.
//!
//! Bindings: params (sentences, hidden, 1: first only), starts `[sentences + 1]`, states
//! `[tokens, hidden]`, out `[sentences, hidden]`. A workgroup a sentence.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader, rows_grid};

pub static SHADER: Shader = Shader {
    name: "pool",
    source: concat!(
        include_str!("shared/params.wgsl"),
        include_str!("pool.wgsl"),
        include_str!("shared/rows.wgsl")
    ),
    buffers: &[Access::Read, Access::Read, Access::Write],
};

/// The dispatch for so many sentences.
pub fn dispatch(
    (sentences, hidden): (usize, usize),
    first_only: bool,
    starts: &Buffer,
    states: &Buffer,
    out: &Buffer,
) -> Dispatch {
    Dispatch {
        shader: &SHADER,
        constants: Vec::new(),
        params: [sentences as u32, hidden as u32, u32::from(first_only), 0, 0, 0, 0, 0],
        buffers: vec![starts.clone(), states.clone(), out.clone()],
        groups: rows_grid(sentences),
    }
}

/// The same in plain loops.
pub fn reference(states: &[f32], hidden: usize, starts: &[usize], first_only: bool) -> Vec<f32> {
    let mut out = Vec::new();
    for ends in starts.windows(2) {
        let end = if first_only { ends[1].min(ends[0] + 1) } else { ends[1] };
        for column in 0..hidden {
            let sum: f64 = (ends[0]..end).map(|t| f64::from(states[t * hidden + column])).sum();
            out.push((sum / (end - ends[0]).max(1) as f64) as f32);
        }
    }
    out
}
