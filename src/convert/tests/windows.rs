//! Convolution, pooling, slices and joins, one pattern a test.

use super::Builder;
use crate::convert::convert;
use crate::fixed::Normalisation;
use crate::ir::Shape;
use crate::ir::graph::{Op, PoolKind};
use crate::ir::snn::{Model, SnnGraph, Synapses};
use crate::ir::window::Window;
use ndarray::Array4;

/// A square window with equal padding on all sides.
pub(super) fn window(input: [usize; 3], channels: usize, kernel: usize, stride: usize, pad: i64) -> Window {
    let extent = |n: usize| (n + 2 * pad as usize - kernel) / stride + 1;
    let output = [channels, extent(input[1]), extent(input[2])];
    let (kernel, stride, pad) = ([kernel; 2], [stride; 2], [pad; 2]);
    Window { output, kernel, stride, pad, ..Window::identity(input) }
}

impl Builder {
    pub(super) fn image(&self, x: usize) -> [usize; 3] {
        self.graph.nodes[x].shape.image().unwrap()
    }

    pub(super) fn conv(&mut self, name: &str, x: usize, window: Window, groups: usize) -> usize {
        let [rows, columns] = window.kernel;
        let dim = (window.output[0], window.input[0] / groups, rows, columns);
        let values = self.values(dim.0 * dim.1 * dim.2 * dim.3).to_vec();
        let weight = Array4::from_shape_vec(dim, values).unwrap();
        let bias = self.values(dim.0);
        self.push(name, Op::Conv { weight, bias, window, groups }, &[x], Shape(window.output.to_vec()))
    }

    /// 3×3, padded, then a ReLU.
    fn block(&mut self, name: &str, x: usize, channels: usize) -> usize {
        let w = window(self.image(x), channels, 3, 1, 1);
        let x = self.conv(name, x, w, 1);
        self.relu(&format!("{name}_relu"), x, None)
    }

    pub(super) fn pool(
        &mut self,
        name: &str,
        x: usize,
        kind: PoolKind,
        kernel: usize,
        stride: usize,
        pad: i64,
    ) -> usize {
        let input = self.image(x);
        let window = window(input, input[0], kernel, stride, pad);
        self.push(name, Op::Pool { kind, window }, &[x], Shape(window.output.to_vec()))
    }

    pub(super) fn strided(&mut self, x: usize, start: [i64; 3], step: [usize; 3], to: [usize; 3]) -> usize {
        self.push("strided", Op::Strided { start, step }, &[x], Shape(to.to_vec()))
    }

    pub(super) fn head(&mut self, x: usize) -> usize {
        self.dense("head", x, 3)
    }
}

fn models(snn: &SnnGraph) -> Vec<&'static str> {
    let name = |model: &Model| match model {
        Model::Source => "source",
        Model::Relu { .. } => "relu",
        Model::Leaky(_) => "leaky",
        Model::MultiSpike(_) => "multi-spike",
        Model::Sum => "sum",
        Model::Max => "max",
        Model::Readout => "readout",
    };
    snn.populations.iter().map(|p| name(&p.model)).collect()
}

fn kinds(snn: &SnnGraph) -> Vec<(usize, usize, &'static str)> {
    snn.projections.iter().map(|p| (p.pre.0, p.post.0, p.synapses.name())).collect()
}

#[test]
fn batch_normalisation_folds_into_convolutions_on_both_sides() {
    let mut b = Builder::new(&[2, 5, 5]);
    let w = window([2, 5, 5], 4, 3, 2, 1);
    let x = b.conv("conv", 0, w, 2);
    let x = b.affine("bn", x);
    let x = b.relu("relu", x, Some(0.7));
    let x = b.affine("scale", x);
    let w = window(b.image(x), 2, 2, 1, 0);
    let x = b.conv("second", x, w, 1);
    let x = b.relu("relu2", x, None);
    b.head(x);
    let snn = b.converts(None);
    assert_eq!(kinds(&snn), [(0, 1, "conv"), (1, 2, "conv"), (2, 3, "dense")]);
}

#[test]
fn an_offset_in_front_of_padding_makes_the_bias_depend_on_the_place() {
    let mut b = Builder::new(&[2, 4, 4]);
    let x = b.block("a", 0, 3);
    let x = b.affine("bn", x);
    let x = b.block("b", x, 2);
    b.head(x);
    let snn = b.converts(None);
    assert_ne!(snn.populations[2].bias[0], snn.populations[2].bias[5]);
}

/// There is no ReLU to pool behind: the pixels themselves are what may be negative.
#[test]
fn a_maximum_of_normalised_pixels_is_refused_as_that() {
    let mut b = Builder::new(&[1, 6, 6]);
    let x = b.pool("pool", 0, PoolKind::Max, 2, 2, 0);
    let x = b.block("a", x, 2);
    b.head(x);
    b.converts(None);
    let mut b = Builder::new(&[1, 6, 6]);
    let x = b.pool("pool", 0, PoolKind::Max, 2, 2, 0);
    let x = b.block("a", x, 2);
    b.head(x);
    let normalisation = Normalisation { mean: vec![0.5], std: vec![0.25] };
    let text = convert(&b.graph, Some(&normalisation)).unwrap_err().to_string();
    assert!(
        text.contains("node 'pool': takes the maximum of normalised pixels") && text.contains("--normalize"),
        "{text}"
    );
}

/// Two windows that become one matrix each are one matrix together: one fork, one merge and half the weights less.
#[test]
fn parallel_windows_in_front_of_a_dense_layer_are_one_matrix() {
    let mut b = Builder::new(&[2, 4, 4]);
    let (wide, narrow) = (window([2, 4, 4], 3, 3, 1, 1), window([2, 4, 4], 3, 1, 1, 0));
    let (left, right) = (b.conv("left", 0, wide, 1), b.conv("right", 0, narrow, 1));
    let x = b.add("join", &[left, right]);
    let x = b.reshape("flat", x, &[48]);
    let x = b.dense("h", x, 8);
    let x = b.relu("relu", x, None);
    b.head(x);
    let snn = b.converts(None);
    assert_eq!(kinds(&snn), [(0, 1, "dense"), (1, 2, "dense")]);
}

#[test]
fn a_residual_network_keeps_its_joins() {
    let mut b = Builder::new(&[2, 6, 6]);
    let x = b.block("stem", 0, 3);
    let y = b.block("one", x, 3);
    let w = window([3, 6, 6], 3, 3, 1, 1);
    let y = b.conv("two", y, w, 1);
    let y = b.add("join", &[y, x]);
    let x = b.relu("out", y, None);
    // Half the size, twice the channels: one shortcut is sliced and padded, the other a convolution.
    let down = b.conv("down", x, window([3, 6, 6], 7, 3, 2, 1), 1);
    let cut = b.strided(x, [-2, 0, 0], [1, 2, 2], [7, 3, 3]);
    let pointwise = b.conv("pointwise", x, window([3, 6, 6], 7, 1, 2, 0), 1);
    let y = b.add("join2", &[down, cut, pointwise]);
    let x = b.relu("out2", y, None);
    let x = b.pool("gap", x, PoolKind::Average, 3, 1, 0);
    b.head(x);
    let snn = b.converts(None);
    assert_eq!(models(&snn), ["source", "relu", "relu", "relu", "relu", "sum", "readout"]);
    let joins = [(2, 3, "conv"), (1, 3, "channelwise"), (3, 4, "conv"), (3, 4, "channelwise"), (3, 4, "conv")];
    assert_eq!(kinds(&snn)[2..7], joins);
    let Synapses::Channelwise { window, from, to, weight } = &snn.projections[5].synapses else { panic!() };
    assert_eq!((window.stride, *from, *to, weight.dim()), ([2, 2], 0, 2, (3, 1, 1)));
}

#[test]
fn depthwise_convolutions_are_channelwise_and_whole_images_dense() {
    let mut b = Builder::new(&[3, 4, 4]);
    let x = b.conv("depthwise", 0, window([3, 4, 4], 3, 3, 1, 1), 3);
    let x = b.relu("r1", x, None);
    let x = b.conv("whole", x, window([3, 4, 4], 5, 4, 1, 0), 1);
    let x = b.relu("r2", x, None);
    let x = b.conv("point", x, window([5, 1, 1], 4, 1, 1, 0), 1);
    let x = b.relu("r3", x, None);
    b.head(x);
    let snn = b.converts(None);
    assert_eq!(kinds(&snn), [(0, 1, "channelwise"), (1, 2, "dense"), (2, 3, "dense"), (3, 4, "dense")]);
}

#[test]
fn pooling_of_activations_is_a_population() {
    let mut b = Builder::new(&[2, 6, 6]);
    let x = b.block("a", 0, 3);
    let x = b.affine("bn", x);
    let x = b.pool("avg", x, PoolKind::Average, 2, 2, 0);
    let x = b.block("b", x, 2);
    let x = b.pool("max", x, PoolKind::Max, 2, 1, 1);
    let x = b.reshape("flat", x, &[32]);
    b.head(x);
    let snn = b.converts(None);
    assert_eq!(models(&snn), ["source", "relu", "sum", "relu", "max", "readout"]);
    assert_eq!(snn.projections[1].synapses.weights().copied().collect::<Vec<f32>>(), [0.25; 12]);
    assert!(snn.projections[3].synapses.weights().all(|&w| w == 1.0));
}

#[test]
fn pooling_before_the_relu() {
    for (kind, expected) in [
        (PoolKind::Average, vec!["source", "relu", "readout"]),
        (PoolKind::Max, vec!["source", "relu", "max", "readout"]),
    ] {
        let mut b = Builder::new(&[2, 6, 6]);
        let x = b.conv("conv", 0, window([2, 6, 6], 3, 3, 1, 1), 1);
        let x = b.pool("pool", x, kind, 2, 2, 0);
        let x = b.relu("relu", x, None);
        b.head(x);
        assert_eq!(models(&b.converts(None)), expected);
    }
    let mut b = Builder::new(&[2, 6, 6]);
    let x = b.conv("conv", 0, window([2, 6, 6], 3, 3, 1, 1), 1);
    let x = b.pool("blind", x, PoolKind::Max, 2, 2, 0);
    b.head(x);
    let message = b.refused();
    assert!(message.contains("node 'blind'") && message.contains("not the activations of a ReLU"), "{message}");
}

#[test]
fn a_concatenation_is_several_projections() {
    for kind in [PoolKind::Average, PoolKind::Max] {
        let mut b = Builder::new(&[2, 4, 4]);
        let left = b.block("left", 0, 2);
        let right = b.block("right", 0, 3);
        let x = b.push("cat", Op::Concat, &[left, right], Shape(vec![5, 4, 4]));
        let y = b.block("after", x, 2);
        let pooled = b.pool("pool", x, kind, 2, 2, 0);
        let y = b.pool("pool2", y, PoolKind::Average, 2, 2, 0);
        let x = b.push("cat2", Op::Concat, &[pooled, y], Shape(vec![7, 2, 2]));
        b.head(x);
        let snn = b.converts(None);
        assert_eq!(kinds(&snn)[2..4], [(1, 3, "conv"), (2, 3, "conv")]);
        let Synapses::Conv { weight, .. } = &snn.projections[2].synapses else { panic!() };
        assert_eq!(weight.dim(), (2, 2, 3, 3), "its own channels alone");
    }
}

#[test]
fn a_permutation_ends_in_the_matrix() {
    let mut b = Builder::new(&[2, 3, 4]);
    let x = b.block("a", 0, 2);
    let x = b.push("nhwc", Op::Permute { axes: vec![1, 2, 0] }, &[x], Shape(vec![3, 4, 2]));
    let x = b.reshape("flat", x, &[24]);
    b.head(x);
    assert_eq!(kinds(&b.converts(None)), [(0, 1, "conv"), (1, 2, "dense")]);
}

#[test]
fn images_that_arrive_as_vectors_take_the_shape_of_their_windows() {
    let mut b = Builder::new(&[16]);
    let x = b.reshape("image", 0, &[1, 4, 4]);
    let x = b.block("a", x, 2);
    let x = b.reshape("flat", x, &[32]);
    let x = b.relu("again", x, Some(0.4));
    b.head(x);
    let snn = b.converts(Some(&Normalisation { mean: vec![0.3], std: vec![0.5] }));
    assert_eq!((&snn.populations[0].shape.0[..], &snn.zero[..]), (&[1, 4, 4][..], &[0.3f32][..]));
    assert_eq!(kinds(&snn)[1], (1, 2, "channelwise"));
}

#[test]
fn a_padded_normalised_image_is_padded_with_its_mean() {
    let normalisation = Normalisation { mean: vec![0.4, 0.1], std: vec![0.2, 0.5] };
    for pad in [0, 1] {
        let mut b = Builder::new(&[2, 4, 4]);
        let w = window([2, 4, 4], 3, 3, 1, pad);
        let x = b.conv("conv", 0, w, 1);
        let x = b.relu("relu", x, None);
        b.head(x);
        let snn = b.converts(Some(&normalisation));
        assert_eq!(snn.zero, if pad == 1 { vec![0.4, 0.1] } else { vec![] });
        let pixels = w.output[1] * w.output[2];
        assert!(snn.populations[1].bias.chunks(pixels).all(|c| c.iter().all(|b| *b == c[0])), "one bias a channel");
    }
}

#[test]
fn padding_between_convolutions_is_written_out_or_refused() {
    let build = |size: usize, channels: usize| {
        let mut b = Builder::new(&[1, size, size]);
        let x = b.conv("first", 0, window([1, size, size], channels, 3, 1, 1), 1);
        let x = b.conv("second", x, window([channels, size, size], 2, 3, 1, 1), 1);
        let x = b.relu("relu", x, None);
        b.head(x);
        b
    };
    assert_eq!(kinds(&build(4, 3).converts(None))[0], (0, 1, "dense"));
    let large = build(60, 3);
    let message = convert(&large.graph, None).unwrap_err().to_string();
    assert!(message.contains("node 'second'") && message.contains("7200×3600"), "{message}");
}

#[test]
fn what_a_crop_cuts_off_disappears() {
    let mut b = Builder::new(&[2, 4, 4]);
    let left = b.block("left", 0, 2);
    let right = b.block("right", 0, 3);
    let x = b.push("cat", Op::Concat, &[left, right], Shape(vec![5, 4, 4]));
    let x = b.strided(x, [2, 1, 1], [1, 1, 1], [3, 2, 2]);
    b.head(x);
    let snn = b.converts(None);
    assert_eq!(snn.populations.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["input", "right_relu", "head"]);
}
