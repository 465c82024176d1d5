//! How numbers lie in memory for the int8 product. No other file of ours is named here: the
//! relaxed-SIMD module, a program of its own, includes this one.

/// Inputs that share a scale: a block of q8_0 and q4_0.
pub const BLOCK: usize = 32;
/// Outputs side by side in a panel of weights.
pub const PANEL: usize = 8;
/// Rows side by side in a tile of states.
pub const TILE: usize = 4;

/// 32 inputs of 8 outputs: `weight = scale code`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(16))]
pub struct PanelBlock {
    /// Groups of 2 or 4 inputs, as the kernel likes them; `[input / group][output][input % group]`.
    pub codes: [i8; BLOCK * PANEL],
    /// What the integer sum may begin with, so that codes of states may be stored with an offset.
    pub starts: [i32; PANEL],
    pub scales: [f32; PANEL],
    /// `scale` times the sum of the codes: what a constant added to all 32 inputs comes to.
    pub sums: [f32; PANEL],
}

/// 32 inputs of 4 rows in bytes: `state = scale code + middle`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(16))]
pub struct ByteBlock {
    pub codes: [[u8; BLOCK]; TILE],
    pub scales: [f32; TILE],
    pub middles: [f32; TILE],
}

/// The same in 16 bits a code.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(16))]
pub struct WideBlock {
    pub codes: [[i16; BLOCK]; TILE],
    pub scales: [f32; TILE],
    pub middles: [f32; TILE],
}
