//! Affine and Linear, driven by what is not zero.

/// `y = W·x + b`, once for each of `lead` independent blocks.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    pub lead: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// `[lead, inputs, outputs]`: the weights of one input lie together.
    pub weight: Vec<f64>,
    /// `[lead, outputs]`, or empty for none.
    pub bias: Vec<f64>,
}

impl Dense {
    /// `weight` is `[lead, outputs, inputs]`, as in the file.
    pub fn new([lead, outputs, inputs]: [usize; 3], weight: &[f64], bias: Vec<f64>) -> Dense {
        let mut turned = vec![0.0; weight.len()];
        let size = inputs * outputs;
        for (from, to) in weight.chunks_exact(size).zip(turned.chunks_exact_mut(size)) {
            for (o, row) in from.chunks_exact(inputs).enumerate() {
                for (i, &w) in row.iter().enumerate() {
                    to[i * outputs + o] = w;
                }
            }
        }
        Dense { lead, inputs, outputs, weight: turned, bias }
    }

    /// One step: `x` is `[lead, inputs]`, `y` is `[lead, outputs]`.
    pub fn step(&self, x: &[f64], y: &mut [f64]) {
        if self.bias.is_empty() {
            y.fill(0.0);
        } else {
            y.copy_from_slice(&self.bias);
        }
        let size = self.inputs * self.outputs;
        for block in 0..self.lead {
            let x = &x[block * self.inputs..][..self.inputs];
            let y = &mut y[block * self.outputs..][..self.outputs];
            let weight = &self.weight[block * size..][..size];
            for (&x, row) in x.iter().zip(weight.chunks_exact(self.outputs)).filter(|(x, _)| **x != 0.0) {
                for (y, w) in y.iter_mut().zip(row) {
                    *y += x * w;
                }
            }
        }
    }
}
