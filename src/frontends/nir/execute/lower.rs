//! Primitives become operations with doubles.

mod misuse;

use super::Timing;
use super::conv::{Convolution, Pooling};
use super::delay::Delay;
use super::dense::Dense;
use super::neuron::{Fire, Membrane, Neuron, Reset, Synapse, Whole};
use super::op::Op;
use super::param::Param;
use crate::frontends::nir::convention::Notes;
use crate::frontends::nir::dialect::Dialect;
use crate::frontends::nir::kind::Kind;
use crate::frontends::nir::model::Unit;
use crate::frontends::nir::shape::{Geometry, Shapes, Spec, field};

/// Steps that an element may be delayed by.
const MAX_STEPS: f64 = 1e6;
/// Values that may wait in one Delay.
const MAX_WAITING: usize = 1 << 24;

/// Lowers one primitive. What is wrong comes back as texts.
pub(super) fn lower(unit: &Unit, spec: &Spec, shapes: &Shapes, timing: Timing) -> Result<Op, Vec<String>> {
    if unit.kind.is_neuron() {
        return Builder { unit, shape: &shapes.output, timing }.neuron().map(Op::Neuron);
    }
    let stray = Notes::of(&unit.metadata)?;
    if stray != Notes::default() {
        return Err(vec!["only neurons can have notes that begin with 'synfire_'".into()]);
    }
    stateless(unit, spec, shapes, timing).map_err(|e| vec![e])
}

fn stateless(unit: &Unit, spec: &Spec, shapes: &Shapes, timing: Timing) -> Result<Op, String> {
    let doubles = |name: &str| field(unit, name)?.to_f64().ok_or(format!("'{name}' holds no numbers"));
    let param = |name: &str| Param::of(field(unit, name)?, &shapes.output).map_err(|e| format!("'{name}' {e}"));
    Ok(match &spec.geometry {
        Geometry::Same | Geometry::Flatten { .. } => Op::Pass,
        Geometry::Dense { inputs, outputs } => {
            let lead = shapes.input.iter().rev().skip(1).product();
            let bias = match unit.kind {
                Kind::Affine => spread(doubles("bias")?, lead * outputs)?,
                _ => Vec::new(),
            };
            Op::Dense(Dense::new([lead, *outputs, *inputs], &doubles("weight")?, bias))
        }
        Geometry::Conv(conv) => {
            let bias = spread(doubles("bias")?, conv.outputs)?;
            let [input, output] = [space(&shapes.input), space(&shapes.output)];
            Op::Conv(Convolution::new(*conv, input, output, &doubles("weight")?, bias))
        }
        Geometry::Pool(window) => {
            let [input, output] = [space(&shapes.input), space(&shapes.output)];
            let taps = (window.kernel[0] * window.kernel[1]) as f64;
            let share = (unit.kind == Kind::AvgPool2d).then_some(1.0 / taps);
            Op::Pool(Pooling { window: *window, input, output, share })
        }
        Geometry::Elementwise(_) => match unit.kind {
            Kind::Scale => Op::Scale(param("scale")?),
            Kind::Threshold => Op::Threshold(param("threshold")?),
            Kind::Delay => Op::Delay(delay(&param("delay")?, shapes.output.iter().product(), timing)?),
            kind => return Err(format!("{kind} cannot be executed")),
        },
    })
}

/// Height and width; a one-dimensional signal has height 1.
fn space(shape: &[usize]) -> [usize; 2] {
    match *shape {
        [_, w] => [1, w],
        [_, h, w] => [h, w],
        _ => [1, 1],
    }
}

/// A bias for each of `n` outputs from one for all, one for each, or one for each of a repeated group.
fn spread(bias: Vec<f64>, n: usize) -> Result<Vec<f64>, String> {
    if bias.is_empty() || !n.is_multiple_of(bias.len()) {
        return Err(format!("its bias has {} values for {n} outputs", bias.len()));
    }
    Ok(bias.iter().copied().cycle().take(n).collect())
}

fn delay(times: &Param, n: usize, timing: Timing) -> Result<Delay, String> {
    if !times.all(|time| (time / timing.dt).round() <= MAX_STEPS) {
        return Err(format!("it delays by more than {MAX_STEPS} steps of {} s", timing.dt));
    }
    let delay = Delay { steps: (0..n).map(|i| (times.at(i) / timing.dt).round() as usize).collect() };
    if delay.values() > MAX_WAITING {
        return Err(format!("{} values wait in it at a time; {MAX_WAITING} are the limit", delay.values()));
    }
    Ok(delay)
}

struct Builder<'a> {
    unit: &'a Unit,
    shape: &'a [usize],
    timing: Timing,
}

impl Builder<'_> {
    fn neuron(&self) -> Result<Neuron, Vec<String>> {
        let notes = Notes::of(&self.unit.metadata)?;
        let mut wrong = self.misused(&notes);
        let built = self.build(&notes);
        match built {
            Ok(neuron) if wrong.is_empty() => Ok(neuron),
            Ok(_) => Err(wrong),
            Err(e) => {
                wrong.push(e);
                Err(wrong)
            }
        }
    }

    fn build(&self, notes: &Notes) -> Result<Neuron, String> {
        let kind = self.unit.kind;
        let start = match &notes.v_init {
            None => Param::One(0.0),
            Some(v) => Param::of(v, self.shape).map_err(|e| format!("the note 'synfire_v_init' {e}"))?,
        };
        let synapse = match kind {
            Kind::CubaLi | Kind::CubaLif => {
                let norse = self.timing.dialect == Dialect::Norse;
                let leak = if norse { self.param("v_leak", 0.0)? } else { Param::One(0.0) };
                let (rate, w_in) = (self.rate("tau_syn")?, self.param("w_in", 1.0)?);
                Some(match notes.truncate {
                    true => Synapse::Whole(Whole::of(&rate, &leak, &w_in)),
                    false => Synapse::Leak { rate, leak, w_in },
                })
            }
            _ => None,
        };
        let fire = if kind.fires() { Some(self.fire(notes)?) } else { None };
        Ok(Neuron { synapse, membrane: self.membrane(notes.truncate)?, limits: notes.limits, fire, start })
    }

    fn membrane(&self, truncate: bool) -> Result<Membrane, String> {
        let Timing { dt, dialect } = self.timing;
        let r = self.param("r", 1.0)?;
        let tau = match self.unit.kind {
            Kind::I => return Ok(Membrane::Decay { keep: Param::One(1.0), gain: r.map(|r| dt * r) }),
            Kind::If => {
                let keep = if dialect == Dialect::Snntorch { Dialect::SNNTORCH_BETA } else { 1.0 };
                let gain = if dialect == Dialect::Nir { r.map(|r| dt * r) } else { r };
                return Ok(Membrane::Decay { keep: Param::One(keep), gain });
            }
            Kind::Li | Kind::Lif => "tau",
            _ => "tau_mem",
        };
        if dialect == Dialect::Sinabs {
            let rate = self.rate(tau)?;
            let gain = rate.zip(&r, |rate, r| rate * r);
            return Ok(Membrane::Decay { keep: rate.map(|rate| (-rate).exp()), gain });
        }
        let (rate, leak) = (self.rate(tau)?, self.param("v_leak", 0.0)?);
        Ok(match truncate {
            true => Membrane::Whole(Whole::of(&rate, &leak, &r)),
            false => Membrane::Leak { rate, leak, r },
        })
    }

    fn fire(&self, notes: &Notes) -> Result<Fire, String> {
        let dialect = self.timing.dialect;
        let is_if = self.unit.kind == Kind::If;
        let theta = self.param("v_threshold", 1.0)?;
        let subtract = self.subtracts(notes);
        let other = notes.subtrahend.as_ref().map(|by| Param::of(by, self.shape));
        let other = other.transpose().map_err(|e| format!("the note 'synfire_subtract' {e}"))?;
        let reset = match (subtract, dialect) {
            (true, _) => other.map_or(Reset::Subtract, Reset::SubtractOther),
            (false, Dialect::Nir) => Reset::To(self.param("v_reset", 0.0)?),
            // The note says "to v_reset"; without it, the simulators know 0 only.
            (false, _) if notes.subtract == Some(false) => Reset::To(self.param("v_reset", 0.0)?),
            (false, _) => Reset::To(Param::One(0.0)),
        };
        // A note on the firing replaces the simulator's way of firing.
        let in_steps = notes.two_phase.is_none();
        let unlimited = (dialect == Dialect::Sinabs && subtract && in_steps).then_some(f64::MAX);
        let many = notes.spikes.map(f64::from).or(unlimited);
        let floored = notes.floor.unwrap_or(dialect == Dialect::Sinabs && is_if && in_steps);
        let floor = floored.then(|| theta.clone().map(|t| -t));
        if (many.is_some() || notes.two_phase.is_some()) && !theta.all(|theta| theta > 0.0) {
            return Err("several spikes at a time need a threshold above 0".into());
        }
        let at_threshold = notes.at_threshold.unwrap_or(dialect == Dialect::Sinabs);
        Ok(Fire { theta, at_threshold, reset, many, floor, two_phase: notes.two_phase })
    }

    /// A spike takes something from the membrane, and does not set it.
    fn subtracts(&self, notes: &Notes) -> bool {
        let by_dialect = match self.timing.dialect {
            Dialect::Sinabs => true,
            Dialect::Snntorch => self.unit.kind == Kind::If,
            Dialect::Nir | Dialect::Norse => false,
        };
        notes.subtract.unwrap_or(by_dialect)
    }

    /// `dt/τ`.
    fn rate(&self, tau: &str) -> Result<Param, String> {
        let dt = self.timing.dt;
        Ok(self.param(tau, 1.0)?.map(|tau| dt / tau))
    }

    /// A parameter spread over the neurons; `default` where the file has none.
    fn param(&self, name: &str, default: f64) -> Result<Param, String> {
        match self.unit.fields.get(name) {
            None => Ok(Param::One(default)),
            Some(array) => Param::of(array, self.shape).map_err(|e| format!("'{name}' {e}")),
        }
    }
}
