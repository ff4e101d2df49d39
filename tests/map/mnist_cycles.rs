//! Cycles that the event cores take on MNIST, measured on the Verilog, against the lower bound.

use crate::cosim_support;

use cosim_support::{Built, Codes, mnist, toolchain};
use synfire::cosim::{Report, Settings as Run};
use synfire::golden::functional::Functional;
use synfire::ir::mapped::{Payload, Target};
use synfire::settings::{ModeChoice, Settings};

const IMAGES: usize = 100;
const NEURONS: [u64; 2] = [128, 10];
/// Sweeps to fire: the hidden layer finds a count of up to 16, that is 5 bits; the readout sends what it has.
const SWEEPS: [u64; 2] = [5, 1];

/// What the design took for the first 100 test images, in cycles.
struct Measured {
    /// Active cycles of the layers.
    active: [u64; 2],
    /// Of the hidden layer, waiting for its serialiser.
    stalled: u64,
    /// All.
    total: u64,
}

/// Events, or set bits of their payloads, that enter each layer in all images together: by the functional model, not by the
/// hardware.
fn work(built: &Built, codes: &Codes, payload: Payload) -> [u64; 2] {
    let functional = Functional::new(&built.design.net.quant).unwrap();
    let passes = |value: &i64| match payload {
        Payload::Multiply => u64::from(*value != 0),
        Payload::ShiftAdd => u64::from(value.count_ones()),
    };
    let mut sum = [0; 2];
    for image in 0..codes.count {
        let golden = functional.image_by_phase(&codes.of(image)).unwrap();
        sum[0] += codes.of(image).iter().map(passes).sum::<u64>();
        sum[1] += golden.phases.unwrap()[0][1].iter().map(passes).sum::<u64>();
    }
    sum
}

fn check(lanes: usize, payload: Payload, expected: &Measured) {
    let (Some(mnist), Some(tools)) = (mnist(), toolchain()) else { return };
    let settings = Settings {
        target: Target::Generic,
        mode: ModeChoice::Event,
        lanes: Some(lanes),
        payload: Some(payload),
        ..Settings::default()
    };
    let built = Built::new(&mnist.model, &settings);
    let codes = Codes { images: &mnist.test, format: built.design.net.quant.pixels.clone(), count: IMAGES };
    let outcome = built.agrees(&built.library(&tools), &codes, &Run::default());
    let report = Report::new(&built.design.net, &outcome, None);
    let work = work(&built, &codes, payload);
    let mut slowest = 0;
    for (i, layer) in report.layers.iter().enumerate() {
        let groups = NEURONS[i].div_ceil(lanes as u64);
        let bound = work[i] * groups + IMAGES as u64 * SWEEPS[i] * groups;
        slowest = slowest.max(bound);
        assert_eq!((layer.mode, layer.lanes, layer.bound_cycles), ("event", lanes.min(NEURONS[i] as usize), bound));
        let ratio = bound as f64 / layer.cycles as f64;
        assert!((0.90..=1.0).contains(&ratio), "{}: {ratio}", layer.name);
    }
    // Starving and stalling included: the pipeline as a whole against its slowest layer.
    let ratio = slowest as f64 / report.cycles as f64;
    println!("{lanes} lanes, {payload:?}: {} cycles, bound / cycles = {ratio:.4}, {:?}", report.cycles, report.layers);
    assert!(ratio >= 0.90, "{ratio}");
    let measured = [0, 1].map(|i: usize| report.layers[i].cycles);
    assert_eq!(
        (measured, report.layers[0].stalled_cycles, report.cycles),
        (expected.active, expected.stalled, expected.total)
    );
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn one_lane() {
    check(1, Payload::Multiply, &Measured { active: [1_859_840, 60_570], stalled: 2_499, total: 1_862_557 });
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn eight_lanes() {
    check(8, Payload::Multiply, &Measured { active: [232_480, 12_114], stalled: 3_566, total: 236_157 });
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn sixteen_lanes() {
    check(16, Payload::Multiply, &Measured { active: [116_240, 6_057], stalled: 1_873, total: 118_215 });
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn thirty_two_lanes() {
    check(32, Payload::Multiply, &Measured { active: [58_120, 6_057], stalled: 2_925, total: 61_155 });
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn sixteen_lanes_without_a_multiplier() {
    check(16, Payload::ShiftAdd, &Measured { active: [564_424, 10_045], stalled: 5_214, total: 569_750 });
}
