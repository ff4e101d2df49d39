//! Random graphs over all primitives: residual joins, recurrence, nested graphs, mixed element types.

use super::port;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::frontends::nir::{Array, Data, Kind, NirGraph, Unit};

/// Time constants are drawn for this step.
pub const DT: f64 = 1e-3;

pub struct Maker {
    rng: ChaCha8Rng,
    graph: NirGraph,
    /// Nodes that may be read, with their shapes.
    signals: Vec<(String, Vec<usize>)>,
    count: usize,
}

/// A graph of about `size` nodes behind one input, which is returned with its shape. Every leaf gets an Output.
pub fn graph(seed: u64, size: usize) -> (NirGraph, Vec<usize>) {
    let mut maker =
        Maker { rng: ChaCha8Rng::seed_from_u64(seed), graph: NirGraph::default(), signals: Vec::new(), count: 0 };
    let shape = match maker.below(3) {
        0 => vec![2 + maker.below(5)],
        _ => vec![1 + maker.below(3), 4 + maker.below(3), 4 + maker.below(3)],
    };
    maker.graph.node("input", port(Kind::Input, &shape));
    maker.signals.push(("input".into(), shape.clone()));
    for _ in 0..size {
        maker.grow(true);
    }
    maker.finish();
    (maker.graph, shape)
}

impl Maker {
    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n)
    }

    fn values(&mut self, n: usize, low: f64, high: f64) -> Data {
        let values = (0..n).map(|_| self.rng.random_range(low..high));
        let values: Vec<f64> = values.collect();
        match self.rng.random_range(0..2) {
            0 => Data::F32(values.into_iter().map(|v| v as f32).collect()),
            _ => Data::F64(values),
        }
    }

    fn array(&mut self, shape: &[usize], low: f64, high: f64) -> Array {
        let data = self.values(shape.iter().product(), low, high);
        Array::new(shape.to_vec(), data).unwrap()
    }

    fn name(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}{}", self.count)
    }

    fn add(&mut self, unit: Unit, from: &str, output: Vec<usize>) -> String {
        let name = self.name(unit.kind.name());
        self.graph.node(name.clone(), unit).edge(from, name.clone());
        self.signals.push((name.clone(), output));
        name
    }

    /// A neuron of any model.
    fn neuron(&mut self, shape: &[usize]) -> Unit {
        let kinds = [Kind::I, Kind::If, Kind::Li, Kind::Lif, Kind::CubaLi, Kind::CubaLif];
        let kind = kinds[self.below(kinds.len())];
        let mut unit = Unit::new(kind);
        for (field, _) in kind.fields() {
            let (low, high) = match *field {
                "tau" | "tau_mem" | "tau_syn" => (2.0 * DT, 8.0 * DT),
                "r" if matches!(kind, Kind::I | Kind::If) => (0.3 / DT, 1.0 / DT),
                "r" => (1.0, 4.0),
                "v_threshold" => (0.3, 0.8),
                "v_reset" => (-0.2, 0.1),
                "w_in" => (1.0, 3.0),
                _ => (-0.1, 0.1),
            };
            if *field == "v_reset" && self.below(4) == 0 {
                continue;
            }
            let mut array = self.array(shape, low, high);
            if *field == "w_in" {
                // Python's nir multiplies it with ones of the type of another parameter.
                array = Array::new(shape.to_vec(), Data::F64(array.to_f64().unwrap())).unwrap();
            }
            unit = unit.with(field, array);
        }
        unit
    }

    fn grow(&mut self, nest: bool) {
        let at = self.below(self.signals.len());
        let (from, shape) = self.signals[at].clone();
        match (self.below(12), shape.as_slice()) {
            (0, _) => {
                let scale = self.array(&shape, -1.0, 1.5);
                self.add(Unit::new(Kind::Scale).with("scale", scale), &from, shape);
            }
            (1, _) => {
                let threshold = self.array(&shape, 0.1, 0.6);
                self.add(Unit::new(Kind::Threshold).with("threshold", threshold), &from, shape);
            }
            (2, _) => {
                let delay = self.array(&shape, 0.0, 4.0 * DT);
                self.add(Unit::new(Kind::Delay).with("delay", delay), &from, shape);
            }
            (3 | 4, &[n]) => self.dense(&from, n),
            (3..=5, &[c, h, w]) => self.conv2d(&from, [c, h, w]),
            (6, &[c, h, w]) if h > 2 && w > 2 => self.pool(&from, [c, h, w]),
            (3..=5, &[c, n]) => self.conv1d(&from, [c, n]),
            (6 | 7, &[_, _, ..]) => self.flatten(&from, &shape),
            (8, _) => self.join(&from, &shape),
            (9, _) => self.recurrence(&from, &shape),
            (10, _) if nest => self.nested(&from, &shape),
            _ => {
                let neuron = self.neuron(&shape);
                self.add(neuron, &from, shape);
            }
        }
    }

    fn dense(&mut self, from: &str, n: usize) {
        let outputs = 1 + self.below(6);
        let weight = self.array(&[outputs, n], -0.6, 1.0);
        let unit = if self.below(2) == 0 {
            Unit::new(Kind::Linear)
        } else {
            let bias = self.array(&[outputs], -0.1, 0.1);
            Unit::new(Kind::Affine).with("bias", bias)
        };
        self.add(unit.with("weight", weight), from, vec![outputs]);
    }

    fn conv2d(&mut self, from: &str, [c, h, w]: [usize; 3]) {
        // Python's nir knows square kernels only, and takes the weight's channels for the input's.
        let (o, k) = (1 + self.below(3), 1 + self.below(3.min(h).min(w)));
        let (stride, dilation) =
            (1 + self.below(2), if k > 1 && h.min(w) > 2 * (k - 1) { 1 + self.below(2) } else { 1 });
        let weight = self.array(&[o, c, k, k], -0.4, 0.8);
        let bias = self.array(&[o], -0.1, 0.1);
        let mut unit = Unit::new(Kind::Conv2d).with("weight", weight).with("bias", bias);
        unit = unit.with("dilation", Array::integers([dilation; 2])).with("groups", Array::integer(1));
        let reach = dilation * (k - 1) + 1;
        if self.below(3) == 0 {
            unit = unit.with("padding", Array::text("same")).with("stride", Array::integers([1, 1]));
            self.add(unit.with("input_shape", Array::integers([h, w])), from, vec![o, h, w]);
            return;
        }
        let padding = self.below(2);
        unit = unit.with("padding", Array::integers([padding; 2])).with("stride", Array::integers([stride; 2]));
        let out = |n: usize| (n + 2 * padding - reach) / stride + 1;
        self.add(unit.with("input_shape", Array::integers([h, w])), from, vec![o, out(h), out(w)]);
    }

    fn conv1d(&mut self, from: &str, [c, n]: [usize; 2]) {
        let (o, k, padding) = (1 + self.below(3), 1 + self.below(n.min(3)), self.below(2));
        let (weight, bias) = (self.array(&[o, c, k], -0.4, 0.8), self.array(&[o], -0.1, 0.1));
        let unit = Unit::new(Kind::Conv1d).with("weight", weight).with("bias", bias);
        let unit = unit.with("dilation", Array::integer(1)).with("groups", Array::integer(1));
        let unit = unit.with("padding", Array::integer(padding as i64)).with("stride", Array::integer(1));
        self.add(unit.with("input_shape", Array::integer(n as i64)), from, vec![o, n + 2 * padding - k + 1]);
    }

    fn pool(&mut self, from: &str, [c, h, w]: [usize; 3]) {
        let kind = [Kind::SumPool2d, Kind::AvgPool2d][self.below(2)];
        let (padding, stride) = (self.below(2), 1 + self.below(2));
        let unit = Unit::new(kind).with("kernel_size", Array::integers([2, 2]));
        let unit = unit.with("padding", Array::integers([padding; 2])).with("stride", Array::integers([stride; 2]));
        let out = |n: usize| (n + 2 * padding - 2) / stride + 1;
        self.add(unit, from, vec![c, out(h), out(w)]);
    }

    fn flatten(&mut self, from: &str, shape: &[usize]) {
        let start = self.below(2);
        let unit = Unit::new(Kind::Flatten).with("input_type", Array::integers(shape.iter().copied()));
        let unit = unit.with("start_dim", Array::integer(start as i64)).with("end_dim", Array::integer(-1));
        let joined = shape[start..].iter().product();
        self.add(unit, from, shape[..start].iter().copied().chain([joined]).collect());
    }

    /// A neuron with several senders.
    fn join(&mut self, from: &str, shape: &[usize]) {
        let neuron = self.neuron(shape);
        let name = self.add(neuron, from, shape.to_vec());
        let others: Vec<String> =
            self.signals.iter().filter(|(n, s)| s == shape && *n != name && n != from).map(|s| s.0.clone()).collect();
        for other in others.into_iter().take(2) {
            self.graph.edge(other, name.clone());
        }
    }

    /// A neuron that feeds back into itself, through a scale and perhaps a delay.
    fn recurrence(&mut self, from: &str, shape: &[usize]) {
        let neuron = self.neuron(shape);
        let name = self.add(neuron, from, shape.to_vec());
        if self.below(4) == 0 {
            self.graph.edge(name.clone(), name);
            return;
        }
        let scale = self.array(shape, -0.5, 0.5);
        let mut back = self.add(Unit::new(Kind::Scale).with("scale", scale), &name, shape.to_vec());
        if self.below(3) == 0 {
            let delay = self.array(shape, DT, 3.0 * DT);
            back = self.add(Unit::new(Kind::Delay).with("delay", delay), &back, shape.to_vec());
        }
        self.graph.edge(back, name);
    }

    fn nested(&mut self, from: &str, shape: &[usize]) {
        let mut inner = Maker {
            rng: ChaCha8Rng::seed_from_u64(self.rng.random()),
            graph: NirGraph::default(),
            signals: vec![("input".into(), shape.to_vec())],
            count: 0,
        };
        inner.graph.node("input", port(Kind::Input, shape));
        let neuron = inner.neuron(shape);
        let name = inner.add(neuron, "input", shape.to_vec());
        let scale = inner.array(shape, -0.5, 0.5);
        let back = inner.add(Unit::new(Kind::Scale).with("scale", scale), &name, shape.to_vec());
        inner.graph.edge(back, name.clone()).node("output", port(Kind::Output, shape)).edge(name, "output");
        let name = self.name("graph");
        self.graph.node(name.clone(), inner.graph).edge(from, name.clone());
        self.signals.push((name, shape.to_vec()));
    }

    fn finish(&mut self) {
        let reads: std::collections::HashSet<String> = self.graph.edges.iter().map(|edge| edge.0.clone()).collect();
        let last = self.signals.len() - 1;
        for (index, (name, shape)) in self.signals.clone().into_iter().enumerate() {
            // The last one may feed nobody but itself.
            if index == last || !reads.contains(&name) {
                let output = format!("out_{name}");
                self.graph.node(output.clone(), port(Kind::Output, &shape)).edge(name, output);
            }
        }
    }
}
