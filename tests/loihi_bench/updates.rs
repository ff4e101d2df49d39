//! Random neuron updates that dwell on the extremes and on the threshold, with what the equations make of them.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::loihi::fields::{BiasExponent, BiasMantissa, Decay, Decrement, Threshold, Voltage};
use synfire::loihi::lif::{ALIGN, Dynamics, Lif, Reset, State};

/// Lanes of the bench, between which the updates alternate; the upper half carry their state on.
const LANES: usize = 64;
/// Extremes of synaptic input, 18 bits.
const A_MIN: i64 = -(1 << 17);
const A_MAX: i64 = (1 << 17) - 1;

/// One record for the bench; the layout is `Update` of `sim/neuron/neuron_bench.cpp`.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    pub unit: u8,
    carry: bool,
    state: State,
    neuron: Lif,
    a: i64,
}

impl Update {
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let d = &self.neuron.dynamics;
        let reset = match self.neuron.reset {
            Reset::Zero => 0x5a_5a5a,
            Reset::Value(v) => v.get(),
            Reset::Subtract(amount) => amount.get(),
        };
        for word in [self.state.u.get(), self.state.v.get(), self.a as i32, reset, self.neuron.vth.get()] {
            bytes.extend(word.to_le_bytes());
        }
        for half in [d.du.get(), d.dv.get(), d.bias_mantissa.get()] {
            bytes.extend((half as i16).to_le_bytes());
        }
        bytes.extend([d.bias_exponent.get() as u8, self.unit, u8::from(self.carry), 0, 0, 0]);
    }
}

/// What a neuron step leaves; the layout is `Result` of `sim/neuron/neuron_bench.cpp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    u: i32,
    v: i32,
    spike: bool,
    clamped: bool,
}

impl Outcome {
    pub const BYTES: usize = 12;

    pub fn read(bytes: &[u8]) -> Self {
        let word = |i: usize| i32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap());
        Outcome { u: word(0), v: word(1), spike: word(2) & 1 != 0, clamped: word(2) & 2 != 0 }
    }
}

/// What the updates so far have exercised.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coverage {
    pub steps: usize,
    pub spikes: usize,
    pub wraps: usize,
    pub clamps: usize,
    /// The new voltage equals the threshold exactly: no spike.
    pub on_threshold: usize,
    /// The new voltage is the threshold plus one: a spike.
    pub just_above: usize,
    /// The new current is `+2^23`, whose pattern would be `-2^23` in two's complement.
    pub top_current: usize,
    pub carried: usize,
}

/// An endless source of updates for units of the given reset modes.
pub struct Source {
    rng: ChaCha8Rng,
    reset_modes: Vec<u32>,
    lanes: Vec<Lane>,
    next_lane: usize,
    /// The hardware's current cannot wrap, and it does not tell that a voltage was clamped.
    proved: bool,
    pub coverage: Coverage,
}

#[derive(Clone, Copy)]
struct Lane {
    state: State,
    unit: u8,
    neuron: Lif,
    /// Greatest magnitude of the lane's input.
    reach: i64,
    /// Steps until the lane gets a new neuron.
    left: u32,
}

impl Source {
    pub fn new(seed: u64, reset_modes: &[u32]) -> Self {
        let neuron = Lif { dynamics: Dynamics::integrator(), vth: Threshold::MAX, reset: Reset::Zero };
        let lane = Lane { state: State::REST, unit: 0, neuron, reach: 0, left: 0 };
        Source {
            rng: ChaCha8Rng::seed_from_u64(seed),
            reset_modes: reset_modes.to_vec(),
            lanes: vec![lane; LANES],
            next_lane: 0,
            proved: false,
            coverage: Coverage::default(),
        }
    }

    /// Updates for neurons whose range is proved: none wraps.
    #[allow(dead_code, reason = "this module is part of several tests")]
    pub fn proved(self) -> Self {
        Source { proved: true, ..self }
    }

    pub fn units(&self) -> &[u32] {
        &self.reset_modes
    }

    /// The next `n` updates and what the equations make of them.
    pub fn block(&mut self, n: usize) -> (Vec<Update>, Vec<Outcome>) {
        (0..n).map(|_| self.step()).unzip()
    }

    fn step(&mut self) -> (Update, Outcome) {
        let lane = self.next_lane;
        self.next_lane = (lane + 1) % LANES;
        let mut update = if lane < LANES / 2 { self.single() } else { self.carried(lane) };
        if self.proved && update.neuron.dynamics.step(update.state, update.a).1.wrapped {
            update.a = 0;
        }

        let mut state = update.state;
        let (before, _) = update.neuron.dynamics.step(state, update.a);
        let step = update.neuron.step(&mut state, update.a);
        self.lanes[lane].state = state;

        let above = before.v.get() - (update.neuron.vth.get() << ALIGN);
        let c = &mut self.coverage;
        c.steps += 1;
        c.spikes += usize::from(step.spike);
        c.wraps += usize::from(step.overflow.wrapped);
        c.clamps += usize::from(step.overflow.clamped);
        c.on_threshold += usize::from(above == 0);
        c.just_above += usize::from(above == 1);
        c.top_current += usize::from(before.u.get() == 1 << 23);
        c.carried += usize::from(update.carry);
        let clamped = step.overflow.clamped && !self.proved;
        let outcome = Outcome { u: state.u.get(), v: state.v.get(), spike: step.spike, clamped };
        (update, outcome)
    }

    /// A neuron in any state; in most cases one whose new voltage is the threshold, an end of the clamp, or next to it.
    fn single(&mut self) -> Update {
        let unit = self.rng.random_range(0..self.reset_modes.len()) as u8;
        let mut neuron = self.neuron(unit);
        let a = self.field(A_MIN, A_MAX);
        let edge = 1i64 << 23;
        let mut state = State::new(self.field(1 - edge, edge), self.field(1 - edge, edge - 1)).unwrap();
        let target = match self.rng.random_range(0..8) {
            0..=3 => Some((i64::from(neuron.vth.get()) << ALIGN) + self.rng.random_range(-1..=1)),
            4 => Some([-edge, edge][self.rng.random_range(0..2)] + self.rng.random_range(-2..=2)),
            _ => None,
        };
        if let Some(target) = target {
            let (without_v, _) = neuron.dynamics.step(State { v: Voltage::ZERO, ..state }, a);
            let rest = i64::from(without_v.v.get());
            let keep = 4096 - i64::from(neuron.dynamics.dv.get());
            match solve_decay(target - rest, keep).and_then(|v| State::new(state.u.get().into(), v).ok()) {
                Some(solved) => state = solved,
                // Out of reach for any v: bring the threshold near to where this v leads.
                None => neuron.vth = Threshold::new((rest.max(0) >> ALIGN).min(131_071)).unwrap(),
            }
        }
        Update { unit, carry: false, state, neuron, a }
    }

    /// The lane's neuron, one step further.
    fn carried(&mut self, lane: usize) -> Update {
        let carry = self.lanes[lane].left > 0;
        if !carry {
            let unit = self.rng.random_range(0..self.reset_modes.len()) as u8;
            let neuron = self.neuron(unit);
            let reach = 1i64 << self.rng.random_range(0..18);
            let left = self.rng.random_range(1..=5000);
            self.lanes[lane] = Lane { unit, neuron, reach, left, ..self.lanes[lane] };
        }
        self.lanes[lane].left -= 1;
        let Lane { state, unit, neuron, reach, .. } = self.lanes[lane];
        let a = self.rng.random_range(-reach / 2..=reach).clamp(A_MIN, A_MAX);
        Update { unit, carry, state, neuron, a }
    }

    fn neuron(&mut self, unit: u8) -> Lif {
        let dynamics = Dynamics {
            du: Decay::new(self.field(0, 4095)).unwrap(),
            dv: Decay::new(self.field(0, 4095)).unwrap(),
            bias_mantissa: BiasMantissa::new(self.field(-4096, 4095)).unwrap(),
            bias_exponent: BiasExponent::new(self.field(0, 7)).unwrap(),
        };
        let vth = Threshold::new(self.field(0, 131_071)).unwrap();
        let edge = 1i64 << 23;
        let reset = match self.reset_modes[usize::from(unit)] {
            0 => Reset::Zero,
            1 => Reset::Value(Voltage::new(self.field(1 - edge, edge - 1)).unwrap()),
            _ => Reset::Subtract(Decrement::new(self.field(0, (i64::from(vth.get()) + 1) << ALIGN)).unwrap()),
        };
        Lif { dynamics, vth, reset }
    }

    /// A value of `min..=max`: an extreme, 0, or a neighbour of one in a third of all cases, a small one in another.
    fn field(&mut self, min: i64, max: i64) -> i64 {
        let value = match self.rng.random_range(0..6) {
            0 => [min, max][self.rng.random_range(0..2)] + self.rng.random_range(-1..=1),
            1 => self.rng.random_range(-1..=1),
            2 | 3 => {
                let bits = self.rng.random_range(0..24);
                self.rng.random_range(-(1i64 << bits)..=1 << bits)
            }
            _ => self.rng.random_range(min..=max),
        };
        value.clamp(min, max)
    }
}

/// The least `v` (in magnitude) with `rtz(v·keep, 12) = want`.
fn solve_decay(want: i64, keep: i64) -> Option<i64> {
    let v = (want.abs() * 4096 + keep - 1) / keep;
    (v < 1 << 23).then_some(v * want.signum())
}
