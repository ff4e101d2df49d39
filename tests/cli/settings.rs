//! Which setting wins, that all are written back, and that the normalisation is folded into the weights.

use crate::cli_support;
use crate::data_support;

use cli_support::onnx::{self, With, floats, graph};
use cli_support::{Scratch, mlp, mlp_of};
use serde_json::{Value, json};

/// The core of each layer in the design.
fn modes(design: &Value) -> Vec<Value> {
    design["net"]["units"].as_array().unwrap().iter().map(|unit| unit["kind"]["mode"].clone()).collect()
}

/// Was cut after a mebibyte, so that later settings were passed over.
#[test]
fn a_settings_file_beyond_the_limit_is_refused() {
    let s = Scratch::new();
    let mut file = b"# padding\n".repeat(110_000);
    file.extend(b"weight-bits = 4\n");
    s.file("s.toml", &file);
    s.compile_refused(2, &["--config", "s.toml"], &["s.toml: has more than 1,048,576 bytes"]);
}

#[test]
fn layer_table_then_command_line_then_file_then_default() {
    let s = Scratch::new();
    s.compile("default", &[]);
    let default = s.json("default/design.json")["settings"].clone();
    assert_eq!(
        default,
        json!({
            "target": "ecp5-25k", "timesteps": 16, "weight-bits": 8, "input-bits": 8, "coding": "graded", "mode": "auto",
            "lanes": null, "rows": null, "payload": null, "banks": "auto", "normalize": null, "calibration-limit": 512,
            "bias-calibration": true, "layers": {}
        })
    );

    let file = "target = 'ice40-hx8k'\ntimesteps = 8\nweight-bits = 6\ninput-bits = 4\ncoding = 'graded'\nmode = 'matrix'\n\
        lanes = 3\nrows = 2\npayload = 'shift-add'\ncalibration-limit = 20\nbias-calibration = false\n\
        normalize = { mean = [0.25], std = [0.5] }\n[layers.Relu_r]\nweight-bits = 5\nmode = 'event'\nlanes = 1\n\
        payload = 'multiply'\n[layers.Gemm_y]\nrows = 4\n";
    s.file("s.toml", file.as_bytes());
    s.compile("file", &["--config", "s.toml"]);
    let design = s.json("file/design.json");
    assert_eq!(
        design["settings"],
        json!({
            "target": "ice40-hx8k", "timesteps": 8, "weight-bits": 6, "input-bits": 4, "coding": "graded", "mode": "matrix",
            "lanes": 3, "rows": 2, "payload": "shift-add", "banks": "auto", "normalize": {"mean": [0.25], "std": [0.5]},
            "calibration-limit": 20, "bias-calibration": false,
            "layers": {
                "Relu_r": {"weight-bits": 5, "mode": "event", "lanes": 1, "rows": null, "payload": "multiply", "banks": null},
                "Gemm_y": {"weight-bits": null, "mode": null, "lanes": null, "rows": 4, "payload": null, "banks": null}
            }
        })
    );
    assert_eq!(
        modes(&design),
        [json!({"mode": "event", "lanes": 1, "payload": "multiply"}), json!({"mode": "matrix", "lanes": 3, "rows": 4})]
    );
    assert_eq!(weight_bits(&design), [5, 6]);
    assert_eq!(design["origin"]["calibration_images"], 20);

    let options = [
        "--config",
        "s.toml",
        "--target",
        "ecp5-85k",
        "--timesteps",
        "5",
        "--weight-bits",
        "7",
        "--input-bits",
        "3",
        "--lanes",
        "2",
        "--rows",
        "1",
        "--payload",
        "multiply",
        "--normalize",
        "-0.5/0.75",
        "--calibration-limit",
        "10",
        "--coding",
        "rate",
    ];
    s.compile("both", &options);
    let design = s.json("both/design.json");
    let settings = &design["settings"];
    for (key, value) in [
        ("target", json!("ecp5-85k")),
        ("timesteps", json!(5)),
        ("weight-bits", json!(7)),
        ("input-bits", json!(3)),
        ("coding", json!("rate")),
        ("mode", json!("matrix")),
        ("lanes", json!(2)),
        ("rows", json!(1)),
        ("payload", json!("multiply")),
        ("normalize", json!({"mean": [-0.5], "std": [0.75]})),
        ("calibration-limit", json!(10)),
        ("bias-calibration", json!(false)),
    ] {
        assert_eq!(settings[key], value, "{key}");
    }
    assert_eq!(
        modes(&design),
        [json!({"mode": "event", "lanes": 1, "payload": "multiply"}), json!({"mode": "matrix", "lanes": 2, "rows": 4})]
    );
    assert_eq!(weight_bits(&design), [5, 7]);
    // 'auto' takes back what the file says.
    s.compile("auto", &["--config", "s.toml", "--lanes", "auto", "--rows", "auto"]);
    assert!(s.json("auto/design.json")["settings"]["lanes"].is_null());
    // inspect reads the same settings.
    let inspect = ["inspect", "net.onnx", "--stage", "mapped", "--calibrate", "images.npy"];
    let text = s.run(&[&inspect[..], &options].concat());
    assert_eq!(text.out, s.run(&["inspect", "both", "--stage", "mapped"]).out, "{}", text.err);
}

fn weight_bits(design: &Value) -> Vec<u64> {
    let projections = design["net"]["quant"]["projections"].as_array().unwrap();
    projections.iter().map(|p| p["weight_bits"].as_u64().unwrap()).collect()
}

/// `(x - m) / s` in front of the network is the same as weights `w / s` and biases `b - Σ w·m / s`.
#[test]
fn normalisation_is_folded_into_the_first_layer() {
    let s = Scratch::new();
    let (mean, std) = ([0.5f32, 0.25, 0.75], [0.25f32, 0.5, 0.125]);
    let mut plain = mlp(&["a", "r", "y"]);
    reshape_input(&mut plain);
    s.model("net.onnx", &plain);
    s.compile("folded", &["--normalize", "0.5,0.25,0.75/0.25,0.5,0.125"]);
    let mut changed = plain.clone();
    let constants = &mut graph(&mut changed).initializer;
    let mut bias = constants[1].float_data.clone();
    for input in 0..6 {
        let channel = input / 2;
        for (w, bias) in constants[0].float_data[input * 4..][..4].iter_mut().zip(&mut bias) {
            *w /= std[channel];
            *bias -= *w * mean[channel];
        }
    }
    constants[1] = floats("b1", &[4], &bias);
    s.model("net.onnx", &changed);
    s.compile("by-hand", &[]);
    let run = |design: &str| {
        let args = ["run", design, "--images", "images.npy", "--labels", "labels.npy", "--json", "-"];
        let report: Value = serde_json::from_str(&s.run(&args).out).unwrap();
        ["accuracy", "float_accuracy", "agreement", "spikes_per_neuron", "clipped_activations"]
            .map(|k| report[k].clone())
    };
    assert_eq!(run("folded"), run("by-hand"));
    let network = |design: &str| s.run(&["inspect", design, "--stage", "quant"]).out;
    assert_eq!(network("folded"), network("by-hand"));
    let weights = |design: &str| std::fs::read(s.at(&format!("{design}/model/projection_0.npy"))).unwrap();
    assert_eq!(weights("folded"), weights("by-hand"));
    // Without it the network is another one.
    s.model("net.onnx", &plain);
    s.compile("without", &[]);
    assert_ne!(network("folded"), network("without"));
}

/// The mean pixel of a padded image is sent as 0. A model that takes the row of pixels both as an image and as it is failed with "a
/// pixel code of 132 is outside -128..=127".
#[test]
fn a_row_of_pixels_that_is_also_an_image_is_normalised() {
    let s = Scratch::new();
    let mut model = mlp(&["a", "r", "y"]);
    let g = graph(&mut model);
    g.node.splice(
        1..1,
        [
            onnx::node("Reshape", &["x", "to"], "i"),
            onnx::node("Conv", &["i", "w"], "c").ints("pads", &[1, 1, 1, 1]).ints("strides", &[1, 2]),
            onnx::node("Flatten", &["c"], "f"),
            onnx::node("Add", &["a", "f"], "s"),
        ],
    );
    g.node[5].input[0] = "s".into();
    g.initializer.extend([onnx::ints("to", &[1, 1, 2, 3]), onnx::weights("w", &[1, 1, 3, 3])]);
    s.model("net.onnx", &model);
    s.compile("design", &["--normalize", "0.5/0.25", "--weight-bits", "12", "--timesteps", "255"]);
    let args = ["run", "design", "--images", "images.npy", "--labels", "labels.npy", "--json", "-"];
    let report: Value = serde_json::from_str(&s.run(&args).out).unwrap();
    assert_eq!(report["agreement"], json!(1.0), "{report}");
}

/// Three channels of two pixels instead of six inputs.
fn reshape_input(model: &mut synfire::frontends::onnx::proto::ModelProto) {
    let g = graph(model);
    g.node.insert(0, cli_support::onnx::node("Flatten", &["x"], "flat"));
    g.node[1].input[0] = "flat".into();
    g.input[0] = cli_support::onnx::border("x", &[-1, 3, 1, 2]);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn colour_images_with_labels_inside() {
    let Some(shared) = data_support::shared() else { return };
    let s = Scratch::new();
    let mut model = mlp_of(3072, 16, 10, &["a", "r", "y"]);
    let g = graph(&mut model);
    g.node.insert(0, cli_support::onnx::node("Flatten", &["x"], "flat"));
    g.node[1].input[0] = "flat".into();
    g.input[0] = cli_support::onnx::border("x", &[-1, 3, 32, 32]);
    s.model("net.onnx", &model);
    let data = shared.join("data/cifar10-jpeg");
    let file = |name: &str| data.join(name).to_str().unwrap().to_string();
    let calibration = file("calibration_2000.bin.gz");
    let normalize = "0.485,0.456,0.406/0.229,0.224,0.225";
    let compiled =
        s.run(&["compile", "net.onnx", "--calibrate", &calibration, "--out", "design", "--normalize", normalize]);
    assert_eq!(compiled.code, 0, "{}", compiled.err);
    let run = s.run(&["run", "design", "--images", &file("test_batch.bin.gz"), "--limit", "500", "--json", "-"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    println!("{report}");
    assert_eq!(report["images"], 500);
    let share = |key: &str| report[key].as_f64().unwrap();
    // Labels were found: the accuracies are shares, and the random network is no better than chance.
    assert!((0.0..0.4).contains(&share("accuracy")) && (0.0..0.4).contains(&share("float_accuracy")));
    assert!(share("agreement") > 0.9, "{report}");
}

/// `auto` is a word of the command line, so it must be one of the file; and a layer must find its way back to it.
#[test]
fn lanes_and_rows_can_be_auto_in_a_settings_file() {
    let s = Scratch::new();
    s.file("s.toml", b"lanes = 'auto'\nrows = 'auto'\n[layers.Relu_r]\nlanes = 'auto'\nrows = 'auto'\n");
    let design = |out: &str| s.json(&format!("{out}/design.json"))["net"]["units"].clone();
    s.compile("file", &["--config", "s.toml"]);
    s.compile("plain", &[]);
    assert_eq!(design("file"), design("plain"));
    // Event cores of the whole network get one lane; the layer is as if nothing had been said.
    let one = ["--mode", "event", "--lanes", "1"];
    s.compile("one", &one);
    s.compile("but_one", &[&one[..], &["--config", "s.toml"]].concat());
    s.compile("free", &["--mode", "event"]);
    assert_eq!(modes(&s.json("one/design.json"))[1], modes(&s.json("but_one/design.json"))[1]);
    assert_eq!(modes(&s.json("free/design.json"))[0], modes(&s.json("but_one/design.json"))[0]);
    s.file("s.toml", b"lanes = 'many'\n");
    s.compile_refused(2, &["--config", "s.toml"], &["line 1", "lanes"]);
}
