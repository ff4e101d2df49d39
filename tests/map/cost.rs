//! The cost model, what `auto` makes of it, and what is said when nothing fits.

use crate::map_common;

use map_common::{any_network, chain, network};
use proptest::prelude::*;
use synfire::error::Kind;
use synfire::fixed::grouped;
use synfire::ir::mapped::{Core, MappedNet, Mode, Payload, Target, Weights};
use synfire::ir::quant::Coding;
use synfire::map::cost::{
    Area, MemoryKind, Timing, Traffic, core_area, cycles, device, exact_cycles, memory, slices, taken,
};
use synfire::map::{LayerChoice, MapRequest, ModeChoice, WeightsChoice, map};

fn cores(net: &MappedNet) -> Vec<Core> {
    net.cores().map(|(_, _, core)| core.clone()).collect()
}

fn total(net: &MappedNet) -> Area {
    cores(net).iter().map(|core| core_area(core, net.target)).sum()
}

fn mnist(lanes: Option<usize>, target: Target) -> MapRequest {
    // Mean events of the network's real inputs, roughly.
    MapRequest { lanes, events: vec![102.0, 45.0, 0.0], event_bits: vec![4.0, 2.0, 1.0], ..MapRequest::new(target) }
}

#[test]
fn mnist_at_16_lanes_fits_the_small_ecp5() {
    let request = MapRequest { mode: ModeChoice::Event, ..mnist(Some(16), Target::Ecp5_25k) };
    let net = map(chain("mnist", &[784, 128, 10]), &request).unwrap();
    let fc1 = &cores(&net)[0];
    assert_eq!((fc1.weight_words(), fc1.weight_word_bits()), (6272, 128));
    let cut = slices(fc1, net.target);
    assert_eq!(cut.iter().map(|s| (s.bits, s.blocks)).collect::<Vec<_>>(), [vec![(18, 7); 7], vec![(2, 1)]].concat());
    assert_eq!(cut.iter().map(|s| s.blocks).sum::<u64>(), 50);
    let area = total(&net);
    let limits = device(net.target).unwrap();
    assert!(area.blocks <= limits.blocks && area.dsps <= limits.dsps && area.luts <= limits.luts, "{area:?}");
    // More lanes than neurons would change no cycle.
    assert_eq!(cores(&net).iter().map(|core| core.mode.lanes()).collect::<Vec<_>>(), [16, 10]);
}

#[test]
fn digits_fit_an_hx8k() {
    let net = map(chain("digits", &[64, 32, 10]), &MapRequest::new(Target::Ice40Hx8k)).unwrap();
    let area = total(&net);
    assert!(area.blocks <= 32 && area.dsps == 0 && area.luts <= 7680, "{area:?}");
}

#[test]
fn cycles_of_known_cases() {
    let quant = chain("mnist", &[784, 128, 10]);
    let core = |mode: Mode| {
        let core = cores(&map(quant.clone(), &MapRequest::new(Target::Generic)).unwrap()).remove(0);
        Core { mode, ..core }
    };
    let event = core(Mode::Event { lanes: 16, payload: Payload::Multiply });
    // 102 events × 8 groups + 8 groups × 5 bits of the count.
    assert_eq!(exact_cycles(&event, 102, 400), 856);
    let shift = core(Mode::Event { lanes: 16, payload: Payload::ShiftAdd });
    assert_eq!(exact_cycles(&shift, 102, 400), 3240);
    let matrix = core(Mode::Matrix { rows: 4, lanes: 16 });
    assert_eq!(exact_cycles(&matrix, 102, 400), 8 * (196 + 5));
    let uneven = core(Mode::Event { lanes: 48, payload: Payload::Multiply });
    assert_eq!(exact_cycles(&uneven, 10, 0), 3 * 10 + 3 * 5);
    let wide = core(Mode::Matrix { rows: 1024, lanes: 512 });
    assert_eq!(exact_cycles(&wide, 784, 0), 1 + 5);

    for (coding, readout, hidden) in [(Coding::Unit, 30 + 1, 30 + 16), (Coding::Rate, 30 + 16, 30 + 16)] {
        let quant = network("n", coding, 16, 8, &[("x", 9, vec![]), ("h", 8, vec![0]), ("y", 3, vec![1])]);
        let request = MapRequest { mode: ModeChoice::Event, lanes: Some(8), ..MapRequest::new(Target::Generic) };
        let cores = cores(&map(quant, &MapRequest { payload: Some(Payload::Multiply), ..request }).unwrap());
        assert_eq!((exact_cycles(&cores[0], 30, 0), exact_cycles(&cores[1], 30, 0)), (hidden, readout));
    }
}

#[test]
fn a_core_waits_while_a_slow_reader_takes_its_events() {
    let cores = cores(&map(chain("mnist", &[784, 128, 10]), &MapRequest::new(Target::Generic)).unwrap());
    let (input, output) = (Traffic { events: 102.0, set_bits: 408.0 }, Traffic { events: 45.0, set_bits: 90.0 });
    let sender = Core { mode: Mode::Event { lanes: 16, payload: Payload::Multiply }, ..cores[0].clone() };
    let reader = |mode| Core { mode, ..cores[1].clone() };
    let held_up_by = |mode| {
        let reading = taken(&reader(mode), 0, &output);
        Timing::new(&sender, &[input]).occupancy(output.events, [reading].into_iter())
    };
    // 102 × 8 to accumulate; then 45 × 10 reader cycles, of which two of the eight groups' words wait in R and S.
    assert_eq!(held_up_by(Mode::Event { lanes: 1, payload: Payload::Multiply }), 816.0 + 450.0 * 0.75);
    assert_eq!(held_up_by(Mode::Event { lanes: 10, payload: Payload::ShiftAdd }), 816.0 + 90.0 * 0.75);
    // A matrix core takes a beat a cycle: 46 beats are faster than 8 × 5 slots of firing.
    assert_eq!(held_up_by(Mode::Matrix { rows: 1, lanes: 1 }), 816.0 + 40.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn costs_are_consistent(quant in any_network(), lanes in 1usize..70, k in 0u32..4, events in 0u64..500, extra in 0u64..500) {
        let net = map(quant, &MapRequest::new(Target::Generic)).unwrap();
        let bits = events + extra;
        for core in cores(&net) {
            for mode in [
                Mode::Event { lanes, payload: Payload::Multiply },
                Mode::Event { lanes, payload: Payload::ShiftAdd },
                Mode::Matrix { rows: 1 << k, lanes },
            ] {
                let core = Core { mode, ..core.clone() };
                let exact = exact_cycles(&core, events, bits);
                let mean = Traffic { events: events as f64, set_bits: bits as f64 };
                prop_assert_eq!(exact as f64, cycles(&core, &[mean]));
                for target in [Target::Ecp5_25k, Target::Ice40Hx8k, Target::Xc7, Target::Generic] {
                    let mut end = 0;
                    for slice in slices(&core, target) {
                        prop_assert_eq!(slice.offset, end);
                        end += slice.bits;
                        let alone = memory(target, MemoryKind::Rom, core.weight_words(), slice.bits);
                        prop_assert_eq!(alone.blocks, slice.blocks);
                    }
                    prop_assert_eq!(end, core.weight_word_bits());
                }
            }
        }
    }

    #[test]
    fn auto_never_exceeds_what_it_may_use(sizes in prop::collection::vec(1usize..90, 3..5), share in 0.3f64..1.0) {
        let quant = chain("n", &sizes);
        let events: Vec<f64> = sizes.iter().map(|&n| n as f64 * 0.3).collect();
        let request = MapRequest { events, max_utilisation: share, ..MapRequest::new(Target::Ecp5_25k) };
        let net = map(quant.clone(), &request).unwrap();
        let limits = device(net.target).unwrap();
        let area = total(&net);
        prop_assert!(area.blocks <= limits.blocks);
        prop_assert!(area.luts as f64 <= share * limits.luts as f64);
        prop_assert!(area.dsps as f64 <= share * limits.dsps as f64);
    }
}

#[test]
fn block_rams_as_yosys_counts_them() {
    use Target::{Ecp5_25k as E, Ice40Hx8k as I, Xc7 as X};
    for (target, words, bits, blocks) in [
        (E, 6272, 128, 50),
        (E, 6272, 18, 7),
        (E, 6272, 9, 4),
        (E, 6272, 2, 1),
        (E, 100352, 8, 44),
        (E, 40960, 8, 18),
        (E, 1280, 80, 7),
        (E, 1100, 11, 1),
        (E, 520, 36, 2),
        (E, 512, 36, 1),
        (E, 64, 72, 2),
        (E, 120, 18, 1),
        (E, 113, 18, 0),
        (E, 256, 8, 0),
        (I, 2048, 8, 4),
        (I, 520, 36, 7),
        (I, 1500, 16, 6),
        (I, 8300, 1, 3),
        (I, 129, 9, 1),
        (I, 132, 8, 0),
        (I, 3, 400, 0),
        (X, 6272, 128, 50),
        (X, 6272, 9, 4),
        (X, 5000, 8, 3),
        (X, 512, 17, 1),
        (X, 8300, 1, 0),
    ] {
        assert_eq!(memory(target, MemoryKind::Rom, words, bits).blocks, blocks, "{target:?} ROM {words}×{bits}");
    }
    for (target, words, bits, blocks) in [
        (E, 512, 20, 1),
        (E, 196, 8, 1),
        (E, 128, 20, 1),
        (E, 64, 40, 0),
        (E, 8, 320, 0),
        (I, 8, 20, 2),
        (I, 16, 320, 20),
        (I, 784, 8, 2),
        (I, 2, 160, 0),
        (I, 4, 16, 0),
        (X, 512, 20, 1),
        (X, 196, 8, 0),
        (X, 784, 8, 1),
    ] {
        assert_eq!(memory(target, MemoryKind::Ram, words, bits).blocks, blocks, "{target:?} RAM {words}×{bits}");
    }
}

#[test]
fn auto_says_why_and_gets_faster_than_one_lane() {
    let quant = chain("mnist", &[784, 128, 10]);
    let net = map(quant.clone(), &mnist(None, Target::Ecp5_25k)).unwrap();
    let one = map(quant, &mnist(Some(1), Target::Ecp5_25k)).unwrap();
    let active = |net: &MappedNet| cycles(&cores(net)[0], &[Traffic { events: 102.0, set_bits: 408.0 }]);
    assert!(active(&net) * 8.0 < active(&one), "{:?}", net.decisions);
    assert!(net.decisions[0].starts_with("fc1: ") && net.decisions[0].contains("cycles per image predicted"));
    assert!(net.decisions.iter().any(|d| d.contains("the pace")), "{:?}", net.decisions);
    let other = if matches!(cores(&net)[0].mode, Mode::Event { .. }) { "matrix" } else { "event" };
    assert!(net.decisions[0].contains(other), "{:?}", net.decisions);
}

#[test]
fn auto_stops_at_the_border() {
    let request = MapRequest { events: vec![60.0, 4.0, 0.0], ..MapRequest::new(Target::Generic) };
    let net = map(chain("n", &[64, 16, 4]), &request).unwrap();
    assert!(net.decisions[0].contains("61 beats per image set the pace"), "{:?}", net.decisions);
}

#[test]
fn nothing_is_faster_than_the_border_needs() {
    let request =
        MapRequest { mode: ModeChoice::Matrix, events: vec![60.0, 1.0, 0.0], ..MapRequest::new(Target::Generic) };
    let net = map(chain("n", &[64, 2, 2]), &request).unwrap();
    // Two groups × (16 chunks + 5) are 42 cycles for 61 beats; half as many weights a cycle would take 74.
    let core = &cores(&net)[0];
    assert_eq!(core.mode.rows() * core.mode.lanes(), 4, "{:?}", net.decisions);
}

#[test]
fn what_does_not_fit_says_by_how_much_and_what_would() {
    let inside = |request| MapRequest { weights: WeightsChoice::Internal, ..request };
    let error = map(chain("mnist", &[784, 128, 10]), &inside(mnist(None, Target::Ice40Hx8k))).unwrap_err();
    assert_eq!(error.kind, Kind::DoesNotFit);
    let text = error.to_string();
    for part in [
        "block RAMs, iCE40-HX8K has 32:",
        "too many",
        "the target ecp5-25k",
        "what would fit",
        "external weights in place",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    let error = map(chain("mnist", &[784, 128, 10]), &inside(mnist(Some(128), Target::Ecp5_25k))).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind, Kind::DoesNotFit);
    assert!(text.contains("what would fit: at most 16 lanes"), "{text}");
    let error = map(chain("big", &[2000, 1000, 10]), &inside(MapRequest::new(Target::Ecp5_85k))).unwrap_err();
    assert!(error.to_string().contains("external weights in place of internal ones"), "{error}");
}

/// Where the weights of each core begin outside, if they are there.
fn bases(net: &MappedNet) -> Vec<Option<usize>> {
    let base = |core: &Core| match core.weights {
        Weights::Internal => None,
        Weights::External { base } => Some(base),
    };
    net.cores().map(|(_, _, core)| base(core)).collect()
}

#[test]
fn weights_move_out_only_where_the_block_rams_do_not_suffice_and_only_as_many_as_needed() {
    let fits = map(chain("mnist", &[784, 128, 10]), &mnist(None, Target::Ecp5_25k)).unwrap();
    assert_eq!((bases(&fits), fits.weight_port()), (vec![None, None], None));
    // 100,352 bytes of weights and 1,280 more; the device has 16,384 bytes of block RAM.
    let quant = chain("mnist", &[784, 128, 10]);
    let net = map(quant.clone(), &mnist(None, Target::Ice40Hx8k)).unwrap();
    assert_eq!(bases(&net), [Some(0), None], "{:?}", net.decisions);
    let area = total(&net);
    assert!(area.blocks <= 32, "{area:?}");
    let port = net.weight_port().unwrap();
    let first = &cores(&net)[0];
    assert_eq!((port.words, port.cores.len()), (first.weight_words(), 1));
    assert!(port.word_bits.is_power_of_two() && port.word_bits >= first.weight_word_bits() && port.word_bits <= 128);
    for part in ["100,352 bytes", "because iCE40-HX8K has 32 block RAMs"] {
        assert!(net.decisions[0].contains(part), "{:?}", net.decisions);
    }
    assert!(!net.decisions[1].contains("outside"), "{:?}", net.decisions);
}

#[test]
fn the_port_is_shared_and_limits_the_pace() {
    let request = MapRequest {
        weights: WeightsChoice::External,
        lanes: Some(1),
        payload: Some(Payload::Multiply),
        events: vec![64.0, 64.0, 64.0, 0.0],
        ..MapRequest::new(Target::Generic)
    };
    let net = map(chain("n", &[64, 64, 64, 8]), &request).unwrap();
    assert_eq!(bases(&net), [Some(0), Some(4096), Some(8192)]);
    // A word for each event and neuron; without the port the layers would be ready after 64 · 64 + 64 · 5 cycles.
    let reads = 2 * 64 * 64 + 64 * 8;
    for part in [format!("4,096 reads of 8 bits per image, of {}", grouped(reads)), "as asked".into()] {
        assert!(net.decisions[0].contains(&part), "{part}: {:?}", net.decisions);
    }
    let pace = format!("it sets the pace, one image in {} cycles", grouped(reads));
    assert!(net.decisions.iter().any(|d| d.contains(&pace)), "{pace}: {:?}", net.decisions);
}

#[test]
fn a_layers_own_place_for_its_weights_precedes_that_of_the_network_and_matrix_cores_keep_theirs() {
    let layer = |choice| std::collections::BTreeMap::from([("fc2".to_string(), choice)]);
    let inside = LayerChoice { weights: Some(WeightsChoice::Internal), ..LayerChoice::default() };
    let request =
        MapRequest { weights: WeightsChoice::External, overrides: layer(inside), ..mnist(None, Target::Generic) };
    assert_eq!(bases(&map(chain("mnist", &[784, 128, 10]), &request).unwrap()), [Some(0), None]);
    let matrix = LayerChoice { mode: Some(ModeChoice::Matrix), ..LayerChoice::default() };
    let error =
        map(chain("mnist", &[784, 128, 10]), &MapRequest { overrides: layer(matrix), ..request.clone() }).unwrap_err();
    assert_eq!(error.kind, Kind::Input);
    assert!(error.to_string().contains("only event cores can read") && error.to_string().contains("fc2"), "{error}");
    // The same in a network that is laid out already.
    let mut net = map(chain("mnist", &[784, 128, 10]), &request).unwrap();
    for unit in &mut net.units {
        if let synfire::ir::mapped::UnitKind::Core(core) = &mut unit.kind {
            core.mode = Mode::Matrix { rows: 1, lanes: 1 };
            core.weights = Weights::External { base: 1 };
        }
    }
    let problems = format!("{:?}", net.check());
    assert!(problems.contains("only event cores read") && problems.contains("from word 1, 0 expected"), "{problems}");
}

/// The search once computed the whole network anew for every option of every step.
#[test]
fn a_thousand_layers_are_mapped_in_a_moment() {
    let start = std::time::Instant::now();
    let net = map(chain("deep", &[32; 1000]), &MapRequest::new(Target::Generic)).unwrap();
    assert_eq!(net.cores().count(), 999);
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

/// Matrix cores find a sender's row in its id: a search for more rows than that must not end in a refusal.
#[test]
fn layers_of_odd_sizes_are_mapped_without_odd_rows() {
    for size in [3, 5, 6, 7, 12] {
        for target in [Target::Generic, Target::Ecp5_25k] {
            let request = MapRequest { mode: ModeChoice::Matrix, ..MapRequest::new(target) };
            let net = map(chain("odd", &[size, size, size]), &request).unwrap_or_else(|e| panic!("{e}"));
            assert!(cores(&net).iter().all(|core| core.mode.rows().is_power_of_two()));
        }
    }
}
