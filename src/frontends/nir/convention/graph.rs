//! The notes on a graph: its time step, and what a sample is.

use super::{CONVENTION, PREFIX};
use crate::error::Problem;
use crate::fixed::PixelFormat;
use crate::frontends::nir::array::Array;
use crate::frontends::nir::model::{Meta, Metadata, NirGraph, Node};

/// Steps of a sample, at most.
const MAX_STEPS: i64 = 0xffff;

/// How images become what the Input gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// What the rows hold.
    pub rows: Rows,
    /// Steps of a sample.
    pub steps: u32,
    /// How a pixel becomes a code.
    pub pixels: PixelFormat,
}

/// What the rows of a sample hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Pixel codes in the first step, then zeros.
    First,
    /// Pixel codes in every step.
    Every,
    /// In every step a spike for each pixel whose encoder fires.
    Encoded,
    /// Recorded spikes: no images.
    Train,
}

impl Rows {
    const ALL: [(Rows, &str); 4] =
        [(Rows::First, "first-step"), (Rows::Every, "every-step"), (Rows::Encoded, "encoded"), (Rows::Train, "train")];

    /// The value of `synfire_input`.
    pub fn name(self) -> &'static str {
        Rows::ALL.into_iter().find(|(rows, _)| *rows == self).map_or("", |(_, name)| name)
    }
}

impl Presentation {
    /// The values of a sample, `[steps, inputs]` row-major. `codes` are one per input, or for encoded pixels and recorded spikes one
    /// per step and input already.
    pub fn sample(&self, codes: &[i64]) -> Vec<f64> {
        let steps = self.steps as usize;
        let values = codes.iter().map(|&code| code as f64);
        match self.rows {
            Rows::Encoded | Rows::Train => values.collect(),
            Rows::Every => values.cycle().take(codes.len().saturating_mul(steps)).collect(),
            Rows::First => {
                let silent = codes.len().saturating_mul(steps.saturating_sub(1));
                values.chain(std::iter::repeat_n(0.0, silent)).collect()
            }
        }
    }
}

/// What a graph's metadata say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphNotes {
    /// The time step in seconds.
    pub dt: Option<f64>,
    /// What a sample is.
    pub presentation: Option<Presentation>,
}

impl GraphNotes {
    /// Reads a graph's metadata. Every note that is unknown, missing beside others or means nothing goes to `problems`.
    pub fn of(metadata: &Metadata, problems: &mut Vec<Problem>) -> GraphNotes {
        let dt = match metadata.get("dt") {
            Some(Meta::Value(value)) => value.single().filter(|dt| dt.is_finite() && *dt > 0.0),
            _ => None,
        };
        let (mut rows, mut steps, mut bits, mut zero) = (None, None, None, None);
        let before = problems.len();
        for (key, meta) in metadata.iter().filter(|(key, _)| key.starts_with(PREFIX)) {
            let Meta::Value(value) = meta else {
                problems.push(foreign(format!("the graph's note '{key}' is a group")));
                continue;
            };
            let whole = value.to_integers();
            let single = match whole.as_deref() {
                Some(&[number]) => Some(number),
                _ => None,
            };
            let within = |most: i64| single.filter(|n| (1..=most).contains(n)).and_then(|n| u32::try_from(n).ok());
            let understood = match key.as_str() {
                "synfire_convention" => match single {
                    Some(1..=CONVENTION) => true,
                    Some(version) => {
                        problems.push(foreign(format!(
                            "the notes follow version {version} of Synfire's convention; {CONVENTION} is known here"
                        )));
                        continue;
                    }
                    None => false,
                },
                "synfire_input" => {
                    rows = Rows::ALL.into_iter().find(|(_, name)| value.as_text() == Some(name)).map(|(rows, _)| rows);
                    rows.is_some()
                }
                "synfire_steps" => {
                    steps = within(MAX_STEPS);
                    steps.is_some()
                }
                "synfire_pixel_bits" => {
                    bits = within(16);
                    bits.is_some()
                }
                "synfire_pixel_zero" => {
                    zero = whole.filter(|zero| zero.iter().all(|z| (0..=0xffff).contains(z)));
                    zero.is_some()
                }
                _ => false,
            };
            if !understood {
                problems.push(foreign(format!("the graph's note '{key}' is not understood")));
            }
        }
        let presentation = match (rows, steps, bits) {
            (Some(Rows::Train), Some(steps), _) => {
                Some(Presentation { rows: Rows::Train, steps, pixels: PixelFormat::unsigned(1) })
            }
            (Some(rows), Some(steps), Some(bits)) => {
                Some(Presentation { rows, steps, pixels: PixelFormat { bits, zero: zero.unwrap_or_default() } })
            }
            (None, None, None) if zero.is_none() => None,
            _ => {
                if problems.len() == before {
                    problems.push(foreign(
                        "the graph's notes 'synfire_input', 'synfire_steps' and 'synfire_pixel_bits' need each other"
                            .into(),
                    ));
                }
                None
            }
        };
        GraphNotes { dt, presentation }
    }

    /// The metadata that say this.
    pub fn to_metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        let mut put = |key: &str, value: Array| metadata.insert(key.to_string(), Meta::Value(value));
        put("synfire_convention", Array::integer(CONVENTION));
        if let Some(dt) = self.dt {
            put("dt", Array::scalar(dt));
        }
        if let Some(Presentation { rows, steps, pixels }) = &self.presentation {
            put("synfire_input", Array::text(rows.name()));
            put("synfire_steps", Array::integer((*steps).into()));
            if *rows != Rows::Train {
                put("synfire_pixel_bits", Array::integer(pixels.bits.into()));
            }
            if !pixels.zero.is_empty() {
                put("synfire_pixel_zero", Array::whole(&pixels.zero));
            }
        }
        metadata
    }
}

/// Refuses notes on nested graphs, which nobody would read.
pub fn nested(graph: &NirGraph, problems: &mut Vec<Problem>) {
    for (name, node) in &graph.nodes {
        let Node::Graph(inner) = node else { continue };
        for key in inner.metadata.keys().filter(|key| key.starts_with(PREFIX)) {
            let problem = Problem::new(format!("the note '{key}' is on a nested graph")).at_node(name);
            problems
                .push(problem.help("only the outermost graph and neurons can have notes that begin with 'synfire_'"));
        }
        nested(inner, problems);
    }
}

fn foreign(what: String) -> Problem {
    Problem::new(what).help("use the version of synfire that wrote the file, or a later one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes() -> GraphNotes {
        let pixels = PixelFormat { bits: 8, zero: vec![124, 116, 104] };
        GraphNotes { dt: Some(1.0), presentation: Some(Presentation { rows: Rows::First, steps: 16, pixels }) }
    }

    fn of(metadata: &Metadata) -> (GraphNotes, Vec<Problem>) {
        let mut problems = Vec::new();
        (GraphNotes::of(metadata, &mut problems), problems)
    }

    #[test]
    fn notes_come_back_from_metadata() {
        let mut train = notes();
        train.presentation = Some(Presentation { rows: Rows::Train, steps: 256, pixels: PixelFormat::unsigned(1) });
        for notes in [notes(), train, GraphNotes { dt: None, presentation: None }] {
            assert_eq!(of(&notes.to_metadata()), (notes, vec![]));
        }
        assert_eq!(of(&Metadata::new()), (GraphNotes::default(), vec![]));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let with = |key: &str, value: Array| {
            let mut metadata = notes().to_metadata();
            metadata.insert(key.to_string(), Meta::Value(value));
            of(&metadata).1.len()
        };
        assert_eq!(with("who", Array::text("nobody")), 0);
        assert_eq!(with("synfire_convention", Array::integer(2)), 1);
        assert_eq!(with("synfire_convention", Array::integer(0)), 1);
        assert_eq!(with("synfire_input", Array::text("sometimes")), 1);
        assert_eq!(with("synfire_steps", Array::integer(1 << 40)), 1);
        assert_eq!(with("synfire_pixel_bits", Array::integer(17)), 1);
        assert_eq!(with("synfire_pixel_zero", Array::whole(&[-1, 0, 0])), 1);
        assert_eq!(with("synfire_colour", Array::text("red")), 1);
        let mut metadata = notes().to_metadata();
        metadata.remove("synfire_steps");
        assert_eq!(of(&metadata).1.len(), 1);
    }

    #[test]
    fn samples_hold_the_codes_once_or_in_every_step() {
        let sample =
            |rows, codes: &[i64]| Presentation { rows, steps: 3, pixels: PixelFormat::unsigned(8) }.sample(codes);
        assert_eq!(sample(Rows::First, &[5, -2]), [5.0, -2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(sample(Rows::Every, &[5, -2]), [5.0, -2.0, 5.0, -2.0, 5.0, -2.0]);
        assert_eq!(sample(Rows::Train, &[1, 0, 1]), [1.0, 0.0, 1.0]);
    }
}
