//! Weights in GPU memory: codes with scales where the file has whole numbers, real numbers otherwise.

use crate::gpu::buffer::Buffer;
use crate::gpu::device::Gpu;
use crate::gpu::error::Error;

/// Numbers that share a scale.
pub const BLOCK: usize = 32;

/// `[rows, columns]`
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub numbers: Numbers,
}

/// Row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    Real(Vec<f32>),
    /// A scale for every 32 codes; columns are a multiple of 32.
    Blocks {
        codes: Vec<i8>,
        scales: Vec<f32>,
    },
}

impl Matrix {
    /// All numbers as they are meant, row-major.
    pub fn decoded(&self) -> Vec<f32> {
        match &self.numbers {
            Numbers::Real(values) => values.clone(),
            Numbers::Blocks { codes, scales } => {
                let scales = scales.iter().flat_map(|scale| [scale; BLOCK]);
                codes.iter().zip(scales).map(|(code, scale)| f32::from(*code) * scale).collect()
            }
        }
    }

    /// Moves them to the GPU.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Memory`].
    pub fn upload(&self, gpu: &Gpu, what: &'static str) -> Result<OnGpu, Error> {
        let (codes, scales, is_real) = match &self.numbers {
            // Where there are no scales a binding still wants a buffer.
            Numbers::Real(values) => {
                (gpu.upload_reals(what, values)?, gpu.upload_reals(what, &[0.0])?, true)
            }
            Numbers::Blocks { codes, scales } => {
                let words = codes.as_chunks::<4>().0.iter();
                let words: Vec<u32> =
                    words.map(|four| u32::from_le_bytes(four.map(i8::cast_unsigned))).collect();
                (gpu.upload(what, &words)?, gpu.upload_reals(what, scales)?, false)
            }
        };
        Ok(OnGpu { rows: self.rows, columns: self.columns, codes, scales, is_real })
    }
}

/// A [`Matrix`] in GPU memory.
#[derive(Debug)]
pub struct OnGpu {
    pub rows: usize,
    pub columns: usize,
    /// Four codes a word, or the bits of one real number.
    pub codes: Buffer,
    /// `[rows, columns / 32]`, or anything.
    pub scales: Buffer,
    pub is_real: bool,
}
