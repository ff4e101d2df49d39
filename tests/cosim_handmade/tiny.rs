//! The tiny design of `rtl/` beside this file: its network, its folder, and a model of it.

use std::path::Path;
use synfire::cosim::{CoreCycles, Predictor};
use synfire::fixed::PixelFormat;
use synfire::golden::cycle::{self, Border, Firing, FiringKind};
use synfire::ir::layout::IdLayout;
use synfire::ir::mapped::{
    Core, Fire, MappedNet, Mode, Payload, Port, Stream, StreamId, Target, Unit, UnitId, UnitKind,
};
use synfire::ir::quant::{Coding, Combine, Input, Neuron, QPopulation, QuantGraph};
use synfire::ir::stream::{Beat, Wires};
use synfire::ir::{PopId, ProjId, Shape};

/// Neurons of each population.
pub const N: usize = 9;

/// The Verilog, by file name.
pub const RTL: [(&str, &str); 5] = [
    ("tiny.v", include_str!("rtl/tiny.v")),
    ("core_hidden.v", include_str!("rtl/core_hidden.v")),
    ("core_logits.v", include_str!("rtl/core_logits.v")),
    ("sf_event_core.v", include_str!("rtl/sf_event_core.v")),
    ("sf_membrane.v", include_str!("rtl/sf_membrane.v")),
];

/// Membranes at the start of an image.
#[derive(Clone, Copy)]
pub struct Start {
    pub hidden: i64,
    pub logits: i64,
}

/// The start values used where they do not matter.
pub const START: Start = Start { hidden: 3, logits: -20 };

/// Writes the design into `folder`; `edit` may change each file's text on the way.
pub fn write(folder: &Path, start: Start, edit: impl Fn(&str, String) -> String) {
    std::fs::create_dir_all(folder.join("rtl")).unwrap();
    std::fs::create_dir_all(folder.join("mem")).unwrap();
    for (name, text) in RTL {
        std::fs::write(folder.join("rtl").join(name), edit(name, text.to_string())).unwrap();
    }
    std::fs::write(folder.join("mem/hidden.hex"), format!("{:02x}\n", start.hidden & 0xff)).unwrap();
    std::fs::write(folder.join("mem/logits.hex"), format!("{:03x}\n", start.logits & 0x3ff)).unwrap();
}

/// The network as the co-simulation sees it. Weights do not matter to it.
pub fn net() -> MappedNet {
    let population =
        |name: &str, neuron| QPopulation { name: name.into(), shape: Shape(vec![N]), neuron, range: (-512, 511) };
    let zeros = || vec![0i64; N];
    let quant = QuantGraph {
        name: "tiny".into(),
        coding: Coding::Graded,
        timesteps: 15,
        pixels: PixelFormat::unsigned(4),
        input: Input::Constant,
        normalisation: None,
        populations: vec![
            population("image", Neuron::Source),
            population("hidden layer", Neuron::If { theta: vec![1; N], v_init: zeros(), bias: zeros() }),
            population("answer", Neuron::Readout { v_init: zeros() }),
        ],
        projections: Vec::new(),
    };
    let unit = |i: usize, name: &str, lanes, membrane_bits, fire| Unit {
        name: name.into(),
        kind: UnitKind::Core(Core {
            population: PopId(i + 1),
            projections: vec![ProjId(i)],
            inputs: N,
            neurons: N,
            extent: [N, 1, 1],
            fields: Vec::new(),
            combine: Combine::Sum,
            value_signed: false,
            mode: Mode::Event { lanes, payload: Payload::Multiply },
            fire,
            phases: 1,
            value_bits: 4,
            slice_bits: 18,
            weight_bits: 2,
            membrane_bits,
            input_bits: 0,
            current_bits: 0,
            theta_bits: 1,
            bias_bits: 1,
            leak: synfire::ir::mapped::Leak::default(),
            weights: synfire::ir::mapped::Weights::Internal,
        }),
        inputs: vec![StreamId(i)],
        outputs: vec![StreamId(i + 1)],
    };
    let port = |unit| Some(Port { unit: UnitId(unit), port: 0 });
    let stream = |name: &str, from, to, population, value_bits, signed| Stream {
        name: name.into(),
        from,
        to,
        population: PopId(population),
        id_bits: 4,
        value_bits,
        signed,
        layout: IdLayout::Linear { neurons: N },
    };
    MappedNet {
        quant,
        top: "tiny".into(),
        target: Target::Generic,
        units: vec![unit(0, "hidden", 5, 8, Fire::Count { bits: 4, max: 15 }), unit(1, "logits", 9, 10, Fire::Readout)],
        streams: vec![
            stream("pixels", None, port(0), 0, 4, false),
            stream("hidden", port(0), port(1), 1, 7, false),
            stream("logits", port(1), None, 2, 10, true),
        ],
        decisions: Vec::new(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Init,
    Take,
    Fire,
    End,
}

struct FakeCore {
    unit: UnitId,
    sign: i64,
    start: i64,
    state: State,
    n: usize,
    began: bool,
    image: u64,
    membranes: Vec<i64>,
    at_began: Vec<i64>,
    cycles: CoreCycles,
}

impl FakeCore {
    fn new(unit: usize, sign: i64, start: i64) -> Self {
        FakeCore {
            unit: UnitId(unit),
            sign,
            start,
            state: State::Init,
            n: 0,
            began: false,
            image: 0,
            membranes: vec![0; N],
            at_began: vec![0; N],
            cycles: CoreCycles::default(),
        }
    }

    fn out(&self) -> Option<Beat> {
        match self.state {
            State::Init | State::Take => None,
            State::Fire => Some(Beat::event(self.n as u32, self.membranes[self.n])),
            State::End => Some(Beat::END),
        }
    }

    fn ready(&self) -> bool {
        self.state == State::Take
    }

    fn tick(&mut self, input: &Wires, output: &Wires, firing: &mut Vec<Firing>) {
        let last = self.n == N - 1;
        let sends = matches!(self.state, State::Fire | State::End);
        self.cycles.active += u64::from(input.moves() || (self.state == State::Fire && output.ready));
        self.cycles.stalled += u64::from(sends && !output.ready);
        let event = |kind| Firing { unit: self.unit, kind, phase: 0, image: self.image };
        match self.state {
            State::Init => {
                self.membranes[self.n] = self.start;
                self.n = if last { 0 } else { self.n + 1 };
                if last {
                    self.state = State::Take;
                }
            }
            State::Take if input.moves() && input.beat.last => self.state = State::Fire,
            State::Take if input.moves() => {
                self.membranes[input.beat.id as usize] += self.sign * input.beat.value;
            }
            State::Take => {}
            State::Fire => {
                if !self.began {
                    firing.push(event(FiringKind::Began));
                    self.at_began.copy_from_slice(&self.membranes);
                    self.began = true;
                }
                if output.ready {
                    if last {
                        firing.push(event(FiringKind::Ended));
                        self.state = State::End;
                        self.image += 1;
                    }
                    self.membranes[self.n] = self.start;
                    self.n = if last { 0 } else { self.n + 1 };
                }
            }
            State::End => {
                if output.ready {
                    self.state = State::Take;
                    self.began = false;
                }
            }
        }
    }
}

/// Something wrong that the model says.
#[derive(Clone, Copy, PartialEq)]
pub enum Lie {
    None,
    /// The value of a hidden neuron on the stream, in one image.
    Event {
        image: u64,
        neuron: u32,
    },
    /// One membrane of the second core, in one image.
    Membrane {
        image: u64,
        neuron: usize,
    },
    /// `ready` of the input, in one cycle.
    Ready {
        cycle: u64,
    },
    /// How often the first core was active.
    Counter,
    /// Not a lie if the design never leaves its initialisation.
    Stuck,
}

/// The model of the tiny design.
pub struct Model {
    cores: [FakeCore; 2],
    wires: Vec<Wires>,
    firing: Vec<Firing>,
    cycle: u64,
    lie: Lie,
    wrong: Vec<i64>,
}

impl Model {
    pub fn new(start: Start, lie: Lie) -> Self {
        Model {
            cores: [FakeCore::new(0, 1, start.hidden), FakeCore::new(1, -1, start.logits)],
            wires: vec![Wires::default(); 3],
            firing: Vec::new(),
            cycle: 0,
            lie,
            wrong: Vec::new(),
        }
    }
}

impl Predictor for Model {
    fn cycle(&mut self, border: &Border) -> &[Wires] {
        let beats = [border.input, self.cores[0].out(), self.cores[1].out()];
        let ready = [self.cores[0].ready(), self.cores[1].ready(), border.output_ready];
        for ((wires, beat), ready) in self.wires.iter_mut().zip(beats).zip(ready) {
            *wires = Wires { valid: beat.is_some(), ready, beat: beat.unwrap_or_default() };
        }
        self.firing.clear();
        let cores = if self.lie == Lie::Stuck { &mut [] } else { &mut self.cores[..] };
        for (i, core) in cores.iter_mut().enumerate() {
            core.tick(&self.wires[i], &self.wires[i + 1], &mut self.firing);
        }
        // Lies are told after the fact, so that the model itself goes on as if nothing had happened.
        match self.lie {
            Lie::Event { image, neuron } => {
                let hidden = &mut self.wires[1];
                if self.cores[0].image == image && hidden.valid && !hidden.beat.last && hidden.beat.id == neuron {
                    hidden.beat.value += 1;
                }
            }
            Lie::Ready { cycle } if cycle == self.cycle => self.wires[0].ready ^= true,
            Lie::Membrane { image, neuron } if image == self.cores[1].image => {
                self.wrong.clone_from(&self.cores[1].at_began);
                self.wrong[neuron] -= 1;
            }
            _ => {}
        }
        self.cycle += 1;
        &self.wires
    }

    fn firing(&self) -> &[Firing] {
        &self.firing
    }

    fn state(&self, unit: UnitId, kind: FiringKind, state: cycle::State) -> Option<&[i64]> {
        if state != cycle::State::Membrane {
            return None;
        }
        let core = &self.cores[unit.0];
        match (self.lie, kind) {
            (Lie::Membrane { image, .. }, FiringKind::Began) if unit.0 == 1 && core.image == image => Some(&self.wrong),
            (_, FiringKind::Began) => Some(&core.at_began),
            (_, FiringKind::Ended) => Some(&core.membranes),
        }
    }

    fn counters(&self, unit: UnitId) -> Option<CoreCycles> {
        let mut cycles = self.cores[unit.0].cycles;
        cycles.active += u64::from(self.lie == Lie::Counter && unit.0 == 0);
        Some(cycles)
    }
}
