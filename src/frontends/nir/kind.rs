//! The primitives of NIR 1.0 and the fields that each has in a file.

use std::fmt;

/// Whether a file must hold a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Always there.
    Required,
    /// Absent in files of older versions, or where a default is meant.
    Optional,
}
use Need::{Optional, Required};

/// A primitive, other than a nested graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Where data enters.
    Input,
    /// Where data leaves.
    Output,
    /// `W·x + b`.
    Affine,
    /// `W·x`.
    Linear,
    /// `s ⊙ x`.
    Scale,
    /// 1 where `x > threshold`, else 0.
    Threshold,
    /// Convolution of `[C, N]`.
    Conv1d,
    /// Convolution of `[C, H, W]`.
    Conv2d,
    /// Sum over windows of `[C, H, W]`.
    SumPool2d,
    /// Mean over windows of `[C, H, W]`.
    AvgPool2d,
    /// Joins dimensions.
    Flatten,
    /// `x(t − delay)`.
    Delay,
    /// Integrator.
    I,
    /// Integrate and fire.
    If,
    /// Leaky integrator.
    Li,
    /// Leaky integrate and fire.
    Lif,
    /// Current-based leaky integrator.
    CubaLi,
    /// Current-based leaky integrate and fire.
    CubaLif,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 18] = [
        Kind::Input,
        Kind::Output,
        Kind::Affine,
        Kind::Linear,
        Kind::Scale,
        Kind::Threshold,
        Kind::Conv1d,
        Kind::Conv2d,
        Kind::SumPool2d,
        Kind::AvgPool2d,
        Kind::Flatten,
        Kind::Delay,
        Kind::I,
        Kind::If,
        Kind::Li,
        Kind::Lif,
        Kind::CubaLi,
        Kind::CubaLif,
    ];

    /// The `type` of a node in a file.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Input => "Input",
            Kind::Output => "Output",
            Kind::Affine => "Affine",
            Kind::Linear => "Linear",
            Kind::Scale => "Scale",
            Kind::Threshold => "Threshold",
            Kind::Conv1d => "Conv1d",
            Kind::Conv2d => "Conv2d",
            Kind::SumPool2d => "SumPool2d",
            Kind::AvgPool2d => "AvgPool2d",
            Kind::Flatten => "Flatten",
            Kind::Delay => "Delay",
            Kind::I => "I",
            Kind::If => "IF",
            Kind::Li => "LI",
            Kind::Lif => "LIF",
            Kind::CubaLi => "CubaLI",
            Kind::CubaLif => "CubaLIF",
        }
    }

    /// The primitive that a file calls `name`.
    pub fn of(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The fields that a node of this kind may hold, besides `type` and `metadata`.
    ///
    /// `v_reset` came with NIR 0.3; `w_in` and the dimensions of `Flatten` have defaults; `input_shape` can be inferred.
    pub fn fields(self) -> &'static [(&'static str, Need)] {
        const CONV: &[(&str, Need)] = &[
            ("bias", Required),
            ("dilation", Required),
            ("groups", Required),
            ("input_shape", Optional),
            ("padding", Required),
            ("stride", Required),
            ("weight", Required),
        ];
        const POOL: &[(&str, Need)] = &[("kernel_size", Required), ("padding", Required), ("stride", Required)];
        match self {
            Kind::Input | Kind::Output => &[("shape", Required)],
            Kind::Affine => &[("bias", Required), ("weight", Required)],
            Kind::Linear => &[("weight", Required)],
            Kind::Scale => &[("scale", Required)],
            Kind::Threshold => &[("threshold", Required)],
            Kind::Conv1d | Kind::Conv2d => CONV,
            Kind::SumPool2d | Kind::AvgPool2d => POOL,
            Kind::Flatten => &[("end_dim", Optional), ("input_type", Required), ("start_dim", Optional)],
            Kind::Delay => &[("delay", Required)],
            Kind::I => &[("r", Required)],
            Kind::If => &[("r", Required), ("v_reset", Optional), ("v_threshold", Required)],
            Kind::Li => &[("r", Required), ("tau", Required), ("v_leak", Required)],
            Kind::Lif => &[
                ("r", Required),
                ("tau", Required),
                ("v_leak", Required),
                ("v_reset", Optional),
                ("v_threshold", Required),
            ],
            Kind::CubaLi => &[
                ("r", Required),
                ("tau_mem", Required),
                ("tau_syn", Required),
                ("v_leak", Required),
                ("w_in", Optional),
            ],
            Kind::CubaLif => &[
                ("r", Required),
                ("tau_mem", Required),
                ("tau_syn", Required),
                ("v_leak", Required),
                ("v_reset", Optional),
                ("v_threshold", Required),
                ("w_in", Optional),
            ],
        }
    }

    /// True for the neuron models, which keep a membrane from step to step.
    pub fn is_neuron(self) -> bool {
        matches!(self, Kind::I | Kind::If | Kind::Li | Kind::Lif | Kind::CubaLi | Kind::CubaLif)
    }

    /// True for the neuron models that send spikes; the others send their membrane.
    pub fn fires(self) -> bool {
        matches!(self, Kind::If | Kind::Lif | Kind::CubaLif)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind.name()), Some(kind));
        }
        assert_eq!(Kind::of("NIRGraph"), None);
        assert_eq!(Kind::of("if"), None);
    }
}
