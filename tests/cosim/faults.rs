//! Faults put into real designs: each must be caught by `synfire cosim`, at the right place, with a waveform and a command
//! that shows it again.

use crate::cosim_support;
use crate::fault_support;

use cosim_support::{Built, toolchain};
use fault_support::{Found, Hidden, caught, digits, edit, event, joined, matrix, timeline};
use synfire::ir::mapped::UnitKind;
use synfire::settings::{Settings, WeightsChoice};

const CORE: &str = "rtl/sf_event_core.v";
const LANES: &str = "rtl/sf_lanes.v";
const EMIT: &str = "rtl/sf_emit.v";

/// The sound design agrees with the models, with the very options that the faults are found with.
#[test]
fn the_sound_designs_pass() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    for built in [digits.design(&event()), digits.design(&matrix()), Built::new(&joined(digits), &event())] {
        for disturb in ["0", "100", "1500"] {
            let (code, report, _) = digits.cosim(&built, &["--limit", "60", "--disturb", disturb]);
            assert_eq!((code, report["mismatches"].as_u64()), (0, Some(0)), "{report}");
        }
    }
}

#[test]
fn a_weight_bit() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    let (pixel, group) = (28, 1);
    // Word `id · groups + group`; the lowest bit belongs to the group's first lane.
    edit_digit(&built, "mem/hidden_relu_weights_0.hex", pixel * 12 + group, |digit| digit ^ 1);
    let found = caught(digits, &built, &[]);
    assert_eq!(found.place(), ("membrane", "hidden_relu"));
    let image = (0..).find(|&i| digits.codes(i)[pixel] != 0).unwrap();
    assert_eq!(
        (found.layer(), found.image(), found.phase(), found.neuron()),
        ("hidden_relu", image, 0, Some(4 * group))
    );
    let (expected, got) = found.membranes();
    assert_eq!(expected, Hidden::of(&built).membranes(&digits.codes(image))[4 * group]);
    assert_eq!((expected - got).abs(), digits.codes(image)[pixel]);
}

#[test]
fn a_threshold_one_too_high() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    let hidden = Hidden::of(&built);
    // The first group's word ends with its first neuron's threshold.
    let lowest = edit_digit(&built, "mem/hidden_relu_params.hex", 0, |digit| digit + 1);
    assert_eq!(i64::from(lowest), hidden.theta[0] % 16);
    let mut wrong = hidden.clone();
    wrong.theta[0] += 1;
    let found = caught(digits, &built, &[]);
    let image = digits.first(|codes| hidden.counts(codes) != wrong.counts(codes));
    found.is_at_hidden_event(image, 0);
}

#[test]
fn strictly_above_the_threshold() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, LANES, "assign fired = !sum[SumBits-1];", "assign fired = !sum[SumBits-1] && (|sum);");
    let hidden = Hidden::of(&built);
    let strict = |codes: &[i64]| hidden.counts_by(codes, |v, scaled| v > scaled);
    let found = caught(digits, &built, &[]);
    let image = digits.first(|codes| strict(codes) != hidden.counts(codes));
    let neuron = first_difference(&strict(&digits.codes(image)), &hidden.counts(&digits.codes(image)));
    found.is_at_hidden_event(image, neuron);
}

/// A beat that arrives in the last cycle of firing finds the register written twice: by its own arrival and by the
/// departure of the end of phase. Here the departure wins.
#[test]
fn a_beat_lost_in_the_firing_cycle() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, CORE, "if (take) held_q <= 1'b1;", "if (take && !(firing && finish)) held_q <= 1'b1;");
    let found = caught(digits, &built, &[]);
    // The first pixel of the second image is taken in that cycle. One cycle on, the core is idle and takes more.
    let wires = timeline(&built, digits, 3000);
    let end = wires.iter().position(|w| w[0].moves() && w[0].beat.last).unwrap();
    let taken = end + 1 + wires[end + 1..].iter().position(|w| w[0].moves()).unwrap();
    assert_eq!(found.cycle(), taken + 1);
    assert_eq!((found.place(), found.layer(), found.image()), (("stream", "in"), "hidden_relu", 1));
    assert!(found.expected().starts_with("valid=1 ready=0") && found.got().starts_with("valid=1 ready=1"));
}

#[test]
fn a_beat_taken_in_a_stalled_cycle() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, CORE, "(finish && !stall)", "finish");
    let found = caught(digits, &built, &["--back-pressure", "long-stalls"]);
    assert_eq!(found.place().0, "stream");
    assert!(
        found.expected().contains("ready=0") && found.got().contains("ready=1"),
        "{} {}",
        found.expected(),
        found.got()
    );
}

#[test]
fn a_held_beat_that_reset_forgets() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, CORE, "      held_q  <= 1'b0;\n", "");
    let found = caught(digits, &built, &["--disturb", "100"]);
    // INIT takes a cycle for each of the 12 groups; then the core should be ready.
    assert_eq!((found.cycle(), found.image(), found.layer()), (12, 0, "hidden_relu"));
    assert_eq!(found.place(), ("stream", "in"));
    assert!(found.expected().starts_with("valid=1 ready=1") && found.got().starts_with("valid=1 ready=0"));
}

#[test]
fn lanes_in_the_serialiser_that_reset_forgets() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, EMIT, "      s_mask_q  <= {Lanes{1'b0}};\n", "");
    edit(&built, EMIT, "      s_busy_q  <= 1'b0;\n", "");
    // Reset when events have been waiting on the hidden layer's output for some cycles: more wait in the serialiser.
    let wires = timeline(&built, digits, 3000);
    let waiting = |w: &[synfire::ir::stream::Wires]| w[1].valid && !w[1].ready;
    let firing = wires.iter().position(|w| waiting(w)).unwrap() + 12;
    let found = caught(digits, &built, &["--disturb", &firing.to_string()]);
    assert_eq!((found.cycle(), found.image(), found.layer()), (1, 0, "hidden_relu"));
    assert_eq!(found.place(), ("stream", "hidden_relu"));
    assert!(found.expected().starts_with("valid=0") && found.got().starts_with("valid=1"));
}

#[test]
fn an_ended_phase_that_reset_of_a_merge_forgets() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = Built::new(&joined(digits), &event());
    // The flags come up cleared, as they do on an FPGA, but no reset clears them again.
    let merge = "rtl/sf_merge.v";
    let declaration = "  reg  [Inputs-1:0]    lasted_q;\n";
    edit(&built, merge, declaration, &format!("{declaration}  initial lasted_q = {{Inputs{{1'b0}}}};\n"));
    edit(&built, merge, "      lasted_q <= {Inputs{1'b0}};\n    end else", "    end else");
    // Reset after the image has ended and before the hidden layer's phase has.
    let (direct, _) = merge_streams(&built);
    let wires = timeline(&built, digits, 3000);
    let ended = wires.iter().position(|w| w[direct].moves() && w[direct].beat.last).unwrap();
    let found = caught(digits, &built, &["--disturb", &(ended + 5).to_string()]);
    // The merge refuses the image's first beat.
    let offered = wires.iter().position(|w| w[direct].valid).unwrap();
    assert_eq!((found.cycle(), found.image()), (offered, 0));
    assert_eq!(found.place(), ("stream", built.design.net.streams[direct].name.as_str()));
    assert!(found.expected().starts_with("valid=1 ready=1") && found.got().starts_with("valid=1 ready=0"));
}

#[test]
fn membranes_not_restored_after_the_image() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, LANES, "(op_fire_i && (image_last_i", "(op_fire_i && 1'b0 && (image_last_i");
    let found = caught(digits, &built, &[]);
    let hidden = Hidden::of(&built);
    let left = hidden.left(&digits.codes(0));
    let neuron = first_difference(&left, &hidden.v_init);
    assert_eq!(found.place(), ("membrane", "hidden_relu"));
    assert_eq!(found.json["place"]["moment"], "ended");
    assert_eq!((found.layer(), found.image(), found.phase(), found.neuron()), ("hidden_relu", 0, 0, Some(neuron)));
    assert_eq!(found.membranes(), (hidden.v_init[neuron], left[neuron]));
}

#[test]
fn membranes_not_initialised_after_reset() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, LANES, "en_i && (op_init_i || (op_acc_i", "en_i && ((op_acc_i");
    let found = caught(digits, &built, &["--disturb", "2000"]);
    assert_eq!((found.place(), found.layer(), found.image()), (("membrane", "hidden_relu"), "hidden_relu", 0));
    assert_eq!(found.json["place"]["moment"], "began");
    let neuron = found.neuron().unwrap();
    assert_eq!(found.membranes().0, Hidden::of(&built).membranes(&digits.codes(0))[neuron]);
}

#[test]
fn swapped_streams() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = Built::new(&joined(digits), &event());
    let net = &built.design.net;
    let merge = net.units.iter().find(|u| matches!(u.kind, UnitKind::Merge { .. })).unwrap();
    let wire = |port: usize| format!("s_{}_", net.stream(merge.inputs[port]).name);
    let file = built.path().join(format!("rtl/{}.v", net.top));
    let text = std::fs::read_to_string(&file).unwrap();
    let start = text.find(&format!(" u_{} (", merge.name)).expect("the merge is in the top");
    let end = start + text[start..].find(");").expect("the instance ends");
    let swapped = text[start..end].replace(&wire(0), "@").replace(&wire(1), &wire(0)).replace('@', &wire(1));
    assert_ne!(swapped, text[start..end]);
    std::fs::write(&file, format!("{}{swapped}{}", &text[..start], &text[end..])).unwrap();
    let found = caught(digits, &built, &[]);
    // The image's first event comes out of the merge one cycle after it went in, under the other sender's ids.
    let (direct, merged) = merge_streams(&built);
    let wires = timeline(&built, digits, 200);
    let first = wires.iter().position(|w| w[direct].moves()).unwrap();
    assert_eq!((found.cycle(), found.place()), (first + 1, ("stream", net.streams[merged].name.as_str())));
    let pixel = digits.codes(0).iter().position(|&x| x != 0).unwrap();
    assert_eq!((found.layer(), found.image(), found.neuron()), ("image", 0, Some(pixel)));
}

#[test]
fn a_membrane_one_bit_too_narrow() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    let hidden = Hidden::of(&built);
    let all: Vec<Vec<i64>> = (0..digits.count()).map(|i| hidden.membranes(&digits.codes(i))).collect();
    let bits = |v: i64| synfire::fixed::signed_bits(v, v);
    let narrow = all.iter().flatten().map(|&v| bits(v)).max().unwrap() - 1;
    // Sums wrap as they would in a memory of so many bits.
    let sum = "assign next = (op_acc_i || fired) ? sum[MembraneBits-1:0] :";
    let cut = format!("{{{{(MembraneBits-{narrow}){{sum[{}]}}}}, sum[{}:0]}}", narrow - 1, narrow - 1);
    edit(&built, LANES, sum, &format!("assign next = (op_acc_i || fired) ? {cut} :"));
    let found = caught(digits, &built, &[]);
    let image = all.iter().position(|row| row.iter().any(|&v| bits(v) > narrow)).unwrap();
    let neuron = all[image].iter().position(|&v| bits(v) > narrow).unwrap();
    assert_eq!(found.place(), ("membrane", "hidden_relu"));
    assert_eq!((found.layer(), found.image(), found.neuron()), ("hidden_relu", image, Some(neuron)));
    let (expected, got) = found.membranes();
    assert_eq!((expected, (expected - got).abs()), (all[image][neuron], 1 << narrow));
}

#[test]
fn a_count_that_is_not_clipped() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, LANES, "wire over = (count >", "wire over = 1'b0 && (count >");
    let found = caught(digits, &built, &[]);
    let hidden = Hidden::of(&built);
    let raw = |codes: &[i64]| hidden.unclipped(codes, |v, scaled| v >= scaled);
    let image = digits.first(|codes| raw(codes) != hidden.counts(codes));
    let neuron = first_difference(&raw(&digits.codes(image)), &hidden.counts(&digits.codes(image)));
    found.is_at_hidden_event(image, neuron);
    assert!(
        found.expected().contains("value=16 ")
            && found.got().contains(&format!("value={} ", raw(&digits.codes(image))[neuron]))
    );
}

#[test]
fn an_end_of_phase_without_its_flag() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, EMIT, "({last, last ?", "({1'b0, last ?");
    let found = caught(digits, &built, &[]);
    let wires = timeline(&built, digits, 3000);
    let end = wires.iter().position(|w| w[1].valid && w[1].beat.last).unwrap();
    assert_eq!((found.cycle(), found.place()), (end, ("stream", "hidden_relu")));
    assert_eq!((found.layer(), found.image(), found.neuron()), ("hidden_relu", 0, None));
    assert!(found.expected().ends_with("end of phase (value=0 id=0)") && found.got().ends_with("event value=0 id=0"));
}

#[test]
fn a_full_register_that_is_written() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&event());
    edit(&built, "rtl/sf_spill.v", "wire push = in_valid_i && in_ready_o;", "wire push = in_valid_i;");
    let found = caught(digits, &built, &[]);
    assert_eq!((found.place(), found.layer(), found.image()), (("stream", "hidden_relu"), "hidden_relu", 0));
    // The neuron whose event was written over is one that fires.
    let neuron = found.neuron().unwrap();
    assert!(Hidden::of(&built).counts(&digits.codes(0))[neuron] > 0);
    assert!(found.expected().ends_with(&format!("id={neuron}")), "{}", found.expected());
}

/// Two banks take turns, so what image 0 left behind is added to image 2.
#[test]
fn input_banks_that_are_not_cleared() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let built = digits.design(&matrix());
    edit(&built, "rtl/sf_matrix_core.v", "(clear && issue_q == b[0])", "(1'b0 && clear && issue_q == b[0])");
    let found = caught(digits, &built, &[]);
    let hidden = Hidden::of(&built);
    let stale: Vec<i64> =
        digits.codes(2).iter().zip(digits.codes(0)).map(|(&new, old)| if new == 0 { old } else { new }).collect();
    let neuron = first_difference(&hidden.counts(&stale), &hidden.counts(&digits.codes(2)));
    found.is_at_hidden_event(2, neuron);
}

/// Changes the last hexadecimal digit of a line; returns what it was.
fn edit_digit(built: &Built, file: &str, line: usize, change: impl Fn(u32) -> u32) -> u32 {
    let path = built.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    let old = lines[line].pop().and_then(|c| c.to_digit(16)).expect("a hexadecimal digit");
    let new = change(old);
    assert!(new < 16 && new != old, "the change has no carry");
    lines[line].push(char::from_digit(new, 16).unwrap());
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    old
}

/// The streams that bring the image to the merge and leave it.
fn merge_streams(built: &Built) -> (usize, usize) {
    let net = &built.design.net;
    let merge = net.units.iter().find(|u| matches!(u.kind, UnitKind::Merge { .. })).unwrap();
    let direct = merge.inputs.iter().find(|s| net.stream(**s).population.0 == 0).unwrap();
    (direct.0, merge.outputs[0].0)
}

fn first_difference(a: &[i64], b: &[i64]) -> usize {
    a.iter().zip(b).position(|(a, b)| a != b).expect("the fault changes this image")
}

impl Found {
    /// An event of the hidden layer differs.
    fn is_at_hidden_event(&self, image: usize, neuron: usize) {
        assert_eq!(self.place(), ("stream", "hidden_relu"));
        assert_eq!((self.layer(), self.image(), self.phase(), self.neuron()), ("hidden_relu", image, 0, Some(neuron)));
    }
}

/// A fetch unit that takes every 32nd answer without noticing it, and one that stores neighbouring answers the other way round.
#[test]
fn lost_and_swapped_answers_of_external_weights() {
    let (Some(digits), Some(_)) = (digits(), toolchain()) else { return };
    let settings = Settings { weights: WeightsChoice::External, ..event() };
    let fetch = "rtl/sf_weight_fetch.v";
    let lost = digits.design(&settings);
    edit(&lost, fetch, "{{DepthBits{1'b0}}, rsp_valid_i} -", "{{DepthBits{1'b0}}, rsp_valid_i && !(&word_in_q)} -");
    let found = caught(digits, &lost, &["--memory", "9"]);
    // The op that waits for the lost one comes late, and with it everything behind it.
    assert_eq!(found.image(), 0);
    let swapped = digits.design(&settings);
    edit(&swapped, fetch, "words_q[word_in_q] <=", "words_q[word_in_q ^ {{(DepthBits-1){1'b0}}, 1'b1}] <=");
    let found = caught(digits, &swapped, &["--memory", "9+20"]);
    assert_eq!((found.place(), found.image()), (("membrane", "hidden_relu"), 0));
}
