//! What the mapper makes of populations with pixels, and of what is asked for them.

#[path = "../random_networks/generator/mod.rs"]
mod generator;

use generator::{Kind as Neurons, draw, late_fields, quants, resnet, single_conv, vectors};
use proptest::prelude::*;
use std::collections::BTreeMap;
use synfire::error::Kind;
use synfire::ir::mapped::{Core, MappedNet, Mode, Payload, Target};
use synfire::ir::quant::{Combine, QuantGraph};
use synfire::map::{BanksChoice, LayerChoice, MapRequest, ModeChoice, map};

/// A random network.
fn network(seed: u64) -> QuantGraph {
    quants(&draw(seed)).unwrap().remove(0)
}

fn modes(net: &MappedNet) -> Vec<Mode> {
    net.cores().map(|(_, _, core)| core.mode).collect()
}

fn event(request: MapRequest) -> MapRequest {
    MapRequest { mode: ModeChoice::Event, payload: Some(Payload::Multiply), ..request }
}

fn generic() -> MapRequest {
    MapRequest::new(Target::Generic)
}

/// The mode of a convolution of 3×3 on 5×5 pixels to 4 channels.
fn conv(request: &MapRequest) -> Mode {
    modes(&map(single_conv([2, 5, 5], 4), request).unwrap())[0]
}

#[test]
fn lanes_are_cut_to_channels_and_banks_to_pixels() {
    let payload = Payload::Multiply;
    let asked = |lanes, banks| conv(&event(MapRequest { lanes: Some(lanes), banks, ..generic() }));
    assert_eq!(asked(64, BanksChoice::Grid([1, 1])), Mode::WindowEvent { lanes: 4, banks: [1, 1], payload });
    assert_eq!(asked(3, BanksChoice::Grid([9, 2])), Mode::WindowEvent { lanes: 3, banks: [5, 2], payload });
    assert_eq!(asked(2, BanksChoice::Patch), Mode::WindowEvent { lanes: 2, banks: [3, 3], payload });
    let matrix = MapRequest { mode: ModeChoice::Matrix, lanes: Some(8), rows: Some(2), ..generic() };
    assert_eq!(conv(&matrix), Mode::WindowMatrix { rows: 2, lanes: 4 });
}

#[test]
fn a_layers_own_banks_precede_those_of_the_network() {
    let layer = |choice| BTreeMap::from([("p1".to_string(), choice)]);
    let banks = Some(BanksChoice::Grid([2, 2]));
    let overrides = layer(LayerChoice { banks, ..LayerChoice::default() });
    let request = MapRequest { lanes: Some(1), banks: BanksChoice::Patch, overrides, ..generic() };
    // Several banks imply event mode, as a payload does.
    assert_eq!((conv(&request).banks(), conv(&request).is_event()), ([2, 2], true));
    for (choice, what) in [
        (LayerChoice { banks, mode: Some(ModeChoice::Matrix), ..LayerChoice::default() }, "matrix mode and for banks"),
        (LayerChoice { banks, rows: Some(4), ..LayerChoice::default() }, "rows (matrix mode) and for banks"),
        (LayerChoice { banks: Some(BanksChoice::Grid([0, 1])), ..LayerChoice::default() }, "0 banks"),
    ] {
        let refused =
            map(single_conv([2, 5, 5], 4), &MapRequest { overrides: layer(choice), ..generic() }).unwrap_err();
        assert_eq!(refused.kind, Kind::Input);
        assert!(refused.to_string().contains(what), "{refused}");
    }
}

/// Pixels of 1 bit whose silent one is white are -1 and 0: one bit, on the stream and in the core alike.
#[test]
fn black_and_white_pixels_with_a_white_zero_are_one_bit_wide() {
    let mut quant = single_conv([2, 5, 5], 4);
    quant.pixels = synfire::fixed::PixelFormat { bits: 1, zero: vec![1] };
    for index in 0..quant.populations.len() {
        quant.populations[index].range = quant.prove_range(synfire::ir::PopId(index));
    }
    for request in [event(generic()), MapRequest { mode: ModeChoice::Matrix, ..generic() }] {
        let net = map(quant.clone(), &request).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(net.check(), []);
        let (_, _, first) = net.cores().next().unwrap();
        assert_eq!((first.value_bits, first.value_signed, net.stream(net.input()).value_bits), (1, true, 1));
    }
}

#[test]
fn cores_that_cannot_shift_and_add_multiply() {
    let mut found = 0;
    for seed in 0..60 {
        let net = map(network(seed), &MapRequest { payload: Some(Payload::ShiftAdd), ..generic() }).unwrap();
        for (_, _, core) in net.cores().filter(|(_, _, core)| core.mode.is_event()) {
            let cannot = core.value_signed || core.combine == synfire::ir::quant::Combine::Max;
            assert_eq!(core.mode.payload() == Some(Payload::Multiply), cannot);
            found += usize::from(cannot);
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn a_residual_network_gets_more_lanes_where_more_is_to_do() {
    let quant = resnet(1, 16);
    let slow = map(quant.clone(), &event(MapRequest { lanes: Some(1), banks: BanksChoice::Grid([1, 1]), ..generic() }));
    let fast = map(quant, &event(generic())).unwrap();
    let slots = |net: &MappedNet| {
        let worst = |core: &Core| (0..core.fields.len()).map(|i| core.pass_slots(i).mean()).fold(0.0, f64::max);
        net.cores().map(|(_, _, core)| worst(core)).collect::<Vec<f64>>()
    };
    let pairs = slots(&slow.unwrap()).into_iter().zip(slots(&fast));
    assert!(pairs.filter(|(slow, fast)| fast * 8.0 < *slow).count() > 4);
    // Without being asked no core has more than 256 weights a cycle: the designs stay small enough to simulate.
    assert!(modes(&fast).iter().all(|mode| mode.lanes() <= 256 && mode.channel_lanes() <= 64));
}

#[test]
fn a_network_of_windows_that_does_not_fit_is_told_what_would() {
    let refused = map(resnet(1, 32), &MapRequest::new(Target::Ice40Up5k)).unwrap_err();
    assert_eq!(refused.kind, Kind::DoesNotFit);
    assert!(refused.to_string().contains("block RAMs"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the mapper chooses is sound, and a core has pixels exactly where something around it has windows.
    #[test]
    fn layouts_of_random_networks_are_sound(seed in any::<u64>(), device in any::<bool>()) {
        let target = if device { Target::Ecp5_85k } else { Target::Generic };
        let net = match map(network(seed), &MapRequest::new(target)) {
            Ok(net) => net,
            Err(e) => {
                prop_assert_eq!(e.kind, Kind::DoesNotFit, "{}", e);
                return Ok(());
            }
        };
        prop_assert_eq!(net.check(), vec![]);
        for (_, _, core) in net.cores() {
            let windows = core.projections.iter().any(|&p| net.quant.projection(p).projection.synapses.window().is_some());
            prop_assert!(core.mode.is_window() || !windows && core.combine == Combine::Sum);
            prop_assert!(core.mode.is_event() || net.one_event_per_phase(core));
            // Enough banks for one slot an event along each axis, and one fewer would not do.
            let [rows, columns] = core.patch();
            for (axis, banks) in [(0, rows), (1, columns)] {
                let most = |banks: usize| core.fields.iter().filter(|f| f.connection != synfire::ir::mapped::Connection::Dense)
                    .flat_map(|f| (0..f.window.input[axis + 1]).map(move |at| f.window.receivers(axis, at)))
                    .flat_map(|hits| (0..banks).map(move |b| hits.iter().filter(|(o, _)| o % banks == b).count()).collect::<Vec<_>>())
                    .max().unwrap_or(0);
                prop_assert!(most(banks) <= 1);
                prop_assert!((1..banks).all(|fewer| most(fewer) > 1));
            }
        }
    }
}

/// What is wrong with a window core's geometry, bases or ids is found.
#[test]
fn wrong_geometry_is_found() {
    use synfire::ir::layout::IdLayout;
    use synfire::ir::mapped::UnitKind;
    let good = map(single_conv([2, 5, 5], 4), &event(generic())).unwrap();
    let broken = |change: &dyn Fn(&mut Core), what: &str| {
        let mut net = good.clone();
        for unit in &mut net.units {
            if let UnitKind::Core(core) = &mut unit.kind {
                change(core);
            }
        }
        let problems = net.check();
        assert!(problems.iter().any(|p| p.what.contains(what)), "{what}: {problems:?}");
    };
    broken(&|core| core.extent = [4, 25, 1], "neurons of extent");
    broken(&|core| core.fields[0].window.stride = [2, 2], "which it is not");
    broken(&|core| core.fields[0].base = 1, "expects");
    broken(&|core| core.fields.clear(), "describes 0 of 1 projections");
    broken(&|core| core.combine = synfire::ir::quant::Combine::Max, "combines its inputs");
    broken(&|core| core.value_signed = true, "widths");
    broken(&|core| core.mode = Mode::Event { lanes: 1, payload: Payload::Multiply }, "only window cores");
    let mut net = good.clone();
    net.streams[0].layout = IdLayout::Linear { neurons: 50 };
    assert!(net.check().iter().any(|p| p.what.contains("its reader knows fields only")), "{:?}", net.check());
    net.streams[0].layout = IdLayout::Fields { extent: [5, 5, 2] };
    assert!(net.check().iter().any(|p| p.what.contains("its population is")), "{:?}", net.check());
}

/// The search for window cores once stopped when no core had been added, though field ids had.
#[test]
fn a_dense_reader_of_field_ids_is_found_however_late_the_ids_become_fields() {
    for target in [Target::Generic, Target::Ecp5_85k] {
        let net = map(late_fields(), &MapRequest::new(target)).unwrap();
        assert_eq!(net.check(), vec![]);
    }
}

/// Dense cores can only add; one was given a pool that takes the largest, and added.
#[test]
fn a_maximum_over_vectors_gets_a_window_core() {
    let quant = vectors(false, Neurons::Max, 0);
    let mut net = map(quant, &generic()).unwrap();
    assert!(modes(&net)[0].is_window());
    for unit in &mut net.units {
        if let synfire::ir::mapped::UnitKind::Core(core) = &mut unit.kind {
            core.mode = Mode::Matrix { lanes: 1, rows: 1 };
        }
    }
    assert!(net.check().iter().any(|p| p.what.contains("takes a maximum")), "{:?}", net.check());
}

/// One bit holds -1 and 0; the core was made for two, and the layout refused as our own mistake.
#[test]
fn pixels_of_one_bit_that_are_never_above_zero_can_be_laid_out() {
    let below = (0..).map(|seed| vectors(true, Neurons::If, seed)).find(|quant| quant.pixels.zero == [1]).unwrap();
    assert_eq!(map(below, &generic()).unwrap().check(), vec![]);
}
