//! Token states on the CPU.

use std::borrow::Cow;
use std::sync::Arc;

use crate::backend::Error;
use crate::backend::cpu::room::Room;
use crate::simd::codes::{Codes, Coding};
use crate::simd::kernel::Kernel;

/// `[rows, columns]`; dropping it gives its buffer back.
#[derive(Debug)]
pub struct States {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Whether an int8 product made them: what follows need not be more exact.
    pub(super) is_rounded: bool,
    content: Content,
    room: Arc<Room>,
}

#[derive(Debug)]
enum Content {
    /// Row-major.
    Numbers(Vec<f32>),
    /// As the next int8 product takes them.
    Codes(Codes),
}

impl States {
    /// `values` are `[rows, columns]`.
    pub(super) fn of_numbers(
        room: &Arc<Room>,
        (rows, columns): (usize, usize),
        values: Vec<f32>,
    ) -> Self {
        let (content, room) = (Content::Numbers(values), Arc::clone(room));
        Self { rows, columns, is_rounded: false, content, room }
    }

    /// As [`States::of_numbers`], made by an int8 product.
    pub(super) fn of_product(room: &Arc<Room>, shape: (usize, usize), values: Vec<f32>) -> Self {
        let mut states = Self::of_numbers(room, shape, values);
        states.is_rounded = true;
        states
    }

    pub(super) fn of_codes(room: &Arc<Room>, codes: Codes) -> Self {
        let (rows, columns) = (codes.rows(), codes.columns());
        let (content, room) = (Content::Codes(codes), Arc::clone(room));
        Self { rows, columns, is_rounded: true, content, room }
    }

    /// Hands the states out as codes that the kernel reads; as they are where they are codes.
    pub(super) fn with_codes<T>(
        &self,
        kernel: &Kernel,
        coding: Coding,
        work: impl FnOnce(&Codes) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.content {
            Content::Codes(codes) => work(codes),
            Content::Numbers(values) => {
                let mut codes = self.room.codes(|| kernel.codes());
                codes.fill(values, self.columns, coding);
                let result = work(&codes);
                self.room.give_codes(codes);
                result
            }
        }
    }

    pub(super) fn demand(
        &self,
        verb: &'static str,
        rows: usize,
        columns: usize,
    ) -> Result<(), Error> {
        let (expected, found) = ((rows, columns), (self.rows, self.columns));
        if expected == found { Ok(()) } else { Err(Error::Shape { verb, expected, found }) }
    }

    pub(super) fn numbers(&self) -> Cow<'_, [f32]> {
        match &self.content {
            Content::Numbers(values) => Cow::Borrowed(values),
            Content::Codes(codes) => Cow::Owned(codes.decode()),
        }
    }

    pub(super) fn take_numbers(&mut self) -> Vec<f32> {
        match std::mem::replace(&mut self.content, Content::Numbers(Vec::new())) {
            Content::Numbers(values) => values,
            Content::Codes(codes) => {
                let values = codes.decode();
                self.room.give_codes(codes);
                values
            }
        }
    }

    /// Changes every number; rows are handed out one by one.
    pub(super) fn each_row(mut self, change: impl FnMut(&mut [f32])) -> Self {
        let mut values = self.take_numbers();
        values.chunks_exact_mut(self.columns.max(1)).for_each(change);
        self.content = Content::Numbers(values);
        self
    }
}

impl Drop for States {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.content, Content::Numbers(Vec::new())) {
            Content::Numbers(values) => self.room.give_numbers(values),
            Content::Codes(codes) => self.room.give_codes(codes),
        }
    }
}
