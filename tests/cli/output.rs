//! What the program prints and writes: JSON alone on standard output, no panic on a closed pipe, complete directories even if
//! it is killed.

use crate::cli_support;

use cli_support::onnx::graph;
use cli_support::{Scratch, cnn, images, labels, mlp, mlp_of, tree};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn json_alone_on_standard_output() {
    let s = Scratch::new();
    let compiled = s.compile("design", &["--json", "-"]);
    let report: serde_json::Value = serde_json::from_str(&compiled.out).unwrap();
    assert_eq!(report["target"], "ecp5-25k");
    assert_eq!(report["layers"].as_array().unwrap().len(), 2);
    assert!(compiled.err.contains("written to design"), "{}", compiled.err);
    let run = |more: &[&str]| s.run(&[&["run", "design", "--images", "images.npy"], more].concat());
    let with_labels = run(&["--labels", "labels.npy", "--limit", "20", "--json", "-"]);
    let report: serde_json::Value = serde_json::from_str(&with_labels.out).unwrap();
    let keys =
        ["accuracy", "float_accuracy", "agreement", "spikes_per_neuron", "events_per_image", "clipped_activations"];
    assert!(keys.iter().all(|k| report[k].is_number()), "{report}");
    assert_eq!(report["images"], 20);
    assert!(report["images_per_second"].as_f64().unwrap() > 0.0);
    let without = run(&["--json", "r.json"]);
    assert!(without.out.contains("32 images"), "{}", without.out);
    let report = s.json("r.json");
    assert_eq!((report["images"].as_u64(), report["accuracy"].is_null()), (Some(32), true));
    assert!(report["agreement"].is_number());
    let more = run(&["--limit", "1000", "--json", "-"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&more.out).unwrap()["images"], 32);
    // A report may lie in the design that it is about.
    let inside = s.compile("other", &["--json", "other/compile.json"]);
    assert!(inside.out.contains("written to other"), "{}", inside.out);
    assert_eq!(s.json("other/compile.json")["target"], "ecp5-25k");
    // A link to a design leads to the new one.
    std::os::unix::fs::symlink("other", s.at("link")).unwrap();
    assert_eq!(s.compile("link", &["--force", "--timesteps", "3"]).code, 0);
    assert!(fs::symlink_metadata(s.at("link")).unwrap().is_symlink());
    assert_eq!(s.json("other/design.json")["settings"]["timesteps"], 3);
    // It is replaced whole, and nothing stays beside it.
    let before = fs::read_dir(s.path()).unwrap().count();
    assert_eq!(run(&["--limit", "3", "--json", "r.json"]).code, 0);
    assert_eq!(s.json("r.json")["images"], 3);
    assert_eq!(fs::read_dir(s.path()).unwrap().count(), before);
    assert_eq!(run(&["--json", "/dev/null"]).code, 0);
}

/// The warnings of a compilation of `net.onnx` whose first layer has these weights and biases.
fn warnings(s: &Scratch, weight: f32, bias: f32) -> Vec<String> {
    let mut model = mlp(&["a", "hidden layer", "y"]);
    let constants = &mut graph(&mut model).initializer;
    constants[0].float_data.fill(weight);
    constants[1].float_data.fill(bias);
    s.model("net.onnx", &model);
    let compiled = s.compile("design", &["--force", "--json", "-"]);
    let report: serde_json::Value = serde_json::from_str(&compiled.out).unwrap();
    let warnings: Vec<String> = serde_json::from_value(report["warnings"].clone()).unwrap();
    for warning in &warnings {
        assert!(compiled.err.contains(&format!("warning: {warning}")), "{}", compiled.err);
    }
    warnings
}

#[test]
fn layers_that_say_nothing_are_warned_about_by_name() {
    let s = Scratch::new();
    assert_eq!(warnings(&s, 0.5, 0.1), Vec::<String>::new());
    let dead = warnings(&s, 0.0, -1.0);
    assert!(dead.len() == 2 && dead.iter().all(|w| w.contains("node 'hidden layer': ")), "{dead:?}");
    assert!(dead[0].contains("all zero") && dead[1].contains("can never fire"), "{dead:?}");
    let constant = warnings(&s, 0.0, 1.0);
    assert!(constant.len() == 1 && constant[0].contains("all zero"), "{constant:?}");
    // Black images, which move nothing over a threshold.
    s.file("images.npy", &cli_support::npy(&ndarray::Array2::<u8>::zeros((8, 6))));
    let silent = warnings(&s, 0.5, -0.1);
    assert!(silent.len() == 1 && silent[0].contains("node 'hidden layer': does not fire on any"), "{silent:?}");
}

#[test]
fn layers_go_by_the_name_of_their_core_and_that_of_the_model() {
    let s = Scratch::new();
    s.model("net.onnx", &mlp(&["/a/Gemm", "/a/Relu", "y"]));
    let compiled = s.compile("design", &["--json", "-"]);
    let report: serde_json::Value = serde_json::from_str(&compiled.out).unwrap();
    let names = |key: &str| [0, 1].map(|i: usize| report["layers"][i][key].as_str().unwrap().to_string());
    assert_eq!(names("source"), ["/a/Relu", "y"]);
    let [core, readout] = names("name");
    assert!(s.at(&format!("design/rtl/{core}.v")).is_file());
    let lines: Vec<&str> = compiled.err.lines().collect();
    assert!(lines.iter().any(|l| l.trim().starts_with(&format!("{core} (/a/Relu) "))), "{}", compiled.err);
    assert!(lines.iter().any(|l| l.trim().starts_with(&format!("{readout} "))), "{}", compiled.err);
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let s = Scratch::with_design();
    for args in [
        "inspect design --stage rtl",
        "inspect design --stage mapped",
        "run design --images images.npy --json -",
        "compile --help",
        "doctor",
        "run nowhere --images images.npy",
    ] {
        for pipe in ["| true", "2>&1 | true", "| head -1", "2>&1 | head -1 >/dev/null"] {
            // The pause lets the reader be gone before the first line is written.
            let script = format!(
                "{{ sleep 0.05; '{}' {args}; echo \"code $?\" >&3; }} 3>code {pipe}",
                env!("CARGO_BIN_EXE_synfire")
            );
            let output = Command::new("bash").args(["-c", &script]).current_dir(s.path()).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(!text.contains("panicked"), "{args} {pipe}: {text}");
            let code = fs::read_to_string(s.at("code")).unwrap();
            assert!(!code.contains("101") && !code.contains("134"), "{args} {pipe}: {code}");
        }
    }
}

#[test]
fn a_killed_compilation_leaves_a_complete_directory_or_none() {
    let s = Scratch::new();
    s.model("net.onnx", &mlp_of(100, 40, 10, &["a", "r", "y"]));
    s.file("images.npy", &images(64, 100));
    let complete = |name: &str| -> BTreeMap<_, _> { tree(&s.at(name)) };
    let start = Instant::now();
    s.compile("whole", &["--target", "generic"]);
    let (whole, took) = (complete("whole"), start.elapsed());
    let (mut finished, mut absent) = (0, 0);
    // Until kills came too early and too late: then some came in between.
    for i in 0..300u32 {
        if i >= 60 && finished > 0 && absent > 0 {
            break;
        }
        let args = ["compile", "net.onnx", "--calibrate", "images.npy", "--target", "generic", "--out", "out"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_synfire"));
        let mut child = child.args(args).current_dir(s.path()).stdout(Stdio::null()).spawn().unwrap();
        // Spread over the whole run, a little beyond its end, in no order.
        let share = f64::from(i * 37 % 60) / 60.0;
        std::thread::sleep(took.mul_f64(share * 1.2));
        child.kill().unwrap();
        child.wait().unwrap();
        if s.at("out").exists() {
            assert!(complete("out") == whole, "attempt {i} left a half-written directory");
            fs::remove_dir_all(s.at("out")).unwrap();
            finished += 1;
        } else {
            absent += 1;
        }
    }
    println!("{finished} complete, {absent} absent, a whole run takes {took:?}");
    assert!(finished > 0 && absent > 0);
}

#[test]
fn killing_a_replacement_leaves_no_mixture() {
    let s = Scratch::new();
    s.model("net.onnx", &mlp_of(100, 40, 10, &["a", "r", "y"]));
    s.file("images.npy", &images(64, 100));
    s.compile("old", &["--target", "generic", "--timesteps", "8"]);
    let start = Instant::now();
    s.compile("new", &["--target", "generic"]);
    let took = start.elapsed();
    let (old, new) = (tree(&s.at("old")), tree(&s.at("new")));
    let (mut before, mut after, mut between) = (0, 0, 0);
    for i in 0..150u32 {
        if i >= 30 && before > 0 && after > 0 {
            break;
        }
        fs::remove_dir_all(s.at("out")).unwrap_or_default();
        s.compile("out", &["--target", "generic", "--timesteps", "8"]);
        let args =
            ["compile", "net.onnx", "--calibrate", "images.npy", "--target", "generic", "--out", "out", "--force"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_synfire"));
        let mut child = child.args(args).current_dir(s.path()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(took.mul_f64(f64::from(i * 19 % 30) / 30.0 * 1.2));
        child.kill().unwrap();
        child.wait().unwrap();
        match s.at("out").exists().then(|| tree(&s.at("out"))) {
            Some(found) if found == old => before += 1,
            Some(found) if found == new => after += 1,
            Some(_) => panic!("attempt {i} left a mixture"),
            None => between += 1,
        }
    }
    println!("{before} old, {after} new, {between} in between");
    assert!(before > 0 && after > 0);
}

#[test]
fn help_is_enough_to_work_from() {
    let s = Scratch::new();
    let listed = s.run(&["--help"]).out;
    for command in ["compile", "run", "cosim", "synth", "inspect", "doctor", "demo", "nir"] {
        let help = s.run(&[command, "--help"]);
        assert_eq!(help.code, 0);
        let line = |line: &str| line.trim_start().starts_with(&format!("{command} "));
        assert!(listed.lines().any(line), "{command} is not in\n{listed}");
    }
    let compile = s.run(&["compile", "--help"]).out;
    for part in
        ["[layers.NAME]", "Example", "synfire inspect", "IDX", "0.485", "[default: 16]", "ecp5-85k", "Precedence"]
    {
        assert!(compile.contains(part), "{part} is not in\n{compile}");
    }
    let general = s.run(&["--help"]).out;
    assert!(general.contains("does not fit") && general.contains("Exit codes"), "{general}");
}

/// The integers do not depend on the device, but were shown only where the network fits it.
#[test]
fn integers_can_be_inspected_of_a_network_too_large_for_the_device() {
    let s = Scratch::new();
    s.model("net.onnx", &mlp_of(600, 600, 3, &["a", "r", "y"]));
    s.file("images.npy", &images(8, 600));
    let args = [
        "inspect",
        "net.onnx",
        "--calibrate",
        "images.npy",
        "--target",
        "ice40-up5k",
        "--weights",
        "internal",
        "--stage",
    ];
    s.refused(5, &[&args[..], &["mapped"]].concat(), &["does not fit"]);
    let quant = s.run(&[&args[..], &["quant"]].concat());
    assert_eq!(quant.code, 0, "{}", quant.err);
    assert!(quant.out.contains("600"), "{}", quant.out);
}

/// Failed at its rate half, with all points of the other lost.
#[test]
fn networks_with_pools_are_swept_without_rate_coding() {
    let s = Scratch::new();
    s.model("net.onnx", &cnn());
    s.file("images.npy", &images(16, 72));
    s.file("labels.npy", &labels(16, 3));
    s.compile("design", &["--target", "generic"]);
    let sweep = ["run", "design", "--images", "images.npy", "--sweep", "--calibrate", "images.npy"];
    let done = s.run(&[&sweep[..], &["--labels", "labels.npy", "--json", "sweep.json"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    let points = s.json("sweep.json")["sweep"].as_array().unwrap().clone();
    assert_eq!(points.len(), 20);
    assert!(points.iter().all(|point| point["coding"] == "graded"));
    // A plot that could show nothing, or nowhere, is refused before the work.
    s.refused(2, &[&sweep[..], &["--plot", "p.svg"]].concat(), &["needs labels"]);
    s.refused(2, &[&sweep[..], &["--labels", "labels.npy", "--plot", "no/p.svg"]].concat(), &["no/p.svg"]);
}

#[test]
fn negative_numbers_reach_the_command_that_refuses_them() {
    let s = Scratch::with_design();
    s.refused(2, &["synth", "design", "--freq", "-3"], &["MHz"]);
}

/// Said "row-major index" and "not zero" of every network.
#[test]
fn the_designs_readme_says_how_pixels_enter() {
    let s = Scratch::new();
    s.model("net.onnx", &cnn());
    s.file("images.npy", &images(16, 72));
    s.compile("design", &["--target", "generic", "--normalize", "0.4/0.5"]);
    let readme = std::fs::read_to_string(s.at("design/README.md")).unwrap();
    for part in ["`{row, column, channel}` of its place, 3, 3 and 1 of them", "[102, 102]", "number of 9 bits"] {
        assert!(readme.contains(part), "{part} is not in\n{readme}");
    }
}

#[test]
fn a_result_never_replaces_what_was_read_or_compiled() {
    let s = Scratch::with_design();
    std::os::unix::fs::symlink("net.onnx", s.at("link.onnx")).unwrap();
    for json in ["net.onnx", "./net.onnx", "link.onnx", "images.npy"] {
        s.compile_refused(2, &["--json", json], &["is read or written by this command", "--json"]);
    }
    for json in ["out/design.json", "out/model/source.onnx", "out/rtl/x.json"] {
        s.compile_refused(2, &["--json", json], &["is a part of the design"]);
    }
    for json in ["labels.npy", "images.npy", "design/design.json", "design/model/source.onnx", "design/../design/mem/x"]
    {
        let run = ["run", "design", "--images", "images.npy", "--labels", "labels.npy", "--json", json];
        s.refused(2, &run, &["so the result must not go there"]);
    }
    s.compile("out", &["--json", "out/report.json"]);
    assert!(s.at("out/report.json").is_file());
}

/// The signals that a user sends; nothing can be done about a kill.
#[test]
fn an_interrupted_compilation_leaves_no_temporary_folder() {
    let s = Scratch::new();
    s.model("net.onnx", &mlp_of(100, 40, 10, &["a", "r", "y"]));
    s.file("images.npy", &images(64, 100));
    s.compile("out", &["--target", "generic"]);
    let before: Vec<_> = tree(s.path()).into_keys().filter(|path| !path.starts_with("out")).collect();
    let mut seen = 0;
    for attempt in 0..40 {
        let args =
            ["compile", "net.onnx", "--calibrate", "images.npy", "--target", "generic", "--out", "out", "--force"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_synfire"));
        let mut child = child.args(args).current_dir(s.path()).stdout(Stdio::null()).spawn().unwrap();
        let aside =
            || fs::read_dir(s.path()).unwrap().any(|e| e.unwrap().file_name().to_string_lossy().starts_with('.'));
        let start = Instant::now();
        while !aside() && child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(60) {
            std::thread::yield_now();
        }
        let signal = if attempt % 2 == 0 { "-INT" } else { "-TERM" };
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).output().unwrap();
        let ended = child.wait().unwrap();
        seen += usize::from(ended.code().is_none());
        let after: Vec<_> = tree(s.path()).into_keys().filter(|path| !path.starts_with("out")).collect();
        assert_eq!(after, before, "attempt {attempt}, {ended:?}");
        assert!(s.at("out/design.json").is_file() && s.at("out/README.md").is_file(), "attempt {attempt}");
        if seen >= 5 {
            break;
        }
    }
    assert!(seen > 0, "no interrupt came in time");
}
