//! A waveform of the cycles around a mismatch.

use super::trace::Trace;
use crate::error::{Error, Result};
use crate::golden::cycle::State;
use crate::ir::mapped::{MappedNet, Stream, UnitId};
use crate::ir::stream::Wires;
use fst_writer::{
    FstFileType, FstInfo, FstScopeType, FstSignalId, FstSignalType, FstVarDirection, FstVarType, open_fst,
};
use std::ops::Range;
use std::path::Path;

/// The variables of one stream on one side.
struct StreamVars {
    valid: FstSignalId,
    ready: FstSignalId,
    last: FstSignalId,
    value: FstSignalId,
    id: FstSignalId,
}

/// The variables of one side.
struct Side {
    streams: Vec<StreamVars>,
    /// Of the neuron whose state differs.
    wrong: Option<FstSignalId>,
    /// `valid` and `ready` of the requests of external weights.
    request: Option<[FstSignalId; 2]>,
}

type Header = fst_writer::FstHeaderWriter<std::io::BufWriter<std::fs::File>>;
type Body = fst_writer::FstBodyWriter<std::io::BufWriter<std::fs::File>>;

const CYCLE_BITS: u32 = 64;
/// A neuron's state is shown sign-extended.
const STATE_BITS: u32 = 64;

/// A number that a neuron keeps and that differs in one cycle.
pub(super) struct WrongState {
    /// The cycle in which it was looked at.
    pub cycle: u64,
    /// Its core's unit.
    pub unit: UnitId,
    /// What of the neuron.
    pub state: State,
    /// The neuron.
    pub neuron: usize,
    /// What the model says.
    pub expected: i64,
    /// What the design holds.
    pub got: i64,
}

/// Writes `cycles` as an FST file: the scopes `rtl` and `model` with a scope per stream, the number of the cycle, and `differs`.
/// Requests of external weights are the scope `weights`. If it is a neuron's state that differs, both scopes have it as `u_<unit>.membrane_<neuron>`,
/// `.input_<neuron>` or `.current_<neuron>`, known in its one cycle.
///
/// One nanosecond stands for one cycle. Payloads are `x` while `valid` is 0.
pub(super) fn write(
    path: &Path,
    net: &MappedNet,
    trace: &Trace,
    cycles: Range<u64>,
    wrong: Option<&WrongState>,
) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create the folder", &e))?;
    }
    write_fst(path, net, trace, cycles, wrong).map_err(|e| {
        let source = std::io::Error::other(e.to_string());
        Error::io(path, "write the waveform", &source)
    })
}

fn write_fst(
    path: &Path,
    net: &MappedNet,
    trace: &Trace,
    cycles: Range<u64>,
    wrong: Option<&WrongState>,
) -> fst_writer::Result<()> {
    let info = FstInfo {
        // The writer begins at 0 in any case: until the first cycle shown everything is unknown.
        start_time: 0,
        timescale_exponent: -9,
        version: "synfire".into(),
        // No date: the same mismatch gives the same file.
        date: String::new(),
        file_type: FstFileType::Verilog,
    };
    let mut header = open_fst(path, &info)?;
    let cycle_var = var(&mut header, "cycle", CYCLE_BITS)?;
    let differs = var(&mut header, "differs", 1)?;
    let Side { streams: rtl, wrong: rtl_wrong, request: rtl_request } = side(&mut header, "rtl", net, wrong)?;
    let Side { streams: model, wrong: model_wrong, request: model_request } = side(&mut header, "model", net, wrong)?;
    let mut body = header.finish()?;
    let mut text = Vec::new();
    for cycle in cycles {
        body.time_change(cycle)?;
        bits(&mut body, cycle_var, cycle, CYCLE_BITS, &mut text)?;
        let here = wrong.filter(|m| m.cycle == cycle);
        let differ = here.is_some() || trace.rtl(cycle) != trace.model(cycle);
        bits(&mut body, differs, u64::from(differ), 1, &mut text)?;
        for (vars, frames) in [(&rtl, trace.rtl(cycle)), (&model, trace.model(cycle))] {
            for ((vars, frame), stream) in vars.iter().zip(frames).zip(&net.streams) {
                change(&mut body, vars, &Wires::from(frame), stream, &mut text)?;
            }
        }
        for (request, frames) in [(&rtl_request, trace.rtl(cycle)), (&model_request, trace.model(cycle))] {
            if let (Some([valid, ready]), Some(frame)) = (request, frames.get(net.streams.len())) {
                let wires = Wires::from(frame);
                bits(&mut body, *valid, u64::from(wires.valid), 1, &mut text)?;
                bits(&mut body, *ready, u64::from(wires.ready), 1, &mut text)?;
            }
        }
        let values = here.map_or([None; 2], |m| [Some(m.got), Some(m.expected)]);
        for (var, value) in [rtl_wrong, model_wrong].into_iter().zip(values) {
            match (var, value) {
                (Some(var), Some(value)) => bits(&mut body, var, value as u64, STATE_BITS, &mut text)?,
                (Some(var), None) => unknown(&mut body, var, STATE_BITS, &mut text)?,
                (None, _) => {}
            }
        }
    }
    body.finish()?;
    Ok(())
}

fn var(header: &mut Header, name: &str, width: u32) -> fst_writer::Result<FstSignalId> {
    header.var(name, FstSignalType::bit_vec(width), FstVarType::Wire, FstVarDirection::Implicit, None)
}

fn side(header: &mut Header, name: &str, net: &MappedNet, wrong: Option<&WrongState>) -> fst_writer::Result<Side> {
    header.scope(name, &net.top, FstScopeType::Module)?;
    let mut all = Vec::new();
    for stream in &net.streams {
        header.scope(&stream.name, "stream", FstScopeType::Module)?;
        all.push(StreamVars {
            valid: var(header, "valid", 1)?,
            ready: var(header, "ready", 1)?,
            last: var(header, "last", 1)?,
            value: var(header, "value", stream.value_bits)?,
            id: var(header, "id", stream.id_bits)?,
        });
        header.up_scope()?;
    }
    let mut wrong_var = None;
    if let Some(wrong) = wrong {
        header.scope(format!("u_{}", net.unit(wrong.unit).name), "core", FstScopeType::Module)?;
        wrong_var = Some(var(header, &format!("{}_{}", wrong.state, wrong.neuron), STATE_BITS)?);
        header.up_scope()?;
    }
    let mut request = None;
    if net.weight_port().is_some() {
        header.scope("weights", "requests", FstScopeType::Module)?;
        request = Some([var(header, "valid", 1)?, var(header, "ready", 1)?]);
        header.up_scope()?;
    }
    header.up_scope()?;
    Ok(Side { streams: all, wrong: wrong_var, request })
}

fn change(
    body: &mut Body,
    vars: &StreamVars,
    wires: &Wires,
    stream: &Stream,
    text: &mut Vec<u8>,
) -> fst_writer::Result<()> {
    bits(body, vars.valid, u64::from(wires.valid), 1, text)?;
    bits(body, vars.ready, u64::from(wires.ready), 1, text)?;
    let beat = &wires.beat;
    let payload = [
        (vars.last, u64::from(beat.last), 1),
        (vars.value, beat.value as u64, stream.value_bits),
        (vars.id, u64::from(beat.id), stream.id_bits),
    ];
    for (var, value, width) in payload {
        if wires.valid {
            bits(body, var, value, width, text)?;
        } else {
            unknown(body, var, width, text)?;
        }
    }
    Ok(())
}

fn unknown(body: &mut Body, var: FstSignalId, width: u32, text: &mut Vec<u8>) -> fst_writer::Result<()> {
    text.clear();
    text.resize(width as usize, b'x');
    body.signal_change(var, text)
}

/// The low `width` (at most 64) bits of `value`.
fn bits(body: &mut Body, var: FstSignalId, value: u64, width: u32, text: &mut Vec<u8>) -> fst_writer::Result<()> {
    text.clear();
    text.extend((0..width).rev().map(|bit| if value.checked_shr(bit).unwrap_or(0) & 1 == 1 { b'1' } else { b'0' }));
    body.signal_change(var, text)
}
