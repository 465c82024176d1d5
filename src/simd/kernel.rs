//! What a kernel of the int8 product is; `product` chooses one and calls it.

use crate::simd::codes::{Codes, Form};
use crate::simd::layout::PanelBlock;

/// Tiles by panels, written to `out` row by row, `stride` numbers apart:
/// `(tiles, tile_count, panels, panel_count, block_count, groups, bias, out, stride, starts,
/// middles)`. `tiles` are `ByteBlock` or `WideBlock`, as the kernel's form says; `groups` is how
/// many groups of inputs a block has: the kernel knows, but its compiler should not (see
/// `relaxed_module`). `starts` is -1 where sums begin with the panel's, else 0; `middles` is 0
/// where the states have none.
pub type Product = unsafe extern "C" fn(
    *const u8,
    usize,
    *const PanelBlock,
    usize,
    usize,
    usize,
    *const f32,
    *mut f32,
    usize,
    i32,
    i32,
);

/// A way to compute the int8 product.
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    /// For the status line: `AVX-512 VNNI`.
    pub name: &'static str,
    pub(in crate::simd) form: Form,
    /// Inputs of an output side by side in a panel: what one instruction adds up.
    pub(in crate::simd) group: usize,
    pub(in crate::simd) product: Product,
}

impl Kernel {
    /// The wasm relaxed-SIMD module's: it reads states in bytes, signed or with 128 added as
    /// `signed` says.
    pub fn relaxed(product: Product, signed: bool) -> Self {
        let form = if signed { Form::Signed } else { Form::Unsigned };
        Self { name: "relaxed SIMD", form, group: 4, product }
    }

    /// Codes in the form that this kernel reads.
    pub fn codes(&self) -> Codes {
        Codes::new(self.form)
    }
}
