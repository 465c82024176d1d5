//! SimCSE training: contrastive fine-tuning of a sentence encoder (arXiv 2104.08821).
//!
//! A session draws batches of examples, lets a [`learner::Learner`] compute both views' vectors,
//! computes the contrastive loss and its gradient with respect to the vectors, and hands that
//! gradient back. The learner owns weights, dropout, gradients and optimiser; everything else is
//! the same whatever it computes with.

mod adamw;
pub mod augment;
pub mod batches;
mod build;
mod checkpoints;
pub mod cpu;
pub mod error;
pub mod examples;
mod frozen;
pub mod learner;
pub mod loss;
pub mod measure;
mod network;
mod noise;
mod ops;
mod parameters;
pub mod recipe_text;
pub mod schedule;
pub mod session;
mod step;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
