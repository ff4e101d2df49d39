// Event core: one population of integrate-and-fire neurons, driven by one input event at a time.
//
// Contract: an event {value, id} adds value × the id's weight row to the membranes, Lanes neurons a cycle; an end of
// phase fires the population. Events follow each other without a bubble. No path from out_ready_i to in_ready_o but
// through registers. The weight and parameter memories stand outside, behind ports with one cycle of latency:
//   w_addr_o = id × Groups + group: the weights of the group's lanes, lane 0 lowest
//   p_addr_o = group: {bias, v_init, theta}, each Lanes wide, theta lowest; of leaky neurons as in sf_leaky_lanes
// Latency: the last slice of an event is in the membrane memory 4 cycles after it was issued; the first output of a
`ifdef SF_EXTERNAL_WEIGHTS
// phase leaves 6 + (slots - 1) cycles after the first firing slot was issued; both later by what the weights take.
`else
// phase leaves 6 + (slots - 1) cycles after the first firing slot was issued.
`endif
//
// Parameters: see ARCHITECTURE.md, "Microarchitecture". ValueSigned = 1: values are two's complement. ShiftAdd = 1: one pass per set bit of the value and no
// multiplier; 0: one pass with a multiplier a lane. Slots = issue slots of firing a group. Kind as in sf_lanes.
`default_nettype none

`ifdef SF_EXTERNAL_WEIGHTS
// Here the weights are outside the design: requests of any latency, answers in order, see sf_weight_fetch.
// QueueDepth, QueueBits = Depth, DepthBits of that.
module sf_event_core_external #(
  parameter QueueDepth   = 32,
  parameter QueueBits    = 5,
`else
module sf_event_core #(
`endif
  parameter Neurons      = 8,
  parameter Lanes        = 4,
  parameter Groups       = 2,
  parameter GroupBits    = 1,
  parameter IdBits       = 4,
  parameter ValueBits    = 4,
  parameter ShiftAdd     = 0,
  parameter ValueSigned  = 0,
  parameter WeightBits   = 8,
  parameter AddrBits     = 5,
  parameter MembraneBits = 16,
  parameter ThetaBits    = 8,
  parameter BiasBits     = 1,
  parameter Kind         = 0,
  parameter Slots        = 4,
  parameter CountBits    = 4,
  parameter CountMax     = 15,
  parameter Phases       = 1,
  parameter OutIdBits    = 3,
  parameter OutValueBits = 4,
  // leaky neurons (Kinds 5 and 8), see sf_leaky_lanes
  parameter InputBits    = 1,
  parameter CurrentBits  = 0,
  parameter StateBits    = MembraneBits,
  parameter ResetBits    = 0,
  parameter DvBits       = 0,
  parameter DuBits       = 0,
  parameter ParamBits    = BiasBits + MembraneBits + ThetaBits,
  parameter Align        = 0,
  parameter Subtract     = 0,
  parameter [12:0] KeepU = 13'd0,
  parameter [12:0] KeepV = 13'd4096,
  parameter [MembraneBits-1:0] ResetBy = {MembraneBits{1'b0}},
  parameter [MembraneBits-1:0] VMin    = {1'b1, {(MembraneBits-1){1'b0}}},
  parameter [MembraneBits-1:0] VMax    = {1'b0, {(MembraneBits-1){1'b1}}}
) (
  input  wire                          clk_i,
  input  wire                          rst_ni,
  // input stream
  input  wire                          in_valid_i,
  output wire                          in_ready_o,
  input  wire                          in_last_i,
  input  wire [ValueBits-1:0]          in_value_i,
  input  wire [IdBits-1:0]             in_id_i,
  // output stream
  output wire                          out_valid_o,
  input  wire                          out_ready_i,
  output wire                          out_last_o,
  output wire [OutValueBits-1:0]       out_value_o,
  output wire [OutIdBits-1:0]          out_id_o,
`ifdef SF_EXTERNAL_WEIGHTS
  // weight memory: requests, and answers, which are always taken
  output wire                          w_valid_o,
  input  wire                          w_ready_i,
  output wire [AddrBits-1:0]           w_addr_o,
  input  wire                          w_valid_i,
  input  wire [Lanes*WeightBits-1:0]   w_data_i,
`else
  // weight memory
  output wire                          w_en_o,
  output wire [AddrBits-1:0]           w_addr_o,
  input  wire [Lanes*WeightBits-1:0]   w_data_i,
`endif
  // parameter memory
  output wire                          p_en_o,
  output wire [GroupBits-1:0]          p_addr_o,
  input  wire [Lanes*ParamBits-1:0]    p_data_i
);

  localparam SlotBits    = (Slots > 1) ? $clog2(Slots) : 1;
  localparam PhaseBits   = (Phases > 1) ? $clog2(Phases) : 1;
  localparam ShiftBits   = (ValueBits > 1) ? $clog2(ValueBits) : 1;
  localparam AddendBits  = WeightBits + ValueBits;
  localparam LastGroup   = Groups - 1;
  localparam LastSlot    = Slots - 1;
  localparam LastPhase   = Phases - 1;
  localparam WideBits    = IdBits + GroupBits + 1;

  // ---------------------------------------------------------------- issue
  wire                 stall;
  reg                  init_q;
  reg                  held_q;
  reg                  held_last_q;
  wire [ValueBits-1:0] held_value;
  reg  [AddrBits-1:0]  held_base_q;
  reg  [GroupBits-1:0] group_q;
  reg  [SlotBits-1:0]  slot_q;
  reg  [PhaseBits-1:0] phase_q;

  wire                 last_group = (group_q == LastGroup[GroupBits-1:0]);
  wire                 last_slot  = (slot_q == LastSlot[SlotBits-1:0]);
  wire                 last_phase = (phase_q == LastPhase[PhaseBits-1:0]);
  wire                 last_pass;
  wire                 firing     = held_q && held_last_q && !init_q;
  wire                 adding     = held_q && !held_last_q && !init_q;
  // The last slot of the beat in hand.
  wire                 finish     = last_group && (held_last_q ? last_slot : last_pass);
  // A slot is used in this cycle. The name is read by co-simulation.
`ifdef SF_EXTERNAL_WEIGHTS
  wire                 hold;
  wire                 active     = !hold && !init_q && held_q;
  wire                 advance    = !hold && (init_q || held_q);
`else
  wire                 active     = !stall && !init_q && held_q;
  wire                 advance    = !stall && (init_q || held_q);
`endif

  // The id times Groups; the upper bits of the product are zero for every id that exists.
  wire [WideBits-1:0]  wide_base  = {{(WideBits-IdBits){1'b0}}, in_id_i} * Groups[WideBits-1:0];
  wire [AddrBits-1:0]  in_base;
  generate
    if (WideBits >= AddrBits) begin : g_cut
      assign in_base = wide_base[AddrBits-1:0];
      wire unused_base = &{1'b0, wide_base};
    end else begin : g_extend
      assign in_base = {{(AddrBits-WideBits){1'b0}}, wide_base};
    end
  endgenerate

`ifdef SF_EXTERNAL_WEIGHTS
  assign in_ready_o = !init_q && (!held_q || (finish && !hold));
`else
  assign in_ready_o = !init_q && (!held_q || (finish && !stall));
`endif
  wire take = in_valid_i && in_ready_o;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      init_q  <= 1'b1;
      held_q  <= 1'b0;
      group_q <= {GroupBits{1'b0}};
      slot_q  <= {SlotBits{1'b0}};
      phase_q <= {PhaseBits{1'b0}};
    end else begin
      if (take) held_q <= 1'b1;
      else if (active && finish) held_q <= 1'b0;
      if (advance) begin
        if (init_q && last_group) init_q <= 1'b0;
        // A firing group keeps its place for all of its slots; otherwise each slot is another group.
        if (firing && !last_slot) begin
          slot_q <= slot_q + {{(SlotBits-1){1'b0}}, 1'b1};
        end else begin
          slot_q  <= {SlotBits{1'b0}};
          group_q <= last_group ? {GroupBits{1'b0}} : group_q + {{(GroupBits-1){1'b0}}, 1'b1};
        end
        if (firing && finish) begin
          phase_q <= last_phase ? {PhaseBits{1'b0}} : phase_q + {{(PhaseBits-1){1'b0}}, 1'b1};
        end
      end
    end
  end

  always @(posedge clk_i) begin
    if (take) begin
      held_last_q <= in_last_i;
      held_base_q <= in_base;
    end
  end

  wire [ShiftBits-1:0] shift;
  sf_passes #(
    .ValueBits(ValueBits),
    .ShiftAdd (ShiftAdd),
    .ShiftBits(ShiftBits)
  ) u_passes (
    .clk_i  (clk_i),
    .take_i (take),
    .value_i(in_value_i),
    .next_i (active && adding && last_group),
    .value_o(held_value),
    .shift_o(shift),
    .last_o (last_pass)
  );

`ifndef SF_EXTERNAL_WEIGHTS
  assign w_en_o   = !stall;
  assign w_addr_o = held_base_q + {{(AddrBits-GroupBits){1'b0}}, group_q};

`endif
  // ---------------------------------------------------------------- pipeline: W, M, A
  // Bits of an op that travel with it: init, acc, fire, first slot, last slot, image's last phase, end of phase.
  localparam OpBits = 7;
  wire [OpBits-1:0] issued = {
      init_q, adding, firing, slot_q == {SlotBits{1'b0}}, last_slot, last_phase, firing && finish
  };
`ifdef SF_EXTERNAL_WEIGHTS
  wire [OpBits-1:0]           w_op;
  wire [GroupBits-1:0]        w_group;
  wire [ValueBits-1:0]        w_value;
  wire [ShiftBits-1:0]        w_shift;
  wire [Lanes*WeightBits-1:0] w_data;
  reg  [OpBits-1:0]           m_op_q, a_op_q;
  reg  [GroupBits-1:0]        m_group_q, a_group_q;
  reg  [ValueBits-1:0]        m_value_q;
  reg  [ShiftBits-1:0]        m_shift_q;
`else
  reg  [OpBits-1:0]           w_op_q, m_op_q, a_op_q;
  reg  [GroupBits-1:0]        w_group_q, m_group_q, a_group_q;
  reg  [ValueBits-1:0]        w_value_q, m_value_q;
  reg  [ShiftBits-1:0]        w_shift_q, m_shift_q;
`endif
  reg  [Lanes*WeightBits-1:0] m_weight_q;
  reg  [Lanes*AddendBits-1:0] a_addend_q;
  wire [Lanes*AddendBits-1:0] addend;

`ifdef SF_EXTERNAL_WEIGHTS
  sf_weight_fetch #(
    .Depth      (QueueDepth),
    .DepthBits  (QueueBits),
    .OpBits     (OpBits),
    .PayloadBits(GroupBits + ValueBits + ShiftBits),
    .AddrBits   (AddrBits),
    .WordBits   (Lanes * WeightBits)
  ) u_fetch (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .hold_o     (hold),
    .op_i       (advance ? issued : {OpBits{1'b0}}),
    .needs_i    (adding),
    .addr_i     (held_base_q + {{(AddrBits-GroupBits){1'b0}}, group_q}),
    .payload_i  ({group_q, held_value, shift}),
    .stall_i    (stall),
    .op_o       (w_op),
    .payload_o  ({w_group, w_value, w_shift}),
    .data_o     (w_data),
    .req_valid_o(w_valid_o),
    .req_ready_i(w_ready_i),
    .req_addr_o (w_addr_o),
    .rsp_valid_i(w_valid_i),
    .rsp_data_i (w_data_i)
  );

`endif
  always @(posedge clk_i) begin
    if (!rst_ni) begin
`ifndef SF_EXTERNAL_WEIGHTS
      w_op_q <= {OpBits{1'b0}};
`endif
      m_op_q <= {OpBits{1'b0}};
      a_op_q <= {OpBits{1'b0}};
    end else if (!stall) begin
`ifdef SF_EXTERNAL_WEIGHTS
      m_op_q <= w_op;
`else
      w_op_q <= advance ? issued : {OpBits{1'b0}};
      m_op_q <= w_op_q;
`endif
      a_op_q <= m_op_q;
    end
  end

  always @(posedge clk_i) begin
    if (!stall) begin
`ifdef SF_EXTERNAL_WEIGHTS
      m_group_q  <= w_group;
      m_value_q  <= w_value;
      m_shift_q  <= w_shift;
      m_weight_q <= w_data;
`else
      w_group_q  <= group_q;
      w_value_q  <= held_value;
      w_shift_q  <= shift;
      m_group_q  <= w_group_q;
      m_value_q  <= w_value_q;
      m_shift_q  <= w_shift_q;
      m_weight_q <= w_data_i;
`endif
      a_group_q  <= m_group_q;
      a_addend_q <= addend;
    end
  end

  genvar l;
  generate
    for (l = 0; l < Lanes; l = l + 1) begin : g_addend
      sf_product #(
        .WeightBits(WeightBits),
        .ValueBits (ValueBits),
        .Signed    (ValueSigned),
        .ShiftAdd  (ShiftAdd),
        .ShiftBits (ShiftBits)
      ) u_product (
        .weight_i (m_weight_q[l*WeightBits+:WeightBits]),
        .value_i  (m_value_q),
        .shift_i  (m_shift_q),
        .product_o(addend[l*AddendBits+:AddendBits])
      );
    end
  endgenerate

  // Whether stage A loads from the membrane memory selects every bit of every lane, so it is decided one stage early.
  wire m_acc   = m_op_q[OpBits-2];
  wire m_first = m_op_q[OpBits-4];
  reg  a_load_q;
  always @(posedge clk_i) if (!stall) a_load_q <= m_acc || m_first;

  // ---------------------------------------------------------------- membranes and firing
  wire [Lanes*StateBits-1:0]    rdata;
  wire [Lanes*StateBits-1:0]    wdata;
  wire                          we;

  // The first neuron of the group in stage A; cut to the ids that exist.
  wire [GroupBits+OutIdBits-1:0] a_base = {{OutIdBits{1'b0}}, a_group_q} * Lanes[GroupBits+OutIdBits-1:0];
  wire unused_base_bits = &{1'b0, a_base[GroupBits+OutIdBits-1:OutIdBits]};

  assign p_en_o   = !stall;
  assign p_addr_o = m_group_q;

  sf_membrane #(
    .Width    (Lanes * StateBits),
    .Groups   (Groups),
    .GroupBits(GroupBits)
  ) u_membrane (
    .clk_i  (clk_i),
    .we_i   (we && rst_ni),
    .waddr_i(a_group_q),
    .wdata_i(wdata),
    .re_i   (!stall),
    .raddr_i(m_group_q),
    .rdata_o(rdata)
  );

  sf_neurons #(
    .Lanes       (Lanes),
    .LastLanes   (Neurons - LastGroup * Lanes),
    .MembraneBits(MembraneBits),
    .AddendBits  (AddendBits),
    .ThetaBits   (ThetaBits),
    .BiasBits    (BiasBits),
    .Store       (1),
    .Kind        (Kind),
    .CountBits   (CountBits),
    .CountMax    (CountMax),
    .Aligned     ((Lanes & (Lanes - 1)) == 0 ? 1 : 0),
    .OutIdBits   (OutIdBits),
    .OutValueBits(OutValueBits),
    .InputBits   (InputBits),
    .CurrentBits (CurrentBits),
    .StateBits   (StateBits),
    .ResetBits   (ResetBits),
    .DvBits      (DvBits),
    .DuBits      (DuBits),
    .ParamBits   (ParamBits),
    .Align       (Align),
    .Subtract    (Subtract),
    .KeepU       (KeepU),
    .KeepV       (KeepV),
    .ResetBy     (ResetBy),
    .VMin        (VMin),
    .VMax        (VMax)
  ) u_neurons (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .stall_o    (stall),
    .op_i       (a_op_q),
    .load_i     (a_load_q),
    .base_i     (a_base[OutIdBits-1:0]),
    .edge_i     ({2'b00, a_group_q == LastGroup[GroupBits-1:0]}),
    .addend_i   (a_addend_q),
    .param_i    (p_data_i),
    .rdata_i    (rdata),
    .we_o       (we),
    .wdata_o    (wdata),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_last_o (out_last_o),
    .out_value_o(out_value_o),
    .out_id_o   (out_id_o)
  );

endmodule

`default_nettype wire
