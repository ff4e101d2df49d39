//! The class of every image of a set.

use crate::error::{Error, Problem, Result};

/// One class index an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(Vec<usize>);

impl Labels {
    /// Labels from integers of whatever width a file held.
    ///
    /// # Errors
    /// If there are none, or one is negative or beyond 32 bits.
    pub fn new(values: Vec<i128>) -> Result<Labels> {
        if values.is_empty() {
            return Err(Error::input("holds no labels"));
        }
        let class = |(i, &value): (usize, &i128)| {
            let class = u32::try_from(value).ok().and_then(|v| usize::try_from(v).ok());
            class.ok_or_else(|| {
                Problem::new(format!("holds the label {value} at index {i}"))
                    .help("labels are class indices that begin at 0")
                    .into()
            })
        };
        values.iter().enumerate().map(class).collect::<Result<_>>().map(Labels)
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none (only after [`Labels::truncated`] to 0).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The classes in the order of the images.
    pub fn as_slice(&self) -> &[usize] {
        &self.0
    }

    /// The first `limit` labels, or all if there are fewer.
    pub fn truncated(mut self, limit: usize) -> Labels {
        self.0.truncate(limit);
        self
    }
}
