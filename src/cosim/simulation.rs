//! The safe face of `sim/synfire_sim.h`: a loaded library, and a simulation of the design in it.
#![allow(unsafe_code, reason = "calls into the Verilated design; every other file of the crate is free of it")]

use super::{external, ffi};
use crate::error::{Error, Kind, Problem, Result};
use crate::golden::cycle::{MemoryTiming, State};
use crate::ir::layout::Place;
use crate::ir::mapped::{Core, MappedNet, Mode, UnitId};
use crate::ir::stream::{Beat, Wires};
use std::ffi::{CStr, CString, c_char};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

/// The wires of one stream in one cycle, packed so that they compare as two words.
pub(super) type Frame = ffi::synfire_wires;
/// A beat as the design takes it.
pub(super) type InputBeat = ffi::synfire_beat;

pub(super) const OFFER: u8 = ffi::SYNFIRE_DRIVE_OFFER as u8;
pub(super) const READY: u8 = ffi::SYNFIRE_DRIVE_READY as u8;
pub(super) const RESET: u8 = ffi::SYNFIRE_DRIVE_RESET as u8;

impl Frame {
    /// True if the beat moves at the end of the cycle.
    pub fn moves(&self) -> bool {
        const BOTH: u64 = ffi::SYNFIRE_WIRES_VALID | ffi::SYNFIRE_WIRES_READY;
        self.tag & BOTH == BOTH
    }
}

impl From<&Wires> for Frame {
    fn from(wires: &Wires) -> Self {
        let ready = if wires.ready { ffi::SYNFIRE_WIRES_READY } else { 0 };
        if !wires.valid {
            return Frame { value: 0, tag: ready };
        }
        let last = if wires.beat.last { ffi::SYNFIRE_WIRES_LAST } else { 0 };
        Frame { value: wires.beat.value, tag: ffi::SYNFIRE_WIRES_VALID | ready | last | u64::from(wires.beat.id) }
    }
}

impl From<&Frame> for Wires {
    fn from(frame: &Frame) -> Self {
        let bit = |mask: u64| frame.tag & mask != 0;
        Wires {
            valid: bit(ffi::SYNFIRE_WIRES_VALID),
            ready: bit(ffi::SYNFIRE_WIRES_READY),
            beat: Beat {
                last: bit(ffi::SYNFIRE_WIRES_LAST),
                value: frame.value,
                id: (frame.tag & u64::from(u32::MAX)) as u32,
            },
        }
    }
}

impl From<&Beat> for InputBeat {
    fn from(beat: &Beat) -> Self {
        InputBeat { value: beat.value, id: beat.id, last: u32::from(beat.last) }
    }
}

impl From<&InputBeat> for Beat {
    fn from(beat: &InputBeat) -> Self {
        Beat { last: beat.last != 0, value: beat.value, id: beat.id }
    }
}

/// A Verilated design, loaded. Several may be loaded at the same time.
pub struct Library {
    api: ffi::SynfireSim,
    path: PathBuf,
    cached: bool,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("path", &self.path).field("cached", &self.cached).finish_non_exhaustive()
    }
}

impl Library {
    pub(super) fn load(path: &Path, cached: bool) -> Result<Self> {
        let unusable = |why: String| {
            let problem = Problem::new(format!("cannot load the simulation: {why}"))
                .in_file(path)
                .help("remove the file's folder and try again");
            Error::new(Kind::ToolFailed, problem)
        };
        // SAFETY: the library was built from our own harness, whose initialisers only set up Verilator's run-time library.
        let api = unsafe { ffi::SynfireSim::new(path) }.map_err(|e| unusable(e.to_string()))?;
        // SAFETY: takes nothing and reads nothing.
        let abi = unsafe { api.synfire_abi() };
        if abi != ffi::SYNFIRE_ABI {
            return Err(unusable(format!("it has interface {abi}, not {}", ffi::SYNFIRE_ABI)));
        }
        Ok(Library { api, path: path.to_path_buf(), cached })
    }

    /// The shared library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True if it came from the cache, so that no compiler ran.
    pub fn cached(&self) -> bool {
        self.cached
    }
}

/// Cycles that a core spent, as its own wires say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreCycles {
    /// Cycles with `active`.
    pub active: u64,
    /// Cycles with `stall`.
    pub stalled: u64,
}

/// Where the state of a core's neurons is, and how it is packed.
struct Neurons {
    unit: UnitId,
    /// The memory of its first bank; those of the others follow.
    first: u64,
    /// Bits of the membrane, the lowest of a lane, of the input above it and of the current above that.
    bits: [u32; 3],
    lane_bits: u32,
    lanes: u32,
    /// Numbers in a bank, those of lanes without a neuron included.
    size: usize,
    /// The neuron of each number of each bank.
    neurons: Vec<Vec<Option<usize>>>,
}

/// A running design.
pub struct Simulation<'l> {
    api: &'l ffi::SynfireSim,
    sim: NonNull<ffi::synfire_sim>,
    /// Frames of a cycle: the streams, and the requests of external weights if there are such.
    signals: usize,
    /// The image of external weights and the bytes of its words.
    external: Option<(Vec<u8>, u32)>,
    cores: Vec<Neurons>,
    memories: u64,
    /// A bank as it was read.
    bank: Vec<i64>,
}

impl<'l> Simulation<'l> {
    /// Starts the design in the folder `design` with every register and memory set at random from `seed`.
    ///
    /// `library` must have been built from that design or from one that differs in nothing but its memory images. The design's
    /// `mem/…` is looked for in `design`; the working directory, which belongs to all threads, is left alone.
    ///
    /// # Errors
    /// `Input` if a memory image is missing or malformed; `Internal` if the design lacks something that `net` says it has.
    pub fn new(library: &'l Library, design: &Path, net: &MappedNet, seed: u64) -> Result<Self> {
        let api = &library.api;
        let mut simulation = Simulation {
            api,
            sim: create(api, design, seed)?,
            signals: signals(net),
            external: external::load(design, net)?,
            cores: Vec::new(),
            memories: 0,
            bank: Vec::new(),
        };
        let top = format!("TOP.{}", net.top);
        for stream in &net.streams {
            let (scope, prefix) = (c_string(&top)?, c_string(&format!("s_{}", stream.name))?);
            // SAFETY: `sim` is live, both texts are zero-terminated.
            simulation.check(unsafe {
                api.synfire_add_stream(
                    simulation.sim.as_ptr(),
                    scope.as_ptr(),
                    prefix.as_ptr(),
                    i32::from(stream.signed),
                )
            })?;
        }
        // SAFETY: `sim` is live; the indices are checked on the other side.
        simulation.check(unsafe {
            api.synfire_set_border(simulation.sim.as_ptr(), net.input().0 as u64, net.output().0 as u64)
        })?;
        for (id, unit, core) in net.cores() {
            simulation.add_core(id, &format!("{top}.u_{}.u_core", unit.name), core)?;
        }
        simulation.set_memory(MemoryTiming::default())?;
        Ok(simulation)
    }

    /// Lets the memory of external weights take its time, if there is one. To be called before the first cycle.
    pub(super) fn set_memory(&mut self, timing: MemoryTiming) -> Result<()> {
        let Some((words, word_bytes)) = &self.external else { return Ok(()) };
        let MemoryTiming { latency, spread, pause, seed } = timing;
        let timing = ffi::synfire_memory_timing { latency, spread, pause, unused: 0, seed };
        let count = words.len() as u64 / u64::from((*word_bytes).max(1));
        // SAFETY: `sim` is live, `words` has `count` words of that size, which the other side copies.
        self.check(unsafe {
            self.api.synfire_set_memory(self.sim.as_ptr(), words.as_ptr(), count, *word_bytes, &raw const timing)
        })
    }

    fn add_core(&mut self, unit: UnitId, scope: &str, core: &Core) -> Result<()> {
        let core_scope = c_string(scope)?;
        // SAFETY: `sim` is live, the text is zero-terminated.
        self.check(unsafe { self.api.synfire_add_core(self.sim.as_ptr(), core_scope.as_ptr()) })?;
        let first = self.memories;
        for bank in bank_scopes(core) {
            let memory_scope = c_string(&format!("{scope}.{bank}"))?;
            // SAFETY: as above.
            self.check(unsafe {
                self.api.synfire_add_memory(self.sim.as_ptr(), memory_scope.as_ptr(), c"mem_q".as_ptr())
            })?;
            self.memories += 1;
        }
        let (grid, lanes) = (core.grid(), core.mode.channel_lanes());
        let size = grid.groups() * lanes;
        let neuron = |bank: usize, n: usize| grid.neuron(Place { group: n / lanes, lane: bank * lanes + n % lanes });
        let neurons = (first..self.memories).map(|m| (0..size).map(|n| neuron((m - first) as usize, n)).collect());
        let (neurons, lanes) = (neurons.collect(), u32::try_from(lanes).unwrap_or(u32::MAX));
        let bits = [core.membrane_bits, core.input_bits, core.current_bits];
        self.cores.push(Neurons { unit, first, bits, lane_bits: core.state_bits(), lanes, size, neurons });
        Ok(())
    }

    /// Reads `state` of every neuron of a core, as it is visible in the cycle that comes next.
    pub fn state(&mut self, unit: UnitId, state: State, out: &mut Vec<i64>) -> Result<()> {
        let Some(m) = self.cores.iter().find(|m| m.unit == unit) else {
            return Err(Error::internal(format!("unit {} has no neurons", unit.0)));
        };
        let [membrane, input, current] = m.bits;
        let (first_bit, bits) = match state {
            State::Membrane => (0, membrane),
            State::Input => (membrane, input),
            State::Current => (membrane + input, current),
        };
        out.clear();
        out.resize(m.neurons.iter().flatten().flatten().count(), 0);
        let mut bank = std::mem::take(&mut self.bank);
        bank.resize(m.size, 0);
        for (memory, neurons) in (m.first..).zip(&m.neurons) {
            // SAFETY: `sim` is live, `bank` has room for `size` numbers; the rest is checked on the other side.
            self.check(unsafe {
                self.api.synfire_read(
                    self.sim.as_ptr(),
                    memory,
                    first_bit,
                    bits,
                    m.lane_bits,
                    m.lanes,
                    m.size as u64,
                    bank.as_mut_ptr(),
                )
            })?;
            for (&neuron, &v) in neurons.iter().zip(&bank) {
                if let Some(slot) = neuron.and_then(|n| out.get_mut(n)) {
                    *slot = v;
                }
            }
        }
        self.bank = bank;
        Ok(())
    }

    /// Counters of the `index`-th core since the last reset.
    pub fn core_cycles(&mut self, index: usize) -> Result<CoreCycles> {
        let mut cycles = ffi::synfire_core_cycles::default();
        // SAFETY: `sim` is live, the index is checked on the other side.
        self.check(unsafe { self.api.synfire_core_counters(self.sim.as_ptr(), index as u64, &raw mut cycles) })?;
        Ok(CoreCycles { active: cycles.active, stalled: cycles.stalled })
    }

    /// Simulates a cycle for each byte of `drive`, offering `beats` in order; writes every stream's wires in every cycle to
    /// `frames`. Returns the number of beats taken.
    pub(super) fn run(&mut self, beats: &[InputBeat], drive: &[u8], frames: &mut [Frame]) -> Result<usize> {
        if frames.len() != drive.len() * self.signals {
            return Err(Error::internal("a batch of cycles has the wrong number of frames"));
        }
        // SAFETY: `sim` is live; each pointer comes with its length, and `frames` has an entry per stream and cycle.
        let taken = unsafe {
            self.api.synfire_run(
                self.sim.as_ptr(),
                beats.as_ptr(),
                beats.len() as u64,
                drive.as_ptr(),
                drive.len() as u64,
                frames.as_mut_ptr(),
            )
        };
        match usize::try_from(taken) {
            Ok(taken) => Ok(taken),
            Err(_) => Err(self.failure()),
        }
    }

    fn check(&self, status: i32) -> Result<()> {
        if status == 0 { Err(self.failure()) } else { Ok(()) }
    }

    fn failure(&self) -> Error {
        // SAFETY: `sim` is live, and the text it returns lives until the next call.
        let why = unsafe { CStr::from_ptr(self.api.synfire_error(self.sim.as_ptr())) };
        Error::internal(format!("the simulated design failed: {}", why.to_string_lossy()))
    }
}

impl Drop for Simulation<'_> {
    fn drop(&mut self) {
        // SAFETY: `sim` is live and is not used again.
        unsafe { self.api.synfire_destroy(self.sim.as_ptr()) }
    }
}

/// Where in a core its banks of membranes are, in the order of the banks.
fn bank_scopes(core: &Core) -> Vec<String> {
    let [rows, columns] = core.mode.banks();
    match core.mode {
        Mode::WindowEvent { .. } => (0..rows * columns).map(|bank| format!("g_bank[{bank}].u_membrane")).collect(),
        Mode::Event { .. } | Mode::Matrix { .. } | Mode::WindowMatrix { .. } => vec!["u_membrane".into()],
    }
}

/// Frames of a cycle: the streams, and the requests of external weights if there are such.
pub(super) fn signals(net: &MappedNet) -> usize {
    net.streams.len() + usize::from(net.weight_port().is_some())
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::internal("a name holds a zero byte"))
}

/// Constructs the design, which reads its memory images from the folder `design`.
fn create(api: &ffi::SynfireSim, design: &Path, seed: u64) -> Result<NonNull<ffi::synfire_sim>> {
    // The design takes a positive 31-bit seed.
    let seed = (seed % 0x7fff_fffe) as u32 + 1;
    let folder = CString::new(design.as_os_str().as_encoded_bytes())
        .map_err(|_| Error::input("has a zero byte in its name").in_file(design))?;
    let mut error = vec![0u8; 4096];
    // SAFETY: the folder's name is zero-terminated, the buffer is as long as stated.
    let sim =
        unsafe { api.synfire_create(folder.as_ptr(), seed, error.as_mut_ptr().cast::<c_char>(), error.len() as u64) };
    NonNull::new(sim).ok_or_else(|| {
        let why = CStr::from_bytes_until_nul(&error).unwrap_or_default().to_string_lossy();
        Error::input(format!("the simulated design does not start: {why}"))
            .in_file(design)
            .help("compile the design again: its files are incomplete")
    })
}
