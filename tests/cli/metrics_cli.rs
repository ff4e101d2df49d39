//! What `run` says about operations, in JSON and in the table.

use crate::cli_support;

use cli_support::Scratch;
use serde_json::Value;

fn run(s: &Scratch, more: &[&str]) -> (Value, String) {
    let outcome = s.run(&[&["run", "design", "--images", "images.npy", "--json", "-"], more].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    (serde_json::from_str(&outcome.out).unwrap(), outcome.err)
}

#[test]
fn every_layer_is_told_beside_one_pass_of_the_other_networks() {
    let s = Scratch::with_design();
    let (report, text) = run(&s, &[]);
    let metrics = &report["metrics"];
    assert_eq!((&metrics["images"], &metrics["timesteps"]), (&32.into(), &16.into()), "{metrics}");
    assert_eq!(metrics["quantised_bits"], 5);
    let layers = metrics["layers"].as_array().unwrap();
    // 6 → 4 → 3: the weights, each once.
    let of = |key: &str| layers.iter().map(|l| l[key].clone()).collect::<Vec<Value>>();
    assert_eq!(of("source"), ["Relu_r", "Gemm_y"]);
    assert_eq!(of("neuron"), ["if", "readout"]);
    assert_eq!(of("float_macs"), [24, 12]);
    assert_eq!(of("dense"), [24, 12]);
    assert_eq!(of("membrane_updates"), [4.0, 3.0]);
    assert!(layers[0]["activation_sparsity"].is_number() && layers[1]["activation_sparsity"].is_null(), "{metrics}");
    assert_eq!(layers[0]["activation_sparsity"], metrics["total"]["activation_sparsity"]);
    for layer in layers.iter().chain([&metrics["total"]]) {
        let number = |key: &str| layer[key].as_f64().unwrap();
        // In graded coding a neuron sends its count at once, as the quantised network does.
        assert_eq!(number("effective_macs") + number("effective_acs"), number("quantised_macs"), "{layer}");
        assert!(number("quantised_macs") > 0.0 && number("quantised_macs") <= number("float_macs"), "{layer}");
        assert_eq!(number("footprint_bytes"), number("parameter_bytes") + number("buffer_bytes"), "{layer}");
    }
    let sums = |key: &str| layers.iter().map(|l| l[key].as_f64().unwrap()).sum::<f64>();
    for key in ["effective_macs", "effective_acs", "quantised_macs"] {
        assert!((metrics["total"][key].as_f64().unwrap() - sums(key)).abs() < 1e-9, "{metrics}");
    }
    for part in [
        "mean of 32 images",
        "sparsity",
        "float MACs",
        "5-bit MACs",
        "Relu_r",
        "Gemm_y",
        "total",
        "Sparsity alone misleads",
    ] {
        assert!(text.contains(part), "no '{part}' in {text}");
    }
}

#[test]
fn time_steps_are_calls_and_spikes_are_accumulations() {
    let s = Scratch::new();
    s.compile("design", &["--coding", "rate", "--timesteps", "4"]);
    let (report, text) = run(&s, &[]);
    let metrics = &report["metrics"];
    let layers = metrics["layers"].as_array().unwrap();
    assert_eq!(metrics["quantised_bits"], 3);
    for (layer, synapses) in layers.iter().zip([24, 12]) {
        assert_eq!((&layer["float_macs"], &layer["dense"]), (&synapses.into(), &(4 * synapses).into()), "{layer}");
        assert_eq!(layer["connections"][0]["calls"], 4);
    }
    // The image is presented four times; what follows it are single spikes.
    let number = |layer: usize, key: &str| layers[layer][key].as_f64().unwrap();
    assert_eq!(number(0, "effective_macs"), 4.0 * number(0, "quantised_macs"), "{metrics}");
    assert_eq!(number(1, "effective_macs"), 0.0, "{metrics}");
    assert!(number(1, "effective_acs") > number(1, "quantised_macs"), "{metrics}");
    assert!(number(0, "membrane_updates") <= 16.0 && number(0, "membrane_updates") > 4.0, "{metrics}");
    assert!(text.contains("3-bit MACs"), "{text}");
}

#[test]
fn the_sample_is_the_users_choice() {
    let s = Scratch::with_design();
    assert_eq!(run(&s, &["--metrics", "5"]).0["metrics"]["images"], 5);
    assert_eq!(run(&s, &["--metrics", "1000", "--limit", "7"]).0["metrics"]["images"], 7);
    let (report, text) = run(&s, &["--metrics", "0"]);
    assert!(report.get("metrics").is_none() && !text.contains("NeuroBench"), "{text}");
    s.refused(2, &["run", "design", "--images", "images.npy", "--metrics", "-1"], &["--metrics"]);
}
