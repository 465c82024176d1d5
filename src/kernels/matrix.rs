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

    /// Moves them to the GPU, in as many parts as its limits ask for.
    ///
    /// # Errors
    /// [`Error::Limit`] where not even one row fits, [`Error::Memory`].
    pub fn upload(&self, gpu: &Gpu, what: &'static str) -> Result<OnGpu, Error> {
        let is_real = matches!(self.numbers, Numbers::Real(_));
        let row_bytes = (self.columns * if is_real { 4 } else { 1 }).max(1) as u64;
        let limit = gpu.most_bytes();
        let rows = usize::try_from(limit / row_bytes).unwrap_or(usize::MAX);
        if rows == 0 {
            return Err(Error::Limit { what, needed: row_bytes, limit });
        }
        let firsts = (0..self.rows).step_by(rows);
        let parts = firsts.map(|first| self.part(gpu, what, first, rows.min(self.rows - first)));
        let parts = parts.collect::<Result<_, _>>()?;
        Ok(OnGpu { rows: self.rows, columns: self.columns, parts, is_real })
    }

    fn part(
        &self,
        gpu: &Gpu,
        what: &'static str,
        first_row: usize,
        rows: usize,
    ) -> Result<Part, Error> {
        let (start, end) = (first_row * self.columns, (first_row + rows) * self.columns);
        let (codes, scales) = match &self.numbers {
            Numbers::Real(values) => {
                let values = values.get(start..end).unwrap_or_default();
                // Where there are no scales a binding still wants a buffer.
                (gpu.upload_reals(what, values)?, gpu.upload_reals(what, &[0.0])?)
            }
            Numbers::Blocks { codes, scales } => {
                let codes = codes.get(start..end).unwrap_or_default();
                let scales = scales.get(start / BLOCK..end / BLOCK).unwrap_or_default();
                (gpu.upload(what, &words(codes))?, gpu.upload_reals(what, scales)?)
            }
        };
        Ok(Part { first_row, rows, codes, scales })
    }
}

/// Codes as kernels read them: four a word, the first in the lowest byte.
pub fn words(codes: &[i8]) -> Vec<u32> {
    let fours = codes.as_chunks::<4>().0.iter();
    fours.map(|four| u32::from_le_bytes(four.map(i8::cast_unsigned))).collect()
}

/// A [`Matrix`] in GPU memory.
#[derive(Debug)]
pub struct OnGpu {
    pub rows: usize,
    pub columns: usize,
    /// One below the other. More than one where a buffer cannot hold them all.
    pub parts: Vec<Part>,
    pub is_real: bool,
}

/// Consecutive rows of an [`OnGpu`].
#[derive(Debug)]
pub struct Part {
    pub first_row: usize,
    pub rows: usize,
    /// Four codes a word, or the bits of one real number.
    pub codes: Buffer,
    /// `[rows, columns / 32]`, or anything.
    pub scales: Buffer,
}
