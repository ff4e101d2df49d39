//! Formal proofs of the Verilog library with Yosys, yosys-smtbmc and z3. The properties are in `sim/formal`, whose README
//! says what is proved. Every proof is run again on mutated modules, where it must fail.

use crate::formal_support;

use formal_support::{Mutation, Proof, Run, Tools, each};

// Where induction closes, the bounded run is its base and need not be longer than its look back.
const SPILL: Proof = Proof::of("sf_spill", &[Run::Bounded(12), Run::Induction(3), Run::Cover(8)])
    .registered("in_ready out_valid out_data", "in_valid in_data out_ready");
const FORK: Proof = Proof::of("sf_fork", &[Run::Bounded(12), Run::Induction(3), Run::Cover(8)])
    .registered("in_ready out_valid out_data", "in_valid in_data out_ready");
const MERGE: Proof = Proof::of("sf_merge", &[Run::Bounded(10), Run::Induction(3), Run::Cover(11)])
    .registered("in_ready out_valid out_last out_value out_id", "out_ready");
const QUEUE: Proof = Proof::of("sf_queue", &[Run::Bounded(8), Run::Induction(3), Run::Cover(13)])
    .registered("in_ready out_valid out_data", "in_valid in_data out_ready");
const EMIT: Proof = Proof::of("sf_emit", &[Run::Bounded(5), Run::Induction(3), Run::Cover(8)])
    .registered("stall out_valid out_last out_value out_id", "res_valid res_end res_mask out_ready");
const EMIT_ONE: Proof = Proof { parameters: &[("Lanes", 1), ("IdBits", 1)], ..EMIT };
/// Two by two banks of one lane, whose ids are set bits.
const EMIT_BANKS: Proof = Proof { parameters: &[("Lanes", 4), ("Columns", 2), ("IdBits", 4), ("Aligned", 1)], ..EMIT };
const MEMBRANE: Proof = Proof::of("sf_membrane", &[Run::Bounded(10), Run::Induction(3), Run::Cover(8)]);
const MEMBRANE_ONE: Proof = Proof { parameters: &[("Groups", 1)], ..MEMBRANE };

/// Kind 0 of `sf_lanes`: a count of up to 2 by successive approximation.
const EVENT_COUNT: Proof = Proof::of("sf_event_core", &[Run::Bounded(15), Run::Cover(18)])
    .with("BOUNDED")
    .registered("in_ready out_valid out_last out_value out_id", "in_valid in_last in_value in_id out_ready");
/// Kind 1: two slots of unit spikes.
const EVENT_UNIT: Proof = Proof { parameters: &[("Kind", 1), ("OutValueBits", 1)], ..EVENT_COUNT };
/// Kind 2: steps of rate coding, two of them an image, events of one bit.
const EVENT_STEP: Proof = Proof {
    parameters: &[("Kind", 2), ("Slots", 1), ("CountMax", 1), ("Phases", 2), ("OutValueBits", 1), ("ValueBits", 1)],
    runs: &[Run::Bounded(14), Run::Cover(18)],
    ..EVENT_COUNT
};
/// Kind 3: the membranes themselves, events added bit by bit.
const EVENT_READOUT: Proof =
    Proof { parameters: &[("Kind", 3), ("Slots", 1), ("OutValueBits", 5), ("ShiftAdd", 1)], ..EVENT_COUNT };
const EVENT_MEMBRANE: Proof =
    Proof::of("sf_event_core", &[Run::Bounded(5), Run::Induction(4), Run::Cover(13)]).with("INDUCTION");
const EVENT_MEMBRANE_SHIFT: Proof = Proof { parameters: &[("ShiftAdd", 1)], ..EVENT_MEMBRANE };

/// Narrow, because the solver has to look at one complete phase.
const MATRIX_COUNT: Proof = Proof {
    parameters: &[
        ("WeightBits", 2),
        ("MembraneBits", 4),
        ("ThetaBits", 2),
        ("ValueBits", 1),
        ("Chunks", 1),
        ("IdBits", 1),
        ("Kind", 1),
        ("Slots", 1),
        ("CountMax", 1),
        ("OutValueBits", 1),
    ],
    ..Proof::of("sf_matrix_core", &[Run::Bounded(16), Run::Cover(19)])
        .with("BOUNDED")
        .registered("in_ready out_valid out_last out_value out_id", "in_valid in_last in_value in_id out_ready")
};
const MATRIX_BANKS: Proof =
    Proof::of("sf_matrix_core", &[Run::Bounded(5), Run::Induction(3), Run::Cover(14)]).with("INDUCTION");

const WINDOW_EVENT: Proof = Proof::of("sf_window_event_core", &[Run::Bounded(18), Run::Cover(20)])
    .with("BOUNDED")
    .registered("in_ready out_valid out_last out_value out_id", "in_valid in_last in_value in_id out_ready");
const BUFFERS: Proof = Proof::of("sf_window_buffers", &[Run::Bounded(8), Run::Induction(3), Run::Cover(10)])
    .registered("in_ready full which", "in_valid in_last read release_buffer");
const SWEEP: Proof = Proof::of("sf_sweep", &[Run::Bounded(4), Run::Induction(3), Run::Cover(14)]);

const NEURON: Proof = Proof {
    parameters: &[("StateWidth", 5), ("ThetaWidth", 2), ("InputWidth", 2)],
    ..Proof::of("sf_neuron_lif", &[Run::Bounded(6), Run::Induction(5), Run::Cover(7)]).with("INDUCTION")
};

const WEIGHT_FETCH: Proof = Proof::of("sf_weight_fetch", &[Run::Bounded(6), Run::Induction(3), Run::Cover(9)])
    .registered(
        "hold req_valid req_addr out_op out_payload out_data",
        "op needs addr payload req_ready rsp_valid rsp_data",
    );
const WEIGHT_PORT: Proof = Proof::of("sf_weight_port", &[Run::Bounded(8), Run::Induction(3), Run::Cover(8)])
    .registered("mem_valid mem_addr", "core_valid core_addr mem_ready answer");

const PROOFS: [Proof; 23] = [
    EVENT_COUNT,
    EVENT_UNIT,
    EVENT_STEP,
    EVENT_READOUT,
    MATRIX_COUNT,
    EVENT_MEMBRANE,
    EVENT_MEMBRANE_SHIFT,
    NEURON,
    MATRIX_BANKS,
    WINDOW_EVENT,
    BUFFERS,
    SWEEP,
    EMIT,
    EMIT_ONE,
    EMIT_BANKS,
    MERGE,
    QUEUE,
    FORK,
    SPILL,
    MEMBRANE,
    MEMBRANE_ONE,
    WEIGHT_FETCH,
    WEIGHT_PORT,
];

#[test]
fn every_property_holds() {
    let Some(tools) = Tools::find() else { return };
    let failures = each(&PROOFS, |proof| tools.prove(proof, None).err().map(|e| format!("{proof:?}: {e}")));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The same proof asked otherwise, without covers: where it can, a mutation must show in a run from reset.
const fn bounded(proof: Proof, runs: &'static [Run]) -> Proof {
    Proof { runs, ..proof }
}

const SHORT: &[Run] = &[Run::Bounded(10)];
const LONG: &[Run] = &[Run::Bounded(15)];

const fn mutation(file: &'static str, from: &'static str, to: &'static str, proof: Proof) -> Mutation {
    Mutation { file, from, to, proof }
}

const MUTATIONS: [Mutation; 36] = [
    mutation("sf_spill", "= !tail_valid_q;", "= !tail_valid_q || out_ready_i;", bounded(SPILL, SHORT)),
    mutation("sf_spill", "tail_valid_q ? tail_q : in_data_i", "in_data_i", bounded(SPILL, SHORT)),
    mutation("sf_fork", "(in_valid_i && in_ready_o)", "(in_valid_i)", bounded(FORK, SHORT)),
    mutation("sf_merge", "&(lasted_q | grant)", "|(lasted_q | grant)", bounded(MERGE, SHORT)),
    mutation("sf_merge", "in_valid_i & ~lasted_q;", "in_valid_i;", bounded(MERGE, SHORT)),
    mutation("sf_merge", " + Bases[i*IdBits+:IdBits]", "", bounded(MERGE, SHORT)),
    mutation("sf_queue", "take && (last || !last_phase)", "take", bounded(QUEUE, LONG)),
    mutation("sf_queue", "empty_q ? {1'b1, {(Width-1){1'b0}}} : rdata_q", "rdata_q", bounded(QUEUE, SHORT)),
    mutation("sf_queue", "(waiting_q + {1'b0, reading_q} < 2'd2)", "(waiting_q < 2'd2)", bounded(QUEUE, SHORT)),
    mutation("sf_queue", "(stored_q != Depth[CountBits-1:0])", "1'b1", bounded(QUEUE, LONG)),
    mutation("sf_emit", "assign stall_o = r_busy", "assign stall_o = r_end_q", bounded(EMIT, SHORT)),
    mutation("sf_emit", " ^ s_end_q)", " || s_end_q)", bounded(EMIT, SHORT)),
    mutation("sf_emit", "/ ChannelLanes) % BankColumns)", "/ ChannelLanes))", bounded(EMIT_BANKS, SHORT)),
    mutation("sf_membrane", "(Groups == 1 && we_i) ? wdata_i : ", "", bounded(MEMBRANE_ONE, SHORT)),
    mutation("sf_neurons", "l < LastLanes || !edge_i[0]", "1'b1", bounded(EVENT_COUNT, LONG)),
    mutation("sf_event_core", "(we && rst_ni)", "(we)", bounded(EVENT_MEMBRANE, SHORT)),
    mutation("sf_event_core", "a_op_q <= {OpBits{1'b0}};", "a_op_q <= m_op_q;", bounded(EVENT_MEMBRANE, SHORT)),
    mutation(
        "sf_event_core",
        "in_ready_o = !init_q && (!held_q || (finish && !stall))",
        "in_ready_o = (!held_q || (finish && !stall))",
        bounded(EVENT_MEMBRANE, SHORT),
    ),
    mutation(
        "sf_event_core",
        "w_addr_o = held_base_q + {{(AddrBits-GroupBits){1'b0}}, group_q};",
        "w_addr_o = held_base_q;",
        bounded(EVENT_MEMBRANE, SHORT),
    ),
    // A stall comes later after reset than a bounded run reaches; the induction knows of it.
    mutation("sf_event_core", "(finish && !stall)", "finish", bounded(EVENT_MEMBRANE, &[Run::Induction(4)])),
    mutation("sf_matrix_core", "(we && rst_ni)", "(we)", bounded(MATRIX_BANKS, SHORT)),
    mutation("sf_matrix_core", "active && !fire_q && last_group", "1'b0", bounded(MATRIX_BANKS, LONG)),
    mutation(
        "sf_window_event_core",
        "!(a_writes && m_word_q == a_word_q)",
        "1'b1",
        bounded(WINDOW_EVENT, &[Run::Bounded(18)]),
    ),
    mutation("sf_window_buffers", "clear_q <= read_i && read_last_i;", "clear_q <= 1'b0;", bounded(BUFFERS, SHORT)),
    mutation("sf_window_buffers", "w_valid_q && w_fill_q", "w_valid_q && fill_q", bounded(BUFFERS, SHORT)),
    mutation("sf_window_buffers", ".write_i(rst_ni && w_valid_q", ".write_i(w_valid_q", bounded(BUFFERS, SHORT)),
    mutation("sf_sweep", "id_q + ToColumn[IdBits-1:0]", "id_q + ChannelStride[IdBits-1:0]", bounded(SWEEP, SHORT)),
    mutation("sf_weight_fetch", "(!needs || (|stored_q))", "1'b1", bounded(WEIGHT_FETCH, SHORT)),
    mutation("sf_weight_fetch", "|| (queued_q == Full) ", "", bounded(WEIGHT_FETCH, SHORT)),
    mutation("sf_weight_fetch", "if (!stall_i) entered_q", "entered_q", bounded(WEIGHT_FETCH, SHORT)),
    mutation("sf_weight_fetch", "(push && needs_i)", "(|op_i && needs_i)", bounded(WEIGHT_FETCH, SHORT)),
    mutation("sf_weight_port", "c < Cores; c", "c < Cores - 1; c", bounded(WEIGHT_PORT, SHORT)),
    mutation("sf_weight_port", "&& (flying_q != Full)", "", bounded(WEIGHT_PORT, SHORT)),
    mutation("sf_neuron_lif", "v_sum > theta", "v_sum >= theta", bounded(NEURON, SHORT)),
    mutation("sf_neuron_lif", " && |v_sum[StateWidth-2:0])", ")", bounded(NEURON, SHORT)),
    mutation("sf_neuron_lif", "top_u_q  <= u_i == UTop", "top_u_q  <= 1'b0", bounded(NEURON, SHORT)),
];

#[test]
fn every_mutation_is_noticed() {
    let Some(tools) = Tools::find() else { return };
    let unnoticed = each(&MUTATIONS, |m| {
        tools.prove(&m.proof, Some(m)).is_ok().then(|| format!("{}: '{}' as '{}'", m.file, m.from, m.to))
    });
    assert!(unnoticed.is_empty(), "not noticed:\n{}", unnoticed.join("\n"));
}
