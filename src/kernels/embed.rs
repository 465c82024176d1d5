//! The embedding layer: `layer_norm(words[id] + positions[place])` of every token. BERT's type rows are
//! all the same here (sentences are never fed in pairs) and already added to the positions.
//!
//! Bindings: params (tokens, hidden, epsilon, first word, words, first position, positions), tokens
//! `[tokens]` of (id, place), codes and scales of the words `[words, hidden]`, positions
//! `[positions, hidden]`, norm `[2, hidden]`, out `[tokens, hidden]`. A workgroup a token. Where tables
//! come in parts there is a dispatch for each two of them; a token is in exactly one, which writes
//! its row, and the others leave it alone.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader, rows_grid};
use crate::kernels::add_norm;
use crate::kernels::matrix::{Matrix, OnGpu, Part};

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
    /// Real numbers.
    pub positions: &'a OnGpu,
    pub norm: &'a Buffer,
    pub epsilon: f32,
}

/// The dispatches for so many tokens: together they write every row.
pub fn dispatches(count: usize, input: Input<'_>, out: &Buffer) -> Vec<Dispatch> {
    let places = &input.positions.parts;
    let pairs = input.words.parts.iter().flat_map(|words| places.iter().map(move |it| (words, it)));
    pairs.map(|(words, places)| dispatch(count, input, (words, places), out)).collect()
}

fn dispatch(
    count: usize,
    input: Input<'_>,
    (words, places): (&Part, &Part),
    out: &Buffer,
) -> Dispatch {
    let Input { tokens, norm, epsilon, .. } = input;
    let (hidden, is_real) = (input.words.columns, input.words.is_real);
    let buffers = [tokens, &words.codes, &words.scales, &places.codes, norm, out];
    let [first_word, words, first_place, places] =
        [words.first_row, words.rows, places.first_row, places.rows].map(|it| it as u32);
    let epsilon = epsilon.to_bits();
    Dispatch {
        shader: &SHADER,
        constants: vec![("REAL", u32::from(is_real))],
        params: [count as u32, hidden as u32, epsilon, first_word, words, first_place, places, 0],
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
