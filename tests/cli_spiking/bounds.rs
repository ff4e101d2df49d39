//! Where neurons are kept from what they want to do: what is counted, and what users are told.

use super::*;
use synfire::fixed::grouped;

const LONG: u64 = 400;

/// Two pixels → one IF → one LI without decay, which also reads the pixels; three samples of two white pixels.
fn integrating() -> Scratch {
    let s = Scratch::new();
    let port = |kind, n: usize| Unit::new(kind).with("shape", Array::integers([n]));
    let linear = |weights: Vec<f64>| Unit::new(Kind::Linear).with("weight", array(&[1, weights.len()], weights));
    let all = |x: f64| array(&[1], vec![x]);
    let mut graph = NirGraph::default();
    graph.node("input", port(Kind::Input, 2)).node("output", port(Kind::Output, 1));
    graph
        .node("fc", linear(vec![1.0, 0.37]))
        .node("if", Unit::new(Kind::If).with("r", all(1.0)).with("v_threshold", all(1.0)));
    graph.node("to li", linear(vec![7e-6])).node("past", linear(vec![1.0, 0.37]));
    graph.node("li", Unit::new(Kind::Li).with("tau", all(1e9)).with("r", all(1e9)).with("v_leak", all(0.0)));
    for path in [&["input", "fc", "if", "to li", "li", "output"][..], &["input", "past", "li"]] {
        path.windows(2).for_each(|edge| {
            graph.edge(edge[0], edge[1]);
        });
    }
    s.file("net.nir", &nir::to_bytes(&graph).unwrap());
    s.file("white.npy", &npy(&Array2::from_elem((3, 2), 255u8)));
    s
}

const WIDE: [&str; 10] = [
    "--nir-dialect",
    "sinabs",
    "--encoding",
    "constant",
    "--input-bits",
    "16",
    "--weight-bits",
    "16",
    "--timesteps",
    "400",
];

/// The neuron wants 1.37 spikes in every step. With one at most it lacks 0.37 t in step t and could send another from step 3 on. The
/// readout gets the same sum in every step and clamps from that on in which it would pass 2^39 - 1.
#[test]
fn spikes_held_back_and_membranes_clamped_are_told_apart() {
    let s = integrating();
    let compile = |out: &str, options: &[&str]| {
        let args =
            [&["compile", "net.nir", "--calibrate", "white.npy", "--out", out, "--json", "-"], &WIDE[..], options];
        let outcome = succeeds(&s, &args.concat());
        (serde_json::from_str::<Value>(&outcome.out).unwrap(), outcome.err)
    };
    let (measured, _) = compile("measured", &[]);
    let projections = s.json("measured/design.json")["net"]["quant"]["projections"].clone();
    let past = projections.as_array().unwrap().iter().position(|p| p["name"] == "past").unwrap();
    let weights: Array2<i32> = ndarray_npy::read_npy(s.at(&format!("measured/model/projection_{past}.npy"))).unwrap();
    let gain = 65_535 * weights.iter().map(|&w| u64::try_from(w).unwrap()).sum::<u64>();
    let clamped = 3 * (LONG - ((1 << 39) - 1) / gain);
    let counts = |report: &Value| -> Vec<[u64; 2]> {
        let of = |layer: &Value| ["held_back_spikes", "clamped_membranes"].map(|key| layer[key].as_u64().unwrap());
        report.as_array().unwrap().iter().map(of).collect()
    };
    assert_eq!(counts(&measured["layers"]), [[0, 0], [0, clamped]]);
    let decisions = measured["decisions"].to_string();
    assert!(decisions.contains("in a step: if: 3; on the samples given none held back more"), "{decisions}");
    let said = |report: &Value| {
        report["warnings"].as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let clamps = format!("had membranes of the readout clamped {clamped} times on");
    let warnings = said(&measured);
    assert!(warnings.len() == 1 && warnings[0].contains("'li'") && warnings[0].contains(&clamps), "{warnings:?}");

    let (least, err) = compile("least", &["--neuron-spikes-per-step", "1"]);
    let held = 3 * (LONG - 2);
    assert_eq!(counts(&least["layers"])[0], [held, 0]);
    let (warnings, run) = (said(&least), report(&s, &["run", "least", "--images", "white.npy"]));
    let holds = format!("held back spikes {} times on", grouped(held));
    for (warnings, on) in [(warnings, "the samples given"), (said(&run), "these samples")] {
        let [first, second] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(
            first.contains("'if'") && first.contains(&format!("{holds} {on}: a neuron held more than the 1 that")),
            "{first}"
        );
        assert!(first.contains("raise 'neuron-spikes-per-step'") && !first.contains("clamped"), "{first}");
        assert!(second.contains("'li'") && second.contains("clamped") && !second.contains("held back"), "{second}");
        assert!(second.contains("fewer bits per weight"), "{second}");
    }
    assert!(err.contains(&format!("warning: {}", said(&least)[1])), "{err}");
    assert_eq!((&run["held_back_spikes"], &run["clipped_activations"]), (&json!(held), &json!(0)));
    let each = &run["saturations_per_population"];
    assert_eq!(counts(each), [[0, 0], [held, 0], [0, run["clamped_membranes"].as_u64().unwrap()]]);
    let names: Vec<&str> = each.as_array().unwrap().iter().map(|p| p["population"].as_str().unwrap()).collect();
    assert_eq!(names, ["input", "if", "li"]);
    let random = [&["compile", "net.nir", "--out", "random"], &WIDE[..], &["--neuron-spikes-per-step", "1"]].concat();
    succeeds(&s, &random);
    let told = said(&report(&s, &["run", "random", "--images", "white.npy"]))[0].clone();
    let help = "compile with samples of what the network will read (--calibrate)";
    assert!(told.contains(&holds) && told.contains(help) && !told.contains("samples like these"), "{told}");
    let text = succeeds(&s, &["run", "least", "--images", "white.npy", "--metrics", "0"]).out;
    for part in ["spikes held back", "membranes clamped", &format!("warning: {}", said(&run)[0])] {
        assert!(text.contains(part), "no '{part}' in {text}");
    }
}

/// A pool may add up at most 2^24: what 4,225 neurons send with 15 spikes each, but not with 4,095.
#[test]
fn samples_that_could_not_be_followed_are_told_with_the_reason() {
    const SIDE: usize = 65;
    let s = Scratch::new();
    let port = |kind, shape: [usize; 3]| Unit::new(kind).with("shape", Array::integers(shape));
    let pair = || Array::integers([1, 1]);
    let conv = |w: f64| {
        let unit =
            Unit::new(Kind::Conv2d).with("weight", array(&[1, 1, 1, 1], vec![w])).with("bias", array(&[1], vec![0.0]));
        let unit = unit.with("stride", pair()).with("dilation", pair()).with("padding", Array::integers([0, 0]));
        unit.with("groups", Array::integer(1)).with("input_shape", Array::integers([SIDE, SIDE]))
    };
    let fire = |side: usize, theta: f64| {
        let all = |x: f64| array(&[1, side, side], vec![x; side * side]);
        Unit::new(Kind::If).with("r", all(1.0)).with("v_threshold", all(theta))
    };
    let size = |n: usize| Array::integers([n, n]);
    let pool =
        Unit::new(Kind::SumPool2d).with("kernel_size", size(SIDE)).with("stride", size(SIDE)).with("padding", size(0));
    let mut graph = NirGraph::default();
    graph.node("input", port(Kind::Input, [1, SIDE, SIDE])).node("output", port(Kind::Output, [1, 1, 1]));
    graph.node("in", conv(1.0)).node("many", fire(SIDE, 0.3)).node("pool", pool);
    graph.node("out", conv(1.0).with("input_shape", Array::integers([1, 1]))).node("one", fire(1, 1000.0));
    ["input", "in", "many", "pool", "out", "one", "output"].windows(2).for_each(|edge| {
        graph.edge(edge[0], edge[1]);
    });
    s.file("net.nir", &nir::to_bytes(&graph).unwrap());
    s.file("white.npy", &npy(&ndarray::Array4::from_elem((1, 1, SIDE, SIDE), 255u8)));
    let args = [
        "compile",
        "net.nir",
        "--nir-dialect",
        "sinabs",
        "--timesteps",
        "2",
        "--calibrate",
        "white.npy",
        "--json",
        "-",
    ];
    let outcome = succeeds(&s, &[&args[..], &["--out", "design"]].concat());
    let report: Value = serde_json::from_str(&outcome.out).unwrap();
    let warning = "the default, and not what the samples given need: with up to 4095 spikes of each neuron 'pool' passes on sums of up to 17301375; 16777216 are the limit";
    let said = report["warnings"].to_string();
    assert!(said.contains(warning) && said.contains("choose it with 'neuron-spikes-per-step'"), "{said}");
    assert!(outcome.err.contains(warning), "{}", outcome.err);
    let decisions = report["decisions"].to_string();
    assert!(decisions.contains("many: 15, one: 15 (the default, not what the samples given need)"), "{decisions}");
    assert_eq!(s.json("design/design.json")["settings"]["neuron-spikes-per-step"], 15);
    // Who chooses is not told so.
    let chosen = succeeds(&s, &[&args[..], &["--neuron-spikes-per-step", "15", "--out", "chosen"]].concat());
    assert!(!chosen.err.contains("the default"), "{}", chosen.err);
}

/// Two layers that dim images let send a different number of spikes: a point of the sweep with the design's own time steps and weights is
/// the design, held back by the same bounds.
#[test]
fn a_sweep_bounds_each_layer_as_the_design_does() {
    let s = scratch();
    let images: Array2<u8> = ndarray_npy::read_npy(s.at("images.npy")).unwrap();
    s.file("dim.npy", &npy(&images.mapv(|pixel| pixel / 8)));
    let options = ["--nir-dialect", "sinabs", "--calibrate", "dim.npy", "--json", "-"];
    let compiled: Value = serde_json::from_str(&compile(&s, "design", &options).out).unwrap();
    assert!(compiled["decisions"].to_string().contains("in a step: if1: 3, if2: 7;"), "{compiled}");
    let run = report(&s, &["run", "design", "--images", "trains.npy", "--metrics", "0", "--sweep"]);
    assert!(run["held_back_spikes"].as_u64() > Some(0), "{run}");
    let same = run["sweep"].as_array().unwrap().iter().find(|p| p["weight_bits"] == 8 && p["timesteps"] == 12).unwrap();
    assert_eq!(same["spikes_per_neuron"], run["spikes_per_neuron"]);
}

#[test]
fn an_edited_number_of_spikes_per_step_is_refused() {
    let s = scratch();
    let edited = |said: u64, parts: &[&str]| {
        let mut design = s.json("design/design.json");
        design["settings"]["neuron-spikes-per-step"] = json!(said);
        s.file("design/design.json", &serde_json::to_vec(&design).unwrap());
        for args in [&["run", "design", "--images", "images.npy"][..], &["inspect", "design", "--stage", "quant"]] {
            s.refused(2, args, &[parts, &["design.json: ", "help: compile the design again"]].concat());
        }
    };
    compile(&s, "design", &[]);
    edited(9, &["has 'neuron-spikes-per-step' and no neurons that may send several spikes in a step"]);
    compile(&s, "design", &["--nir-dialect", "sinabs", "--neuron-spikes-per-step", "9", "--force"]);
    succeeds(&s, &["inspect", "design", "--stage", "quant"]);
    for wrong in [0, 4096, 4_000_000_000] {
        edited(wrong, &[&format!("has 'neuron-spikes-per-step' {wrong}, 1 to 4095 are possible")]);
    }
    edited(8, &["sends up to 9 spikes in a step, and 'neuron-spikes-per-step' is 8"]);
}

/// Five inputs of 127 at most reach 7,620 in twelve steps, and with a bias no more than 132 beyond.
#[test]
fn thresholds_out_of_reach_and_samples_that_are_not_used_are_told() {
    let s = scratch();
    let said = |options: &[&str]| {
        let outcome = compile(&s, "design", &[options, &["--force", "--json", "-"]].concat());
        let report: Value = serde_json::from_str(&outcome.out).unwrap();
        (report["warnings"].to_string(), report["decisions"].to_string())
    };
    assert_eq!(said(&["--calibrate", "images.npy", "--calibration-limit", "32"]).0, "[]");
    let (warnings, decisions) = said(&["--calibrate", "images.npy", "--calibration-limit", "31"]);
    assert!(warnings == "[]" && decisions.contains("uses the first 31 of the 32 samples given"), "{decisions}");
    let mut graph = network();
    graph.node("if2", neurons(3, 2e4));
    s.file("net.nir", &nir::to_bytes(&graph).unwrap());
    let (warnings, decisions) = said(&["--calibrate", "images.npy"]);
    assert!(warnings.contains("'if2': can never fire") && !warnings.contains("'if1'"), "{warnings}");
    // What the threshold is was lost when the comparison became as narrow as the membranes.
    assert!(
        warnings.contains("at most, and its threshold is beyond that") && !warnings.contains("it needs"),
        "{warnings}"
    );
    assert!(!decisions.contains("uses the first"), "{decisions}");
}
