//! Linear maps from the activations of one population to the elements of a node.

use super::compose::{Composed, compose};
use super::window::{MAX_SYNAPSES, Windowed};
use ndarray::{Array1, Array2};

/// Largest number of weights that a collapsed matrix may have; a bound on memory for hostile or ill-chosen shapes.
pub(super) const MAX_WEIGHTS: usize = 1 << 26;

/// Largest number of weights of a matrix that stands in for windows which could not be joined. A real layer of this size
/// would be better off with another network.
const MAX_WRITTEN_OUT: usize = 1 << 22;

/// A linear map.
#[derive(Clone, Debug)]
pub(super) enum Linear {
    /// One factor per element; sender and receiver have the same length.
    Diagonal(Vec<f64>),
    /// Element `i` is sender `from[i]` times a factor.
    Picked { from: Vec<usize>, factors: Vec<f64> },
    /// `[elements, senders]`.
    Dense(Array2<f64>),
    /// A window that slides over an image.
    Windowed(Windowed),
}

/// The weight matrix would have this many rows and columns, more than is allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLarge(pub usize, pub usize);

/// One factor per channel, if all elements of a channel have the same.
pub(super) fn per_channel(factors: &[f64], extent: [usize; 3]) -> Option<Vec<f64>> {
    let pixels = extent[1] * extent[2];
    if factors.len() != extent[0] * pixels || pixels == 0 {
        return None;
    }
    factors.chunks(pixels).map(|channel| channel.iter().all(|f| *f == channel[0]).then_some(channel[0])).collect()
}

impl Linear {
    /// A window, or the factors that it amounts to.
    pub(super) fn windowed(map: Windowed) -> Linear {
        map.diagonal().map_or(Linear::Windowed(map), Linear::Diagonal)
    }

    /// `rows × columns` of the matrix; the columns of a [`Linear::Picked`] are at least as many as it says.
    fn extent(&self) -> (usize, usize) {
        match self {
            Linear::Diagonal(d) => (d.len(), d.len()),
            Linear::Picked { from, .. } => (from.len(), from.len()),
            Linear::Dense(m) => m.dim(),
            Linear::Windowed(w) => {
                let (columns, rows) = w.window.extent();
                (rows, columns)
            }
        }
    }

    /// The map as a window over an image of extent `input`, where it is one. A diagonal is one if its factors are per channel.
    pub(super) fn as_window(&self, output: [usize; 3]) -> Option<Windowed> {
        match self {
            Linear::Diagonal(d) => per_channel(d, output).map(|factors| Windowed::pointwise(output, &factors)),
            Linear::Windowed(w) if w.window.output == output => Some(w.clone()),
            _ => None,
        }
    }

    /// The map as a matrix; whatever is none yet is written out.
    pub(super) fn to_dense(&self) -> Result<Array2<f64>, TooLarge> {
        let (rows, columns) = self.extent();
        let limit = if matches!(self, Linear::Dense(_) | Linear::Diagonal(_)) { MAX_WEIGHTS } else { MAX_WRITTEN_OUT };
        if rows.saturating_mul(columns) > limit {
            return Err(TooLarge(rows, columns));
        }
        Ok(match self {
            Linear::Dense(m) => m.clone(),
            Linear::Diagonal(d) => Array2::from_diag(&Array1::from_vec(d.clone())),
            Linear::Picked { from, factors } => {
                let mut matrix = Array2::zeros((rows, columns));
                from.iter().zip(factors).enumerate().for_each(|(i, (&j, &f))| matrix[(i, j)] = f);
                matrix
            }
            Linear::Windowed(w) => {
                let mut matrix = Array2::zeros((rows, columns));
                w.for_each(|post, pre, weight| matrix[(post, pre)] += weight);
                matrix
            }
        })
    }

    /// Multiplies every element by its factor; a window keeps its form only if the factors are per channel.
    pub(super) fn scale(&mut self, factors: &[f64]) -> Result<(), TooLarge> {
        match self {
            Linear::Diagonal(d) => d.iter_mut().zip(factors).for_each(|(d, f)| *d *= f),
            Linear::Picked { factors: d, .. } => d.iter_mut().zip(factors).for_each(|(d, f)| *d *= f),
            Linear::Dense(m) => m.rows_mut().into_iter().zip(factors).for_each(|(mut row, &f)| row *= f),
            Linear::Windowed(w) => {
                if let Some(factors) = per_channel(factors, w.window.output) {
                    w.scale(&factors);
                } else {
                    *self = Linear::Dense(self.to_dense()?);
                    return self.scale(factors);
                }
            }
        }
        Ok(())
    }

    /// `weight · self`.
    pub(super) fn then_dense(&self, weight: &Array2<f32>) -> Result<Linear, TooLarge> {
        let (rows, columns) = (weight.nrows(), self.extent().1);
        if rows.saturating_mul(columns) > MAX_WEIGHTS {
            return Err(TooLarge(rows, columns));
        }
        if let Linear::Windowed(w) = self {
            if w.synapses().saturating_mul(rows) > MAX_SYNAPSES || rows * columns > MAX_WEIGHTS / 4 {
                return Err(TooLarge(rows, columns));
            }
            return Ok(Linear::Dense(w.before(&weight.mapv(f64::from))));
        }
        let mut product = Array2::zeros((rows, columns));
        for (weights, mut out) in weight.rows().into_iter().zip(product.rows_mut()) {
            match self {
                Linear::Diagonal(d) => {
                    out.iter_mut().zip(weights).zip(d).for_each(|((o, &w), d)| *o = f64::from(w) * d);
                }
                Linear::Picked { from, factors } => {
                    weights.iter().zip(from).zip(factors).for_each(|((&w, &j), f)| out[j] += f64::from(w) * f);
                }
                Linear::Dense(m) => {
                    for (&w, row) in weights.iter().zip(m.rows()) {
                        out.scaled_add(f64::from(w), &row);
                    }
                }
                Linear::Windowed(_) => {}
            }
        }
        Ok(Linear::Dense(product))
    }

    /// `window · self`; `None` if nothing is left of it.
    pub(super) fn then_window(&self, window: &Windowed) -> Result<Option<Linear>, TooLarge> {
        if let Some(first) = self.as_window(window.window.input) {
            match compose(window, &first) {
                Composed::One(both) => return Ok(Some(Linear::windowed(*both))),
                Composed::Nothing => return Ok(None),
                Composed::No => {}
            }
        }
        let (rows, columns) = (window.window.extent().1, self.extent().1);
        if rows.saturating_mul(columns) > MAX_WRITTEN_OUT || window.synapses() > MAX_SYNAPSES {
            return Err(TooLarge(rows, columns));
        }
        let mut product = Array2::zeros((rows, columns));
        match self {
            Linear::Diagonal(d) => window.for_each(|post, pre, w| product[(post, pre)] += w * d[pre]),
            Linear::Picked { from, factors } => {
                window.for_each(|post, pre, w| product[(post, from[pre])] += w * factors[pre]);
            }
            map => {
                if window.synapses().saturating_mul(columns) > MAX_SYNAPSES {
                    return Err(TooLarge(rows, columns));
                }
                product = window.after(&map.to_dense()?);
            }
        }
        Ok(Some(Linear::Dense(product)))
    }

    /// Element `i` of the result is element `from[i]` of this one.
    pub(super) fn then_pick(&self, from: &[usize]) -> Result<Linear, TooLarge> {
        Ok(match self {
            Linear::Diagonal(d) => {
                Linear::Picked { from: from.to_vec(), factors: from.iter().map(|&i| d[i]).collect() }
            }
            Linear::Picked { from: senders, factors } => {
                let senders: Vec<usize> = from.iter().map(|&i| senders[i]).collect();
                let factors: Vec<f64> = from.iter().map(|&i| factors[i]).collect();
                match senders.iter().copied().eq(0..senders.len()) {
                    true => Linear::Diagonal(factors),
                    false => Linear::Picked { from: senders, factors },
                }
            }
            map => Linear::Dense(map.to_dense()?.select(ndarray::Axis(0), from)),
        })
    }

    /// Adds another map to this one, if the sum has one of the two forms.
    pub(super) fn absorb(&mut self, other: &Linear) -> bool {
        match (&mut *self, other) {
            (Linear::Diagonal(a), Linear::Diagonal(b)) => a.iter_mut().zip(b).for_each(|(a, b)| *a += b),
            (Linear::Dense(m), Linear::Diagonal(d)) => m.diag_mut().iter_mut().zip(d).for_each(|(m, d)| *m += d),
            (Linear::Diagonal(d), Linear::Dense(m)) => {
                let mut m = m.clone();
                m.diag_mut().iter_mut().zip(d).for_each(|(m, d)| *m += *d);
                *self = Linear::Dense(m);
            }
            (Linear::Dense(a), Linear::Dense(b)) => *a += b,
            (Linear::Windowed(a), Linear::Windowed(b)) => return a.absorb(b),
            _ => return false,
        }
        true
    }

    /// Calls `visit(receiver, sender, factor)`, if every element depends on one sender at most.
    pub(super) fn for_each_factor(&self, mut visit: impl FnMut(usize, usize, f64)) -> bool {
        match self {
            Linear::Diagonal(d) => d.iter().enumerate().for_each(|(i, &f)| visit(i, i, f)),
            Linear::Picked { from, factors } => {
                from.iter().zip(factors).enumerate().for_each(|(i, (&j, &f))| visit(i, j, f));
            }
            Linear::Windowed(w) if w.is_pointwise() => w.for_each(visit),
            _ => return false,
        }
        true
    }
}
