//! One sample on its way through the network.

use super::op::{Memory, Op};
use super::{Executor, Outcome, Watched};
use crate::error::{Error, Result};
use ndarray::{ArrayD, Axis, IxDyn};
use std::collections::BTreeMap;

/// What is remembered and recorded; one entry for each node.
pub(super) struct Run<'a> {
    net: &'a Executor,
    memory: Vec<Memory>,
    /// Outputs of the last step of the last chunk, of nodes with readers that see the previous step; else empty.
    last: Vec<Vec<f64>>,
    /// Nodes whose outputs nobody needs after a block.
    release: Vec<Vec<usize>>,
    is_input: Vec<bool>,
    is_output: Vec<bool>,
    watched: Vec<bool>,
    /// Of watched nodes and Outputs, in every step so far.
    traces: Vec<Vec<f64>>,
    membranes: Vec<Vec<f64>>,
    /// Spikes so far, of nodes that fire.
    counts: Vec<Vec<f64>>,
    /// Room for the sum of a node's inputs.
    sum: Vec<f64>,
}

impl<'a> Run<'a> {
    pub fn new(net: &'a Executor, watched: Vec<bool>) -> Run<'a> {
        let nodes = net.ops.len();
        let mut last = vec![Vec::new(); nodes];
        for &(from, _) in net.order.senders.iter().flatten().filter(|(_, late)| *late) {
            last[from] = vec![0.0; net.size(from)];
        }
        let flags = |set: &[usize]| {
            let mut flags = vec![false; nodes];
            set.iter().for_each(|&node| flags[node] = true);
            flags
        };
        let fires = |node: usize| matches!(&net.ops[node], Op::Neuron(neuron) if neuron.fire.is_some());
        Run {
            memory: (0..nodes).map(|node| net.ops[node].memory(net.size(node))).collect(),
            last,
            release: net.release(),
            is_input: flags(&net.inputs),
            is_output: flags(&net.outputs),
            watched,
            traces: vec![Vec::new(); nodes],
            membranes: vec![Vec::new(); nodes],
            counts: (0..nodes).map(|node| vec![0.0; if fires(node) { net.size(node) } else { 0 }]).collect(),
            sum: Vec::new(),
            net,
        }
    }

    /// Computes the steps `start..start + rows`.
    pub fn chunk(&mut self, inputs: &BTreeMap<String, ArrayD<f64>>, start: usize, rows: usize) {
        let net = self.net;
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); net.ops.len()];
        for (place, block) in net.order.blocks.iter().enumerate() {
            for &node in block {
                values[node] = match inputs.get(&net.names[node]).filter(|_| self.is_input[node]) {
                    Some(x) => x.slice_axis(Axis(0), (start..start + rows).into()).iter().copied().collect(),
                    None => vec![0.0; rows * net.size(node)],
                };
            }
            for t in 0..rows {
                block.iter().for_each(|&node| self.step(node, t, &mut values));
                block.iter().for_each(|&node| self.absorb(node, t, &values));
            }
            for &node in block {
                if let (Op::Neuron(neuron), Memory::Neurons(state)) = (&net.ops[node], &mut self.memory[node]) {
                    neuron.fire_all(state, rows, &mut values[node]);
                }
                self.record(node, &values[node]);
            }
            for &node in &self.release[place] {
                values[node] = Vec::new();
            }
        }
    }

    fn step(&mut self, node: usize, t: usize, values: &mut [Vec<f64>]) {
        let net = self.net;
        if self.is_input[node] {
            return;
        }
        let width = net.size(node);
        let mut own = std::mem::take(&mut values[node]);
        match (&net.ops[node], &self.memory[node]) {
            (Op::Delay(delay), Memory::Line(line)) if delay.breaks_circles() => {
                delay.emit(line, &mut own[t * width..][..width]);
            }
            _ => {
                let mut sum = std::mem::take(&mut self.sum);
                let mut memory = std::mem::replace(&mut self.memory[node], Memory::None);
                let x = self.gather(node, &own, t, values, &mut sum).unwrap_or(&sum);
                net.ops[node].step(&mut memory, x, &mut own[t * width..][..width]);
                self.memory[node] = memory;
                self.sum = sum;
            }
        }
        if let (true, Memory::Neurons(state)) = (self.watched[node], &self.memory[node]) {
            self.membranes[node].extend_from_slice(&state.v);
        }
        values[node] = own;
    }

    /// The end of a step, for Delays that gave their output at its beginning.
    fn absorb(&mut self, node: usize, t: usize, values: &[Vec<f64>]) {
        let Op::Delay(delay) = &self.net.ops[node] else { return };
        if !delay.breaks_circles() {
            return;
        }
        let mut sum = std::mem::take(&mut self.sum);
        let mut memory = std::mem::replace(&mut self.memory[node], Memory::None);
        let x = self.gather(node, &values[node], t, values, &mut sum).unwrap_or(&sum);
        if let Memory::Line(line) = &mut memory {
            delay.absorb(line, x);
            delay.advance(line);
        }
        (self.memory[node], self.sum) = (memory, sum);
    }

    /// A node's input in row `t`: the row of its only sender, or else the sum of all, left in `sum`. `own` is what the
    /// node itself gave so far.
    fn gather<'b>(
        &'b self,
        node: usize,
        own: &[f64],
        t: usize,
        values: &'b [Vec<f64>],
        sum: &mut Vec<f64>,
    ) -> Option<&'b [f64]> {
        let width = self.net.shapes[node].input.iter().product::<usize>();
        match self.net.order.senders[node].as_slice() {
            // A node that reads itself will write while it reads, so it needs a copy.
            &[(from, late)] if from != node => Some(row(&values[from], &self.last[from], late, t, width)),
            senders => {
                sum.clear();
                sum.resize(width, 0.0);
                for &(from, late) in senders {
                    let trace = if from == node { own } else { &values[from] };
                    let row = row(trace, &self.last[from], late, t, width);
                    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
                }
                None
            }
        }
    }

    fn record(&mut self, node: usize, values: &[f64]) {
        let size = self.net.size(node);
        if !self.counts[node].is_empty() {
            for row in values.chunks_exact(size) {
                self.counts[node].iter_mut().zip(row).for_each(|(count, value)| *count += value);
            }
        }
        if !self.last[node].is_empty() {
            self.last[node].copy_from_slice(&values[values.len() - size..]);
        }
        if self.watched[node] || self.is_output[node] {
            self.traces[node].extend_from_slice(values);
        }
    }

    /// What was recorded over `steps` steps.
    pub fn finish(mut self, steps: usize) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let net = self.net;
        let array = |node: usize, values: Vec<f64>| {
            let shape: Vec<usize> = std::iter::once(steps).chain(net.shapes[node].output.iter().copied()).collect();
            ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|e| Error::internal(format!("a trace is broken: {e}")))
        };
        for (node, name) in net.names.iter().enumerate() {
            if self.watched[node] {
                let output = array(node, self.traces[node].clone())?;
                let membrane = std::mem::take(&mut self.membranes[node]);
                let membrane = if membrane.is_empty() { None } else { Some(array(node, membrane)?) };
                outcome.watched.insert(name.clone(), Watched { output, membrane });
            }
            if self.is_output[node] {
                outcome.outputs.insert(name.clone(), array(node, std::mem::take(&mut self.traces[node]))?);
            }
            if !self.counts[node].is_empty() {
                outcome.spikes.insert(name.clone(), std::mem::take(&mut self.counts[node]));
            }
        }
        Ok(outcome)
    }
}

/// What a sender gave in step `t`, or in the step before, which may belong to the chunk before.
fn row<'a>(trace: &'a [f64], last: &'a [f64], late: bool, t: usize, width: usize) -> &'a [f64] {
    match (late, t) {
        (false, _) => &trace[t * width..][..width],
        (true, 0) => last,
        (true, _) => &trace[(t - 1) * width..][..width],
    }
}
