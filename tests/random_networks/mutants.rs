//! Faults in the Verilog, one for each feature: random networks find them, make the case small, and repeat it from its file.

use crate::cosim::toolchain;
use crate::features::features;
use crate::generator::{Fault, Recipe, draw, realise};
use crate::hunt::Case;
use crate::judge::{Check, Failure, Wrong};
use rayon::prelude::*;
use std::process::Command;

/// A seed that is tried first; what is broken; what a network must have to notice; file; text; what stands there instead.
type Entry = (u64, &'static str, &'static str, &'static str, &'static str, &'static str);

/// One fault for each feature.
const FAULTS: [Entry; 16] = [
    (
        118,
        "a queue that keeps the events of an image's last phase",
        "queue",
        "sf_queue",
        "wire keep       = take && (last || !last_phase);",
        "wire keep       = take && (last || !last_phase || 1'b1);",
    ),
    (
        92,
        "a merge that takes beats of the next phase",
        "merge",
        "sf_merge",
        "offered  = in_valid_i & ~lasted_q;",
        "offered  = in_valid_i | (in_valid_i & ~lasted_q);",
    ),
    (
        92,
        "a channel field with bits of the column",
        "merge of several kinds",
        "sf_window_fields",
        "fields[ChannelBits-1:0] & ~({ChannelBits{1'b1}} << ChannelWidth);",
        "fields[ChannelBits-1:0];",
    ),
    (
        160,
        "a membrane memory without its bypass",
        "one neuron",
        "sf_membrane",
        "(Groups == 1 && we_i) ? wdata_i : mem_q[raddr_i]",
        "mem_q[raddr_i]",
    ),
    (
        251,
        "a leaky reset that adds",
        "leaky subtract in event",
        "sf_leaky_lanes",
        "(Subtract != 0) ? v_q - by : by",
        "(Subtract != 0) ? v_q + by : by",
    ),
    (
        251,
        "a current that survives the image",
        "leaky current in event",
        "sf_leaky_lanes",
        "u_write = renew ?",
        "u_write = op_init_i ?",
    ),
    (
        251,
        "an input that a step leaves to the next one",
        "leaky current in event",
        "sf_leaky_lanes",
        "a_write = op_acc_i ? sum : {InputBits{1'b0}}",
        "a_write = op_acc_i ? sum : op_init_i ? {InputBits{1'b0}} : a",
    ),
    (
        45,
        "a pool that takes the last input",
        "max in window event",
        "sf_lanes",
        "($signed(added) > $signed(v)) ? added : v",
        "($signed(added) > $signed(v) || 1'b1) ? added : v",
    ),
    (
        245,
        "a tree that takes the smallest",
        "max in window matrix",
        "sf_tree",
        "($signed(left) > $signed(right)) ? left : right",
        "($signed(left) > $signed(right)) ? right : left",
    ),
    (
        94,
        "pixels below zero taken for large ones",
        "signed in window event",
        "sf_product",
        "(Signed != 0) && value_i[ValueBits-1]",
        "(Signed != 0) && value_i[ValueBits-1] && 1'b0",
    ),
    (
        39,
        "a skip connection with a channel too many",
        "a zero-padded skip",
        "sf_window_event_issue",
        "(number < Channels[",
        "(number <= Channels[",
    ),
    (
        0,
        "a step of a window too few",
        "strides",
        "sf_window_event_issue",
        "wire column_done    = inner_done && column_data_i[0];",
        "wire column_done    = inner_done && (column_data_i[0] || 1'b1);",
    ),
    (
        22,
        "an input buffer that waits for the other one",
        "conv in window matrix",
        "sf_window_buffers",
        "!full_q[fill_q];",
        "!full_q[issue_q];",
    ),
    (
        291,
        "a leaky readout that keeps the membrane that it began with",
        "leaky readout in event",
        "sf_leaky_lanes",
        "assign v_next = v_q;",
        "assign v_next = v;",
    ),
    (
        223,
        "a count beyond what may be sent",
        "a count that is no full number of bits",
        "sf_lanes",
        "(may || loose);",
        "(may || loose || 1'b1);",
    ),
    (
        3,
        "a membrane without its floor",
        "a floor",
        "sf_lanes",
        "below = first_i && sum[SumBits-1]",
        "below = first_i && 1'b0 && sum[SumBits-1]",
    ),
];

/// Seeds among which networks are looked for, and how many of these are tried, the smallest first.
const SEEDS: u64 = 300;
const TRIES: usize = 6;

/// Neurons, and a handful for every layer: about what a simulation costs to build.
fn size(recipe: &Recipe) -> usize {
    recipe.layers.iter().map(|layer| 8 + layer.shape.iter().product::<usize>()).sum()
}

/// The first of the random networks of at least so many layers that have the fault's feature and fail, the smallest first, and how.
fn find((seed, name, feature, file, from, to): Entry, layers: usize) -> Option<(Recipe, Failure)> {
    let has = |recipe: &Recipe| realise(recipe).is_ok_and(|nets| features(recipe, &nets[0]).contains(feature));
    let all = (0..SEEDS).map(draw).filter(|recipe| recipe.layers.len() >= layers);
    let mut some: Vec<Recipe> = all.filter(has).collect();
    some.sort_by_key(|recipe| (recipe.seed != seed, size(recipe)));
    some.into_iter().take(TRIES).find_map(|recipe| {
        let fault = Fault { file: format!("rtl/{file}.v"), from: from.into(), to: to.into() };
        let (recipe, folder) = (Recipe { fault: Some(fault), ..recipe }, tempfile::tempdir().unwrap());
        let failure = Check::Cosim.judge(&recipe, folder.path()).err()?;
        println!("{name}: seed {}: {:?} in run {:?}", recipe.seed, failure.wrong, failure.run);
        Some((recipe, failure))
    })
}

#[test]
fn a_fault_in_every_feature_is_found() {
    if toolchain().is_none() {
        return;
    }
    FAULTS.par_iter().for_each(|&fault| {
        let (_, failure) = find(fault, 1).unwrap_or_else(|| panic!("{} is not found", fault.1));
        // Not refused by a tool: seen in what the hardware does.
        let seen = matches!(failure.wrong, Wrong::Cycles | Wrong::Counts | Wrong::Stuck);
        assert!(seen, "{}: {failure}", fault.1);
        // Not only when it has reached a membrane.
        let place = match fault.1 {
            "a current that survives the image" => "current in u_",
            "an input that a step leaves to the next one" => "input in u_",
            _ => return,
        };
        assert!(failure.to_string().contains(place), "{}: {failure}", fault.1);
    });
}

#[test]
fn a_found_fault_is_made_small_and_repeated_from_its_file() {
    if toolchain().is_none() {
        return;
    }
    let fault = FAULTS[4];
    let (recipe, failure) = find(fault, 3).expect("the fault is found");
    let (large, case) = (recipe.clone(), Case { check: Check::Cosim, failure, recipe });
    let (case, steps) = case.shrunk(20);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.json");
    let report = case.report(&file, steps);
    println!("from {large:?}\n{report}");
    // Twenty steps are not all that there is to gain, but a test has no more time.
    let smaller = size(&case.recipe) * 3 <= size(&large) * 2 && case.recipe.layers.len() < large.layers.len();
    assert!(smaller && case.recipe.runs.len() == 1, "{:?}", case.recipe);
    assert!(report.contains("it fails again from its file"), "{report}");
    assert!(folder.path().join("case.design/mismatch.fst").exists());

    // The command of the message.
    assert!(report.contains(&format!("SYNFIRE_CASE={} cargo test", file.display())) && report.contains(" reproduce "));
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["reproduce", "--exact", "--nocapture"]).env("SYNFIRE_CASE", &file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // The place and what differs there; only the waveform's folder is another.
    let text = case.failure.to_string();
    let (place, _) = text.split_once("waveform").expect("a mismatch has a waveform");
    assert!(!output.status.success() && said.contains(place), "{said}");
}
