//! One axis of a window, seen from the senders.

use crate::ir::window::Window;

/// Which receivers each coordinate of the senders reaches, and in how many steps.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    taps: usize,
    /// `hits[starts[at]..starts[at + 1]]` are the receivers of coordinate `at`, each with its tap.
    starts: Vec<usize>,
    hits: Vec<(usize, usize)>,
    /// By coordinate: the most receivers that stand in one bank, at least 1.
    steps: Vec<u64>,
}

impl Axis {
    /// Axis `axis` (0 = rows, 1 = columns) of `window`, its receivers dealt to `banks` banks.
    pub fn new(window: &Window, axis: usize, banks: usize) -> Self {
        let mut made = Axis { taps: window.kernel[axis], starts: vec![0], hits: Vec::new(), steps: Vec::new() };
        for at in 0..window.input[axis + 1] {
            let receivers = window.receivers(axis, at);
            let in_bank = |bank| receivers.iter().filter(|(out, _)| out % banks == bank).count() as u64;
            made.steps.push((0..banks).map(in_bank).max().unwrap_or(0).max(1));
            made.hits.extend(receivers);
            made.starts.push(made.hits.len());
        }
        made
    }

    /// Taps of the window along the axis.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// The receivers of coordinate `at`, each with its tap.
    pub fn hits(&self, at: usize) -> &[(usize, usize)] {
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&start), Some(&end)) => &self.hits[start..end],
            _ => &[],
        }
    }

    /// Steps that an event at coordinate `at` takes along this axis.
    pub fn steps(&self, at: usize) -> u64 {
        self.steps.get(at).copied().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_of_one_bank_take_turns() {
        let window = Window { kernel: [3, 3], pad: [1, 1], ..Window::identity([1, 5, 5]) };
        let steps = |banks| (0..5).map(|at| Axis::new(&window, 0, banks).steps(at)).collect::<Vec<_>>();
        assert_eq!(steps(1), [2, 3, 3, 3, 2]);
        assert_eq!(steps(2), [1, 2, 2, 2, 1]);
        assert_eq!(steps(3), [1, 1, 1, 1, 1]);
        let axis = Axis::new(&window, 1, 1);
        assert_eq!((axis.hits(0), axis.hits(4)), (&[(0, 1), (1, 0)][..], &[(3, 2), (4, 1)][..]));
    }

    #[test]
    fn a_coordinate_without_receivers_takes_one_step() {
        let window = Window { stride: [3, 3], output: [1, 2, 2], ..Window::identity([1, 5, 5]) };
        let axis = Axis::new(&window, 0, 1);
        assert_eq!((axis.hits(1), axis.steps(1), axis.steps(3)), (&[][..], 1, 1));
    }
}
