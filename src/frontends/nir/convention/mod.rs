//! What Synfire notes in `metadata`, because NIR 1.0 has no field for it.
//!
//! A network converted from an ANN starts from a membrane other than 0, resets by subtraction, fires at `v ≥ θ`, and may
//! fire only after all input is in. Python's `nir` keeps metadata but does not interpret it, nor does any simulator, so
//! whoever exports such a network must say that these notes are needed to reproduce its spikes.
//!
//! | key of a neuron's metadata | value | without it |
//! |---|---|---|
//! | `synfire_v_init` | number, or an array that broadcasts to the node's shape: the membrane before the first step | 0 |
//! | `synfire_reset` | `"value"`: to `v_reset`; `"subtract"`: `v −= v_threshold` | the dialect's |
//! | `synfire_subtract` | number, or an array that broadcasts to the node's shape: what a reset by subtraction subtracts | `v_threshold` |
//! | `synfire_compare` | `"greater"`: spike if `v > v_threshold`; `"greater-equal"`: if `v ≥ v_threshold` | the dialect's |
//! | `synfire_firing` | `"step"`: may fire in every step; `"two-phase"`: integrates all `T` steps, then fires | `"step"` |
//! | `synfire_levels` | whole number ≥ 1: the most spikes after a two-phase integration (needed there) | – |
//! | `synfire_payload` | two-phase only. `"unit"`: the count `n` is sent as 1 in the first `n` steps; `"graded"`: as `n` in the first step | `"unit"` |
//! | `synfire_spikes` | whole number ≥ 1: the most spikes of a step, of neurons that reset by subtraction; what is above stays in the membrane | 1, sinabs: no limit |
//! | `synfire_floor` | `"none"`; `"threshold"`: a step ends at `−v_threshold` at least | the dialect's |
//! | `synfire_decay` | `"exact"`, or `"truncate"`: integer arithmetic, see below | `"exact"` |
//! | `synfire_limits` | two numbers: the membrane is clamped to them in every step, before it is compared | none |
//!
//! | key of the graph's metadata | value |
//! |---|---|
//! | `synfire_convention` | whole number: the version of this table, 1. A higher one is refused |
//! | `synfire_input` | what a sample is. `"first-step"`: pixel codes in the first step, then zeros; `"every-step"`: pixel codes in every step; `"encoded"`: spikes of an integer encoder; `"train"`: recorded spikes |
//! | `synfire_steps` | whole number: the steps `T` of a sample |
//! | `synfire_pixel_bits` | whole number `b`: a pixel `x` of `[0, 1]` has the code `round(x · (2^b − 1))` (not for `"train"`) |
//! | `synfire_pixel_zero` | one whole number per channel: is subtracted from the code, so that the zeros around an image mean this pixel |
//! | `dt` | number: the time step in seconds, used where the command line names none |
//!
//! Any other key that begins with `synfire_` is refused, so that a note that matters is not passed over.
//!
//! # Two-phase firing
//! A two-phase node is an IF, in no circle. It takes in all `T` steps of its input with firing disabled; then its count is
//! `n = clip(⌊v/θ⌋, 0, levels)` for `greater-equal` (one less where `v` is a multiple of `θ` for `greater`), and its output
//! has `T` rows again, of which the first `n` hold 1, or the first one holds `n`. A reader adds up the same total either way, and
//! since it fires only after its own last row, the order within the rows does not matter. In hardware the reader's `T` steps
//! are the next phase; here every node simply gets all rows of its senders, so a residual join of branches of different
//! depth needs no care.
//!
//! # Integer decays
//! Hardware keeps whole numbers. With `synfire_decay = "truncate"` a step of LIF, CubaLI and CubaLIF, with `k = round(4096·(1 − dt/τ))`, does
//! ```text
//! u' = trunc(k_syn·u / 4096) + round(dt/τ_syn·w_in)·x          (CubaLI, CubaLIF; else u' = x)
//! v' = trunc(k·v / 4096) + round(dt/τ·r)·u' + round(dt/τ·v_leak)
//! ```
//! where `trunc` rounds towards 0. What is rounded is a whole number already, but for the last digit of `dt/τ`.
//!
//! `convert::nir::export` writes networks by this convention.

mod graph;
mod neuron;

pub(super) use graph::nested;
pub use graph::{GraphNotes, Presentation, Rows};
pub use neuron::{Notes, TwoPhase};

/// The version of the table above.
pub const CONVENTION: i64 = 1;

/// Prefix of all keys of the convention.
pub(super) const PREFIX: &str = "synfire_";
