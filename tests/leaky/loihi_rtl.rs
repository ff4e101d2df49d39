//! The Verilog neuron against the Loihi 2 equations, and proof that the comparison notices a wrong neuron.

use crate::loihi_bench;

use loihi_bench::build::{Unit, build, neuron_source, verilator};
use loihi_bench::updates::Source;
use loihi_bench::{Simulation, compare};

const MODULE: &str = "sf_neuron_lif";

#[test]
fn lint_is_clean_in_every_reset_mode_and_at_other_widths() {
    let narrow =
        "-GStateWidth=12 -GDecayWidth=10 -GInputWidth=7 -GBiasWidth=4 -GBiasExpWidth=1 -GThetaWidth=8 -GAlign=3";
    for parameters in ["-GResetMode=0", "-GResetMode=1", "-GResetMode=2", narrow] {
        let Some(mut verilator) = verilator() else { return };
        let output =
            verilator.args(["--lint-only", "-Wall"]).args(parameters.split(' ')).arg(neuron_source()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn ten_million_steps_equal_the_equations() {
    let Some(verilator) = verilator() else { return };
    let folder = tempfile::tempdir().unwrap();
    let units = [0, 1, 2].map(|reset_mode| Unit { module: MODULE.into(), reset_mode });
    let executable = build(verilator, folder.path(), &[neuron_source()], &units);

    let mut simulation = Simulation::start(&executable);
    let mut source = Source::new(4, &[0, 1, 2]);
    let (mismatches, example) = compare(&mut simulation, &mut source, 10_500_000);
    simulation.finish();
    assert_eq!(mismatches, [0, 0, 0], "{}", example.unwrap_or_default());

    let c = source.coverage;
    println!("{c:?}");
    assert!(c.steps >= 10_000_000 && c.carried >= 5_200_000);
    assert!(c.on_threshold >= 500_000 && c.just_above >= 500_000);
    assert!(c.spikes >= 1_000_000 && c.wraps >= 100_000 && c.clamps >= 100_000 && c.top_current >= 10_000);
}

/// What is replaced, by what, in which reset mode it must show.
const MUTATIONS: [(&str, &str, u32); 15] = [
    ("wire carry_u = prod_u_q[ProdWidth-1] & ", "wire carry_u = 1'b0 & ", 0),
    ("wire carry_v = prod_v_q[ProdWidth-1] & ", "wire carry_v = 1'b0 & ", 0),
    ("spike_d = v_sum > theta", "spike_d = v_sum >= theta", 0),
    ("above    = !negative", "above    = 1'b0", 0),
    ("below    = negative", "below    = 1'b0", 0),
    (" && |v_sum[StateWidth-2:0])", ")", 0),
    (" & (u_q != UTop)", "", 0),
    ("top_u_q  <= u_i == UTop", "top_u_q  <= 1'b0", 0),
    ("keep_u = {2'b00, ~du_i}", "keep_u = {2'b00, ~du_i} + 1", 0),
    ("keep_v = {2'b01, {DecayWidth{1'b0}}}", "keep_v = {2'b00, {DecayWidth{1'b1}}}", 0),
    ("bias_wide <<< bias_exp_i", "bias_wide <<< bias_exp_i[1:0]", 0),
    ("if (en_i) begin\n      prod_u_q", "if (1'b1) begin\n      prod_u_q", 0),
    ("if (en_i) begin\n      u_q ", "if (1'b1) begin\n      u_q ", 0),
    ("? reset_q : v_clamped - reset_q", "? {StateWidth{1'b0}} : v_clamped - reset_q", 1),
    ("? reset_q : v_clamped - reset_q", "? reset_q : v_sum[StateWidth-1:0] - reset_q", 2),
];

#[test]
fn every_mutation_is_noticed() {
    let Some(verilator) = verilator() else { return };
    let folder = tempfile::tempdir().unwrap();
    let original = std::fs::read_to_string(neuron_source()).unwrap();
    let mut units = vec![Unit { module: MODULE.into(), reset_mode: 0 }];
    let mut sources = vec![neuron_source()];
    for (i, (from, to, reset_mode)) in MUTATIONS.into_iter().enumerate() {
        assert_eq!(original.matches(from).count(), 1, "'{from}' must stand exactly once in the neuron");
        let module = format!("{MODULE}_mutant_{i}");
        let path = folder.path().join(format!("{module}.v"));
        std::fs::write(&path, original.replace(MODULE, &module).replace(from, to)).unwrap();
        units.push(Unit { module, reset_mode });
        sources.push(path);
    }
    let executable = build(verilator, folder.path(), &sources, &units);

    let mut simulation = Simulation::start(&executable);
    let modes: Vec<u32> = units.iter().map(|u| u.reset_mode).collect();
    let (mismatches, _) = compare(&mut simulation, &mut Source::new(5, &modes), 600_000);
    simulation.finish();
    println!("mismatches per mutation: {:?}", &mismatches[1..]);
    assert_eq!(mismatches[0], 0, "the neuron itself");
    for (mutation, mismatches) in MUTATIONS.iter().zip(&mismatches[1..]) {
        assert!(*mismatches > 0, "not noticed: {mutation:?}");
    }
}
