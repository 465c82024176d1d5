//! The embedding layer: `layer_norm(words[id] + positions[place])` of every token. BERT's type rows are
//! all the same here (sentences are never fed in pairs) and already added to the positions.
//!
//! Bindings: params (tokens, hidden, epsilon), tokens `[tokens]` of (id, place), codes and scales of
//! the words `[vocabulary, hidden]`, positions `[places, hidden]`, norm `[2, hidden]`, out
//! `[tokens, hidden]`. A workgroup a token.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader, rows_grid};
use crate::kernels::add_norm;
use crate::kernels::matrix::{Matrix, OnGpu};

pub static SHADER: Shader = Shader {
    name: "embed",
    source: concat!(
        include_str!("shared/params.wgsl"),
        include_str!("embed.wgsl"),
        include_str!("shared/rows.wgsl"),
        include_str!("shared/norm.wgsl")
    ),
    buffers: &[Access::Read, Access::Read, Access::Read, Access::Read, Access::Read, Access::Write],
};

/// What the layer reads.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// (id, place in its sentence) of every token.
    pub tokens: &'a Buffer,
    pub words: &'a OnGpu,
    pub positions: &'a Buffer,
    pub norm: &'a Buffer,
    pub epsilon: f32,
}

/// The dispatch for so many tokens.
pub fn dispatch(count: usize, input: Input<'_>, out: &Buffer) -> Dispatch {
    let Input { tokens, words, positions, norm, epsilon } = input;
    let buffers = [tokens, &words.codes, &words.scales, positions, norm, out];
    Dispatch {
        shader: &SHADER,
        constants: vec![("REAL", u32::from(words.is_real))],
        params: [count as u32, words.columns as u32, epsilon.to_bits(), 0, 0, 0, 0, 0],
        buffers: buffers.map(Buffer::clone).into(),
        groups: rows_grid(count),
    }
}

/// The same in plain loops.
pub fn reference(
    tokens: &[(u32, u32)],
    words: &Matrix,
    positions: &[f32],
    (gain, offset): (&[f32], &[f32]),
    epsilon: f32,
) -> Vec<f32> {
    let hidden = words.columns;
    let table = words.decoded();
    let row = |table: &[f32], row: u32| table[row as usize * hidden..][..hidden].to_vec();
    let of_words: Vec<f32> = tokens.iter().flat_map(|(id, _)| row(&table, *id)).collect();
    let of_places: Vec<f32> = tokens.iter().flat_map(|(_, place)| row(positions, *place)).collect();
    add_norm::reference(&of_words, &of_places, gain, offset, epsilon)
}
