//! The text of every stage of a small network, and the top module that comes of it. A change here is a change that users see;
//! `cargo insta review`, or `INSTA_UPDATE=always`, accepts it.

use crate::cli_support;

use cli_support::{Scratch, onnx};

/// `x[2,1,3]`, normalised by the model itself, Flatten → Gemm → BatchNormalization → Relu → Gemm.
fn network() -> synfire::frontends::onnx::proto::ModelProto {
    let nodes = vec![
        onnx::node("Flatten", &["x"], "f"),
        onnx::node("Gemm", &["f", "w1", "b1"], "g"),
        onnx::node("BatchNormalization", &["g", "s", "t", "m", "v"], "n"),
        onnx::node("Relu", &["n"], "r"),
        onnx::node("Gemm", &["r", "w2", "b2"], "y"),
    ];
    let constants = vec![
        onnx::weights("w1", &[6, 5]),
        onnx::weights("b1", &[5]),
        onnx::floats("s", &[5], &[1.0, 0.5, 2.0, 1.5, 1.0]),
        onnx::weights("t", &[5]),
        onnx::weights("m", &[5]),
        onnx::floats("v", &[5], &[1.0, 4.0, 0.25, 1.0, 2.0]),
        onnx::weights("w2", &[5, 3]),
        onnx::weights("b2", &[3]),
    ];
    onnx::model(13, &[2, 1, 3], nodes, constants)
}

fn stage(s: &Scratch, stage: &str) -> String {
    // Everything that a choice by the mapper could change is fixed.
    let choices = ["--target", "generic", "--mode", "event", "--lanes", "2", "--payload", "multiply"];
    let fixed = ["inspect", "net.onnx", "--stage", stage, "--calibrate", "images.npy"];
    let outcome = s.run(&[&fixed[..], &choices].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    outcome.out
}

#[test]
fn every_stage_of_a_small_network() {
    let s = Scratch::new();
    s.model("net.onnx", &network());
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in ["graph", "snn", "quant", "mapped"] {
            insta::assert_snapshot!(name, stage(&s, name));
        }
        let rtl = stage(&s, "rtl");
        let top = rtl.split("// ---- ").find(|part| part.starts_with("rtl/net.v")).unwrap();
        insta::assert_snapshot!("top", top);
    });
}

#[test]
fn a_design_prints_the_stages_it_was_made_of() {
    let s = Scratch::new();
    s.model("net.onnx", &network());
    s.compile("design", &["--target", "generic", "--mode", "event", "--lanes", "2", "--payload", "multiply"]);
    for name in ["graph", "snn", "quant", "mapped", "rtl"] {
        let outcome = s.run(&["inspect", "design", "--stage", name]);
        assert_eq!(outcome.code, 0, "{}", outcome.err);
        assert_eq!(outcome.out, stage(&s, name), "{name}");
    }
}
