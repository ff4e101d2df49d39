//! Real networks through Yosys and nextpnr. Area is exact for the pinned tools, so it is bounded tightly here.

use crate::data_support;

use data_support::shared;
use std::path::Path;
use synfire::flow::{self, Options, SynthReport, Tool};
use synfire::map::ModeChoice;
use synfire::{Model, Settings, Target, compile_with};

fn tools(tools: &[Tool]) -> bool {
    tools.iter().all(|&tool| match flow::tools::find(tool) {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            println!("ignored: {error}");
            false
        }
    })
}

fn synth(model: &Model, settings: &Settings, pnr: bool) -> SynthReport {
    let design = compile_with(model, settings).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("design");
    design.write(&dir, false).unwrap();
    let report = flow::synth(&dir, &design.net.top, settings.target, &Options { pnr, ..Options::default() }).unwrap();
    assert_eq!(report.warnings, Vec::<String>::new());
    println!("lut {} ff {} bram {} dsp {} fmax {:?}", report.lut, report.ff, report.bram, report.dsp, report.fmax_mhz);
    report
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn mnist_784_128_10_at_16_lanes_runs_at_75_mhz_on_the_small_ecp5() {
    let Some(shared) = shared() else { return };
    if !tools(&[Tool::Yosys, Tool::NextpnrEcp5, Tool::Ecppack]) {
        return;
    }
    let model = Model::open(
        shared.join("models/mnist_mlp_784-128-10.onnx"),
        shared.join("data/mnist/train-images-idx3-ubyte.gz"),
    )
    .unwrap();
    let settings =
        Settings { target: Target::Ecp5_25k, lanes: Some(16), mode: ModeChoice::Event, ..Settings::default() };
    let report = synth(&model, &settings, true);
    // 784 × 128 weights of 8 bits are 50 blocks, the second layer's 2.
    assert_eq!((report.bram, report.dsp), (52, 16));
    assert!(report.lut <= 5_700, "{} LUTs", report.lut);
    assert!(report.fmax_mhz.unwrap() >= 75.0, "{:?} MHz", report.fmax_mhz);
}

#[test]
fn digits_fit_the_ice40_hx8k() {
    if !tools(&[Tool::Yosys, Tool::NextpnrIce40, Tool::Icepack, Tool::Python]) {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = tempfile::tempdir().unwrap();
    let script = root.join("scripts/digits.py");
    let python = flow::tools::find(Tool::Python).unwrap();
    assert!(python.command().arg(script).arg(data.path()).status().unwrap().success());
    let model =
        Model::open(root.join("scripts/models/digits_mlp.onnx"), data.path().join("calibration_images.npy")).unwrap();
    let report = synth(&model, &Settings { target: Target::Ice40Hx8k, ..Settings::default() }, true);
    assert!(report.lut <= 7_000, "{} logic cells", report.lut);
    assert!(report.bram <= 32 && report.dsp == 0);
    assert!(report.fmax_mhz.unwrap() >= 60.0, "{:?} MHz", report.fmax_mhz);
}
