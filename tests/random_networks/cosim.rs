//! Functional model, cycle model and Verilator: every wire in every cycle, every membrane, every count, every logit.

use crate::generator::{Fault, Recipe, Run, images, realise};
use crate::judge::{Failure, Tally, Verdict, Wrong};
use crate::loihi;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use synfire::cosim::{Compiler, Library, Pattern, PhaseCounts, Settings, Simulation, Toolchain};
use synfire::golden::cycle::{CycleModel, MemoryTiming};
use synfire::golden::functional::{Functional, Outcome};
use synfire::ir::mapped::MappedNet;

/// The tools with the tests' build cache; `None`, after saying so, where they are missing.
pub fn toolchain() -> Option<&'static Toolchain> {
    static TOOLS: OnceLock<Option<Toolchain>> = OnceLock::new();
    let find = || match Toolchain::find() {
        Ok(found) => {
            let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cosim-cache");
            // Small designs that run for a moment: what is saved in compiling is more than what is lost in running.
            Some(Toolchain { cache, compiler: Compiler { level: 0, ..found.compiler }, ..found })
        }
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            println!("ignored: {error}");
            None
        }
    };
    TOOLS.get_or_init(find).as_ref()
}

/// Builds the structure once and lets every run's weights, images and patterns pass through it.
pub fn check(recipe: &Recipe, folder: &Path) -> Verdict {
    let tools = toolchain().ok_or_else(|| Failure::new(Wrong::Verilog, None, "no tools"))?;
    let nets = realise(recipe).map_err(|e| Failure::new(Wrong::Recipe, None, e))?;
    let mut verilog: Option<Vec<synfire::rtl::File>> = None;
    let mut designs = Vec::new();
    for (i, net) in nets.iter().enumerate() {
        let files = synfire::rtl::generate(net).map_err(|e| Failure::new(Wrong::Verilog, Some(i), e))?;
        let (rtl, rest): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.path.starts_with("rtl/"));
        let design = folder.join(format!("run_{i}"));
        rest.iter().for_each(|file| write(&design, file));
        let first = verilog.get_or_insert_with(|| {
            let rtl: Vec<_> = rtl.iter().map(|file| faulty(file, recipe.fault.as_ref())).collect();
            rtl.iter().for_each(|file| write(&design, file));
            rtl
        });
        if let Some(other) = rtl.iter().zip(first).find(|(a, b)| recipe.fault.is_none() && a.text != b.text) {
            let text = format!("{} differs from that of run 0: weights are no part of the structure", other.0.path);
            return Err(Failure::new(Wrong::Structure, Some(i), text));
        }
        designs.push(design);
    }
    let library =
        tools.build(&designs[0], &nets[0].top).map_err(|e| Failure::new(Wrong::Verilog, None, e.to_string()))?;
    let mut tally = Tally { structures: 1, ..Tally::default() };
    for (i, ((net, run), design)) in nets.iter().zip(&recipe.runs).zip(&designs).enumerate() {
        let wave = Some(folder.join("mismatch.fst"));
        let ran = pass(&library, design, net, recipe, run, wave).map_err(|(wrong, text)| {
            Failure::new(wrong, Some(i), format!("{text}\n{}{}", net.quant.dump(), net.dump()))
        })?;
        tally = tally.and(ran);
    }
    Ok(tally)
}

fn write(design: &Path, file: &synfire::rtl::File) {
    let path = design.join(&file.path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, &file.text).unwrap();
}

/// The file with the fault put in, if it is about this file.
fn faulty(file: &synfire::rtl::File, fault: Option<&Fault>) -> synfire::rtl::File {
    let mut file = file.clone();
    if let Some(fault) = fault.filter(|fault| fault.file == file.path) {
        assert!(file.text.contains(&fault.from), "{} has no '{}' any more: adapt the fault", fault.file, fault.from);
        file.text = file.text.replace(&fault.from, &fault.to);
    }
    file
}

/// One run.
fn pass(
    library: &Library,
    design: &Path,
    net: &MappedNet,
    recipe: &Recipe,
    run: &Run,
    wave: Option<PathBuf>,
) -> Result<Tally, (Wrong, String)> {
    let internal = |e: synfire::Error| (Wrong::Stuck, e.to_string());
    let images = images(recipe, run, &net.quant);
    let functional = Functional::new(&net.quant).map_err(internal)?;
    let truth: Vec<Outcome> =
        images.iter().map(|codes| functional.image_by_phase(codes)).collect::<Result<_, _>>().map_err(internal)?;
    let pattern = |text: &str| text.parse::<Pattern>().map_err(|e| (Wrong::Recipe, e.to_string()));
    let settings = Settings {
        seed: run.weights,
        input: pattern(&run.input)?,
        output: pattern(&run.output)?,
        disturb: run.disturb,
        wave,
        command: String::new(),
        memory: MemoryTiming { seed: run.weights, ..run.memory.parse().map_err(|e| (Wrong::Recipe, e))? },
    };
    let readout = net.quant.readout();
    let (mut different, mut seen) = (None, 0);
    let mut observe = |counts: &PhaseCounts| {
        // Faulty hardware may answer more often than it was asked.
        let Some(image) = truth.get(counts.image) else {
            different.get_or_insert("more images came out than went in".to_string());
            return;
        };
        let expected = match counts.population {
            pop if pop == readout => &image.logits,
            pop => &image.phases.as_ref().expect("asked for")[counts.phase as usize][pop.0],
        };
        seen += 1;
        if counts.values != expected {
            let (pop, phase) = (counts.population.0, counts.phase);
            let sent = format!("sent {:?}, the functional model {expected:?}", counts.values);
            different.get_or_insert(format!("image {}, phase {phase}: population {pop} {sent}", counts.image));
        }
    };
    let mut simulation = Simulation::new(library, design, net, run.weights).map_err(internal)?;
    let mut model = CycleModel::new(net);
    let outcome =
        synfire::cosim::run(net, &mut simulation, &mut model, &images, &settings, &mut observe).map_err(internal)?;
    if let Some(mismatch) = outcome.mismatch {
        return Err((Wrong::Cycles, mismatch.to_string()));
    }
    if let Some(different) = different {
        return Err((Wrong::Counts, different));
    }
    // Every population once a phase, the readout once an image.
    let (hidden, phases) = (net.quant.populations.len() - 1, net.quant.phases() as usize);
    let expected = images.len() * (hidden * phases + 1);
    if (outcome.images, seen) != (images.len(), expected) {
        return Err((Wrong::Counts, format!("{seen} of {expected} sets of counts came out of the hardware")));
    }
    let loihi = loihi::windows_compared(&net.quant, &truth).map_err(|text| (Wrong::Loihi, text))?;
    let sent = |image: &Outcome| image.counts.iter().skip(1).flatten().sum::<i64>().unsigned_abs();
    Ok(Tally {
        structures: 0,
        comparisons: outcome.comparisons,
        cycles: outcome.cycles,
        spikes: truth.iter().map(sent).sum(),
        clamped: truth.iter().map(|image| image.saturated().clamped).sum(),
        held_back: truth.iter().map(|image| image.saturated().held_back).sum(),
        loihi,
    })
}
