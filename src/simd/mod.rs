//! Matrix products with vector instructions: what nearly all of an encoder's time goes into.
//!
//! The int8 product multiplies weights in blocks of 32 (q8_0, q4_0) with states that are quantised
//! on their way in, 8 bits, one scale a row and block:
//!
//! ```text
//! state  = scale code + middle          code -128..127, per row r and block b
//! weight = scale code                   code -128..127, per output o and block b
//! out[r, o] = bias[o] + sum_b ( dot(codes) (scale_o scale_r) + sum_o middle_r )
//! ```
//!
//! A fifth of that work is the middles', which only queries, keys and values need. Other states are
//! coded around 0 (-127..127), what has a smallest value from that on (0..255: the GELU's output,
//! attention's weights); a constant floor goes into the bias when weights are packed. See `Coding`.
//!
//! `dot` is a sum of integers, exact whatever adds them, and the rest is plain multiplication and
//! addition in one order: every kernel gives the same bits, in the browser and natively.
//!
//! | kernel | where | states |
//! |---|---|---|
//! | `portable` | anywhere | 16 bits |
//! | `wasm` | wasm simd128 (`i32x4.dot_i16x8_s`) | 16 bits |
//! | `relaxed_module` | wasm relaxed SIMD (`i32x4.relaxed_dot_i8x16_i7x16_add`) | 8 bits |
//! | `x86` | AVX-VNNI, AVX-512 VNNI (`vpdpbusd`) | 8 bits |
//!
//! One query against many rows of codes is in `dots`. The product of real numbers is in `float`, its kernels in `float_kernel`.

pub mod codes;
pub mod dots;
pub mod float;
pub mod float_kernel;
pub mod kernel;
pub mod layout;
pub mod panels;
pub mod plain;
mod portable;
pub mod product;
#[cfg(not(target_arch = "wasm32"))]
mod rounding;
#[cfg(target_arch = "wasm32")]
mod rounding_wasm;
#[cfg(target_arch = "wasm32")]
mod scale_wasm;
#[cfg(target_arch = "wasm32")]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;
