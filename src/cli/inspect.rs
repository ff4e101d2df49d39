//! `synfire inspect`

use super::choices::Choices;
use crate::design::Design;
use crate::error::{Problem, Result};
use crate::frontends::{self, nir};
use crate::pipeline::{self, Network, SpikingModel};
use crate::report;
use crate::rtl;
use crate::settings::Settings;
use std::path::{Path, PathBuf};

/// Arguments of `inspect`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Model file or design directory
    input: PathBuf,
    /// Stage to print
    #[arg(long, value_enum)]
    stage: Stage,
    /// Calibration images: needed for the stages quant, mapped and rtl of an ONNX file
    #[arg(long, value_name = "IMAGES")]
    calibrate: Option<PathBuf>,
    #[command(flatten)]
    choices: Choices,
}

/// The stages of the compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Stage {
    /// Operators of the model file
    Graph,
    /// Populations and projections
    Snn,
    /// The integer network
    Quant,
    /// Cores and streams
    Mapped,
    /// Verilog of the network's top and cores
    Rtl,
}

pub fn run(args: &Args) -> Result<()> {
    let text = if args.input.is_dir() { of_design(args)? } else { of_model(args)? };
    report::emit(&None, &(), &text)
}

fn of_model(args: &Args) -> Result<String> {
    let source = frontends::read(&args.input)?;
    if nir::recognises(&source) {
        return of_nir(args);
    }
    let settings = args.choices.settings(Settings::default())?;
    if matches!(args.stage, Stage::Graph | Stage::Snn) {
        let graph = frontends::load(&args.input)?;
        return if args.stage == Stage::Graph {
            Ok(graph.dump())
        } else {
            Ok(pipeline::convert(&graph, &settings).map_err(|e| e.in_file(&args.input))?.dump())
        };
    }
    let Some(calibrate) = &args.calibrate else {
        return Err(Problem::new("this stage depends on calibration images")
            .in_file(&args.input)
            .help("add --calibrate IMAGES, or inspect a design directory")
            .into());
    };
    let (network, settings) = Network::open(&args.input, Some(calibrate), |_| Ok(settings))?;
    if let (Stage::Quant, Network::Ann(model)) = (&args.stage, &network) {
        // The integers do not depend on the device, and need not fit it.
        let snn = pipeline::convert(&model.graph, &settings).map_err(|e| e.in_file(&args.input))?;
        let quant = pipeline::quantise(&snn, &model.calibration, &settings).map_err(|e| e.in_file(&args.input))?;
        return Ok(quant.dump());
    }
    late_stage(&network.compile(&settings)?, args.stage)
}

fn of_nir(args: &Args) -> Result<String> {
    let settings = args.choices.settings(Settings::spiking())?;
    let model = SpikingModel::open(&args.input, args.calibrate.as_deref())?;
    match args.stage {
        Stage::Graph | Stage::Snn => early_stage(&model, &settings, args.stage),
        Stage::Quant => Ok(model.quantise(&settings)?.1.dump()),
        stage => late_stage(&pipeline::compile_spiking(&model, &settings)?, stage),
    }
}

/// The stages before the integers, of a NIR network.
fn early_stage(model: &SpikingModel, settings: &Settings, stage: Stage) -> Result<String> {
    match stage {
        Stage::Graph => Ok(nir::Summary::of(&model.graph).map_err(|e| e.in_file(&model.file))?.dump()),
        _ => Ok(model.import(settings)?.snn.dump()),
    }
}

fn of_design(args: &Args) -> Result<String> {
    if args.choices != Choices::default() || args.calibrate.is_some() {
        return Err(Problem::new("is a design, whose settings are fixed")
            .in_file(&args.input)
            .help("leave out everything but --stage, or inspect the model file with these settings")
            .into());
    }
    let design = Design::load(&args.input)?;
    if matches!(args.stage, Stage::Graph | Stage::Snn) {
        let source = args.input.join(design.source_path());
        return if design.is_nir() {
            nir_of(&design, &source, args.stage)
        } else {
            onnx_of(&design, &source, args.stage)
        };
    }
    late_stage(&design, args.stage)
}

fn nir_of(design: &Design, source: &Path, stage: Stage) -> Result<String> {
    let model = SpikingModel::of(design).map_err(|e| e.in_file(source))?;
    early_stage(&model, &design.settings, stage)
}

fn onnx_of(design: &Design, source: &Path, stage: Stage) -> Result<String> {
    let graph = frontends::onnx::parse(&design.source, &design.net.quant.name).map_err(|e| e.in_file(source))?;
    Ok(if stage == Stage::Graph { graph.dump() } else { pipeline::convert(&graph, &design.settings)?.dump() })
}

fn late_stage(design: &Design, stage: Stage) -> Result<String> {
    Ok(match stage {
        Stage::Quant => design.net.quant.dump(),
        Stage::Mapped => design.net.dump(),
        _ => {
            let own: Vec<String> = design.net.units.iter().filter_map(rtl::unit_file).collect();
            let top = format!("rtl/{}.v", design.net.top);
            rtl::generate(&design.net)?
                .into_iter()
                .filter(|f| f.path == top || own.contains(&f.path))
                .map(|f| format!("// ---- {}\n{}", f.path, f.text))
                .collect()
        }
    })
}
