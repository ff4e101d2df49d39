//! Windows that Python's `nir` can describe.
//!
//! A [`Window`] has kernels of any extents, begins anywhere and ends anywhere. NIR's `Conv2d` pads both ends of an axis alike, and
//! Python's `nir` takes the kernel's height for its width as well. So kernels get rows and columns of zeros: `front` taps in front
//! move the window's beginning, those behind move its end, until both axes have the same number.

use crate::ir::window::Window;

/// Taps that may be added to a kernel.
const MOST_ADDED: usize = 64;

/// A window in NIR's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Square {
    /// Rows and columns of the kernel.
    pub size: usize,
    /// Zero taps in front, per axis.
    pub front: [usize; 2],
    /// Taps from one original tap to the next, per axis.
    pub step: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

/// One axis of a [`Square`]: zero taps in front, padding, stride.
type Axis = (usize, usize, usize);

impl Square {
    /// The smallest square window that does the same, if there is one.
    pub fn of(window: &Window) -> Option<Square> {
        // Taps far apart can be written as neighbours with zeros between them, which leaves more choice.
        let dense = [0, 1].map(|axis| (window.kernel[axis] - 1) * window.dilation[axis] + 1);
        [(window.kernel, window.dilation, [1, 1]), (dense, [1, 1], window.dilation)].into_iter().find_map(
            |(taps, dilation, step)| {
                let least = taps[0].max(taps[1]);
                (least..=least + MOST_ADDED).find_map(|size| {
                    let (f0, p0, s0) = axis(window, 0, taps[0], dilation[0], size)?;
                    let (f1, p1, s1) = axis(window, 1, taps[1], dilation[1], size)?;
                    Some(Square { size, front: [f0, f1], step, stride: [s0, s1], padding: [p0, p1], dilation })
                })
            },
        )
    }

    /// Where tap `[row, column]` of the original kernel is.
    pub fn place(&self, tap: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| self.front[axis] + tap[axis] * self.step[axis])
    }
}

/// Places `taps` of distance `dilation` among `size` such that the window begins where it should and has the right extent.
fn axis(window: &Window, axis: usize, taps: usize, dilation: usize, size: usize) -> Option<Axis> {
    (0..=size.checked_sub(taps)?).find_map(|front| {
        let padding = usize::try_from(window.pad[axis] + (front * dilation) as i64).ok()?;
        fits(window, axis, padding, dilation * (size - 1)).map(|stride| (front, padding, stride))
    })
}

/// The stride with which a window of this reach and padding has the right extent, if there is one.
fn fits(window: &Window, axis: usize, padding: usize, reach: usize) -> Option<usize> {
    let (stride, output) = (window.stride[axis], window.output[axis + 1]);
    let room = (window.input[axis + 1] + 2 * padding).checked_sub(reach + 1)?;
    match room / stride + 1 == output {
        true => Some(stride),
        // A single receiver does not care how far the next one would be.
        false => (output == 1).then_some(room + 1),
    }
}

/// Padding and strides with which a sum over the window is a `SumPool2d`, whose padding is smaller than its kernel.
pub(super) fn pool(window: &Window) -> Option<([usize; 2], [usize; 2])> {
    let one = |axis: usize| {
        let padding = usize::try_from(window.pad[axis]).ok().filter(|&p| p < window.kernel[axis])?;
        Some((padding, fits(window, axis, padding, window.kernel[axis] - 1)?))
    };
    let ((p0, s0), (p1, s1)) = (one(0)?, one(1)?);
    (window.dilation == [1, 1] || window.kernel == [1, 1]).then_some(([p0, p1], [s0, s1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(window: &Window, square: &Square) {
        for axis in [0, 1] {
            let (n, out) = (window.input[axis + 1], window.output[axis + 1]);
            let room = n + 2 * square.padding[axis] - square.dilation[axis] * (square.size - 1) - 1;
            assert_eq!(room / square.stride[axis] + 1, out);
            for o in 0..out {
                for tap in 0..window.kernel[axis] {
                    let place = square.place([tap; 2])[axis];
                    assert!(place < square.size);
                    let at = (o * square.stride[axis] + place * square.dilation[axis]) as i64;
                    let at = usize::try_from(at - square.padding[axis] as i64).ok().filter(|&at| at < n);
                    assert_eq!(at, window.source(axis, o, tap));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_square_window_reads_what_the_window_reads(
            input in (1usize..9, 1usize..9), output in (1usize..9, 1usize..9), kernel in (1usize..5, 1usize..5),
            stride in (1usize..4, 1usize..4), dilation in (1usize..4, 1usize..4), pad in (-2i64..4, -2i64..4),
        ) {
            let window = Window {
                input: [1, input.0, input.1], output: [1, output.0, output.1], kernel: kernel.into(), stride: stride.into(),
                pad: pad.into(), dilation: dilation.into(),
            };
            if let Some(square) = Square::of(&window) {
                same(&window, &square);
            }
            let odd = |axis: usize| (window.input[axis + 1] + window.output[axis + 1]) % 2;
            // With strides of 1 and neighbouring taps, both axes shrink by the kernel's extent less an even number; nothing else is
            // ever missing.
            let alike = odd(0) == odd(1) || [0, 1].iter().any(|&axis| window.output[axis + 1] == 1 || window.stride[axis] > 1);
            prop_assert!(Square::of(&window).is_some() || !alike);
        }
    }

    #[test]
    fn usual_windows_stay_as_they_are() {
        let window = Window { kernel: [3, 3], pad: [1, 1], ..Window::identity([1, 8, 8]) };
        let square = Square::of(&window).unwrap();
        assert_eq!((square.size, square.front, square.padding, square.stride), (3, [0, 0], [1, 1], [1, 1]));
        let strided = Window { stride: [2, 2], output: [1, 4, 4], ..Window::identity([1, 8, 8]) };
        assert_eq!(Square::of(&strided).map(|s| (s.size, s.padding, s.stride)), Some((1, [0, 0], [2, 2])));
        assert_eq!(pool(&Window { kernel: [2, 2], stride: [2, 2], ..strided }), Some(([0, 0], [2, 2])));
        assert_eq!(pool(&window), Some(([1, 1], [1, 1])));
        assert_eq!(pool(&Window { pad: [3, 3], ..window }), None);
    }
}
