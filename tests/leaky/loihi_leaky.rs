//! The lanes of a leaky core against the Loihi 2 equations, and proof that the comparison notices wrong lanes.

use crate::loihi_bench;

use loihi_bench::build::{Unit, build, neuron_source, verilator};
use loihi_bench::updates::Source;
use loihi_bench::{Simulation, compare};
use std::path::{Path, PathBuf};

const LANES: &str = "sf_leaky_lanes";
const MODULE: &str = "leaky_neuron";

fn sources() -> [PathBuf; 2] {
    let lanes = Path::new(env!("CARGO_MANIFEST_DIR")).join("rtl_templates/lib/sf_leaky_lanes.v");
    [lanes, neuron_source().with_file_name("leaky_neuron.v")]
}

#[test]
fn a_million_steps_equal_the_equations() {
    let Some(verilator) = verilator() else { return };
    let folder = tempfile::tempdir().unwrap();
    let units = [0, 1, 2].map(|reset_mode| Unit { module: MODULE.into(), reset_mode });
    let executable = build(verilator, folder.path(), &sources(), &units);

    let mut simulation = Simulation::start(&executable);
    let mut source = Source::new(6, &[0, 1, 2]).proved();
    let (mismatches, example) = compare(&mut simulation, &mut source, 1_000_000);
    simulation.finish();
    assert_eq!(mismatches, [0, 0, 0], "{}", example.unwrap_or_default());

    let c = source.coverage;
    println!("{c:?}");
    assert!(c.steps >= 1_000_000 && c.carried >= 490_000 && c.wraps == 0);
    assert!(c.on_threshold >= 33_000 && c.just_above >= 33_000);
    assert!(c.spikes >= 100_000 && c.clamps >= 10_000 && c.top_current >= 3);
}

/// What is replaced, by what, in which reset mode it must show.
const MUTATIONS: [(&str, &str, u32); 10] = [
    ("v_carry = v_product_q[ProductBits-1] && ", "v_carry = 1'b0 && ", 0),
    ("u_carry = u_product_q[UProductBits-1] && ", "u_carry = 1'b0 && ", 0),
    ("(v_compared > threshold)", "(v_compared >= threshold)", 0),
    ("(v_sum < v_min) ? VMin : ", "", 0),
    ("(v_sum > v_max) ? VMax : ", "", 0),
    ("keep_v = 13'd4096 - ", "keep_v = 13'd4095 - ", 0),
    ("keep_u = 13'd4096 - ", "keep_u = 13'd4095 - ", 0),
    ("{(InputBits-AddendBits){addend[AddendBits-1]}}", "{(InputBits-AddendBits){1'b0}}", 0),
    ("(Subtract != 0) ? v_q - by : by", "v_q - by", 1),
    ("(Subtract != 0) ? v_q - by : by", "by", 2),
];

#[test]
fn every_mutation_is_noticed() {
    let Some(verilator) = verilator() else { return };
    let folder = tempfile::tempdir().unwrap();
    let [lanes, neuron] = sources().map(|path| std::fs::read_to_string(path).unwrap());
    let mut units = vec![Unit { module: MODULE.into(), reset_mode: 0 }];
    let mut files = sources().to_vec();
    for (i, (from, to, reset_mode)) in MUTATIONS.into_iter().enumerate() {
        assert_eq!(lanes.matches(from).count(), 1, "'{from}' must stand exactly once in the lanes");
        let (module, mutant) = (format!("{MODULE}_mutant_{i}"), format!("{LANES}_mutant_{i}"));
        for (name, text) in [
            (&mutant, lanes.replace(LANES, &mutant).replace(from, to)),
            (&module, neuron.replace(MODULE, &module).replace(LANES, &mutant)),
        ] {
            let path = folder.path().join(format!("{name}.v"));
            std::fs::write(&path, text).unwrap();
            files.push(path);
        }
        units.push(Unit { module, reset_mode });
    }
    let executable = build(verilator, folder.path(), &files, &units);

    let mut simulation = Simulation::start(&executable);
    let modes: Vec<u32> = units.iter().map(|u| u.reset_mode).collect();
    let (mismatches, _) = compare(&mut simulation, &mut Source::new(7, &modes).proved(), 600_000);
    simulation.finish();
    println!("mismatches per mutation: {:?}", &mismatches[1..]);
    assert_eq!(mismatches[0], 0, "the lanes themselves");
    for (mutation, mismatches) in MUTATIONS.iter().zip(&mismatches[1..]) {
        assert!(*mismatches > 0, "not noticed: {mutation:?}");
    }
}
