//! One image, phase by phase.

use super::leaky::Membranes;
use super::multi;
use super::{Functional, Layer, Outcome, Saturations};
use crate::fixed::arg_max;
use crate::ir::quant::{Coding, Combine, Neuron};

impl Functional {
    /// Presents an image whose codes have been checked.
    pub(super) fn present(&self, codes: &[i64], by_phase: bool) -> Outcome {
        // Of leaky populations and pools, `v` is the weighted input of the phase.
        let mut v: Vec<Vec<i64>> = self.layers.iter().map(Layer::initial).collect();
        let mut leaky: Vec<Option<Membranes>> = self.layers.iter().map(|layer| Membranes::new(&layer.neuron)).collect();
        let constant = self.constant_input(codes);
        // What every population sent in this phase, and in the one before.
        let silent: Vec<Vec<i64>> = self.layers.iter().map(Layer::silence).collect();
        let (mut sent, mut before) = (silent.clone(), silent.clone());
        let mut counts = silent;
        let mut phases = by_phase.then(Vec::new);
        let mut membranes = Vec::new();
        let mut saturations = vec![Saturations::default(); self.layers.len()];

        for phase in 0..self.phases {
            std::mem::swap(&mut sent, &mut before);
            for (index, layer) in self.layers.iter().enumerate() {
                if let Neuron::Source = layer.neuron {
                    let inputs = if self.constant { codes } else { &codes[phase * layer.neurons..][..layer.neurons] };
                    sent[index].copy_from_slice(inputs);
                    continue;
                }
                v[index].iter_mut().zip(&constant[index]).for_each(|(v, c)| *v += c);
                for input in layer.inputs.iter().filter(|i| !self.is_constant(layer, i)) {
                    let x = if input.delayed { &before[input.pre] } else { &sent[input.pre] };
                    input.weights.integrate(x, layer.combine(), &mut v[index]);
                }
                if let Some(bias) = layer.bias() {
                    v[index].iter_mut().zip(bias).for_each(|(v, b)| *v += b);
                }
                if let Some(state) = &mut leaky[index] {
                    state.step(&mut v[index], &mut sent[index]);
                    if phase + 1 == self.phases {
                        membranes.push(state.v().to_vec());
                    }
                    continue;
                }
                if phase + 1 == self.phases {
                    membranes.push(v[index].clone());
                }
                saturations[index].held_back += self.fire(&layer.neuron, &mut v[index], &mut sent[index]);
            }
            if phase + 1 == self.phases {
                membranes.insert(0, Vec::new());
            }
            for (total, sent) in counts.iter_mut().flatten().zip(sent.iter().flatten()) {
                *total += sent;
            }
            if let Some(phases) = &mut phases {
                phases.push(sent.clone());
            }
        }
        for (index, of) in saturations.iter_mut().enumerate() {
            of.clipped = could_fire(&self.layers[index].neuron, &v[index]);
            of.clamped = leaky[index].as_ref().map_or(0, Membranes::clamped);
        }
        let logits = match leaky.last() {
            Some(Some(state)) => state.v().to_vec(),
            _ => v.pop().unwrap_or_default(),
        };
        Outcome { class: arg_max(&logits).unwrap_or(0), logits, counts, phases, membranes, saturations }
    }

    /// What the image itself adds to each population in every phase.
    fn constant_input(&self, codes: &[i64]) -> Vec<Vec<i64>> {
        self.layers
            .iter()
            .map(|layer| {
                let mut constant = layer.inputs.iter().filter(|i| self.is_constant(layer, i)).peekable();
                let mut sum = vec![0; if constant.peek().is_some() { layer.neurons } else { 0 }];
                constant.for_each(|input| input.weights.integrate(codes, Combine::Sum, &mut sum));
                sum
            })
            .collect()
    }

    fn is_constant(&self, layer: &Layer, input: &super::Input) -> bool {
        input.pre == 0 && !input.delayed && self.constant && layer.combine() == Combine::Sum
    }

    /// Lets the neurons fire on their membranes `v`; what is left of `v` stays there. Gives the number of neurons that hold more spikes
    /// than they may send in a step, and will send them later.
    fn fire(&self, neuron: &Neuron, v: &mut [i64], sent: &mut [i64]) -> u64 {
        let theta = match neuron {
            Neuron::If { theta, .. } => theta,
            Neuron::MultiSpike(neurons) => return multi::fire(neurons, v, sent),
            Neuron::Pool { .. } => {
                sent.copy_from_slice(v);
                v.fill(0);
                return 0;
            }
            Neuron::Source | Neuron::Leaky(_) | Neuron::Readout { .. } => return 0,
        };
        let most = match self.coding {
            Coding::Graded | Coding::Unit => i64::from(self.timesteps),
            Coding::Rate => 1,
        };
        for ((v, &theta), sent) in v.iter_mut().zip(theta).zip(sent) {
            *sent = v.div_euclid(theta).clamp(0, most);
            *v -= *sent * theta;
        }
        0
    }
}

impl Layer {
    /// The membranes before an image; of leaky populations and pools, no input yet.
    fn initial(&self) -> Vec<i64> {
        match self.neuron {
            Neuron::Pool { .. } | Neuron::Leaky(_) => vec![0; self.neurons],
            _ => self.neuron.v_init().to_vec(),
        }
    }

    fn combine(&self) -> Combine {
        match self.neuron {
            Neuron::Pool { combine, .. } => combine,
            Neuron::Source | Neuron::If { .. } | Neuron::Leaky(_) | Neuron::MultiSpike(_) | Neuron::Readout { .. } => {
                Combine::Sum
            }
        }
    }

    /// What is added to the membranes in every phase, beside their input.
    fn bias(&self) -> Option<&[i64]> {
        match &self.neuron {
            Neuron::If { bias, .. } => Some(bias),
            Neuron::MultiSpike(neurons) => Some(&neurons.bias),
            Neuron::Source | Neuron::Pool { .. } | Neuron::Leaky(_) | Neuron::Readout { .. } => None,
        }
    }

    fn silence(&self) -> Vec<i64> {
        if self.neuron.is_readout() { Vec::new() } else { vec![0; self.neurons] }
    }
}

/// Number of neurons whose membrane is at or above threshold although they are done.
fn could_fire(neuron: &Neuron, v: &[i64]) -> u64 {
    match neuron {
        Neuron::If { theta, .. } => v.iter().zip(theta).filter(|(v, theta)| v >= theta).count() as u64,
        // What these hold back is counted step by step.
        Neuron::MultiSpike(_) => 0,
        Neuron::Source | Neuron::Pool { .. } | Neuron::Leaky(_) | Neuron::Readout { .. } => 0,
    }
}
