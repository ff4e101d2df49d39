//! What neurons do with their membranes, many side by side.

use super::image::Layout;
use crate::ir::quant::Neuron;

/// Parameters in 32 bits, laid out as the membranes.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    /// The image.
    Source,
    If {
        theta: Table,
        v_init: Table,
        /// Bits of the largest count, `T`.
        bits: u32,
    },
    Pool,
    Readout {
        v_init: Table,
    },
}

/// One value a neuron; where all pixels have the same, those of one pixel.
#[derive(Clone, Debug)]
pub(super) struct Table(Vec<i32>);

/// What happened in a population.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::golden::functional) struct Fired {
    /// Sum of what was sent.
    pub total: u64,
    /// Neurons that sent something.
    pub active: u64,
    /// Neurons that could have fired once more.
    pub clipped: u64,
}

impl Cells {
    /// `None` if 32 bits are not enough.
    pub(super) fn new(neuron: &Neuron, timesteps: u32, layout: Layout) -> Option<Cells> {
        Some(match neuron {
            Neuron::Source => Cells::Source,
            Neuron::Pool { .. } => Cells::Pool,
            Neuron::Leaky(_) | Neuron::MultiSpike(_) => return None,
            Neuron::Readout { v_init } => Cells::Readout { v_init: Table::new(v_init, layout, 0)? },
            Neuron::If { theta, v_init, .. } => {
                let bits = u32::BITS - timesteps.leading_zeros();
                if theta.iter().any(|&theta| theta > i64::from(i32::MAX) >> bits) {
                    return None;
                }
                // The membranes that only fill up pixels are 0 and must stay silent.
                Cells::If { theta: Table::new(theta, layout, 1)?, v_init: Table::new(v_init, layout, 0)?, bits }
            }
        })
    }

    /// Sets the membranes to those before an image.
    pub(super) fn begin(&self, membranes: &mut [i32]) {
        match self {
            Cells::Source | Cells::Pool => membranes.fill(0),
            Cells::If { v_init, .. } | Cells::Readout { v_init } => {
                membranes.chunks_exact_mut(v_init.0.len()).for_each(|part| part.copy_from_slice(&v_init.0));
            }
        }
    }

    /// Fires: `sent` has its own number of values a pixel.
    #[inline(always)]
    pub(super) fn fire(&self, timesteps: u32, membranes: (&[i32], Layout), sent: (&mut [i16], Layout)) -> Fired {
        let (v, layout) = membranes;
        let (sent, stride) = (sent.0, sent.1.stride);
        let pixels = v.chunks_exact(layout.stride).zip(sent.chunks_exact_mut(stride));
        let mut fired = Fired::default();
        match self {
            Cells::Source | Cells::Readout { .. } => {}
            Cells::Pool => {
                for (v, sent) in pixels {
                    sent.iter_mut().zip(v).for_each(|(s, &v)| *s = v as i16);
                    fired.count(sent);
                }
            }
            Cells::If { theta, bits, .. } => {
                let most = timesteps as i32;
                for ((v, sent), theta) in pixels.zip(theta.0.chunks_exact(layout.stride).cycle()) {
                    let mut clipped = 0u32;
                    for ((sent, &v), &theta) in sent.iter_mut().zip(v).zip(theta) {
                        let (mut rest, mut count) = (v, 0);
                        for bit in (0..*bits).rev() {
                            // No overflow: `theta << bits` fits.
                            let fires = rest >= theta << bit;
                            rest = rest.wrapping_sub(if fires { theta << bit } else { 0 });
                            count |= i32::from(fires) << bit;
                        }
                        clipped += u32::from((count > most) | (rest >= theta));
                        *sent = count.min(most) as i16;
                    }
                    fired.clipped += u64::from(clipped);
                    fired.count(sent);
                }
            }
        }
        fired
    }
}

impl Fired {
    /// Counts what a whole image sends.
    pub(super) fn count_all(&mut self, sent: &[i16]) {
        sent.chunks(1 << 12).for_each(|part| self.count(part));
    }

    /// Counts what some neurons send: so few that 32 bits hold the sum.
    #[inline(always)]
    fn count(&mut self, sent: &[i16]) {
        let (mut total, mut active) = (0u32, 0u32);
        for &s in sent {
            total = total.wrapping_add(u32::from(s.unsigned_abs()));
            active += u32::from(s != 0);
        }
        self.total += u64::from(total);
        self.active += u64::from(active);
    }
}

impl Table {
    fn new(values: &[i64], layout: Layout, filling: i32) -> Option<Table> {
        let mut table = vec![filling; layout.len()];
        for (&value, place) in values.iter().zip(layout.places()) {
            table[place] = i32::try_from(value).ok()?;
        }
        let pixel = table[..layout.stride].to_vec();
        let uniform = table.chunks_exact(layout.stride).all(|other| other == pixel);
        Some(Table(if uniform { pixel } else { table }))
    }
}
