//! SimCSE Lab: see and use contrastive sentence embeddings.
//!
//! The modules form floors; imports point strictly down (the `layering` test enforces it).
//!
//! | floor | module | what it is |
//! |---|---|---|
//! | 5 | [`engine`] | requests in, events out; jobs, cancellation |
//! | 4 | [`training`] | SimCSE fine-tuning: session, loss, learner |
//! | 3 | [`model`] | one BERT forward pass, generic over the backend's verbs |
//! | 3 | [`ui`] | Leptos views; they only draw |
//! | 2 | [`backend`] | the verbs, and the CPU that runs them |
//! | 2 | [`projection`] | maps: PCA, t-SNE, UMAP, how far to believe them |
//! | 2 | [`search`] | a corpus's passages by meaning, by keywords, by both |
//! | 2 | [`state`] | the page's state and its pure `update(state, event) -> effects` |
//! | 2 | [`browser`] | the only web-sys besides `ui` |
//! | 2 | [`intake`] | other people's checkpoints, from a disk or the Hub, to our files |
//! | 1 | [`geometry`] | alignment, uniformity, mean cosine, nearest pairs |
//! | 1 | [`weights`] | GGUF, safetensors, quantised blocks |
//! | 1 | [`files`] | embeddings as files of other programs |
//! | 1 | [`text`] | tokeniser, sentence lists, pairs files |
//! | 1 | [`math`] | rows, ranks, statistics |
//! | 1 | [`simd`] | matrix products in vector instructions |
//! | 1 | [`chart`] | data to shapes to SVG |
//! | 1 | [`catalogue`] | every visible text, in every language |
//! | 0 | [`protocol`] | the vocabulary between page and worker |

pub mod backend;
pub mod browser;
pub mod catalogue;
pub mod chart;
pub mod engine;
pub mod files;
pub mod geometry;
pub mod gpu;
pub mod intake;
pub mod kernels;
pub mod math;
pub mod model;
pub mod projection;
pub mod protocol;
pub mod search;
pub mod simd;
pub mod state;
pub mod text;
pub mod training;
pub mod ui;
pub mod weights;
