//! The cycle model: every stream in every cycle, the neurons' state when firing begins and ends.
//!
//! This is a second description of the hardware, written from `ARCHITECTURE.md` ("Microarchitecture") alone. It says
//! *when* things happen by time stamps and counts of slots and *what* happens by whole events, where the Verilog says
//! both by registers; that they agree is what the co-simulation shows.
//!
//! | file | holds |
//! |---|---|
//! | `spill`, `routing`, `queue` | spill register, fork, merge, queue |
//! | `core_unit` | a core's stall rule, `R` and the serialiser |
//! | `intake` | what a core takes, and which cycles are issue slots |
//! | `array` | stage A's time line, the snapshots |
//! | `neurons`, `leaky`, `synapses`, `word` | what FIRE does, what an event adds, what is sent |
//! | `axis`, `gather` | the receivers of a pixel, and what a matrix core reads for a group |
//! | `fetch`, `memory` | external weights: a core's fetch unit and the port; the memory behind it |

mod array;
mod axis;
mod core_unit;
mod fetch;
mod gather;
mod intake;
mod leaky;
mod memory;
mod neurons;
mod queue;
mod routing;
mod spill;
mod synapses;
mod word;

use crate::ir::layout::IdLayout;
use crate::ir::mapped::{MappedNet, StreamId, UnitId, UnitKind};
use crate::ir::stream::{Beat, Wires};
use core_unit::CoreUnit;
use fetch::Port;
use memory::Memory;
pub use memory::MemoryTiming;
use queue::Queue;
use routing::{Fork, Merge};
use serde::Serialize;
use std::fmt;

/// What the outside drives in one cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Border {
    /// The beat offered to the network; `None` drives `valid` low. A beat once offered must be offered until it is taken.
    pub input: Option<Beat>,
    /// `ready` of the network's output.
    pub output_ready: bool,
}

/// How many cycles since reset a core spent in which way; they add up to all of them. All zero for other units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Unstalled and issuing.
    pub active: u64,
    /// Held up by its output.
    pub stalled: u64,
    /// Unstalled with nothing to issue.
    pub starved: u64,
    /// Writing initial membranes after reset.
    pub initialising: u64,
}

/// The end of a core's firing that an event marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiringKind {
    /// `FIRE(0)` occupies stage A for the first time.
    Began,
    /// The last cycle of the last group's FIRE occupies stage A.
    Ended,
}

/// A number that a neuron keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The membrane; what events are added to, unless the neuron is leaky.
    Membrane,
    /// A leaky neuron's weighted input of the time step.
    Input,
    /// A leaky neuron's synaptic current, where it outlives a time step.
    Current,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Membrane, Self::Input, Self::Current];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Membrane => "membrane",
            Self::Input => "input",
            Self::Current => "current",
        })
    }
}

/// A core began or ended firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The core.
    pub unit: UnitId,
    /// Began or ended.
    pub kind: FiringKind,
    /// Phase of the image, from 0.
    pub phase: u32,
    /// Image since reset, from 0.
    pub image: u64,
}

/// Predicts a [`MappedNet`] cycle by cycle.
#[derive(Clone, Debug)]
pub struct CycleModel {
    nodes: Vec<Node>,
    wires: Vec<Wires>,
    input: usize,
    output: usize,
    firing: Vec<Firing>,
    weights: Option<External>,
}

/// The port to external weights, and what is behind it.
#[derive(Clone, Debug)]
struct External {
    /// The cores that read through it, as nodes.
    cores: Vec<usize>,
    port: Port,
    memory: Memory,
}

/// A unit with the indices of its streams.
#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Kind {
    Core(Box<CoreUnit>),
    Fork(Fork),
    Merge(Merge),
    Queue(Queue),
}

impl CycleModel {
    /// The model of `net` in the state after reset. `net` must have passed [`MappedNet::check`].
    pub fn new(net: &MappedNet) -> Self {
        let indices = |ids: &[StreamId]| ids.iter().map(|id| id.0).collect();
        let node = |(i, unit): (usize, &crate::ir::mapped::Unit)| Node {
            kind: match &unit.kind {
                UnitKind::Core(core) => {
                    let ids = match unit.outputs.first() {
                        Some(&stream) => net.stream(stream).layout,
                        None => IdLayout::Linear { neurons: core.neurons },
                    };
                    Kind::Core(Box::new(CoreUnit::new(UnitId(i), &net.quant, core, &ids)))
                }
                UnitKind::Fork => Kind::Fork(Fork::new(unit.outputs.len())),
                UnitKind::Merge { bases } => Kind::Merge(Merge::new(bases)),
                UnitKind::Queue { depth } => Kind::Queue(Queue::new(*depth, net.quant.phases())),
            },
            inputs: indices(&unit.inputs),
            outputs: indices(&unit.outputs),
        };
        CycleModel {
            nodes: net.units.iter().enumerate().map(node).collect(),
            wires: vec![Wires::default(); net.streams.len()],
            input: net.input().0,
            output: net.output().0,
            firing: Vec::with_capacity(2 * net.units.len()),
            weights: net.weight_port().map(|port| External {
                cores: port.cores.iter().map(|id| id.0).collect(),
                port: Port::new(),
                memory: Memory::new(MemoryTiming::default()),
            }),
        }
        .with_port_wires()
    }

    /// Room for the port's wires behind those of the streams.
    fn with_port_wires(mut self) -> Self {
        self.wires.extend(self.weights.as_ref().map(|_| Wires::default()));
        self
    }

    /// Lets the memory behind the port of external weights take its time. To be called before the first cycle.
    pub fn set_memory(&mut self, timing: MemoryTiming) {
        if let Some(external) = &mut self.weights {
            external.memory = Memory::new(timing);
        }
    }

    /// Back to the state after reset, counters included: the next call of [`CycleModel::cycle`] is the first cycle
    /// with `rst_ni` high.
    pub fn reset(&mut self) {
        for node in &mut self.nodes {
            match &mut node.kind {
                Kind::Core(core) => core.reset(),
                Kind::Fork(fork) => fork.reset(),
                Kind::Merge(merge) => merge.reset(),
                Kind::Queue(queue) => queue.reset(),
            }
        }
        if let Some(external) = &mut self.weights {
            external.port.reset();
            external.memory.reset();
        }
        self.firing.clear();
    }

    /// One clock cycle with `border` driven during it. Returns the wires of every stream, by [`StreamId`], as they
    /// stand before the clock edge that ends the cycle; behind them, if there are external weights, `valid` and `ready` of the
    /// requests. Does not allocate.
    pub fn cycle(&mut self, border: &Border) -> &[Wires] {
        let wires = &mut self.wires;
        wires[self.input].valid = border.input.is_some();
        wires[self.input].beat = border.input.unwrap_or_default();
        wires[self.output].ready = border.output_ready;
        for node in &self.nodes {
            node.offer(wires);
        }
        // Only now: a merge's ready depends on the valids at its inputs.
        for node in &self.nodes {
            node.accept(wires);
        }
        self.firing.clear();
        if let Some(external) = &mut self.weights {
            let request = external.tick(&mut self.nodes);
            if let Some(last) = wires.last_mut() {
                *last = request;
            }
        }
        for node in &mut self.nodes {
            node.tick(wires, &mut self.firing);
        }
        wires
    }

    /// The cores that began or ended firing in the cycle just simulated, in the order of units.
    pub fn firing(&self) -> &[Firing] {
        &self.firing
    }

    /// The state of a core's neurons at its latest firing event of this kind: for [`FiringKind::Began`] as it is visible in the cycle of
    /// the event, for [`FiringKind::Ended`] as it is visible in the cycle after it. It stays until the next event of that kind.
    ///
    /// What events are added to is compared when firing begins (not in matrix mode, where it never stands in the memory as a whole), what
    /// outlives the firing when it has ended; the rest is `None`, as is everything of units that are not cores.
    pub fn state(&self, unit: UnitId, kind: FiringKind, state: State) -> Option<&[i64]> {
        match &self.nodes.get(unit.0)?.kind {
            Kind::Core(core) => core.snapshot(kind, state),
            Kind::Fork(_) | Kind::Merge(_) | Kind::Queue(_) => None,
        }
    }

    /// The membranes among [`CycleModel::state`].
    pub fn membranes(&self, unit: UnitId, kind: FiringKind) -> Option<&[i64]> {
        self.state(unit, kind, State::Membrane)
    }

    /// How a core spent the cycles since reset.
    pub fn counters(&self, unit: UnitId) -> Counters {
        match self.nodes.get(unit.0).map(|node| &node.kind) {
            Some(Kind::Core(core)) => core.counters(),
            _ => Counters::default(),
        }
    }
}

impl External {
    /// One cycle of port and memory: tells the cores what they get at its end, and returns the wires of the request.
    fn tick(&mut self, nodes: &mut [Node]) -> Wires {
        let (ready, answers) = (self.memory.ready(), self.memory.answers());
        let request = Wires { valid: self.port.requests(), ready, ..Wires::default() };
        let receiver = self.port.next().filter(|_| answers);
        let mut granted = None;
        for &core in self.cores.iter().rev() {
            let Some(Node { kind: Kind::Core(unit), .. }) = nodes.get_mut(core) else { continue };
            let grant = granted.is_none() && self.port.open() && unit.requests();
            unit.serve(grant, receiver == Some(core));
            if grant {
                granted = Some(core);
            }
        }
        self.port.tick(granted, request.moves(), answers);
        self.memory.tick(request.moves());
        request
    }
}

impl Node {
    /// Drives `valid` and payload of the outputs.
    fn offer(&self, wires: &mut [Wires]) {
        for (port, &stream) in self.outputs.iter().enumerate() {
            let (valid, beat) = match &self.kind {
                Kind::Core(core) => core.front(),
                Kind::Fork(fork) => fork.front(port),
                Kind::Merge(merge) => merge.front(),
                Kind::Queue(queue) => queue.front(),
            };
            wires[stream].valid = valid;
            wires[stream].beat = beat;
        }
    }

    /// Drives `ready` of the inputs.
    fn accept(&self, wires: &mut [Wires]) {
        match &self.kind {
            Kind::Core(core) => wires[self.inputs[0]].ready = core.ready(),
            Kind::Fork(fork) => wires[self.inputs[0]].ready = fork.ready(),
            Kind::Queue(queue) => wires[self.inputs[0]].ready = queue.ready(),
            Kind::Merge(merge) => {
                let granted = merge.granted(|port| wires[self.inputs[port]].valid);
                for (port, &stream) in self.inputs.iter().enumerate() {
                    wires[stream].ready = granted == Some(port);
                }
            }
        }
    }

    /// The clock edge.
    fn tick(&mut self, wires: &[Wires], firing: &mut Vec<Firing>) {
        let taken = |port: usize| {
            let wires = &wires[self.inputs[port]];
            wires.moves().then_some(wires.beat)
        };
        let popped = |port: usize| wires[self.outputs[port]].moves();
        match &mut self.kind {
            Kind::Core(core) => core.tick(taken(0), popped(0), firing),
            Kind::Fork(fork) => fork.tick(taken(0), popped),
            Kind::Merge(merge) => merge.tick(|port| wires[self.inputs[port]], popped(0)),
            Kind::Queue(queue) => queue.tick(taken(0), popped(0)),
        }
    }
}
