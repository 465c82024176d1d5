//! The seam between the engine and what only a program that trains can do: fine-tunes, and views
//! under dropout.
//!
//! Training brings a tensor library, about a megabyte of wasm, which a visitor who only compares
//! sentences should not wait for. Only [`crate::engine::Engine::that_trains`] names what is behind
//! this trait, so that a program without that constructor is linked without the library.

use std::fmt::Debug;
use std::pin::Pin;

use crate::backend::Backend;
use crate::engine::sides::Sides;
use crate::engine::views::Views;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::training::{Order, Plan};

/// A piece of work on its way.
pub type Piece<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What only a program that trains can do. A fine-tune is answered through `out`.
pub trait Workshop<B: Backend>: Debug {
    /// Takes a plan; `from`: the file of the adapter to go on from.
    ///
    /// # Errors
    /// [`Problem::Busy`] while another fine-tune is not over, or what is wrong with the plan.
    fn train(&mut self, revision: Revision, plan: Plan, from: Option<&[u8]>)
    -> Result<(), Problem>;

    /// Hands on an order. A fine-tune that is not here any more was cancelled.
    fn steer(&mut self, revision: Revision, order: Order, out: &mut Vec<Message<Event>>);

    /// Gives up the fine-tune of that number; whether it was here.
    fn cancel(&mut self, revision: Revision) -> bool;

    /// Another model is the current one: what began with the one before ends.
    fn model_changed(&mut self, out: &mut Vec<Message<Event>>);

    /// There is no model and none will come.
    fn give_up(&mut self, out: &mut Vec<Message<Event>>);

    /// Whether a fine-tune has something to do.
    fn can_train(&self) -> bool;

    /// Does a little of the fine-tune.
    fn train_on<'a>(
        &'a mut self,
        sides: &'a Sides<B>,
        out: &'a mut Vec<Message<Event>>,
    ) -> Piece<'a, ()>;

    /// Does a little of some views; their cosines `[sentences, sentences]` once they are complete.
    fn draw<'a>(
        &'a mut self,
        views: &'a mut Views,
        sides: &'a Sides<B>,
    ) -> Piece<'a, Result<Option<Vec<f32>>, Problem>>;

    /// Puts away what nobody asked for in a while.
    fn tidy(&mut self);
}

/// Why a program without a workshop refuses: the page asks its trainer.
pub fn missing() -> Problem {
    Problem::Internal { detail: "this worker's program cannot train".to_owned() }
}
