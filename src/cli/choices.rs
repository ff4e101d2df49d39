//! Settings on the command line.

use crate::error::Result;
use crate::fixed::Normalisation;
use crate::frontends::nir::Dialect;
use crate::ir::mapped::{Payload, Target};
use crate::ir::quant::Coding;
use crate::quantise::Arithmetic;
use crate::settings::{BanksChoice, Encoding, ModeChoice, Settings, WeightsChoice, parse_normalisation};
use std::path::PathBuf;

pub(super) const SETTINGS_HELP: &str = "Examples:\n  synfire compile net.onnx --calibrate train-images.gz --out design --target ecp5-25k\n  \
    synfire run design --images test-images.gz --labels test-labels.gz\n  \
    synfire compile net.nir --dt 0.001 --timesteps 16 --out design\n  \
    synfire run design --images spike-trains.npy\n\n\
    ONNX or NIR is told by the file's content. A NIR network (LIF, CubaLIF, IF, …) needs no calibration. By default its input\n\
    are spikes: 'run' and 'cosim' encode images, or take recorded trains, NPY [samples, T, input shape].\n\n\
    Settings file (all keys optional):\n  target = \"ecp5-25k\"   timesteps = 16   weight-bits = 8   \
    input-bits = 8\n  coding = \"graded\"     mode = \"auto\"   lanes = 16   rows = 4   payload = \"multiply\"\n  \
    banks = \"patch\"   weights = \"auto\"   calibration-limit = 512   bias-calibration = true\n  normalize = { mean = [0.5], std = [0.5] }\n  \
    NIR alone: encoding = \"rate\"   spikes-per-step = 1   dt = 0.001   nir-dialect = \"nir\"   arithmetic = \"auto\"   \
    neuron-spikes-per-step = 15\n  \
    [layers.NAME]         # a name as 'synfire inspect MODEL --stage snn' prints it\n  weight-bits, mode, lanes, rows, payload, banks, weights\n\
    Precedence: [layers.NAME], then command line, then top level of the file, then default.\n\
    Every setting used is written to design.json. The design is written whole or not at all.";

/// Settings on the command line; `None` leaves what the file or the default says.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// Settings file; command-line options override its top level, its [layers.NAME] tables override both
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Device [default: ecp5-25k, for the demo ice40-hx8k]
    #[arg(long)]
    target: Option<Target>,
    /// Time steps T, 1 to 255: activations have T + 1 levels; of a NIR network, steps of a sample, 1 to 65535 [default: 16]
    #[arg(long, value_name = "T")]
    timesteps: Option<u32>,
    /// Bits of a weight, 2 to 16 [default: 8]
    #[arg(long, value_name = "BITS")]
    weight_bits: Option<u32>,
    /// Bits of a pixel, 1 to 16 [default: 8]
    #[arg(long, value_name = "BITS")]
    input_bits: Option<u32>,
    /// Kind of core [default: auto]
    #[arg(long)]
    mode: Option<ModeChoice>,
    /// Neurons per cycle of every core, in layers with pixels channels per cycle; auto trades cycles for area on the target [default: auto]
    #[arg(long, value_name = "auto|N", value_parser = parse_count)]
    lanes: Option<Count>,
    /// Inputs per cycle of every matrix core, a power of two [default: auto]
    #[arg(long, value_name = "auto|N", value_parser = parse_count)]
    rows: Option<Count>,
    /// How event cores multiply [default: chosen by the mapper]
    #[arg(long, value_parser = parse_payload, value_name = "multiply|shift-add")]
    payload: Option<Payload>,
    /// Neighbouring pixels per cycle of event cores whose layers have pixels: 1, all receivers of an event (patch), or so many rows
    /// and columns [default: auto]
    #[arg(long, value_name = "auto|1|patch|RxC")]
    banks: Option<BanksChoice>,
    /// Where the weights are: in block RAMs (internal), in a memory outside behind a port of the top (external, event cores only), or
    /// outside as far as the block RAMs do not suffice [default: auto]
    #[arg(long, value_name = "auto|internal|external")]
    weights: Option<WeightsChoice>,
    /// How activations become spikes: graded (one event per active neuron), unit (one per spike) or rate; NIR networks always fire in
    /// every step, which is rate [default: graded]
    #[arg(long, value_parser = parse_coding, value_name = "graded|unit|rate")]
    coding: Option<Coding>,
    /// What the float network expects in front of its input: (pixel - MEAN) / STD, one value or one per channel, e.g.
    /// 0.485,0.456,0.406/0.229,0.224,0.225. It is stored in the design and folded into the weights
    #[arg(long, value_name = "MEAN[,…]/STD[,…]", allow_hyphen_values = true, value_parser = parse_normalisation)]
    normalize: Option<Normalisation>,
    /// Use the first N calibration images [default: 512]
    #[arg(long, value_name = "N")]
    calibration_limit: Option<usize>,
    /// NIR: what the network reads. rate: spikes, into which an integrate-and-fire encoder per pixel turns images; recorded trains of
    /// 0 and 1 fit too. constant: a pixel's value, the same in every step. spikes: recorded trains alone [default: rate]
    #[arg(long, value_parser = parse_encoding, value_name = "rate|constant|spikes")]
    encoding: Option<Encoding>,
    /// NIR with --encoding spikes: most spikes of one input in a step, 1 to 255 [default: 1]
    #[arg(long, value_name = "N")]
    spikes_per_step: Option<u32>,
    /// NIR: most spikes in a step of neurons that may send several, as sinabs' do, 1 to 4095; what is above stays in the membrane, and
    /// 'run' counts how often [default: what the samples of --calibrate need, layer by layer; without them 15]
    #[arg(long, value_name = "N")]
    neuron_spikes_per_step: Option<u32>,
    /// NIR: time step, which NIR files do not hold; without it, a file's metadata decide, or 1 for networks without units
    #[arg(long, value_name = "SECONDS")]
    dt: Option<f64>,
    /// NIR: whose neuron equations to follow [default: nir]
    #[arg(long, value_parser = parse_dialect, value_name = "nir|snntorch|norse|sinabs")]
    nir_dialect: Option<Dialect>,
    /// NIR: whose integers. loihi: Loihi 2's, and what these cannot express is refused; free: thresholds and biases as fine as the
    /// fraction bits allow; auto: Loihi 2's where they cost no accuracy [default: auto]
    #[arg(long, value_parser = parse_arithmetic, value_name = "auto|loihi|free")]
    arithmetic: Option<Arithmetic>,
}

/// `auto` or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count(Option<usize>);

fn parse_count(text: &str) -> std::result::Result<Count, String> {
    match text {
        "auto" => Ok(Count(None)),
        _ => text.parse().map(|n| Count(Some(n))).map_err(|_| "expected 'auto' or a number".into()),
    }
}

/// The variants of a settings enum under the names that the settings file uses.
fn parse_name<T: serde::de::DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_string())).map_err(|e| e.to_string())
}

fn parse_payload(text: &str) -> std::result::Result<Payload, String> {
    parse_name(text)
}

fn parse_coding(text: &str) -> std::result::Result<Coding, String> {
    parse_name(text)
}

fn parse_encoding(text: &str) -> std::result::Result<Encoding, String> {
    parse_name(text)
}

pub(super) fn parse_dialect(text: &str) -> std::result::Result<Dialect, String> {
    parse_name(text)
}

fn parse_arithmetic(text: &str) -> std::result::Result<Arithmetic, String> {
    parse_name(text)
}

impl Choices {
    /// What these choices ask for, over the settings file, or over `default` where there is none.
    ///
    /// # Errors
    /// The settings file cannot be read or is not valid.
    pub fn settings(&self, default: Settings) -> Result<Settings> {
        let mut settings = match &self.config {
            Some(file) => Settings::load(file, &default)?,
            None => default,
        };
        self.apply(&mut settings);
        Ok(settings)
    }

    /// Lays these choices over `settings`.
    fn apply(&self, settings: &mut Settings) {
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(value) = from {
                *to = value.clone();
            }
        }
        set(&mut settings.target, &self.target);
        set(&mut settings.timesteps, &self.timesteps);
        set(&mut settings.weight_bits, &self.weight_bits);
        set(&mut settings.input_bits, &self.input_bits);
        set(&mut settings.mode, &self.mode);
        set(&mut settings.lanes, &self.lanes.map(|c| c.0));
        set(&mut settings.rows, &self.rows.map(|c| c.0));
        set(&mut settings.banks, &self.banks);
        set(&mut settings.weights, &self.weights);
        set(&mut settings.coding, &self.coding);
        set(&mut settings.calibration_limit, &self.calibration_limit);
        fn set_option<T: Clone>(to: &mut Option<T>, from: &Option<T>) {
            if from.is_some() {
                to.clone_from(from);
            }
        }
        set_option(&mut settings.payload, &self.payload);
        set_option(&mut settings.normalize, &self.normalize);
        set_option(&mut settings.encoding, &self.encoding);
        set_option(&mut settings.spikes_per_step, &self.spikes_per_step);
        set_option(&mut settings.neuron_spikes_per_step, &self.neuron_spikes_per_step);
        set_option(&mut settings.dt, &self.dt);
        set_option(&mut settings.nir_dialect, &self.nir_dialect);
        set_option(&mut settings.arithmetic, &self.arithmetic);
    }
}
