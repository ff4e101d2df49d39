//! `synfire inspect`

use super::compile::Choices;
use crate::design::Design;
use crate::error::{Problem, Result};
use crate::frontends;
use crate::pipeline::{self, Model};
use crate::report;
use crate::rtl;
use crate::settings::Settings;
use std::path::PathBuf;

/// Arguments of `inspect`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Model file or design directory
    input: PathBuf,
    /// Stage to print
    #[arg(long, value_enum)]
    stage: Stage,
    /// Calibration images: needed for the stages quant, mapped and rtl of a model file
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
    let design = pipeline::compile_with(&Model::open(&args.input, calibrate)?, &settings)?;
    late_stage(&design, args.stage)
}

fn of_design(args: &Args) -> Result<String> {
    if args.choices != Choices::default() || args.calibrate.is_some() {
        return Err(Problem::new("is a design, whose settings are fixed")
            .in_file(&args.input)
            .help("leave out everything but --stage, or inspect the model file with these settings")
            .into());
    }
    let design = Design::load(&args.input)?;
    let source = args.input.join("model/source.onnx");
    let graph = || frontends::onnx::parse(&design.source, &design.net.quant.name).map_err(|e| e.in_file(&source));
    match args.stage {
        Stage::Graph => Ok(graph()?.dump()),
        Stage::Snn => Ok(pipeline::convert(&graph()?, &design.settings)?.dump()),
        stage => late_stage(&design, stage),
    }
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
