//! Lint and simulation of emitted designs.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use synfire::cosim::Verilator;
use synfire::flow::{Found, Tool, tools};
use synfire::golden::functional::Functional;
use synfire::ir::layout::Place;
use synfire::ir::mapped::MappedNet;
use synfire::ir::stream::Beat;
use synfire::rtl::{self, Vectors};

/// The simulator; `None`, after saying so, where it is missing.
pub struct Tools {
    iverilog: Found,
    vvp: Found,
    verilator: Verilator,
}

impl Tools {
    pub fn find() -> Option<Tools> {
        let find = || -> synfire::Result<Tools> {
            Ok(Tools {
                iverilog: tools::find(Tool::Iverilog)?,
                vvp: tools::find(Tool::Vvp)?,
                verilator: Verilator::find()?,
            })
        };
        find()
            .inspect_err(|error| {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
                println!("ignored: {error}");
            })
            .ok()
    }

    /// Lints the design, then runs its bench with and without back-pressure.
    pub fn check(&self, net: &MappedNet, images: &[Vec<i64>], what: &str) {
        assert_eq!(net.check(), vec![], "{what}");
        let bench = self.build(net, &vectors(net, images), what);
        let (clean, text) = run(
            self.verilator.command(),
            &[&["--lint-only".into(), "-Wall".into(), "--top-module".into(), net.top.clone()], &bench.verilog[..]]
                .concat(),
            bench.folder.path(),
        );
        assert!(clean && !text.contains("%Warning"), "{what}: {text}");
        for stall in ["+stall=0", "+stall=1"] {
            let (passed, text) = self.simulate(&bench, stall);
            let said = text.contains("PASS:") && text.contains(" 0 mismatches");
            assert!(passed && said, "{what} {stall}: {text}\n{}", net.dump());
        }
    }

    /// Writes the design with its bench and compiles them.
    pub fn build(&self, net: &MappedNet, vectors: &Vectors, what: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let mut files = rtl::generate(net).unwrap();
        files.extend(rtl::bench(net, vectors).unwrap());
        for f in &files {
            let path = folder.path().join(&f.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &f.text).unwrap();
        }
        let verilog: Vec<String> = files.iter().map(|f| f.path.clone()).filter(|p| p.starts_with("rtl/")).collect();
        let options = ["-g2005", "-Wall", "-o", "tb/tb.vvp", "tb/tb.v"].map(String::from);
        let (compiled, text) = run(self.iverilog.command(), &[&options, &verilog[..]].concat(), folder.path());
        assert!(compiled, "{what}: {text}");
        Bench { folder, verilog }
    }

    /// Whether the bench's exit code is 0, and what it says.
    pub fn simulate(&self, bench: &Bench, option: &str) -> (bool, String) {
        run(self.vvp.command(), &["-N".into(), "tb/tb.vvp".into(), option.into()], bench.folder.path())
    }
}

/// A design and its compiled bench.
pub struct Bench {
    folder: tempfile::TempDir,
    /// Below the folder.
    verilog: Vec<String>,
}

fn run(mut command: std::process::Command, args: &[String], folder: &std::path::Path) -> (bool, String) {
    let output = command.args(args).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// What the bench sends, and what the functional model says must come out.
pub fn vectors(net: &MappedNet, images: &[Vec<i64>]) -> Vectors {
    let functional = Functional::new(&net.quant).unwrap();
    let (input, output) = (net.stream(net.input()).layout, net.stream(net.output()).layout);
    let (_, _, readout) = net.cores().last().unwrap();
    let grid = readout.grid();
    let places = (0..grid.groups()).flat_map(|group| (0..grid.group_lanes()).map(move |lane| Place { group, lane }));
    let order: Vec<usize> = places.filter_map(|place| grid.neuron(place)).collect();
    let mut vectors = Vectors::default();
    for codes in images {
        vectors.inputs.extend(Beat::image_of(codes, &input, net.quant.phases()));
        let logits = functional.image(codes).unwrap().logits;
        vectors.outputs.extend(order.iter().map(|&n| Beat::event(output.id(n), logits[n])));
        vectors.outputs.push(Beat::END);
    }
    vectors
}
