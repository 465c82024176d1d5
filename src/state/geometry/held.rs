//! Arrays that the state holds and hands out without copying them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// An array that is shared. Equal are only itself and what was cloned from it (and empty ones): nobody
/// compares 100,000 numbers to find out whether a picture must be drawn again, and what is not a number
/// does not count as news.
#[derive(Clone)]
pub struct Held<T>(Arc<[T]>);

impl<T> Deref for Held<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> PartialEq for Held<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.is_empty() && other.0.is_empty())
    }
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<T> From<Vec<T>> for Held<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values.into())
    }
}

impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Held({} numbers)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Held;

    #[test]
    fn an_array_is_equal_to_its_clones_alone() {
        let held = Held::from(vec![f32::NAN]);
        assert_eq!(held, held.clone());
        assert_ne!(held, Held::from(held.to_vec()));
        assert_eq!(Held::<f32>::default(), Held::from(Vec::new()));
    }
}
