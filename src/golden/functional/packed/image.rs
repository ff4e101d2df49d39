//! Activations with their channels side by side.

/// The layout of a population's values: pixel by pixel, the channels of a pixel side by side, filled up to whole pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub channels: usize,
    pub rows: usize,
    pub columns: usize,
    /// Values of a pixel.
    pub stride: usize,
}

impl Layout {
    pub(super) fn new([channels, rows, columns]: [usize; 3], granularity: usize) -> Self {
        Layout { channels, rows, columns, stride: channels.next_multiple_of(granularity) }
    }

    pub(super) fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Length of a buffer.
    pub(super) fn len(&self) -> usize {
        self.pixels() * self.stride
    }

    /// Values in row-major order of `[C, H, W]`.
    pub(super) fn to_planes<T: Copy + Into<i64>>(self, values: &[T]) -> Vec<i64> {
        let plane = |c: usize| values.iter().skip(c).step_by(self.stride).map(|&v| v.into());
        (0..self.channels).flat_map(plane).collect()
    }

    /// The place of each neuron of `[C, H, W]` in a buffer.
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        (0..self.channels).flat_map(move |c| (0..self.pixels()).map(move |p| p * self.stride + c))
    }
}
