//! Work for a GPU as data: what runs it is `device`.

use web_time::Duration;

use crate::gpu::buffer::Buffer;

/// What a kernel does with a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    Read,
    /// Reads too, where it likes.
    Write,
}

/// A program: WGSL with the entry point `main`. Binding 0 of group 0 is its [`Params`], a uniform;
/// the buffers follow from binding 1 on.
#[derive(Debug)]
pub struct Shader {
    pub name: &'static str,
    pub source: &'static str,
    pub buffers: &'static [Access],
}

impl Shader {
    /// Whether it is refused by devices without `shader-f16`.
    pub fn needs_half(&self) -> bool {
        self.source.starts_with("enable f16;")
    }
}

/// Small numbers that differ from dispatch to dispatch: two `vec4<u32>` in WGSL. Real numbers go by
/// their bits.
pub type Params = [u32; 8];

/// `override` constants by name.
pub type Constants = Vec<(&'static str, u32)>;

/// A kernel's run over a grid of workgroups.
#[derive(Debug, Clone)]
pub struct Dispatch {
    pub shader: &'static Shader,
    pub constants: Constants,
    pub params: Params,
    pub buffers: Vec<Buffer>,
    pub groups: [u32; 3],
}

/// Dispatches in the order in which they run; each sees what those before it wrote.
#[derive(Debug, Default)]
pub struct Recording {
    pub steps: Vec<Dispatch>,
}

/// How long a dispatch took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Took {
    /// The shader's name.
    pub shader: &'static str,
    pub duration: Duration,
}

/// Workgroups side by side in the first dimension of [`rows_grid`]; `ROW_SPAN` in the kernels.
const ROW_SPAN: u32 = 32_768;

/// A grid with one workgroup a row: `row = id.y * 32768 + id.x`, to be compared with the number of
/// rows. One dimension alone may have 65,535 workgroups.
pub fn rows_grid(rows: usize) -> [u32; 3] {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    [rows.min(ROW_SPAN), rows.div_ceil(ROW_SPAN), 1]
}

#[cfg(test)]
mod tests {
    use super::rows_grid;

    #[test]
    fn a_grid_covers_every_row() {
        assert_eq!(rows_grid(0), [0, 0, 1]);
        assert_eq!(rows_grid(7), [7, 1, 1]);
        assert_eq!(rows_grid(32_769), [32_768, 2, 1]);
    }
}
