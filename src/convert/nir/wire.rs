//! What lies between a node and the population that reads it: nothing but factors, or one layer of synapses.

use crate::ir::snn::Synapses;
use crate::ir::window::Window;
use ndarray::{Array2, Array3, Array4, Axis};
use std::sync::Arc;

/// Multiplications that joining two dense layers may take.
const MAX_PRODUCT: usize = 1 << 34;
/// Weights that a block-diagonal matrix may be written out to.
const MAX_WEIGHTS: usize = 1 << 26;

/// The map of a layer.
pub(super) fn layer(name: &str, synapses: Synapses<f64>) -> Map {
    Map::Layer(name.to_string(), Arc::new(synapses))
}

/// A linear map from a node's output to a population's input.
#[derive(Clone, Debug)]
pub(super) enum Map {
    /// Element for element, times a factor each.
    Straight(Option<Vec<f64>>),
    /// A layer, with the name of its node. Its weights are shared by all ways that branch off above it.
    Layer(String, Arc<Synapses<f64>>),
}

/// Why a map cannot be extended, as a sentence without a full stop.
pub(super) type Refusal = String;

impl Map {
    /// The map behind a `Scale`.
    pub fn after_scale(self, scale: &[f64]) -> Result<Map, Refusal> {
        Ok(match self {
            Map::Straight(None) => Map::Straight(Some(scale.to_vec())),
            Map::Straight(Some(factor)) => Map::Straight(Some(factor.iter().zip(scale).map(|(f, s)| f * s).collect())),
            Map::Layer(name, synapses) => layer(&name, scale_senders(Arc::unwrap_or_clone(synapses), scale)?),
        })
    }

    /// The map behind a layer called `name`.
    pub fn after_layer(self, name: &str, inner: Synapses<f64>) -> Result<Map, Refusal> {
        let (other, outer) = match self {
            Map::Straight(None) => return Ok(layer(name, inner)),
            Map::Straight(Some(factor)) => return Ok(layer(name, scale_receivers(inner, &factor)?)),
            Map::Layer(other, outer) => (other, outer),
        };
        match (&*outer, inner) {
            (Synapses::Dense { weight: outer }, Synapses::Dense { weight: inner }) => {
                let work = outer.nrows().saturating_mul(outer.ncols()).saturating_mul(inner.ncols());
                if work > MAX_PRODUCT {
                    return Err("leads straight into another layer, and both are too large to be joined".into());
                }
                Ok(layer(name, Synapses::Dense { weight: outer.dot(&inner) }))
            }
            _ => Err(format!("leads into '{other}' with no neurons between the two; only dense layers can be joined")),
        }
    }

    /// What a constant at the node's output adds to each of `n` receivers.
    pub fn constant(&self, bias: &[f64], n: usize) -> Vec<f64> {
        let synapses = match self {
            Map::Straight(None) => return bias.to_vec(),
            Map::Straight(Some(factor)) => return factor.iter().zip(bias).map(|(f, b)| f * b).collect(),
            Map::Layer(_, synapses) => synapses,
        };
        match &**synapses {
            Synapses::Dense { weight } => {
                weight.rows().into_iter().map(|row| row.iter().zip(bias).map(|(w, b)| w * b).sum()).collect()
            }
            // Only dense layers can be joined with a layer that has a bias.
            Synapses::Conv { .. } | Synapses::Channelwise { .. } => vec![0.0; n],
        }
    }
}

/// A dense layer of `lead` blocks; `weight` is `[lead, inputs, outputs]`.
pub(super) fn dense([lead, inputs, outputs]: [usize; 3], weight: &[f64]) -> Result<Synapses<f64>, Refusal> {
    let (rows, columns) = (lead * outputs, lead * inputs);
    if rows.saturating_mul(columns) > MAX_WEIGHTS {
        return Err(format!("has {rows}×{columns} weights; {MAX_WEIGHTS} are the limit"));
    }
    let at = |block: usize, i: usize, o: usize| weight.get((block * inputs + i) * outputs + o).copied().unwrap_or(0.0);
    let weight = Array2::from_shape_fn((rows, columns), |(row, column)| match (row / outputs, column / inputs) {
        (a, b) if a == b => at(a, column % inputs, row % outputs),
        _ => 0.0,
    });
    Ok(Synapses::Dense { weight })
}

/// A convolution; `weight` is `[inputs, kernel height, kernel width, outputs per group]`.
pub(super) fn conv(window: Window, groups: usize, weight: &[f64]) -> Synapses<f64> {
    let [rows, columns] = window.kernel;
    let (inputs, outputs) = (window.input[0] / groups, window.output[0] / groups);
    let weight = Array4::from_shape_fn((window.output[0], inputs, rows, columns), |(o, i, ky, kx)| {
        let sender = o / outputs * inputs + i;
        let at = ((sender * rows + ky) * columns + kx) * outputs + o % outputs;
        weight.get(at).copied().unwrap_or(0.0)
    });
    Synapses::Conv { weight, window, groups }
}

/// The taps of a pool, all of one weight.
pub(super) fn pool(window: Window, weight: f64) -> Synapses<f64> {
    let weight = Array3::from_elem((window.input[0], window.kernel[0], window.kernel[1]), weight);
    Synapses::Channelwise { weight, window, from: 0, to: 0 }
}

/// Multiplies what arrives at each receiver.
pub(super) fn scale_receivers(synapses: Synapses<f64>, factor: &[f64]) -> Result<Synapses<f64>, Refusal> {
    if factor.iter().all(|&f| f == 1.0) {
        return Ok(synapses);
    }
    match synapses {
        Synapses::Dense { mut weight } => {
            weight.rows_mut().into_iter().zip(factor).for_each(|(mut row, &f)| row *= f);
            Ok(Synapses::Dense { weight })
        }
        Synapses::Conv { mut weight, window, groups } => {
            let channel = by_channel(factor, window.output)?;
            weight.axis_iter_mut(Axis(0)).zip(channel).for_each(|(mut kernel, f)| kernel *= f);
            Ok(Synapses::Conv { weight, window, groups })
        }
        Synapses::Channelwise { mut weight, window, from, to } => {
            let channel = by_channel(factor, window.output)?.into_iter().skip(to);
            weight.axis_iter_mut(Axis(0)).zip(channel).for_each(|(mut filter, f)| filter *= f);
            Ok(Synapses::Channelwise { weight, window, from, to })
        }
    }
}

/// Multiplies what each sender sends.
fn scale_senders(synapses: Synapses<f64>, factor: &[f64]) -> Result<Synapses<f64>, Refusal> {
    match synapses {
        Synapses::Dense { mut weight } => {
            weight.columns_mut().into_iter().zip(factor).for_each(|(mut column, &f)| column *= f);
            Ok(Synapses::Dense { weight })
        }
        Synapses::Conv { mut weight, window, groups } => {
            let channel = by_channel(factor, window.input)?;
            let per_group = (window.input[0] / groups.max(1), window.output[0] / groups.max(1));
            for ((o, i, ..), w) in weight.indexed_iter_mut() {
                *w *= channel.get(o / per_group.1.max(1) * per_group.0 + i).copied().unwrap_or(1.0);
            }
            Ok(Synapses::Conv { weight, window, groups })
        }
        Synapses::Channelwise { mut weight, window, from, to } => {
            let channel = by_channel(factor, window.input)?.into_iter().skip(from);
            weight.axis_iter_mut(Axis(0)).zip(channel).for_each(|(mut filter, f)| filter *= f);
            Ok(Synapses::Channelwise { weight, window, from, to })
        }
    }
}

/// The factor of each channel, if all its pixels agree.
pub(super) fn by_channel(factor: &[f64], [channels, h, w]: [usize; 3]) -> Result<Vec<f64>, Refusal> {
    let planes = factor.chunks(h * w).take(channels);
    let one = |plane: &[f64]| plane.first().copied().filter(|first| plane.iter().all(|f| f == first));
    planes.map(one).collect::<Option<Vec<f64>>>().ok_or_else(|| {
        "scales the pixels of one channel by different factors, which the shared weights of a window cannot".to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_without_neurons_between_them_are_multiplied() {
        let inner = dense([1, 2, 2], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        let outer = dense([1, 2, 1], &[10.0, 100.0]).unwrap();
        let map = Map::Straight(Some(vec![2.0])).after_layer("outer", outer).unwrap();
        assert_eq!(map.constant(&[1.0, 1.0], 1), [220.0]);
        let Map::Layer(_, joined) = map.after_layer("inner", inner).unwrap() else { panic!() };
        assert!(matches!(&*joined, Synapses::Dense { weight } if *weight == ndarray::array![[620.0, 840.0]]));
    }

    #[test]
    fn blocks_stand_on_the_diagonal() {
        let Synapses::Dense { weight } = dense([2, 1, 2], &[1.0, 2.0, 3.0, 4.0]).unwrap() else { panic!() };
        assert_eq!(weight, ndarray::array![[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 4.0]]);
    }

    #[test]
    fn a_grouped_kernel_keeps_its_senders_when_they_are_scaled() {
        let window = Window::identity([4, 1, 1]);
        let window = Window { output: [2, 1, 1], ..window };
        let map = layer("c", conv(window, 2, &[1.0, 2.0, 3.0, 4.0]));
        let Map::Layer(_, scaled) = map.after_scale(&[10.0, 100.0, 1000.0, 1e4]).unwrap() else { panic!() };
        assert_eq!(scaled.weights().copied().collect::<Vec<_>>(), [10.0, 200.0, 3000.0, 4e4]);
    }

    #[test]
    fn a_window_has_one_factor_a_channel() {
        assert_eq!(by_channel(&[2.0, 2.0, 3.0, 3.0], [2, 1, 2]), Ok(vec![2.0, 3.0]));
        assert!(by_channel(&[2.0, 1.0], [1, 1, 2]).is_err());
    }
}
