//! Weights by input id, and the input that a matrix core gathers over a phase.

use crate::ir::mapped::Core;
use crate::ir::quant::QuantGraph;

/// The weights of a core, one contiguous row of all its neurons per input id.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// `[inputs][neurons]`.
    weights: Vec<i32>,
    neurons: usize,
}

impl Rows {
    /// Gathers the weights of every projection into the core.
    pub fn new(quant: &QuantGraph, core: &Core) -> Self {
        let ids = 0..core.inputs;
        let weights = ids.flat_map(|id| (0..core.neurons).map(move |n| core.weight(quant, id, n))).collect();
        Rows { weights, neurons: core.neurons }
    }

    /// `membranes[n] += w[n, id] · value` for every neuron. An id beyond the inputs has no synapses.
    pub fn add(&self, membranes: &mut [i64], id: u32, value: i64) {
        let start = (id as usize).saturating_mul(self.neurons);
        let Some(row) = self.weights.get(start..start.saturating_add(self.neurons)) else { return };
        for (v, &w) in membranes.iter_mut().zip(row) {
            // Cannot wrap: `QuantGraph::prove_range` bounds every partial sum.
            *v = v.wrapping_add(i64::from(w).wrapping_mul(value));
        }
    }
}

/// The payloads that one phase delivered, by input id.
#[derive(Clone, Debug)]
pub(super) struct Received {
    value: Vec<i64>,
    /// Ids written in this phase, each once.
    ids: Vec<u32>,
    written: Vec<bool>,
}

impl Received {
    /// Nothing received yet from `inputs` ids.
    pub fn new(inputs: usize) -> Self {
        Received { value: vec![0; inputs], ids: Vec::with_capacity(inputs), written: vec![false; inputs] }
    }

    /// Writes a payload at its id; a second one in the same phase replaces the first.
    pub fn write(&mut self, id: u32, value: i64) {
        if let Some(slot) = self.value.get_mut(id as usize) {
            *slot = value;
            if !std::mem::replace(&mut self.written[id as usize], true) {
                self.ids.push(id);
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        for id in self.ids.drain(..) {
            self.written[id as usize] = false;
        }
    }

    /// Adds everything to the membranes, and forgets it.
    pub fn drain_into(&mut self, rows: &Rows, membranes: &mut [i64]) {
        for &id in &self.ids {
            rows.add(membranes, id, self.value[id as usize]);
        }
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_payload_replaces_an_earlier_one() {
        let rows = Rows { weights: vec![1, -1, 10, -10], neurons: 2 };
        let mut received = Received::new(2);
        received.write(1, 5);
        received.write(1, 3);
        received.write(2, 100);
        let mut membranes = [0, 0];
        received.drain_into(&rows, &mut membranes);
        assert_eq!(membranes, [30, -30]);
        received.drain_into(&rows, &mut membranes);
        assert_eq!(membranes, [30, -30], "the buffer is left empty");
    }

    #[test]
    fn an_id_beyond_the_inputs_has_no_synapses() {
        let rows = Rows { weights: vec![1, -1], neurons: 2 };
        let mut membranes = [0, 0];
        rows.add(&mut membranes, 1, 1);
        rows.add(&mut membranes, u32::MAX, 1);
        assert_eq!(membranes, [0, 0]);
    }
}
