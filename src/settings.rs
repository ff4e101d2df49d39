//! Everything that a user can choose when compiling.
//!
//! A value is taken from the first of these that gives it:
//! 1. the layer's own table in the settings file (`[layers.NAME]`),
//! 2. the command line,
//! 3. the top level of the settings file,
//! 4. the default.
//!
//! The result is written to `design.json` whole. Networks from NIR files have settings of their own, which other designs do not
//! hold, and defaults of their own ([`Settings::spiking`]).

use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::{Normalisation, grouped};
use crate::frontends::nir::Dialect;
use crate::ir::mapped::{Payload, Target};
use crate::ir::quant::{Coding, Input};
pub use crate::map::{BanksChoice, ModeChoice, WeightsChoice};
use crate::quantise::Arithmetic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// No settings file needs more.
const LARGEST_FILE: u64 = 1 << 20;

/// The settings of one compilation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The device.
    pub target: Target,
    /// Time steps `T`.
    pub timesteps: u32,
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Bits of a pixel.
    pub input_bits: u32,
    /// How activations become spikes.
    pub coding: Coding,
    /// Which kind of core.
    pub mode: ModeChoice,
    /// Neurons per cycle, in layers with pixels channels per cycle; `None` (`auto` in a file) lets the mapper choose.
    #[serde(deserialize_with = "auto_or_count")]
    pub lanes: Option<usize>,
    /// Inputs per cycle of matrix cores; `None` (`auto` in a file) lets the mapper choose.
    #[serde(deserialize_with = "auto_or_count")]
    pub rows: Option<usize>,
    /// How event cores multiply; `None` lets the mapper choose.
    pub payload: Option<Payload>,
    /// Banks of membranes of event cores that have pixels.
    pub banks: BanksChoice,
    /// Where the weights are.
    #[serde(skip_serializing_if = "WeightsChoice::is_auto")]
    pub weights: WeightsChoice,
    /// What the float network expects in front of its input.
    pub normalize: Option<Normalisation>,
    /// Calibration images used, from the first on.
    pub calibration_limit: usize,
    /// Corrects the mean activation of every neuron on the calibration images.
    pub bias_calibration: bool,
    /// NIR networks: what the input reads; pixels as spikes where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// NIR networks that read recorded spikes: the most of one input in a step, 1 to 255; 1 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spikes_per_step: Option<u32>,
    /// NIR networks with neurons that may send several spikes in a step: the most, 1 to 4095. Where nothing is said, what
    /// samples need, and 15 without samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neuron_spikes_per_step: Option<u32>,
    /// NIR networks: the time step in seconds. Without one the file decides, if it can; a design holds what was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt: Option<f64>,
    /// NIR networks: whose neuron equations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nir_dialect: Option<Dialect>,
    /// NIR networks: whose integers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arithmetic: Option<Arithmetic>,
    /// Exceptions, by layer name as `synfire inspect` prints it.
    pub layers: BTreeMap<String, LayerSettings>,
}

/// What the input of a spiking network reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Spikes: pixels by an integer integrate-and-fire encoder each, or recorded trains of 0 and 1.
    #[default]
    Rate,
    /// A pixel's value, the same in every step.
    Constant,
    /// Recorded spike trains.
    Spikes,
}

/// What can differ from layer to layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerSettings {
    /// Bits of a weight.
    pub weight_bits: Option<u32>,
    /// Which kind of core.
    pub mode: Option<ModeChoice>,
    /// Neurons per cycle.
    pub lanes: Option<Count>,
    /// Inputs per cycle of a matrix core.
    pub rows: Option<Count>,
    /// How an event core multiplies.
    pub payload: Option<Payload>,
    /// Banks of membranes of an event core that has pixels.
    pub banks: Option<BanksChoice>,
    /// Where the weights are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsChoice>,
}

/// A number, or `auto`: the mapper chooses whatever is asked of the whole network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Word", into = "Word")]
pub struct Count(pub Option<usize>);

/// As a file writes it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Word {
    Number(usize),
    Text(String),
}

impl TryFrom<Word> for Count {
    type Error = String;

    fn try_from(word: Word) -> std::result::Result<Self, String> {
        match word {
            Word::Number(n) => Ok(Count(Some(n))),
            Word::Text(text) if text == "auto" => Ok(Count(None)),
            Word::Text(text) => Err(format!("expected 'auto' or a number, not '{text}'")),
        }
    }
}

impl From<Count> for Word {
    fn from(count: Count) -> Word {
        count.0.map_or_else(|| Word::Text("auto".into()), Word::Number)
    }
}

/// Nothing, `auto` or a number.
fn auto_or_count<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Option<usize>, D::Error> {
    Ok(Option::<Count>::deserialize(from)?.and_then(|count| count.0))
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            target: Target::Ecp5_25k,
            timesteps: 16,
            weight_bits: 8,
            input_bits: 8,
            coding: Coding::Graded,
            mode: ModeChoice::Auto,
            lanes: None,
            rows: None,
            payload: None,
            banks: BanksChoice::Auto,
            weights: WeightsChoice::Auto,
            normalize: None,
            calibration_limit: 512,
            bias_calibration: true,
            encoding: None,
            spikes_per_step: None,
            neuron_spikes_per_step: None,
            dt: None,
            nir_dialect: None,
            arithmetic: None,
            layers: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// The defaults for networks of spiking neurons: these fire in every step, and have nothing to calibrate.
    pub fn spiking() -> Self {
        Settings { coding: Coding::Rate, bias_calibration: false, ..Settings::default() }
    }

    /// Reads a TOML settings file; `base` holds what it leaves out.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or holds an unknown key or an impossible value.
    pub fn load(file: &Path, base: &Settings) -> Result<Self> {
        let mut text = String::new();
        File::open(file)
            .and_then(|f| f.take(LARGEST_FILE + 1).read_to_string(&mut text))
            .map_err(|e| Error::io(file, "read the settings", &e))?;
        if text.len() as u64 > LARGEST_FILE {
            let what = format!("has more than {} bytes, which no settings file needs", grouped(LARGEST_FILE));
            return Err(Problem::new(what).in_file(file).into());
        }
        parse(&text, base).map_err(|what| {
            Error::new(
                Kind::Input,
                Problem::new(format!("is not a valid settings file: {}", what.trim_end()))
                    .in_file(file)
                    .help("see 'synfire compile --help' for the keys"),
            )
        })
    }

    /// What the source of the network sends.
    pub fn input(&self) -> Input {
        match self.encoding {
            None | Some(Encoding::Constant) => Input::Constant,
            Some(Encoding::Rate) => Input::Encoded,
            Some(Encoding::Spikes) => Input::Train { max: self.spikes_per_step.unwrap_or(1).into() },
        }
    }

    /// The settings that only NIR networks have, of those that are given.
    pub fn nir_only(&self) -> Vec<&'static str> {
        let given = [
            ("encoding", self.encoding.is_some()),
            ("spikes-per-step", self.spikes_per_step.is_some()),
            ("neuron-spikes-per-step", self.neuron_spikes_per_step.is_some()),
            ("dt", self.dt.is_some()),
            ("nir-dialect", self.nir_dialect.is_some()),
            ("arithmetic", self.arithmetic.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }
}

/// The settings in a TOML text over `base`.
fn parse(text: &str, base: &Settings) -> std::result::Result<Settings, String> {
    // Of the two readings this one says where in the text a mistake is.
    toml::from_str::<Settings>(text).map_err(|e| e.to_string())?;
    let given: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    let mut all = toml::Table::try_from(base).map_err(|e| e.to_string())?;
    all.extend(given);
    all.try_into().map_err(|e: toml::de::Error| e.to_string())
}

/// `MEAN[,…]/STD[,…]`, e.g. `0.485,0.456,0.406/0.229,0.224,0.225`.
pub fn parse_normalisation(text: &str) -> std::result::Result<Normalisation, String> {
    let (mean, std) = text.split_once('/').ok_or("expected MEAN[,…]/STD[,…]")?;
    let list = |part: &str, what: &str| -> std::result::Result<Vec<f32>, String> {
        part.split(',')
            .map(|v| match v.trim().parse::<f32>() {
                Ok(x) if x.is_finite() => Ok(x),
                _ => Err(format!("'{v}' is not a finite number ({what})")),
            })
            .collect()
    };
    let (mean, std) = (list(mean, "mean")?, list(std, "standard deviation")?);
    if mean.len() != std.len() {
        return Err(format!("{} means but {} standard deviations", mean.len(), std.len()));
    }
    if let Some(s) = std.iter().find(|s| **s <= 0.0) {
        return Err(format!("the standard deviation {s} is not positive"));
    }
    Ok(Normalisation { mean, std })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalisation_needs_two_equally_long_lists() {
        let n = parse_normalisation("0.5, 0.25,0/1,2,3").unwrap();
        assert_eq!((n.mean, n.std), (vec![0.5, 0.25, 0.0], vec![1.0, 2.0, 3.0]));
        for bad in ["0.5", "0.5/", "0.5/0", "0.5/-1", "1,2/1", "nan/1", "0/inf", "a/b"] {
            assert!(parse_normalisation(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_is_laid_over_the_defaults_of_its_kind_of_network() {
        let text = "timesteps = 256\ndt = 1e-4\nnir-dialect = 'sinabs'\nencoding = 'spikes'\nspikes-per-step = 3\n\
                    neuron-spikes-per-step = 7\n";
        let settings = parse(text, &Settings::spiking()).unwrap();
        assert_eq!((settings.coding, settings.bias_calibration, settings.timesteps), (Coding::Rate, false, 256));
        assert_eq!(
            (settings.dt, settings.nir_dialect, settings.input()),
            (Some(1e-4), Some(Dialect::Sinabs), Input::Train { max: 3 })
        );
        assert_eq!(settings.nir_only(), ["encoding", "spikes-per-step", "neuron-spikes-per-step", "dt", "nir-dialect"]);
        assert_eq!(parse("coding = 'graded'", &Settings::spiking()).unwrap().coding, Coding::Graded);
        assert_eq!(parse("", &Settings::default()).unwrap(), Settings::default());
        assert!(parse("dialect = 'nir'", &Settings::default()).is_err());
    }

    #[test]
    fn unknown_keys_are_refused_and_known_ones_survive_a_round_trip() {
        assert!(toml::from_str::<Settings>("lane = 3").is_err());
        let text = "timesteps = 8\nmode = 'event'\nbanks = 'patch'\n[layers.fc1]\nlanes = 4\npayload = 'shift-add'\nbanks = 1\n";
        let settings: Settings = toml::from_str(text).unwrap();
        assert_eq!(settings.layers["fc1"].lanes, Some(Count(Some(4))));
        assert_eq!(
            (settings.banks, settings.layers["fc1"].banks),
            (BanksChoice::Patch, Some(BanksChoice::Grid([1, 1])))
        );
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), settings);
    }
}
