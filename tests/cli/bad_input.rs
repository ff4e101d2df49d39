//! Bad models, data, settings and places, given to the built program: a message that names the place and says what to do,
//! the documented exit code, and nothing written.

use crate::cli_support;

use cli_support::onnx::{self, floats, graph, weights};
use cli_support::{Scratch, images, labels, mlp, mlp_of, npy};
use flate2::{Compression, write::GzEncoder};
use ndarray::Array2;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use synfire::frontends::onnx::proto::{GraphProto, NodeProto, TensorProto};

#[test]
fn unsupported_operators_are_all_named() {
    let s = Scratch::new();
    let mut model = mlp(&["a", "squash", "y"]);
    graph(&mut model).node[1].op_type = "Tanh".into();
    graph(&mut model).node[2].op_type = "Einsum".into();
    s.model("net.onnx", &model);
    s.compile_refused(
        2,
        &[],
        &["net.onnx: node 'squash': the operator Tanh", "node 'y': the operator Einsum", "help:"],
    );
    s.refused(2, &["inspect", "net.onnx", "--stage", "graph"], &["Tanh", "Einsum"]);
}

#[test]
fn damaged_models() {
    let s = Scratch::new();
    let good = fs::read(s.at("net.onnx")).unwrap();
    for cut in [0, 1, good.len() / 2, good.len() - 1] {
        s.file("net.onnx", &good[..cut]);
        s.compile_refused(2, &[], &["net.onnx: ", "help:"]);
    }
    for junk in [&b"not a model"[..], &[0xff; 4096], b"\x89PNG\r\n\x1a\n", &images(2, 6)] {
        s.file("net.onnx", junk);
        s.compile_refused(2, &[], &["net.onnx: is no ONNX file, or is truncated"]);
    }
    fs::remove_file(s.at("net.onnx")).unwrap();
    s.compile_refused(2, &[], &["net.onnx: cannot read the model"]);
    fs::create_dir(s.at("net.onnx")).unwrap();
    s.compile_refused(2, &[], &["net.onnx: cannot read the model"]);
}

/// Once a panic, and with a smaller number a design that nothing could load.
#[test]
fn a_mean_beyond_all_pixels_is_refused_with_the_layer() {
    let s = Scratch::new();
    s.model("net.onnx", &cli_support::cnn());
    s.file("images.npy", &images(8, 72));
    for mean in ["1e12", "1e15", "1e30"] {
        let normalize = format!("{mean}/1");
        s.compile_refused(2, &["--normalize", &normalize], &["node '", "--normalize"]);
    }
}

#[test]
fn gzipped_networks_are_read_like_plain_ones() {
    let s = Scratch::new();
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let packed = gzip(&fs::read(s.at("net.onnx")).unwrap());
    s.compile("plain", &[]);
    s.file("net.onnx.gz", &packed);
    let compile = ["compile", "net.onnx.gz", "--calibrate", "images.npy", "--out", "packed"];
    let outcome = s.run(&compile);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    for file in ["model/source.onnx", "rtl/net.v"] {
        assert_eq!(fs::read(s.at("plain").join(file)).unwrap(), fs::read(s.at("packed").join(file)).unwrap(), "{file}");
    }
    fs::remove_dir_all(s.at("packed")).unwrap();
    s.file("net.onnx.gz", &packed[..packed.len() - 9]);
    s.refused(2, &compile, &["net.onnx.gz: cannot be decompressed", "help:"]);
    // 2 GiB of zeros in 2 MiB.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..2048).for_each(|_| bomb.write_all(&zeros).unwrap());
    s.file("net.onnx.gz", &bomb.finish().unwrap());
    let outcome = s.run(&compile);
    assert!(outcome.code == 2 && outcome.err.contains("larger than the limit"), "{}", outcome.err);
}

#[test]
fn networks_that_cannot_be_built() {
    let s = Scratch::new();
    let broken = |change: &dyn Fn(&mut GraphProto), parts: &[&str]| {
        let mut model = mlp(&["a", "r", "y"]);
        change(graph(&mut model));
        s.model("net.onnx", &model);
        s.compile_refused(2, &[], &[&["net.onnx: "], parts].concat());
    };
    broken(&|g| g.initializer[0] = weights("w1", &[7, 4]), &["node 'a': has weights for 7 inputs, but reads 6"]);
    broken(&|g| g.initializer[0].float_data[3] = f32::NAN, &["node 'a'", "'w1' holds 1 values"]);
    broken(&|g| g.initializer[3].float_data[0] = f32::INFINITY, &["node 'y'", "'b2' holds 1 values"]);
    broken(&|g| g.initializer[2] = floats("w2", &[4, 0], &[]), &["node 'y'", "has no elements"]);
    broken(&|g| g.initializer[0].dims = vec![1 << 40, 1 << 40], &["node 'a'"]);
    broken(&|g| g.initializer[0].dims = vec![1 << 20, 1 << 20], &["node 'a'"]);
}

#[test]
fn data_that_does_not_belong_to_the_network() {
    let s = Scratch::with_design();
    s.file("wide.npy", &images(8, 7));
    s.refused(
        2,
        &["compile", "net.onnx", "--calibrate", "wide.npy", "--out", "out"],
        &["wide.npy: the images are [7], but the network's input is [6]", "help:"],
    );
    let run = |images: &str, more: &[&str], parts: &[&str]| {
        s.refused(2, &[&["run", "design", "--images", images], more].concat(), parts);
    };
    run("wide.npy", &[], &["wide.npy: the images are [7]", "[6]"]);
    s.file("few.npy", &labels(31, 3));
    run("images.npy", &["--labels", "few.npy"], &["few.npy: there are 32 images but 31 labels", "help:"]);
    s.file("high.npy", &labels(32, 4));
    run("images.npy", &["--labels", "high.npy"], &["high.npy: 8 of 32 labels", "3 classes, 0 to 2"]);
    run("images.npy", &["--labels", "images.npy"], &["images.npy: ", "not labels"]);
    run("labels.npy", &[], &["labels.npy: ", "not images"]);
    run("images.npy", &["--limit", "0"], &["--limit 0 leaves no image"]);
    run("images.npy", &["--limit", "-1"], &["--limit"]);
    run("absent.npy", &[], &["absent.npy: cannot"]);
    s.file("cut.npy", &images(8, 6)[..150]);
    run("cut.npy", &[], &["cut.npy: is truncated"]);
    s.file("empty.npy", b"");
    run("empty.npy", &[], &["empty.npy: is empty"]);
    s.file("nan.npy", &npy(&Array2::from_elem((4, 6), f32::NAN)));
    run("nan.npy", &[], &["nan.npy: ", "outside [0, 1]"]);
    s.file("none.npy", &npy(&Array2::<u8>::zeros((0, 6))));
    run("none.npy", &[], &["none.npy: holds no pixels"]);
    run("/dev/zero", &[], &["/dev/zero: "]);
}

#[test]
fn channels_must_be_the_networks() {
    let s = Scratch::new();
    s.model("net.onnx", &onnx::model(13, &[3, 1, 2], flat_nodes(), flat_weights()));
    s.file("images.npy", &npy(&ndarray::Array4::<u8>::zeros((4, 1, 2, 3))));
    s.compile_refused(2, &[], &["images.npy: the images are [1, 2, 3], but the network's input is [3, 1, 2]"]);
    s.file("images.npy", &npy(&ndarray::Array4::<u8>::from_elem((4, 3, 1, 2), 9)));
    for bad in ["0.5,0.5/1,1", "0.5,0.5,0.5,0.5/1,1,1,1"] {
        s.compile_refused(2, &["--normalize", bad], &["normalisation has", "3 channels", "help:"]);
    }
    s.compile("ok", &["--normalize", "0.5,0.5,0.5/1,1,1"]);
}

fn flat_nodes() -> Vec<NodeProto> {
    vec![onnx::node("Flatten", &["x"], "f"), onnx::node("Gemm", &["f", "w"], "y")]
}

fn flat_weights() -> Vec<TensorProto> {
    vec![weights("w", &[6, 3])]
}

#[test]
fn places_that_cannot_be_written() {
    let s = Scratch::new();
    s.file("out/precious.txt", b"mine");
    s.compile_refused(2, &[], &["out: exists", "choose another --out"]);
    s.compile_refused(2, &["--force"], &["out: exists and holds no design"]);
    s.compile("old", &["--timesteps", "4"]);
    let old: [&str; 6] = ["compile", "net.onnx", "--calibrate", "images.npy", "--out", "old"];
    s.refused(2, &old, &["old: exists", "--force"]);
    // A failure leaves even a design that may be replaced.
    s.refused(2, &[&old[..], &["--force", "--timesteps", "0"]].concat(), &["time steps cannot be 0"]);
    assert_eq!(s.json("old/design.json")["settings"]["timesteps"], 4);
    assert_eq!(s.run(&[&old[..], &["--force"]].concat()).code, 0);
    assert_eq!(s.json("old/design.json")["settings"]["timesteps"], 16);

    // Whoever stood in it would stand nowhere.
    let mut within = s.command(&["compile", "../net.onnx", "--calibrate", "../images.npy", "--out", ".", "--force"]);
    within.current_dir(s.at("old"));
    s.refused_by(within, 2, &[".: is the current folder, or holds it", "help: go to another folder"]);
    assert_eq!(s.json("old/design.json")["settings"]["timesteps"], 16);

    let to = |out: &str, parts: &[&str]| {
        s.refused(2, &["compile", "net.onnx", "--calibrate", "images.npy", "--out", out], parts);
    };
    to("net.onnx", &["net.onnx: exists"]);
    to("net.onnx/out", &["net.onnx: is not a folder"]);
    to("net.onnx/deep/out", &["net.onnx: is not a folder"]);
    to("", &["--out"]);
    to(".", &[".: exists"]);
    to("/proc/synfire/out", &["/proc/synfire: cannot create the folder"]);
    to("/proc/synfire", &["/proc: cannot create a temporary folder"]);
    symlink("nowhere", s.at("dangling")).unwrap();
    to("dangling", &["dangling: exists"]);
}

/// It was once noticed when the work was done.
#[test]
fn a_result_that_cannot_be_written_is_refused_before_the_work() {
    let s = Scratch::with_design();
    s.file("file", b"mine");
    let compile: &[&str] = &["compile", "net.onnx", "--calibrate", "images.npy", "--out", "out"];
    let run: &[&str] = &["run", "design", "--images", "images.npy"];
    let cosim: &[&str] = &["cosim", "design", "--images", "images.npy"];
    let synth: &[&str] = &["synth", "design"];
    for command in [compile, run, cosim, synth, &["doctor"], &["demo", "--out", "demo"]] {
        for bad in ["nowhere/r.json", "file/r.json", ".", "/proc/r.json"] {
            let parts = [&format!("{bad}: cannot write the result")[..], "help: give --json"];
            s.refused(2, &[command, &["--json", bad]].concat(), &parts);
        }
    }
}

#[test]
fn options_out_of_range() {
    let s = Scratch::new();
    for (options, parts) in [
        (&["--weight-bits", "1"][..], &["bits per weight cannot be 1", "choose 2 to 16"][..]),
        (&["--weight-bits", "99"], &["bits per weight cannot be 99"]),
        (&["--timesteps", "0"], &["time steps cannot be 0", "choose 1 to 255"]),
        (&["--timesteps", "100000"], &["time steps cannot be 100000"]),
        (&["--timesteps", "-3"], &["--timesteps"]),
        (&["--timesteps", "99999999999"], &["--timesteps"]),
        (&["--input-bits", "0"], &["bits per pixel cannot be 0"]),
        (&["--input-bits", "40"], &["bits per pixel cannot be 40"]),
        (&["--lanes", "0"], &["0 lanes"]),
        (&["--lanes", "18446744073709551615"], &["lanes"]),
        (&["--lanes", "many"], &["expected 'auto' or a number"]),
        (&["--mode", "matrix", "--rows", "3"], &["3 rows", "power of two"]),
        (&["--rows", "0"], &["0 rows"]),
        (&["--calibration-limit", "0"], &["calibration limit of 0"]),
        (&["--target", "virtex"], &["virtex", "ecp5-25k"]),
        (&["--coding", "fast"], &["graded", "unit", "rate"]),
        (&["--normalize", "0.5"], &["MEAN"]),
        (&["--normalize", "0.5/0"], &["standard deviation 0 is not positive"]),
        (&["--normalize", "nan/1"], &["not a finite number"]),
        (&["--normalize", "1,2/1"], &["2 means but 1 standard deviations"]),
        (&["--normalize", "1,2/1,1"], &["normalisation has 2 values"]),
        (&["--normalize", "/"], &["not a finite number"]),
        (&["--coding", "unit", "--mode", "matrix"], &["cannot be a matrix core", "help:"]),
        (&["--mode", "event", "--rows", "8"], &["only matrix mode has rows", "help: drop the rows"]),
        (&["--mode", "matrix", "--payload", "multiply"], &["only event mode has payloads", "help: drop the payload"]),
        // The mistakes of all stages at once.
        (
            &["--lanes", "0", "--rows", "3", "--timesteps", "0", "--calibration-limit", "0", "--normalize", "1,2/1,1"],
            &["0 lanes", "3 rows", "time steps cannot be 0", "calibration limit of 0", "normalisation has 2 values"],
        ),
    ] {
        s.compile_refused(2, options, parts);
    }
    s.refused(2, &["compile", "net.onnx", "--out", "out"], &["--calibrate"]);
    s.refused(2, &["compiel"], &["compile"]);
}

#[test]
fn settings_files() {
    let s = Scratch::new();
    for (text, parts) in [
        ("lane = 3", &["unknown field `lane`", "line 1", "lanes"][..]),
        ("lanes = 'many'", &["line 1", "lanes"]),
        ("lanes = -1", &["line 1"]),
        ("timesteps = 99999999999999", &["line 1"]),
        ("timesteps = 0", &["time steps cannot be 0"]),
        ("weight-bits = 99", &["bits per weight cannot be 99"]),
        ("target = 'virtex'", &["virtex", "ecp5-25k"]),
        ("calibration-limit = 0", &["calibration limit of 0"]),
        ("= nonsense", &["line 1"]),
        ("\u{0}", &["line 1"]),
        ("normalize = { mean = [0.5], std = [0.0] }", &["std of 0"]),
        ("normalize = { mean = [nan], std = [1.0] }", &["mean of NaN"]),
        ("normalize = { mean = [], std = [] }", &["normalisation has 0 values"]),
        ("[layers.hidden]\nlanes = 2", &["'hidden'", "no such layer", "Relu_r", "Gemm_y"]),
        ("[layers.hidden]\nweight-bits = 4", &["'hidden'", "Relu_r"]),
        ("[layers.Relu_r]\nlanes = 0", &["Relu_r", "0 lanes"]),
        ("[layers.Relu_r]\nweight-bits = 1", &["Relu_r", "cannot be 1"]),
        ("lanes = 0\n[layers.hidden]\nweight-bits = 1", &["0 lanes", "'hidden' cannot be 1", "a layer 'hidden'"]),
        ("[layers.Relu_r]\ntimesteps = 4", &["unknown field `timesteps`", "line 2"]),
    ] {
        s.file("s.toml", text.as_bytes());
        println!("{text}");
        s.compile_refused(2, &["--config", "s.toml"], parts);
    }
    s.file("s.toml", &[0xff, 0xfe, b'a']);
    s.compile_refused(2, &["--config", "s.toml"], &["s.toml: cannot read the settings"]);
    s.compile_refused(2, &["--config", "absent.toml"], &["absent.toml: cannot read the settings"]);
    s.compile_refused(2, &["--config", "/dev/zero"], &["/dev/zero: "]);
}

#[test]
fn networks_that_do_not_fit_say_by_how_much_and_what_would() {
    let s = Scratch::new();
    s.model("net.onnx", &mlp_of(784, 128, 10, &["a", "r", "y"]));
    s.file("images.npy", &images(4, 784));
    let internal = ["--target", "ice40-hx8k", "--weights", "internal"];
    s.compile_refused(5, &internal, &["block RAMs", "32", "too many", "ecp5-25k"]);
}
