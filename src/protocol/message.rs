//! A head with the arrays that travel beside it.

/// An array that is moved, not copied, between the threads.
#[derive(Debug, Clone, PartialEq)]
pub enum Bulk {
    /// Row-major numbers; the head says the shape.
    F32(Vec<f32>),
    /// A file's bytes.
    Bytes(Vec<u8>),
}

/// The first array of numbers that came along.
pub fn numbers_of(bulk: Vec<Bulk>) -> Option<Vec<f32>> {
    bulk.into_iter().find_map(|bulk| match bulk {
        Bulk::F32(values) => Some(values),
        Bulk::Bytes(_) => None,
    })
}

/// The bytes of the first file that came along.
pub fn bytes_of(bulk: Vec<Bulk>) -> Option<Vec<u8>> {
    bulk.into_iter().find_map(|bulk| match bulk {
        Bulk::Bytes(bytes) => Some(bytes),
        Bulk::F32(_) => None,
    })
}

/// A request or an event together with its arrays, in the order its head documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<T> {
    pub head: T,
    pub bulk: Vec<Bulk>,
}

impl<T> Message<T> {
    /// A message without arrays.
    pub fn plain(head: T) -> Self {
        Self { head, bulk: Vec::new() }
    }

    /// A message with one array of numbers.
    pub fn with_f32(head: T, values: Vec<f32>) -> Self {
        Self { head, bulk: vec![Bulk::F32(values)] }
    }

    /// The first array of numbers, if there is one.
    pub fn f32(&self) -> Option<&[f32]> {
        self.bulk.iter().find_map(|bulk| match bulk {
            Bulk::F32(values) => Some(values.as_slice()),
            Bulk::Bytes(_) => None,
        })
    }
}
