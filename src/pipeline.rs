//! The compiler from end to end: the one list of its passes.

use crate::convert::nir::{Import, import_nir};
use crate::data::{self, Images};
use crate::design::{Design, Origin};
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::PixelFormat;
use crate::frontends;
use crate::frontends::nir::Dialect;
use crate::golden::functional::Functional;
use crate::ir::graph::Graph;
use crate::ir::mapped::{MappedNet, Target};
use crate::ir::quant::QuantGraph;
use crate::ir::snn::SnnGraph;
use crate::ir::stream::Beat;
use crate::map::cost::Traffic;
use crate::map::{self, LayerChoice, MapRequest};
use crate::quantise::{self, LeakySettings, QuantSettings};
use crate::rtl::Vectors;
use crate::settings::{Count, LayerSettings, Settings};
use std::path::Path;

mod warnings;

pub use warnings::warnings;

/// Calibration images that the emitted bench sends.
const BENCH_IMAGES: usize = 4;

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
        let graph = frontends::onnx::parse(&source, &frontends::name_of(model)).map_err(|e| e.in_file(model))?;
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
    let stages = Stages::new(model, settings)?;
    let net = stages.mapped(settings)?;
    let vectors = stages.vectors(&net)?;
    Ok(Design {
        origin: Origin {
            model: model.name.clone(),
            calibration: model.calibration_name.clone(),
            calibration_images: stages.calibration.len(),
            traffic: stages.traffic.iter().map(|t| (thousandths(t.events), thousandths(t.set_bits))).collect(),
        },
        net,
        settings: settings.clone(),
        source: model.source.clone(),
        vectors,
    })
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
        let LayerSettings { mode, lanes, rows, payload, banks, .. } = *layer;
        let automatic = [lanes, rows].map(|count| count == Some(Count(None)));
        let [lanes, rows] = [lanes, rows].map(|count| count?.0);
        (name.clone(), LayerChoice { mode, lanes, rows, automatic, payload, banks })
    });
    MapRequest {
        mode: settings.mode,
        lanes: settings.lanes,
        rows: settings.rows,
        payload: settings.payload,
        banks: settings.banks,
        overrides: layers.collect(),
        ..MapRequest::new(settings.target)
    }
}

/// The spiking network, if nothing is wrong with it or with the settings of any stage.
fn checked(model: &Model, settings: &Settings) -> Result<SnnGraph> {
    let mut problems = map_request(settings).problems();
    if settings.calibration_limit == 0 {
        problems.push(Problem::new("a calibration limit of 0 leaves no image").help("give at least 1"));
    }
    let quant_settings = quant_settings(settings);
    problems.extend(quant_settings.limits());
    match convert(&model.graph, settings).map_err(|e| e.in_file(&model.name)) {
        Ok(snn) => {
            problems.extend(quant_settings.unknown_layers(&snn));
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

/// NIR file → SnnGraph → QuantGraph. `dt` is the time step in seconds; [`Import`] says which was used. The settings say what the network
/// reads: pixels as spikes by the integer encoder (feed [`data::presented`]) or recorded trains (feed [`data::load_trains`]).
///
/// # Errors
/// Everything that is wrong with the file or the settings, and every node that cannot become hardware.
pub fn quantise_nir(
    file: &Path,
    dt: Option<f64>,
    dialect: Dialect,
    settings: &LeakySettings,
) -> Result<(Import, QuantGraph)> {
    let import = import_nir(file, dt, dialect)?;
    let net = quantise::quantise_leaky(&import.snn, settings).map_err(|e| e.in_file(file))?;
    Ok((import, net))
}

/// The float and integer stages of one network, and what the calibration images do in it.
struct Stages {
    calibration: Images,
    quant: QuantGraph,
    functional: Functional,
    traffic: Vec<Traffic>,
}

impl Stages {
    fn new(model: &Model, settings: &Settings) -> Result<Stages> {
        let snn = checked(model, settings)?;
        let quant = quantise(&snn, &model.calibration, settings)?;
        let functional = Functional::new(&quant)?;
        let calibration = model.calibration.clone().truncated(settings.calibration_limit);
        let traffic = traffic(&functional, &quant, &calibration)?;
        Ok(Stages { calibration, quant, functional, traffic })
    }

    fn mapped(&self, settings: &Settings) -> Result<MappedNet> {
        let request = MapRequest {
            events: self.traffic.iter().map(|t| t.events).collect(),
            event_bits: self.traffic.iter().map(|t| (t.set_bits / t.events.max(1e-9)).max(1.0)).collect(),
            ..map_request(settings)
        };
        let net = map::map(self.quant.clone(), &request)?;
        Error::check(Kind::Internal, net.check())?;
        Ok(net)
    }

    /// What the bench sends and expects, by the functional golden model.
    fn vectors(&self, net: &MappedNet) -> Result<Vectors> {
        let mut vectors = Vectors::default();
        for i in 0..self.calibration.len().min(BENCH_IMAGES) {
            let codes = self.calibration.codes(i, &self.quant.pixels);
            vectors.inputs.extend(Beat::image_of(&codes, &net.stream(net.input()).layout, net.quant.phases()));
            let logits = self.functional.image(&codes)?.logits;
            let ids = net.stream(net.output()).layout;
            let order = net.cores().last().into_iter().flat_map(|(_, _, readout)| readout.grid().neurons());
            vectors.outputs.extend(order.filter_map(|n| Some(Beat::event(ids.id(n), *logits.get(n)?))));
            vectors.outputs.push(Beat::END);
        }
        Ok(vectors)
    }
}

/// Rounded, but never to nothing: 0 means that nothing was sent at all.
fn thousandths(x: f64) -> u64 {
    ((x * 1000.0).round() as u64).max(u64::from(x > 0.0))
}

/// Mean events per image that each population sends, and the set bits of their payloads, on the calibration images.
fn traffic(functional: &Functional, quant: &QuantGraph, calibration: &Images) -> Result<Vec<Traffic>> {
    let mut events = vec![0u64; quant.populations.len()];
    let mut bits = vec![0u64; quant.populations.len()];
    for i in 0..calibration.len() {
        let outcome = functional.image_by_phase(&calibration.codes(i, &quant.pixels))?;
        for (pop, counts) in outcome.phases.iter().flatten().flat_map(|phase| phase.iter().enumerate()) {
            let unit = quant.max_payload(crate::ir::PopId(pop)) == 1;
            for &n in counts {
                events[pop] += if unit { n.unsigned_abs() } else { u64::from(n != 0) };
                bits[pop] += if unit { n.unsigned_abs() } else { u64::from(n.count_ones()) };
            }
        }
    }
    let images = calibration.len().max(1) as f64;
    Ok(events
        .into_iter()
        .zip(bits)
        .map(|(events, bits)| Traffic { events: events as f64 / images, set_bits: bits as f64 / images })
        .collect())
}

/// What the calibration images did in a design when it was compiled.
pub fn design_traffic(design: &Design) -> Vec<Traffic> {
    design
        .origin
        .traffic
        .iter()
        .map(|&(events, bits)| Traffic { events: events as f64 / 1000.0, set_bits: bits as f64 / 1000.0 })
        .collect()
}
