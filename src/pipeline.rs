//! The compiler from end to end: the one list of its passes.

use crate::data::{self, Images, Samples};
use crate::design::{Design, Origin};
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::PixelFormat;
use crate::frontends;
use crate::ir::graph::Graph;
use crate::ir::mapped::Target;
use crate::ir::quant::QuantGraph;
use crate::ir::snn::SnnGraph;
use crate::map::cost::Traffic;
use crate::map::{LayerChoice, MapRequest};
use crate::quantise::{self, QuantSettings};
use crate::settings::{Count, LayerSettings, Settings};
use std::path::Path;

mod nir;
mod probe;
mod refused;
mod saturations;
mod spikes;
mod stages;
mod warnings;

pub use nir::{SpikingModel, compile_spiking, quantise_nir};
pub use saturations::{design_saturations, saturation_warnings};
pub use warnings::warnings;

use probe::{Probe, left_out};
use stages::Stages;

/// A trained network of either kind, by what its file holds.
#[derive(Clone, Debug)]
pub enum Network {
    /// From ONNX.
    Ann(Model),
    /// From NIR.
    Spiking(SpikingModel),
}

impl Network {
    /// Reads a model file. ONNX networks are calibrated on images; of NIR networks the same option gives samples of what they will
    /// read, and may be left out. `settings` are made from the defaults of the network's kind.
    ///
    /// # Errors
    /// Everything that is wrong with the files, and an ONNX network without calibration images.
    pub fn open(
        model: &Path,
        calibration: Option<&Path>,
        settings: impl FnOnce(Settings) -> Result<Settings>,
    ) -> Result<(Network, Settings)> {
        let source = frontends::read(model)?;
        if frontends::nir::recognises(&source) {
            let network = SpikingModel::parse(source, model, calibration)?;
            return Ok((Network::Spiking(network), settings(Settings::spiking())?));
        }
        let settings = settings(Settings::default())?;
        let graph = parse_onnx(&source, model);
        let Some(calibration) = calibration else {
            let mut problems = graph.err().map_or_else(Vec::new, |e| e.problems);
            let missing = Problem::new("is an ONNX network, whose thresholds are chosen on calibration images");
            problems.push(missing.in_file(model).help("add --calibrate IMAGES: a few hundred of the training images"));
            problems.extend(setting_problems(&settings));
            return Err(Error { kind: Kind::Input, problems });
        };
        Ok((Network::Ann(Model::of(graph?, source, model, calibration)?), settings))
    }

    /// Compiles it.
    ///
    /// # Errors
    /// As [`compile_with`] and [`compile_spiking`].
    pub fn compile(&self, settings: &Settings) -> Result<Design> {
        match self {
            Network::Ann(model) => compile_with(model, settings),
            Network::Spiking(model) => compile_spiking(model, settings),
        }
    }
}

/// Calibration images on which the lowered network is compared with the file's own operators.
const VERIFY_IMAGES: usize = 4;

/// A trained network and the images that calibrate it.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub graph: Graph,
    /// The model file, byte for byte.
    pub source: Vec<u8>,
    /// File name of the model.
    pub name: String,
    /// Images of the kind that the network was trained on; labels are not used.
    pub calibration: Images,
    /// File name of the images.
    pub calibration_name: String,
}

impl Model {
    /// Reads an ONNX model and calibration images.
    ///
    /// # Errors
    /// Everything that is wrong with the two files.
    pub fn open(model: impl AsRef<Path>, calibration: impl AsRef<Path>) -> Result<Model> {
        let (model, calibration) = (model.as_ref(), calibration.as_ref());
        let source = frontends::read(model)?;
        Model::of(parse_onnx(&source, model)?, source, model, calibration)
    }

    fn of(graph: Graph, source: Vec<u8>, model: &Path, calibration: &Path) -> Result<Model> {
        let (images, _) = data::load_images(calibration)?;
        let images = images.shaped(graph.input_shape()).map_err(|e| e.in_file(calibration))?;
        let some = images.matrix(0..images.len().min(VERIFY_IMAGES));
        frontends::verify(&source, &graph, some.view()).map_err(|e| e.in_file(model))?;
        Ok(Model {
            graph,
            source,
            name: file_name(model),
            calibration: images,
            calibration_name: file_name(calibration),
        })
    }
}

/// A file that is called a NIR file, but holds none, deserves a word about it.
fn parse_onnx(source: &[u8], model: &Path) -> Result<Graph> {
    frontends::onnx::parse(source, &frontends::name_of(model)).map_err(|mut e| {
        if model.extension().is_some_and(|e| e.eq_ignore_ascii_case("nir")) {
            let what = "is called a NIR file, but does not begin as HDF5 files do, so it was taken for ONNX";
            e.problems.push(Problem::new(what).help("export or fetch the file again"));
        }
        e.in_file(model)
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// Compiles for a device with default settings.
///
/// ```no_run
/// let model = synfire::Model::open("network.onnx", "calibration.npy")?;
/// synfire::compile(&model, synfire::Target::Ecp5_25k)?.write("design".as_ref(), false)?;
/// # Ok::<(), synfire::Error>(())
/// ```
///
/// # Errors
/// Whatever keeps the network from becoming hardware: unsupported structure, wrong calibration images, no room on the device.
pub fn compile(model: &Model, target: Target) -> Result<Design> {
    compile_with(model, &Settings { target, ..Settings::default() })
}

/// Compiles with the given settings.
///
/// # Errors
/// As [`compile`], and settings that are out of range or name a layer that does not exist.
pub fn compile_with(model: &Model, settings: &Settings) -> Result<Design> {
    let snn = checked(model, settings)?;
    let quant = quantise(&snn, &model.calibration, settings).map_err(|e| e.in_file(&model.name))?;
    let calibration = model.calibration.clone().truncated(settings.calibration_limit).shaped(quant.input_shape())?;
    let stages = Stages::new(quant, Probe::Given(Samples::Images(calibration)))?;
    let (mut net, vectors) = stages.hardware(settings)?;
    net.decisions.splice(0..0, left_out(model.calibration.len(), settings));
    let origin = Origin {
        model: model.name.clone(),
        calibration: model.calibration_name.clone(),
        calibration_images: stages.calibration_images(),
        traffic: stages.recorded_traffic(),
        // Neurons of a converted network are not bounded in these ways.
        held_back: Vec::new(),
        clamped: Vec::new(),
        unmeasured: None,
    };
    Ok(Design { origin, net, settings: settings.clone(), source: model.source.clone(), vectors })
}

/// Graph → SnnGraph with the settings' normalisation folded in.
///
/// # Errors
/// Structures that have no spiking counterpart.
pub fn convert(graph: &Graph, settings: &Settings) -> Result<SnnGraph> {
    Error::check(Kind::Input, graph.check())?;
    let snn = crate::convert::convert(graph, settings.normalize.as_ref())?;
    Error::check(Kind::Internal, snn.check())?;
    Ok(snn)
}

/// SnnGraph → QuantGraph on the first calibration images.
///
/// # Errors
/// Settings or calibration images that do not fit the network.
pub fn quantise(snn: &SnnGraph, calibration: &Images, settings: &Settings) -> Result<QuantGraph> {
    let count = calibration.len().min(settings.calibration_limit);
    quantise::quantise(snn, calibration.matrix(0..count).view(), &quant_settings(settings))
}

fn quant_settings(settings: &Settings) -> QuantSettings {
    let layers = settings.layers.iter().filter_map(|(name, layer)| {
        layer.weight_bits.map(|bits| (name.clone(), quantise::LayerSettings { weight_bits: Some(bits) }))
    });
    QuantSettings {
        coding: settings.coding,
        timesteps: settings.timesteps,
        pixels: PixelFormat::unsigned(settings.input_bits),
        weight_bits: settings.weight_bits,
        layers: layers.collect(),
        normalisation: settings.normalize.clone(),
        bias_calibration: settings.bias_calibration,
    }
}

/// What is asked of the mapper, but for what the calibration images do.
fn map_request(settings: &Settings) -> MapRequest {
    let layers = settings.layers.iter().map(|(name, layer)| {
        let LayerSettings { mode, lanes, rows, payload, banks, weights, .. } = *layer;
        let automatic = [lanes, rows].map(|count| count == Some(Count(None)));
        let [lanes, rows] = [lanes, rows].map(|count| count?.0);
        (name.clone(), LayerChoice { mode, lanes, rows, automatic, payload, banks, weights })
    });
    MapRequest {
        mode: settings.mode,
        lanes: settings.lanes,
        rows: settings.rows,
        payload: settings.payload,
        banks: settings.banks,
        weights: settings.weights,
        overrides: layers.collect(),
        ..MapRequest::new(settings.target)
    }
}

/// What is wrong with the settings of an ONNX network, whatever the network is.
fn setting_problems(settings: &Settings) -> Vec<Problem> {
    let mut problems = map_request(settings).problems();
    problems.extend(settings.nir_only().into_iter().map(|name| {
        Problem::new(format!("the setting '{name}' is for NIR files, and the network is ONNX")).help("leave it out")
    }));
    if settings.calibration_limit == 0 {
        problems.push(Problem::new("a calibration limit of 0 leaves no image").help("give at least 1"));
    }
    problems.extend(quant_settings(settings).limits());
    problems
}

/// The spiking network, if nothing is wrong with it or with the settings of any stage.
fn checked(model: &Model, settings: &Settings) -> Result<SnnGraph> {
    let mut problems = setting_problems(settings);
    match convert(&model.graph, settings).map_err(|e| e.in_file(&model.name)) {
        Ok(snn) => {
            problems.extend(quant_settings(settings).unknown_layers(&snn));
            Error::check(Kind::Input, problems)?;
            Ok(snn)
        }
        Err(e) if e.kind == Kind::Input => {
            problems.extend(e.problems);
            Err(Error { kind: Kind::Input, problems })
        }
        Err(e) => Err(e),
    }
}

/// How many events the calibration images made in a design when it was compiled.
pub fn design_traffic(design: &Design) -> Vec<Traffic> {
    design
        .origin
        .traffic
        .iter()
        .map(|&(events, bits)| Traffic { events: events as f64 / 1000.0, set_bits: bits as f64 / 1000.0 })
        .collect()
}
