//! The Loihi 2 equations, population by population, wherever a random network is expressible in the chip's registers.

use synfire::golden::functional::{Functional, Outcome};
use synfire::ir::PopId;
use synfire::ir::quant::{Neuron, QuantGraph, Reset};
use synfire::loihi::network::Network;

/// The same network with leaky neurons that the chip has, so that most populations can be compared, and what it does with `images`.
pub fn compared_with_the_chips_neurons(net: &QuantGraph, images: &[Vec<i64>]) -> Result<u64, String> {
    let mut net = net.clone();
    for pop in (0..net.populations.len()).map(PopId) {
        if let Neuron::Leaky(leaky) = &mut net.populations[pop.0].neuron {
            let most = (1 << 23) - 1;
            (leaky.align, leaky.limits) = (6, (-most, most));
            leaky.theta.iter_mut().for_each(|theta| *theta = ((*theta).max(0) + 63) & !63);
            leaky.du.iter_mut().for_each(|du| *du = (*du).max(1));
            leaky.dv.iter_mut().for_each(|dv| *dv = (*dv).min(4095));
            leaky.v_init.iter_mut().for_each(|v| *v = (*v).clamp(-most, most));
            if let Reset::Value(by) | Reset::Subtract(by) = &mut leaky.reset {
                by.iter_mut().for_each(|v| *v = (*v).clamp(-most, most));
            }
        }
        let reach = net.prove_leaky(pop);
        if let (Some(reach), Neuron::Leaky(leaky)) = (reach, &mut net.populations[pop.0].neuron) {
            (leaky.input_range, leaky.current_range) = (reach.input, reach.current);
        }
        net.populations[pop.0].range = net.prove_range(pop);
    }
    if let Some(problem) = net.check().first() {
        return Err(problem.to_string());
    }
    let functional = Functional::new(&net).map_err(|e| e.to_string())?;
    let truth: Result<Vec<Outcome>, _> = images.iter().map(|codes| functional.image_by_phase(codes)).collect();
    windows_compared(&net, &truth.map_err(|e| e.to_string())?)
}

/// Compares what populations sent, and the answer, with the equations; how many values were compared of populations that read a window, or
/// the first difference.
pub fn windows_compared(net: &QuantGraph, truth: &[Outcome]) -> Result<u64, String> {
    let network = Network::new(net);
    let fit: Vec<_> = network.coverage().iter().filter(|c| c.fields_fit).collect();
    let mut values = 0;
    for (index, image) in truth.iter().enumerate() {
        let sent = image.phases.as_ref().expect("asked for");
        let responses = network.run_image(sent).map_err(|e| e.to_string())?;
        for coverage in &fit {
            let pop = coverage.population;
            let response = responses[pop.0].as_ref().expect("its fields fit");
            if response.overflows > 0 {
                let name = format!("image {index}: population {} overflows a register", pop.0);
                if coverage.expressible { return Err(name) } else { continue }
            }
            let differ = |phase: usize, ours: &[i64], theirs: &[i64]| {
                let text = format!("image {index}, phase {phase}: population {}: {ours:?}, Loihi 2 {theirs:?}", pop.0);
                if ours == theirs { Ok(ours.len() as u64) } else { Err(text) }
            };
            let mut compared = 0;
            if pop == net.readout() {
                compared += differ(sent.len() - 1, &image.logits, response.membranes())?;
            } else {
                for (phase, (ours, theirs)) in sent.iter().zip(&response.phases).enumerate() {
                    compared += differ(phase, &ours[pop.0], &theirs.spikes)?;
                }
            }
            let window = reads_a_window(net, pop);
            values += if window { compared } else { 0 };
        }
    }
    Ok(values)
}

fn reads_a_window(net: &QuantGraph, pop: PopId) -> bool {
    net.projections_into(pop).any(|(_, p)| p.projection.synapses.window().is_some())
}
