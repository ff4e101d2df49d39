//! The Loihi 2 equations, population by population, wherever a random network is expressible in the chip's registers.

use synfire::golden::functional::Outcome;
use synfire::ir::PopId;
use synfire::ir::quant::QuantGraph;
use synfire::loihi::network::Network;

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
