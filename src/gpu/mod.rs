//! A GPU through wgpu: a device, buffers that are used again, kernels with their pipelines, and work
//! that is recorded as data and then run with one submission and one read-back. It knows no model.

pub mod buffer;
mod clock;
pub mod device;
pub mod error;
mod pipeline;
pub mod recording;
