//! Lint and simulation of emitted designs.

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
        let folder = tempfile::tempdir().unwrap();
        let mut files = rtl::generate(net).unwrap();
        files.extend(rtl::bench(net, &vectors(net, images)).unwrap());
        for f in &files {
            let path = folder.path().join(&f.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &f.text).unwrap();
        }
        let verilog: Vec<&str> = files.iter().map(|f| f.path.as_str()).filter(|p| p.starts_with("rtl/")).collect();
        let run = |mut command: std::process::Command, args: &[&str]| {
            let output = command.args(args).current_dir(folder.path()).output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&text).into_owned())
        };
        let (clean, text) = run(
            self.verilator.command(),
            &[&["--lint-only", "-Wall", "--top-module", &net.top], &verilog[..]].concat(),
        );
        assert!(clean && !text.contains("%Warning"), "{what}: {text}");
        let (compiled, text) =
            run(self.iverilog.command(), &[&["-g2005", "-Wall", "-o", "tb/tb.vvp", "tb/tb.v"], &verilog[..]].concat());
        assert!(compiled, "{what}: {text}");
        for stall in ["+stall=0", "+stall=1"] {
            let (_, text) = run(self.vvp.command(), &["tb/tb.vvp", stall]);
            assert!(text.contains("PASS:") && text.contains(" 0 mismatches"), "{what} {stall}: {text}\n{}", net.dump());
        }
    }
}

/// What the bench sends, and what the functional model says must come out.
fn vectors(net: &MappedNet, images: &[Vec<i64>]) -> Vectors {
    let functional = Functional::new(&net.quant).unwrap();
    let (input, output) = (net.stream(net.input()).layout, net.stream(net.output()).layout);
    let (_, _, readout) = net.cores().last().unwrap();
    let grid = readout.grid();
    let places = (0..grid.groups()).flat_map(|group| (0..grid.group_lanes()).map(move |lane| Place { group, lane }));
    let order: Vec<usize> = places.filter_map(|place| grid.neuron(place)).collect();
    let mut vectors = Vectors::default();
    for codes in images {
        for _ in 0..net.quant.phases() {
            let events = codes.iter().enumerate().filter(|(_, code)| **code != 0);
            vectors.inputs.extend(events.map(|(n, &code)| Beat::event(input.id(n), code)));
            vectors.inputs.push(Beat::END);
        }
        let logits = functional.image(codes).unwrap().logits;
        vectors.outputs.extend(order.iter().map(|&n| Beat::event(output.id(n), logits[n])));
        vectors.outputs.push(Beat::END);
    }
    vectors
}
