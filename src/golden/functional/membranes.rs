//! Sums of weights, in 32 bits where the range proof allows.

use super::windows::Windowed;
use crate::ir::quant::Combine;
use crate::ir::snn::Synapses;
use ndarray::{Array2, Zip};

/// A projection's weights laid out by sender.
#[derive(Clone, Debug)]
pub(super) enum BySender {
    Dense(Rows),
    Windowed(Windowed),
}

impl BySender {
    /// Lays out `synapses` for receivers whose membranes stay within `range`.
    pub(super) fn new(synapses: &Synapses<i32>, range: (i64, i64)) -> Self {
        match (synapses, Windowed::new(synapses)) {
            (_, Some(windowed)) => BySender::Windowed(windowed),
            (Synapses::Dense { weight }, None) => BySender::Dense(Rows::new(weight, range)),
            (_, None) => unreachable!("every other kind has a window"),
        }
    }

    /// Combines every product `w·x` into its receiver's membrane; `x` has one payload per sender, mostly zeros.
    pub(super) fn integrate(&self, x: &[i64], combine: Combine, membranes: &mut [i64]) {
        match (self, combine) {
            (BySender::Windowed(windowed), _) => windowed.integrate(x, combine, membranes),
            (BySender::Dense(rows), Combine::Sum) => rows.integrate(x, membranes),
            (BySender::Dense(rows), Combine::Max) => rows.largest(x, membranes),
        }
    }
}

/// A projection's weights by sender (`[pre, post]`), at the width that its receivers' membranes need.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    /// Every membrane, and so every product, fits 32 bits.
    Narrow(Array2<i32>),
    /// Nothing is assumed.
    Wide(Array2<i32>),
}

impl Rows {
    /// Lays out `weight` (`[post, pre]`) for receivers whose membranes stay within `range`.
    pub(super) fn new(weight: &Array2<i32>, range: (i64, i64)) -> Self {
        let rows = weight.t().as_standard_layout().into_owned();
        let narrow = i32::try_from(range.0).is_ok() && i32::try_from(range.1).is_ok();
        if narrow { Rows::Narrow(rows) } else { Rows::Wide(rows) }
    }

    /// Adds `Σ w·x` to every membrane; `x` has one payload per sender, mostly zeros.
    pub(super) fn integrate(&self, x: &[i64], membranes: &mut [i64]) {
        match self {
            Rows::Narrow(rows) => {
                let mut sums = vec![0i32; membranes.len()];
                for (row, &x) in rows.rows().into_iter().zip(x).filter(|(_, x)| **x != 0) {
                    // A payload fits, or is multiplied by zeros only. No operation here can leave 32 bits: the proof
                    // bounds every partial sum of one sign, and so each product. Wrapping operations only keep
                    // overflow checks out of the vector code.
                    let x = x as i32;
                    Zip::from(sums.as_mut_slice()).and(row).for_each(|s, &w| *s = s.wrapping_add(w.wrapping_mul(x)));
                }
                membranes.iter_mut().zip(sums).for_each(|(v, sum)| *v += i64::from(sum));
            }
            Rows::Wide(rows) => {
                for (row, &x) in rows.rows().into_iter().zip(x).filter(|(_, x)| **x != 0) {
                    membranes.iter_mut().zip(row).for_each(|(v, &w)| *v += i64::from(w) * x);
                }
            }
        }
    }

    /// Raises every membrane to the largest product `w·x`.
    fn largest(&self, x: &[i64], membranes: &mut [i64]) {
        let (Rows::Narrow(rows) | Rows::Wide(rows)) = self;
        for (row, &x) in rows.rows().into_iter().zip(x).filter(|(_, x)| **x != 0) {
            membranes.iter_mut().zip(row).for_each(|(v, &w)| *v = (*v).max(i64::from(w) * x));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_two_bits_are_used_up_to_the_last_value_and_no_further() {
        let weight = ndarray::array![[i32::MAX]];
        let edge = (i64::from(i32::MIN), i64::from(i32::MAX));
        assert!(matches!(Rows::new(&weight, edge), Rows::Narrow(_)));
        assert!(matches!(Rows::new(&weight, (edge.0 - 1, 0)), Rows::Wide(_)));
        let wide = Rows::new(&weight, (0, edge.1 + 1));
        assert!(matches!(wide, Rows::Wide(_)));
        let mut v = [1];
        wide.integrate(&[3], &mut v);
        assert_eq!(v, [3 * i64::from(i32::MAX) + 1]);
    }
}
