//! Neurons that may send several spikes in a step: the equations of [`MultiSpike`] as they stand there.

use crate::ir::quant::MultiSpike;

/// Lets the neurons fire on their membranes `v`, to which input and bias have been added; what is left of `v` stays there, `sent`
/// becomes the spikes. Gives the number of neurons that hold more spikes than they may send.
pub(crate) fn fire(neurons: &MultiSpike, v: &mut [i64], sent: &mut [i64]) -> u64 {
    let mut held = 0;
    for ((v, &theta), sent) in v.iter_mut().zip(&neurons.theta).zip(sent) {
        if neurons.floor {
            *v = (*v).max(-theta);
        }
        let spikes = v.div_euclid(theta).max(0);
        *sent = spikes.min(i64::from(neurons.most));
        *v -= *sent * theta;
        held += u64::from(spikes > *sent);
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by hand, for a threshold of 10: three spikes at most.
    #[test]
    fn a_neuron_sends_what_it_holds_up_to_the_bound_and_keeps_the_rest() {
        let neurons = |floor| MultiSpike { theta: vec![10], v_init: vec![0], bias: vec![0], floor, most: 3 };
        let once = |floor, before: i64| {
            let (mut v, mut sent) = ([before], [7]);
            let held = fire(&neurons(floor), &mut v, &mut sent);
            (sent[0], v[0], held)
        };
        for floor in [false, true] {
            assert_eq!(once(floor, 9), (0, 9, 0));
            assert_eq!(once(floor, 10), (1, 0, 0));
            assert_eq!(once(floor, 39), (3, 9, 0));
            assert_eq!(once(floor, 40), (3, 10, 1));
            assert_eq!(once(floor, 75), (3, 45, 1));
            assert_eq!(once(floor, -10), (0, -10, 0));
        }
        assert_eq!(once(false, -11), (0, -11, 0));
        assert_eq!(once(true, -11), (0, -10, 0));
    }
}
