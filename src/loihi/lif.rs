//! The leaky integrate-and-fire neuron of Loihi 2, bit for bit, as its equations are published in Lava's bit-accurate model:
//! ```text
//! u' = wrap(rtz(u·(4096 - (du+1)), 12) + (a_in << 6))              wrap: into (-2^23, 2^23]
//! v' = clamp(rtz(v·(4096 - dv), 12) + u' + (bias_mant << bias_exp))  clamp: to ±(2^23 - 1)
//! s  = v' > (vth << 6);   v = s ? 0 : v';   u is not reset
//! ```
//! `rtz(x, n)` divides by `2^n` and rounds towards zero.

use super::fields::{BiasExponent, BiasMantissa, Current, Decay, Decrement, Threshold, Voltage};
use crate::error::{Error, Result};
use crate::fixed::rtz;

/// Left shift that aligns thresholds and synaptic input with the 24-bit state.
pub const ALIGN: u32 = 6;

/// Current and voltage of one neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Synaptic current.
    pub u: Current,
    /// Membrane voltage.
    pub v: Voltage,
}

impl State {
    /// A neuron at rest.
    pub const REST: State = State { u: Current::ZERO, v: Voltage::ZERO };

    /// A neuron with this current and voltage.
    ///
    /// # Errors
    /// If one of them does not fit its register.
    pub fn new(u: i64, v: i64) -> Result<Self> {
        Ok(State { u: Current::new(u)?, v: Voltage::new(v)? })
    }
}

/// What drives the state: everything but the spike decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dynamics {
    /// Decay of the current; 4095 forgets it within one step.
    pub du: Decay,
    /// Decay of the voltage; 0 keeps all of it.
    pub dv: Decay,
    /// The bias is `bias_mantissa << bias_exponent`, added to the voltage in every step.
    pub bias_mantissa: BiasMantissa,
    /// See `bias_mantissa`.
    pub bias_exponent: BiasExponent,
}

/// What happened in a register that could not hold the exact sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overflow {
    /// The current wrapped around.
    pub wrapped: bool,
    /// The voltage was clamped.
    pub clamped: bool,
}

impl Overflow {
    /// True if either register overflowed.
    pub fn any(self) -> bool {
        self.wrapped || self.clamped
    }
}

impl Dynamics {
    /// Integrate only: the current lives for one step, the voltage never leaks, and there is no bias.
    pub fn integrator() -> Self {
        Dynamics { du: Decay::MAX, dv: Decay::MIN, bias_mantissa: BiasMantissa::ZERO, bias_exponent: BiasExponent::MIN }
    }

    /// One time step without the spike decision. `a_in` is the sum that the synapses deliver, before alignment; its magnitude
    /// must be below `2^56`.
    pub fn step(&self, state: State, a_in: i64) -> (State, Overflow) {
        let keep_u = i64::from(4096 - (self.du.get() + 1));
        let u = rtz(i64::from(state.u.get()) * keep_u, 12) + (a_in << ALIGN);
        let u_next = Current::wrap(u);

        let keep_v = i64::from(4096 - self.dv.get());
        let bias = i64::from(self.bias_mantissa.get()) << self.bias_exponent.get();
        let v = rtz(i64::from(state.v.get()) * keep_v, 12) + i64::from(u_next.get()) + bias;
        let v_next = Voltage::clamp(v);

        let overflow = Overflow { wrapped: i64::from(u_next.get()) != u, clamped: i64::from(v_next.get()) != v };
        (State { u: u_next, v: v_next }, overflow)
    }
}

/// What a spike leaves of the voltage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Loihi 2's LIF and Lava's: the voltage becomes 0.
    Zero,
    /// The voltage becomes this value.
    Value(Voltage),
    /// The voltage loses this much, and what was above the threshold is kept.
    ///
    /// **Lava's LIF has no such soft reset**; Loihi 2 itself offers it only through its programmable neurons. Converted networks
    /// need it, and it is the one point in which they depart from the published equations.
    Subtract(Decrement),
}

/// The Loihi 2 LIF neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lif {
    /// Decays and bias.
    pub dynamics: Dynamics,
    /// Fires at `v' > vth << 6`.
    pub vth: Threshold,
    /// What a spike leaves.
    pub reset: Reset,
}

/// The outcome of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The neuron fired.
    pub spike: bool,
    /// Registers that overflowed on the way.
    pub overflow: Overflow,
}

impl Lif {
    /// One time step with the synaptic input `a_in`.
    pub fn step(&self, state: &mut State, a_in: i64) -> Step {
        let (next, overflow) = self.dynamics.step(*state, a_in);
        let spike = next.v.get() > self.vth.get() << ALIGN;
        let v = match self.reset {
            _ if !spike => next.v,
            Reset::Zero => Voltage::ZERO,
            Reset::Value(v) => v,
            Reset::Subtract(amount) => Voltage::clamp(i64::from(next.v.get()) - i64::from(amount.get())),
        };
        *state = State { u: next.u, v };
        Step { spike, overflow }
    }
}

/// The LIF neuron with a second, lower threshold and spikes of either sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TernaryLif {
    dynamics: Dynamics,
    low: i32,
    high: i32,
}

impl TernaryLif {
    /// A neuron that sends `+1` at `v' > high << 6` and `-1` at `v' < low << 6`; either way its voltage becomes 0.
    ///
    /// # Errors
    /// If a threshold's magnitude exceeds 17 bits, or `low > high`.
    pub fn new(dynamics: Dynamics, low: i64, high: i64) -> Result<Self> {
        let limit = i64::from(Threshold::MAX.get());
        if low < -limit || high > limit || low > high {
            return Err(Error::input(format!(
                "thresholds {low} and {high} of a ternary neuron: Loihi 2 needs -{limit} <= low <= high <= {limit}"
            )));
        }
        Ok(TernaryLif { dynamics, low: low as i32, high: high as i32 })
    }

    /// One time step; the spike is -1, 0 or 1.
    pub fn step(&self, state: &mut State, a_in: i64) -> i32 {
        let (next, _) = self.dynamics.step(*state, a_in);
        let v = next.v.get();
        let spike = i32::from(v > self.high << ALIGN) - i32::from(v < self.low << ALIGN);
        *state = State { u: next.u, v: if spike == 0 { next.v } else { Voltage::ZERO } };
        spike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dynamics(du: i64, dv: i64, mantissa: i64, exponent: i64) -> Dynamics {
        Dynamics {
            du: Decay::new(du).unwrap(),
            dv: Decay::new(dv).unwrap(),
            bias_mantissa: BiasMantissa::new(mantissa).unwrap(),
            bias_exponent: BiasExponent::new(exponent).unwrap(),
        }
    }

    #[test]
    fn decays_round_towards_zero_on_both_sides() {
        let (up, _) = dynamics(0, 0, 0, 0).step(State::new(4095, 0).unwrap(), 0);
        let (down, _) = dynamics(0, 0, 0, 0).step(State::new(-4095, 0).unwrap(), 0);
        assert_eq!((up.u.get(), down.u.get()), (4094, -4094));
        let (up, _) = dynamics(4095, 1, 0, 0).step(State::new(0, 1).unwrap(), 0);
        let (down, _) = dynamics(4095, 1, 0, 0).step(State::new(0, -1).unwrap(), 0);
        assert_eq!((up.v.get(), down.v.get()), (0, 0));
    }

    #[test]
    fn fires_strictly_above_the_threshold() {
        let neuron = Lif {
            dynamics: Dynamics::integrator(),
            vth: Threshold::new(25).unwrap(),
            reset: Reset::Subtract(Decrement::new(26 << 6).unwrap()),
        };
        for (v, spike) in [(1599, false), (1600, false), (1601, true)] {
            let mut state = State::new(0, v).unwrap();
            assert_eq!(neuron.step(&mut state, 0).spike, spike, "{v}");
        }
        let mut state = State::new(0, 27 << 6).unwrap();
        neuron.step(&mut state, 0);
        assert_eq!(state.v.get(), 1 << 6, "what lies above the threshold is kept");
    }

    #[test]
    fn current_wraps_and_voltage_clamps() {
        let d = Dynamics { du: Decay::MIN, ..Dynamics::integrator() };
        let (state, overflow) = d.step(State::new(1 << 23, -100).unwrap(), 131_071);
        // 8388608·4095/4096 = 8386560, and 131071 << 6 = 8388544; their sum is 2^24 - 2112.
        assert_eq!((state.u.get(), state.v.get()), (-2112, -2212));
        assert_eq!(overflow, Overflow { wrapped: true, clamped: false });

        let (state, overflow) = Dynamics::integrator().step(State::new(0, 1).unwrap(), 1 << 17);
        assert_eq!((state.u.get(), state.v.get()), (1 << 23, (1 << 23) - 1));
        assert_eq!(overflow, Overflow { wrapped: false, clamped: true });

        let (state, overflow) = Dynamics::integrator().step(State::REST, -(1 << 17));
        assert_eq!((state.u.get(), state.v.get()), (1 << 23, (1 << 23) - 1), "-2^23 reads as +2^23");
        assert!(overflow.wrapped && overflow.clamped);
    }

    #[test]
    fn the_highest_threshold_never_fires_on_aligned_voltages() {
        let silent = Lif { dynamics: Dynamics::integrator(), vth: Threshold::MAX, reset: Reset::Zero };
        let mut state = State::REST;
        assert!(!silent.step(&mut state, 131_071).spike);
        assert_eq!(state.v.get(), 131_071 << 6);
    }

    #[test]
    fn ternary_thresholds_must_be_in_order() {
        assert!(TernaryLif::new(Dynamics::integrator(), 3, 2).is_err());
        assert!(TernaryLif::new(Dynamics::integrator(), -131_072, 2).is_err());
        let neuron = TernaryLif::new(Dynamics::integrator(), -3, 5).unwrap();
        for (v, spike) in [(5 << 6, 0), ((5 << 6) + 1, 1), (-3 << 6, 0), ((-3 << 6) - 1, -1)] {
            let mut state = State::new(0, v).unwrap();
            assert_eq!(neuron.step(&mut state, 0), spike, "{v}");
            assert_eq!(i64::from(state.v.get()), if spike == 0 { v } else { 0 });
        }
    }
}
