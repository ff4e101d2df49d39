//! Linear maps that slide a window over an image.

use crate::ir::window::Window;
use ndarray::{Array2, Array3, Array4, ArrayView2, s};

/// More synapses than this are not walked through one by one.
pub(super) const MAX_SYNAPSES: usize = 1 << 31;

/// A linear map from one image to another that is the same at every pixel.
#[derive(Clone, Debug)]
pub(super) struct Windowed {
    /// Geometry.
    pub window: Window,
    /// Weights.
    pub taps: Taps,
}

/// The weights of a [`Windowed`] map, as in [`crate::ir::snn::Synapses`].
#[derive(Clone, Debug)]
pub(super) enum Taps {
    /// `[C_out, C_in / groups, rows, columns]`.
    Conv { weight: Array4<f64>, groups: usize },
    /// `[channels, rows, columns]`; channel `from + i` is mapped to channel `to + i`.
    Channelwise { weight: Array3<f64>, from: usize, to: usize },
}

impl Windowed {
    /// Every channel times its factor.
    pub(super) fn pointwise(extent: [usize; 3], factors: &[f64]) -> Windowed {
        let weight = Array3::from_shape_fn((extent[0], 1, 1), |(c, _, _)| factors.get(c).copied().unwrap_or(0.0));
        Windowed { window: Window::identity(extent), taps: Taps::Channelwise { weight, from: 0, to: 0 } }
    }

    /// The mean over a window of every channel.
    pub(super) fn average(window: Window) -> Windowed {
        let [rows, columns] = window.kernel;
        let weight = Array3::from_elem((window.input[0], rows, columns), 1.0 / (rows as f64 * columns as f64));
        Windowed { window, taps: Taps::Channelwise { weight, from: 0, to: 0 } }
    }

    /// Element `start + i·step` along every axis, or 0 where that does not exist. `None` if nothing of the image is read.
    pub(super) fn strided(from: [usize; 3], to: [usize; 3], start: [i64; 3], step: [usize; 3]) -> Option<Windowed> {
        let window = Window {
            input: from,
            output: to,
            kernel: [1, 1],
            stride: [step[1], step[2]],
            pad: [-start[1], -start[2]],
            dilation: [1, 1],
        };
        let source = |c: usize| usize::try_from(start[0] + (c * step[0]) as i64).ok().filter(|&at| at < from[0]);
        let first = (0..to[0]).find(|&c| source(c).is_some())?;
        let taps = if step[0] == 1 {
            let channels = (first..to[0]).take_while(|&c| source(c).is_some()).count();
            Taps::Channelwise { weight: Array3::ones((channels, 1, 1)), from: source(first)?, to: first }
        } else {
            let picks = |(o, i, _, _)| f64::from(u8::from(source(o) == Some(i)));
            Taps::Conv { weight: Array4::from_shape_fn((to[0], from[0], 1, 1), picks), groups: 1 }
        };
        Some(Windowed { window, taps })
    }

    /// True for one tap a channel, each in place: then the map is a factor per element.
    pub(super) fn diagonal(&self) -> Option<Vec<f64>> {
        let Taps::Channelwise { weight, from: 0, to: 0 } = &self.taps else { return None };
        let [channels, height, width] = self.window.input;
        if self.window != Window::identity(self.window.input) || weight.dim().0 != channels {
            return None;
        }
        let pixels = height * width;
        Some((0..channels * pixels).map(|i| weight[(i / pixels, 0, 0)]).collect())
    }

    /// True for channels on their own with a single tap: every element depends on one sender at most.
    pub(super) fn is_pointwise(&self) -> bool {
        self.window.kernel == [1, 1] && matches!(self.taps, Taps::Channelwise { .. })
    }

    /// Multiplies each output channel by its factor.
    pub(super) fn scale(&mut self, factors: &[f64]) {
        match &mut self.taps {
            Taps::Conv { weight, .. } => {
                weight.outer_iter_mut().zip(factors).for_each(|(mut kernel, &f)| kernel *= f);
            }
            Taps::Channelwise { weight, to, .. } => {
                weight.outer_iter_mut().zip(&factors[*to..]).for_each(|(mut filter, &f)| filter *= f);
            }
        }
    }

    /// Number of synapses at most, those that padding takes away included.
    pub(super) fn synapses(&self) -> usize {
        let stored = match &self.taps {
            Taps::Conv { weight, .. } => weight.len(),
            Taps::Channelwise { weight, .. } => weight.len(),
        };
        stored.saturating_mul(self.window.output[1]).saturating_mul(self.window.output[2])
    }

    /// Calls `visit(receiver, sender, weight)` for every synapse whose weight is not zero.
    pub(super) fn for_each(&self, mut visit: impl FnMut(usize, usize, f64)) {
        match &self.taps {
            Taps::Conv { weight, groups } => {
                let (post, pre, _, _) = weight.dim();
                for to in 0..post {
                    let first = to / (post / groups).max(1) * pre;
                    (0..pre).for_each(|i| self.channel(first + i, to, weight.slice(s![to, i, .., ..]), &mut visit));
                }
            }
            Taps::Channelwise { weight, from, to } => {
                let filters = weight.outer_iter().enumerate();
                filters.for_each(|(i, filter)| self.channel(from + i, to + i, filter, &mut visit));
            }
        }
    }

    /// The synapses from one channel to another.
    fn channel(&self, from: usize, to: usize, filter: ArrayView2<f64>, visit: &mut impl FnMut(usize, usize, f64)) {
        let ([_, height, width], [_, out_height, out_width]) = (self.window.input, self.window.output);
        for oy in 0..out_height {
            for ox in 0..out_width {
                let post = (to * out_height + oy) * out_width + ox;
                for (iy, ky) in self.window.taps(0, oy) {
                    for (ix, kx) in self.window.taps(1, ox) {
                        let weight = filter[(ky, kx)];
                        if weight != 0.0 {
                            visit(post, (from * height + iy) * width + ix, weight);
                        }
                    }
                }
            }
        }
    }

    /// What the map makes of a vector of senders; `None` if that would take too long.
    pub(super) fn apply(&self, x: &[f64]) -> Option<Vec<f64>> {
        let mut y = vec![0.0; self.window.extent().1];
        if x.iter().all(|&x| x == 0.0) {
            return Some(y);
        }
        let [channels, height, width] = self.window.input;
        let level: Vec<f64> = x.iter().step_by((height * width).max(1)).copied().collect();
        let flat = x.chunks((height * width).max(1)).zip(&level).all(|(part, l)| part.iter().all(|x| x == l));
        match &self.taps {
            // Channels of one value each act through the sum of their kernels.
            Taps::Conv { weight, groups } if flat && level.len() == channels => {
                let (post, pre, rows, columns) = weight.dim();
                if self.synapses() / pre.max(1) > MAX_SYNAPSES {
                    return None;
                }
                for to in 0..post {
                    let first = to / (post / groups).max(1) * pre;
                    let mut filter = Array2::zeros((rows, columns));
                    for i in 0..pre {
                        filter.scaled_add(level[first + i], &weight.slice(s![to, i, .., ..]));
                    }
                    self.channel(0, to, filter.view(), &mut |post, _, w| y[post] += w);
                }
            }
            _ if self.synapses() > MAX_SYNAPSES => return None,
            _ => self.for_each(|post, pre, w| y[post] += w * x[pre]),
        }
        Some(y)
    }

    /// `self · m`, `m` being `[senders, columns]`.
    pub(super) fn after(&self, m: &Array2<f64>) -> Array2<f64> {
        let mut product = Array2::zeros((self.window.extent().1, m.ncols()));
        self.for_each(|post, pre, w| product.row_mut(post).scaled_add(w, &m.row(pre)));
        product
    }

    /// `m · self`, `m` being `[rows, receivers]`.
    pub(super) fn before(&self, m: &Array2<f64>) -> Array2<f64> {
        let turned = m.t().as_standard_layout().into_owned();
        let mut product = Array2::zeros((self.window.extent().0, m.nrows()));
        self.for_each(|post, pre, w| product.row_mut(pre).scaled_add(w, &turned.row(post)));
        product.reversed_axes().as_standard_layout().into_owned()
    }

    /// Adds another map in place, if both have the same geometry.
    pub(super) fn absorb(&mut self, other: &Windowed) -> bool {
        if self.window != other.window {
            return false;
        }
        match (&mut self.taps, &other.taps) {
            (Taps::Conv { weight: a, groups: g }, Taps::Conv { weight: b, groups: h }) if g == h => {
                *a += b;
                true
            }
            (Taps::Channelwise { weight: a, from: f, to: t }, Taps::Channelwise { weight: b, from: g, to: u })
                if (*f, *t, a.dim()) == (*g, *u, b.dim()) =>
            {
                *a += b;
                true
            }
            _ => false,
        }
    }

    /// The kernels of a convolution in one group, `[C_out, C_in, rows, columns]`.
    pub(super) fn kernels(&self) -> Array4<f64> {
        let (post, pre) = (self.window.output[0], self.window.input[0]);
        match &self.taps {
            Taps::Conv { weight, groups: 1 } => weight.clone(),
            Taps::Conv { weight, groups } => {
                let (_, inner, rows, columns) = weight.dim();
                let mut whole = Array4::zeros((post, pre, rows, columns));
                for to in 0..post {
                    let first = to / (post / groups).max(1) * inner;
                    whole.slice_mut(s![to, first..first + inner, .., ..]).assign(&weight.slice(s![to, .., .., ..]));
                }
                whole
            }
            Taps::Channelwise { weight, from, to } => {
                let (channels, rows, columns) = weight.dim();
                let mut whole = Array4::zeros((post, pre, rows, columns));
                for i in 0..channels {
                    whole.slice_mut(s![to + i, from + i, .., ..]).assign(&weight.slice(s![i, .., ..]));
                }
                whole
            }
        }
    }
}
