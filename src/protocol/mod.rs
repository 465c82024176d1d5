//! The vocabulary between the page and its worker: one closed enum per direction.
//!
//! A [`message::Message`] is a small head (a [`request::Request`] or an [`event::Event`]) and the
//! big arrays that travel beside it as transferables. The head is encoded by [`codec`].
//!
//! *Invariant:* every request that yields a result carries a [`Revision`], and every event that
//! answers it repeats that revision, so that the page can drop what it no longer wants.

pub mod codec;
pub mod event;
pub mod gpu;
pub mod lab;
pub mod message;
pub mod models;
pub mod problem;
pub mod readout;
pub mod recipe;
pub mod request;
pub mod search;
pub mod training;

/// Number of a request, rising within one page. An answer repeats the number of its question.
pub type Revision = u32;
