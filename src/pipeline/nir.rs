//! The passes for networks that are spiking networks already.

use super::probe::{Probe, left_out};
use super::refused::refused;
use super::spikes::{self, Measured};
use super::stages::Stages;
use super::{file_name, map_request, quant_settings};
use crate::convert::nir::{Import, import_graph, import_nir};
use crate::data::Samples;
use crate::design::{Design, Origin};
use crate::error::{Error, Kind, Result};
use crate::frontends::nir::{self, Dialect, NirGraph};
use crate::ir::quant::QuantGraph;
use crate::quantise::{self, LeakySettings};
use crate::settings::{Encoding, Settings};
use std::path::{Path, PathBuf};

/// A network of spiking neurons.
#[derive(Clone, Debug)]
pub struct SpikingModel {
    /// The network.
    pub graph: NirGraph,
    /// The NIR file, byte for byte.
    pub source: Vec<u8>,
    /// Where it was read.
    pub file: PathBuf,
    /// Samples of what it will read, images or recorded spike trains. The modes of cores are chosen for their events, and the bench sends
    /// the first of them; without any, both take random ones.
    pub samples: Option<PathBuf>,
}

impl SpikingModel {
    /// Reads a NIR file.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn open(model: impl AsRef<Path>, samples: Option<&Path>) -> Result<SpikingModel> {
        let model = model.as_ref();
        SpikingModel::parse(crate::frontends::read(model)?, model, samples)
    }

    pub(super) fn parse(source: Vec<u8>, model: &Path, samples: Option<&Path>) -> Result<SpikingModel> {
        let graph = nir::parse(source.clone()).map_err(|e| e.in_file(model))?;
        Ok(SpikingModel { graph, source, file: model.to_path_buf(), samples: samples.map(Path::to_path_buf) })
    }

    /// The network that a design was made of.
    ///
    /// # Errors
    /// The design's copy of the file was changed; the problems name no file.
    pub fn of(design: &Design) -> Result<SpikingModel> {
        let graph = nir::parse(design.source.clone())?;
        // The network is called as when it was compiled.
        let file = PathBuf::from(&design.origin.model);
        Ok(SpikingModel { graph, source: design.source.clone(), file, samples: None })
    }

    /// NIR graph → SnnGraph.
    ///
    /// # Errors
    /// No time step, and every node that cannot become hardware.
    pub fn import(&self, settings: &Settings) -> Result<Import> {
        let how = nir::Settings { dt: settings.dt, dialect: settings.nir_dialect.unwrap_or_default() };
        import_graph(&self.graph, &crate::frontends::name_of(&self.file), how).map_err(|e| e.in_file(&self.file))
    }

    /// NIR graph → SnnGraph → QuantGraph.
    ///
    /// # Errors
    /// As [`Self::import`], and settings that are impossible or that such networks do not have: all at once.
    pub fn quantise(&self, settings: &Settings) -> Result<(Import, QuantGraph)> {
        self.measured(settings, None).map(|(import, net, _)| (import, net))
    }

    /// As [`Self::quantise`], where neurons may send at most as many spikes in a step as in `made`, which was made of the same network:
    /// population by population, whatever samples or settings said then.
    ///
    /// # Errors
    /// As [`Self::quantise`].
    pub fn quantise_as(&self, made: &QuantGraph, settings: &Settings) -> Result<QuantGraph> {
        self.measured(settings, Some(made)).map(|(_, net, _)| net)
    }

    /// As [`Self::quantise`]; at last, why the samples had no say in how many spikes neurons may send in a step, if they should have had.
    fn measured(&self, settings: &Settings, made: Option<&QuantGraph>) -> Result<(Import, QuantGraph, Option<String>)> {
        let mut problems = map_request(settings).problems();
        problems.extend(refused(settings, self.samples.is_some()));
        let quantised = self.import(&used(settings)).and_then(|mut import| {
            made.into_iter().for_each(|made| spikes::bound_as(made, &mut import));
            problems.extend(spikes::unused(settings, &import));
            let net = quantise::quantise_leaky(&import.snn, &leaky_settings(settings));
            let net = net.map_err(|e| e.in_file(&self.file))?;
            let (net, unmeasured) = match &self.samples {
                Some(file) if settings.neuron_spikes_per_step.is_none() && spikes::is_open(&import) => {
                    let samples = Samples::load(file, &net)?.0.truncated(settings.calibration_limit);
                    match spikes::enough_for(&samples, &import, &leaky_settings(settings))? {
                        Measured::Enough(net) => (net, None),
                        Measured::Unknown(reason) => (net, Some(reason)),
                    }
                }
                _ => (net, None),
            };
            Ok((import, net, unmeasured))
        });
        match quantised {
            Err(e) if e.kind != Kind::Input => Err(e),
            Err(e) => {
                problems.extend(e.problems);
                Err(Error { kind: Kind::Input, problems })
            }
            Ok(done) => Error::check(Kind::Input, problems).map(|()| done),
        }
    }
}

/// Compiles a network of spiking neurons. Start from [`Settings::spiking`].
///
/// ```no_run
/// let model = synfire::pipeline::SpikingModel::open("network.nir", None)?;
/// let settings = synfire::Settings { dt: Some(1e-3), ..synfire::Settings::spiking() };
/// synfire::pipeline::compile_spiking(&model, &settings)?.write("design".as_ref(), false)?;
/// # Ok::<(), synfire::Error>(())
/// ```
///
/// # Errors
/// Whatever keeps the network from becoming hardware, and samples that it cannot read.
pub fn compile_spiking(model: &SpikingModel, settings: &Settings) -> Result<Design> {
    let (import, quant, unmeasured) = model.measured(settings, None)?;
    let (probe, left_out) = match &model.samples {
        None => (Probe::random(&quant), None),
        Some(file) => {
            let samples = Samples::load(file, &quant)?.0;
            let left_out = left_out(samples.len(), settings);
            (Probe::Given(samples.truncated(settings.calibration_limit)), left_out)
        }
    };
    // Where samples say it, it is not one number.
    let measured = model.samples.is_some() && unmeasured.is_none();
    let unsaid = if measured { None } else { spikes::default(&import) };
    let neuron_spikes_per_step = settings.neuron_spikes_per_step.or(unsaid);
    let stages = Stages::new(quant, probe)?;
    let (mut net, vectors) = stages.hardware(settings)?;
    let settings = Settings { dt: Some(import.time_step.seconds), neuron_spikes_per_step, ..used(settings) };
    let chosen = decisions(&import, &settings, model.samples.is_some());
    net.decisions.splice(0..0, chosen.into_iter().chain(left_out));
    net.decisions.extend(spikes::decision(&stages, unmeasured.is_none()));
    let origin = Origin {
        model: file_name(&model.file),
        calibration: model.samples.as_deref().map_or_else(String::new, file_name),
        calibration_images: stages.calibration_images(),
        traffic: stages.recorded_traffic(),
        held_back: stages.recorded_saturations(|of| of.held_back),
        clamped: stages.recorded_saturations(|of| of.clamped),
        unmeasured,
    };
    Ok(Design { origin, net, settings, source: model.source.clone(), vectors })
}

/// NIR file → SnnGraph → QuantGraph. `dt` is the time step in seconds; [`Import`] says which was used. The settings say what the network
/// reads: pixels as spikes by the integer encoder or recorded trains; [`Samples`] gives either as the network takes it.
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

/// The settings with the defaults of what nobody chose.
fn used(settings: &Settings) -> Settings {
    let encoding = settings.encoding.unwrap_or_default();
    Settings {
        encoding: Some(encoding),
        spikes_per_step: (encoding == Encoding::Spikes).then(|| settings.spikes_per_step.unwrap_or(1)),
        nir_dialect: Some(settings.nir_dialect.unwrap_or_default()),
        arithmetic: Some(settings.arithmetic.unwrap_or_default()),
        ..settings.clone()
    }
}

fn leaky_settings(settings: &Settings) -> LeakySettings {
    LeakySettings {
        input: used(settings).input(),
        arithmetic: settings.arithmetic.unwrap_or_default(),
        neuron_spikes: settings.neuron_spikes_per_step,
        ..LeakySettings::from(&quant_settings(settings))
    }
}

/// What the compiler chose in the user's place.
fn decisions(import: &Import, settings: &Settings, samples: bool) -> Vec<String> {
    let dialect = settings.nir_dialect.unwrap_or_default();
    let mut decisions = vec![format!("time step {}, neurons of the dialect {dialect}", import.time_step)];
    decisions.push(match settings.encoding.unwrap_or_default() {
        Encoding::Rate => "reads pixels as spikes of an integrate-and-fire encoder each, or recorded spikes".into(),
        Encoding::Constant => "reads pixels, the same in every step".into(),
        Encoding::Spikes => {
            format!("reads recorded spikes, up to {} of an input in a step", settings.spikes_per_step.unwrap_or(1))
        }
    });
    if !samples {
        decisions.push("no samples were given (--calibrate), so cores are chosen for random input".into());
    }
    decisions
}
