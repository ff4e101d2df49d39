//! The neuron without dynamics that passes on what it receives: Lava's `GradedVec`.
//! ```text
//! v' = v + a;   sends v' as the payload of a graded spike, if |v'| > vth;   v = 0
//! ```
//! Input, voltage and payload have 24 bits and are not aligned. With `vth = 0` it is a pool that adds.

use super::fields::Voltage;

/// Largest payload of a graded spike: 24 bits, signed.
pub(super) const MAX_PAYLOAD: i64 = Voltage::MAX.get() as i64;

/// One time step of the neuron with `vth = 0` and the synaptic input `a`: the payload that it sends (0: no spike), and whether that does
/// not fit its bits. Nothing lives on.
pub(super) fn step(a: i64) -> (i64, bool) {
    (a, !(-MAX_PAYLOAD..=MAX_PAYLOAD).contains(&a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_sent_as_they_are_while_they_fit() {
        let ends = [0, 1, -7, MAX_PAYLOAD, MAX_PAYLOAD + 1, -MAX_PAYLOAD - 1];
        assert_eq!(ends.map(|a| step(a).0), ends);
        assert_eq!(ends.map(|a| step(a).1), [false, false, false, false, true, true]);
    }
}
