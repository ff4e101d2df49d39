//! One operation, and what it remembers from step to step.

use super::conv::{Convolution, Pooling};
use super::delay::{Delay, Line};
use super::dense::Dense;
use super::neuron::{self, Neuron};
use super::param::Param;
use crate::frontends::nir::order::Role;

/// What a node computes.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Input, Output, Flatten.
    Pass,
    Dense(Dense),
    Conv(Convolution),
    Pool(Pooling),
    Scale(Param),
    Threshold(Param),
    Delay(Delay),
    Neuron(Neuron),
}

/// What a node remembers.
#[derive(Clone, Debug)]
pub(super) enum Memory {
    None,
    /// Room for a convolution's sums.
    Sums(Vec<f64>),
    Line(Line),
    Neurons(neuron::State),
}

impl Op {
    /// What the node means to the order of execution.
    pub fn role(&self) -> Role {
        match self {
            Op::Neuron(_) => Role::Neuron,
            Op::Delay(delay) if delay.breaks_circles() => Role::Delay,
            _ => Role::Plain,
        }
    }

    /// The memory before the first step, for `values` outputs.
    pub fn memory(&self, values: usize) -> Memory {
        match self {
            Op::Conv(conv) => Memory::Sums(vec![0.0; conv.scratch()]),
            Op::Delay(delay) => Memory::Line(delay.line()),
            Op::Neuron(neuron) => Memory::Neurons(neuron.state(values)),
            _ => Memory::None,
        }
    }

    /// One step. A Delay that breaks circles is not stepped, but emits at the step's beginning and absorbs at its end.
    pub fn step(&self, memory: &mut Memory, x: &[f64], y: &mut [f64]) {
        match (self, memory) {
            (Op::Dense(dense), _) => dense.step(x, y),
            (Op::Conv(conv), Memory::Sums(sums)) => conv.step(x, sums, y),
            (Op::Pool(pool), _) => pool.step(x, y),
            (Op::Scale(scale), _) => {
                for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
                    *y = scale.at(i) * x;
                }
            }
            (Op::Threshold(threshold), _) => {
                for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                    *y = f64::from(u8::from(x > threshold.at(i)));
                }
            }
            (Op::Delay(delay), Memory::Line(line)) => {
                delay.absorb(line, x);
                delay.emit(line, y);
                delay.advance(line);
            }
            (Op::Neuron(neuron), Memory::Neurons(state)) => neuron.step(state, x, y),
            // The memory is always made by the operation itself, so only Pass is left.
            _ => y.copy_from_slice(x),
        }
    }

    /// True for a population that fires after all its input is in.
    pub fn is_two_phase(&self) -> bool {
        matches!(self, Op::Neuron(Neuron { fire: Some(fire), .. }) if fire.two_phase.is_some())
    }

    /// The most spikes of a two-phase population that sends them one by one.
    pub fn unit_levels(&self) -> Option<u32> {
        match self {
            Op::Neuron(Neuron { fire: Some(fire), .. }) => {
                fire.two_phase.filter(|two_phase| !two_phase.graded).map(|two_phase| two_phase.levels)
            }
            _ => None,
        }
    }
}
