//! One BERT forward pass, generic over the backend's verbs.
//!
//! [`encoder::Encoder`] is what others use: text to tokens to unit vectors. Its work can be put
//! down between layers ([`embedding::Embedding`]), so that a worker stays responsive.

pub mod bert;
pub mod embedding;
pub mod encoder;
pub mod error;
pub mod layers;
pub mod pooling;
