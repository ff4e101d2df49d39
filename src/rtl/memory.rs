//! Memory images: `$readmemh` text.

use super::{window_event, window_matrix};
use crate::ir::layout::Place;
use crate::ir::mapped::{Core, MappedNet, Mode, Slice, Stream};
use crate::ir::quant::Neuron;
use crate::ir::stream::Beat;

/// A word of any width, filled field by field from bit 0 up.
pub struct Word {
    bits: Vec<bool>,
}

impl Word {
    /// A word without bits.
    pub fn new() -> Self {
        Word { bits: Vec::new() }
    }

    /// Appends the low `bits` bits of `value` (two's complement).
    pub fn push(&mut self, value: i64, bits: usize) {
        self.bits.extend((0..bits).map(|b| (value >> b.min(63)) & 1 == 1));
    }

    /// Appends zeros up to bit `offset`.
    pub fn skip_to(&mut self, offset: usize) {
        self.bits.resize(offset.max(self.bits.len()), false);
    }

    /// Bits `offset .. offset + bits` as hexadecimal digits and a line break.
    pub fn write_hex(&self, offset: usize, bits: usize, text: &mut String) {
        for digit in (0..bits.div_ceil(4)).rev() {
            let nibble = (0..4)
                .filter(|i| digit * 4 + i < bits)
                .fold(0u32, |n, i| n | u32::from(self.bits.get(offset + digit * 4 + i).copied().unwrap_or(false)) << i);
            text.push(char::from_digit(nibble, 16).unwrap_or('0'));
        }
        text.push('\n');
    }
}

/// One image per slice of the core's weight memory.
pub fn weight_images(net: &MappedNet, core: &Core) -> Vec<String> {
    slice_images(net, core, &core.weight_slices())
}

/// The image of the external memory, a word a line, if there is one.
pub fn external_image(net: &MappedNet) -> Option<String> {
    let port = net.weight_port()?;
    let whole = [Slice { offset: 0, bits: port.word_bits }];
    // The cores lie one behind the other: `MappedNet::check`.
    let outside = net.cores().filter(|(_, _, core)| !core.weights.is_internal());
    Some(outside.flat_map(|(_, _, core)| slice_images(net, core, &whole)).collect())
}

/// One image per slice of the core's weight words, which are 0 beyond their end.
fn slice_images(net: &MappedNet, core: &Core, slices: &[Slice]) -> Vec<String> {
    let mut images = vec![String::new(); slices.len()];
    if core.mode.is_window() {
        for (input, &projection) in core.fields.iter().zip(&core.projections) {
            let synapses = &net.quant.projection(projection).projection.synapses;
            let emit = |word: Word| {
                slices.iter().zip(&mut images).for_each(|(s, image)| word.write_hex(s.offset, s.bits, image));
            };
            match core.mode {
                Mode::WindowMatrix { .. } => window_matrix::weight_words(core, input, synapses, emit),
                _ => window_event::weight_words(core, input, synapses, emit),
            }
        }
        return images;
    }
    let columns = weight_columns(net, core);
    let (lanes, rows, groups) = (core.mode.lanes(), core.mode.rows(), core.groups());
    let mut emit = |group: usize, first_id: usize| {
        let mut word = Word::new();
        for lane in 0..lanes {
            for row in 0..rows {
                let (id, n) = (first_id + row, group * lanes + lane);
                let weight = if id < core.inputs && n < core.neurons { columns[id][n] } else { 0 };
                word.push(i64::from(weight), core.weight_bits as usize);
            }
        }
        for (slice, image) in slices.iter().zip(&mut images) {
            word.write_hex(slice.offset, slice.bits, image);
        }
    };
    match core.mode {
        Mode::Event { .. } | Mode::WindowEvent { .. } => {
            (0..core.inputs).for_each(|id| (0..groups).for_each(|group| emit(group, id)));
        }
        Mode::Matrix { .. } | Mode::WindowMatrix { .. } => {
            (0..groups).for_each(|group| (0..core.chunks()).for_each(|chunk| emit(group, chunk * rows)));
        }
    }
    images
}

/// Weights by input id, then neuron.
fn weight_columns(net: &MappedNet, core: &Core) -> Vec<Vec<i32>> {
    (0..core.inputs).map(|id| (0..core.neurons).map(|n| core.weight(&net.quant, id, n)).collect()).collect()
}

/// True if all neurons of a channel have the same parameters: the parameter memory then has a word for each channel group, with one
/// bank's lanes, instead of one for each group.
pub fn parameters_shared(net: &MappedNet, core: &Core) -> bool {
    let per_channel = core.neurons / core.extent[0].max(1);
    let same = |values: &[i64]| values.chunks(per_channel.max(1)).all(|c| c.iter().all(|v| Some(v) == c.first()));
    let neuron = &net.quant.population(core.population).neuron;
    let bias_same = match neuron {
        Neuron::If { theta, bias, .. } => same(theta) && same(bias),
        Neuron::MultiSpike(multi) => same(&multi.theta) && same(&multi.bias),
        Neuron::Leaky(leaky) => super::leaky::fields(leaky, core).iter().all(|(values, _)| same(values)),
        Neuron::Source | Neuron::Pool { .. } | Neuron::Readout { .. } => true,
    };
    bias_same && same(neuron.v_init())
}

/// The parameter memory: per word `{bias, v_init, theta}`, each lane by lane, theta lowest; what leaky neurons have above these
/// says [`super::leaky`]. Lanes that do not exist hold 0.
pub fn parameter_image(net: &MappedNet, core: &Core) -> String {
    let zeros = vec![0; core.neurons];
    let common = |theta, v_init, bias| -> Vec<(&[i64], u32)> {
        vec![(theta, core.theta_bits), (v_init, core.membrane_bits), (bias, core.bias_bits)]
    };
    let fields = match &net.quant.population(core.population).neuron {
        Neuron::If { theta, v_init, bias } => common(theta, v_init, bias),
        Neuron::MultiSpike(multi) => common(&multi.theta, &multi.v_init, &multi.bias),
        Neuron::Readout { v_init } => common(&zeros, v_init, &zeros),
        Neuron::Leaky(leaky) => super::leaky::fields(leaky, core),
        Neuron::Source | Neuron::Pool { .. } => common(&zeros, &zeros, &zeros),
    };
    let grid = core.grid();
    let (words, lanes) = match parameters_shared(net, core) {
        true => (grid.channel_groups(), grid.lanes),
        false => (grid.groups(), grid.group_lanes()),
    };
    let mut text = String::new();
    for group in 0..words {
        let mut word = Word::new();
        for &(values, bits) in &fields {
            for lane in 0..lanes {
                let neuron = grid.neuron(Place { group, lane });
                word.push(neuron.and_then(|n| values.get(n)).copied().unwrap_or(0), bits as usize);
            }
        }
        let bits = word.bits.len();
        word.write_hex(0, bits, &mut text);
    }
    text
}

/// Beats of a stream, `{last, value, id}`, one a line.
pub fn beat_image(stream: &Stream, beats: &[Beat]) -> String {
    let mut text = String::new();
    for beat in beats {
        let mut word = Word::new();
        word.push(i64::from(beat.id), stream.id_bits as usize);
        word.push(beat.value, stream.value_bits as usize);
        word.push(i64::from(beat.last), 1);
        let bits = word.bits.len();
        word.write_hex(0, bits, &mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_packed_from_the_lowest_bit_and_cut_into_slices() {
        let mut word = Word::new();
        word.push(-1, 3);
        word.push(0, 3);
        word.push(5, 4);
        let mut text = String::new();
        word.write_hex(0, 10, &mut text);
        word.write_hex(2, 5, &mut text);
        // 0101_000_111 = 0x147; bits 2..7 of it are 1_0001.
        assert_eq!(text, "147\n11\n");
    }

    #[test]
    fn negative_values_wider_than_64_bits_are_sign_extended() {
        let mut word = Word::new();
        word.push(-2, 68);
        let mut text = String::new();
        word.write_hex(0, 68, &mut text);
        assert_eq!(text, "ffffffffffffffffe\n");
    }
}
