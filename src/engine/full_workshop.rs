//! The workshop of a program that trains: one fine-tune, and the learner that draws views.

use crate::backend::cpu::Cpu;
use crate::engine::sides::Sides;
use crate::engine::studio::Studio;
use crate::engine::train::Trainer;
use crate::engine::views::Views;
use crate::engine::workshop::{Piece, Workshop};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Side;
use crate::protocol::training::{Order, Plan};

/// See [`Workshop`].
#[derive(Debug, Default)]
pub struct FullWorkshop {
    /// The fine-tune that runs or rests.
    trainer: Option<Box<Trainer>>,
    studio: Studio,
}

impl Workshop<Cpu> for FullWorkshop {
    fn train(
        &mut self,
        revision: Revision,
        plan: Plan,
        from: Option<&[u8]>,
    ) -> Result<(), Problem> {
        if self.trainer.as_ref().is_some_and(|trainer| !trainer.is_over()) {
            return Err(Problem::Busy);
        }
        self.trainer = Some(Box::new(Trainer::new(revision, plan, from)?));
        Ok(())
    }

    fn steer(&mut self, revision: Revision, order: Order, out: &mut Vec<Message<Event>>) {
        let trainer = self.trainer.as_mut().filter(|trainer| trainer.revision() == revision);
        let Some(trainer) = trainer else {
            out.push(Message::plain(Event::Cancelled { revision }));
            return;
        };
        let problem = trainer.obey(order, out).err();
        if problem.is_some() || trainer.is_stopped() {
            self.trainer = None;
        }
        out.extend(problem.map(|problem| failed(revision, problem)));
    }

    fn cancel(&mut self, revision: Revision) -> bool {
        self.trainer.take_if(|trainer| trainer.revision() == revision).is_some()
    }

    fn model_changed(&mut self, out: &mut Vec<Message<Event>>) {
        self.studio = Studio::default();
        let began = self.trainer.take_if(|trainer| trainer.has_begun());
        let revision = began.map(|trainer| trainer.revision());
        out.extend(revision.map(|revision| Message::plain(Event::Cancelled { revision })));
    }

    fn give_up(&mut self, out: &mut Vec<Message<Event>>) {
        let trainer = self.trainer.take();
        out.extend(trainer.map(|trainer| failed(trainer.revision(), Problem::NoModel)));
    }

    fn can_train(&self) -> bool {
        self.trainer.as_ref().is_some_and(|trainer| trainer.is_running())
    }

    fn train_on<'a>(
        &'a mut self,
        sides: &'a Sides<Cpu>,
        out: &'a mut Vec<Message<Event>>,
    ) -> Piece<'a, ()> {
        Box::pin(async move {
            let parts = sides.file().zip(sides.encoder(Side::Before));
            let Some((trainer, (file, encoder))) = self.trainer.as_mut().zip(parts) else { return };
            if let Err(problem) = trainer.step(file, encoder, out).await {
                out.push(failed(trainer.revision(), problem));
                self.trainer = None;
            } else if trainer.is_stopped() {
                self.trainer = None;
            }
        })
    }

    fn draw<'a>(
        &'a mut self,
        views: &'a mut Views,
        sides: &'a Sides<Cpu>,
    ) -> Piece<'a, Result<Option<Vec<f32>>, Problem>> {
        Box::pin(self.studio.step(views, sides))
    }

    fn tidy(&mut self) {
        self.studio.tidy();
    }
}

fn failed(revision: Revision, problem: Problem) -> Message<Event> {
    Message::plain(Event::Failed { revision: Some(revision), problem })
}
