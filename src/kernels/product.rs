//! How linear layers are multiplied out: a closed choice, small enough to be measured through and to
//! be remembered as a few letters.

use std::fmt;
use std::str::FromStr;

/// The numbers that are multiplied; sums are `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `f32`: `linear`.
    Real,
    /// States and weights rounded to `f16` on their way into workgroup memory. As `Real` where the device
    /// has no `shader-f16`.
    Half,
    /// Whole numbers of a byte, blocks of states rounded to them: `linear_int8`. Weights that are real
    /// numbers are multiplied as such all the same.
    Int8,
}

/// Sums of one thread, where there are rows enough: its rows by its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tile {
    By4x4,
    By8x4,
    By8x8,
}

/// How linear layers are multiplied out. Its text is `f32 8x4`, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Product {
    pub arithmetic: Arithmetic,
    pub tile: Tile,
}

/// A text that is none of a [`Product`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no way to multiply is called {text:?}")]
pub struct Unknown {
    pub text: String,
}

impl Arithmetic {
    pub const ALL: [Self; 3] = [Self::Real, Self::Half, Self::Int8];

    /// Whether the model's rows stay as near to those of `f32` as a GPU's have to. Others are for those
    /// who ask for them.
    pub fn is_near(self) -> bool {
        self != Self::Int8
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "f32",
            Self::Half => "f16",
            Self::Int8 => "int8",
        }
    }
}

impl Tile {
    pub const ALL: [Self; 3] = [Self::By4x4, Self::By8x4, Self::By8x8];

    pub fn name(self) -> &'static str {
        match self {
            Self::By4x4 => "4x4",
            Self::By8x4 => "8x4",
            Self::By8x8 => "8x8",
        }
    }
}

impl Product {
    /// What every device computes well enough.
    pub const SAFE: Self = Self { arithmetic: Arithmetic::Real, tile: Tile::By4x4 };

    /// All there are.
    pub fn all() -> impl Iterator<Item = Self> {
        let with = |arithmetic| Tile::ALL.map(|tile| Self { arithmetic, tile });
        Arithmetic::ALL.into_iter().flat_map(with)
    }
}

impl fmt::Display for Product {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.arithmetic.name(), self.tile.name())
    }
}

impl FromStr for Product {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let found = Self::all().find(|product| product.to_string() == text);
        found.ok_or_else(|| Unknown { text: text.to_owned() })
    }
}

/// Workgroups for a layer: threads in the second dimension, and the tile of a thread. Few rows are
/// given to few threads, since rows outside are computed too.
pub(super) fn shape(rows: usize, tile: Tile) -> Shape {
    let (threads_y, tile) = match rows {
        0..=16 => (4, Tile::By4x4),
        17..=32 => (8, Tile::By4x4),
        _ => (16, tile),
    };
    let (thread_rows, thread_outputs) = match tile {
        Tile::By4x4 => (4, 4),
        Tile::By8x4 => (8, 4),
        Tile::By8x8 => (8, 8),
    };
    Shape { threads_y, tile, rows: threads_y * thread_rows, outputs: 16 * thread_outputs }
}

/// See [`shape`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub threads_y: usize,
    pub tile: Tile,
    /// Of a workgroup.
    pub rows: usize,
    /// Of a workgroup.
    pub outputs: usize,
}

impl Shape {
    /// Workgroups for so many rows and outputs.
    pub(super) fn groups(&self, rows: usize, outputs: usize) -> [u32; 3] {
        [outputs.div_ceil(self.outputs) as u32, rows.div_ceil(self.rows) as u32, 1]
    }
}

#[cfg(test)]
mod tests {
    use super::Product;

    #[test]
    fn names_are_read_back() {
        let mut names: Vec<String> = Product::all().map(|product| product.to_string()).collect();
        assert!(Product::all().all(|product| product.to_string().parse() == Ok(product)));
        names.dedup();
        assert_eq!(names.len(), Product::all().count());
        assert!("f32".parse::<Product>().is_err());
    }
}
