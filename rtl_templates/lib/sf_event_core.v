// Event core: one population of integrate-and-fire neurons, driven by one input event at a time.
//
// Contract: an event {value, id} adds value × the id's weight row to the membranes, Lanes neurons a cycle; an end of
// phase fires the population. Events follow each other without a bubble. No path from out_ready_i to in_ready_o but
// through registers. The weight and parameter memories stand outside, behind ports with one cycle of latency:
//   w_addr_o = id × Groups + group: the weights of the group's lanes, lane 0 lowest
//   p_addr_o = group: {bias, v_init, theta}, each Lanes wide, theta lowest; of leaky neurons as in sf_leaky_lanes
// Latency: the last slice of an event is in the membrane memory 4 cycles after it was issued; the first output of a
// phase leaves 6 + (slots - 1) cycles after the first firing slot was issued.
//
// Parameters: see ARCHITECTURE.md, "Microarchitecture". ShiftAdd = 1: one pass per set bit of the value and no
// multiplier; 0: one pass with a multiplier a lane. Slots = issue slots of firing a group. Kind as in sf_lanes.
`default_nettype none

module sf_event_core #(
  parameter Neurons      = 8,
  parameter Lanes        = 4,
  parameter Groups       = 2,
  parameter GroupBits    = 1,
  parameter IdBits       = 4,
  parameter ValueBits    = 4,
  parameter ShiftAdd     = 0,
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
  // leaky neurons (Kind 5), see sf_leaky_lanes
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
  // weight memory
  output wire                          w_en_o,
  output wire [AddrBits-1:0]           w_addr_o,
  input  wire [Lanes*WeightBits-1:0]   w_data_i,
  // parameter memory
  output wire                          p_en_o,
  output wire [GroupBits-1:0]          p_addr_o,
  input  wire [Lanes*ParamBits-1:0]          p_data_i
);

  localparam KindReadout = 3;
  localparam KindLeaky   = 5;
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
  reg  [ValueBits-1:0] held_value_q;
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
  wire                 active     = !stall && !init_q && held_q;
  wire                 advance    = !stall && (init_q || held_q);

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

  assign in_ready_o = !init_q && (!held_q || (finish && !stall));
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

  // The set bits of the value that are still to be added, or the value itself.
  wire [ShiftBits-1:0] shift;
  generate
    if (ShiftAdd != 0 && ValueBits > 1) begin : g_passes
      wire [ValueBits-1:0] lowest = held_value_q & (~held_value_q + {{(ValueBits-1){1'b0}}, 1'b1});
      wire [ValueBits-1:0] rest   = held_value_q & ~lowest;
      reg  [ShiftBits-1:0] index;
      integer              b;
      assign last_pass = !(|rest);
      assign shift     = index;
      always @* begin
        index = {ShiftBits{1'b0}};
        for (b = 0; b < ValueBits; b = b + 1) begin
          index = index | (b[ShiftBits-1:0] & {ShiftBits{lowest[b]}});
        end
      end
      always @(posedge clk_i) begin
        if (take) held_value_q <= in_value_i;
        else if (active && adding && last_group) held_value_q <= rest;
      end
    end else begin : g_one_pass
      assign last_pass = 1'b1;
      assign shift     = {ShiftBits{1'b0}};
      always @(posedge clk_i) if (take) held_value_q <= in_value_i;
    end
  endgenerate

  assign w_en_o   = !stall;
  assign w_addr_o = held_base_q + {{(AddrBits-GroupBits){1'b0}}, group_q};

  // ---------------------------------------------------------------- pipeline: W, M, A
  // Bits of an op that travel with it: init, acc, fire, first slot, last slot, image's last phase, end of phase.
  localparam OpBits = 7;
  wire [OpBits-1:0] issued = {
      init_q, adding, firing, slot_q == {SlotBits{1'b0}}, last_slot, last_phase, firing && finish
  };
  reg  [OpBits-1:0]           w_op_q, m_op_q, a_op_q;
  reg  [GroupBits-1:0]        w_group_q, m_group_q, a_group_q;
  reg  [ValueBits-1:0]        w_value_q, m_value_q;
  reg  [ShiftBits-1:0]        w_shift_q, m_shift_q;
  reg  [Lanes*WeightBits-1:0] m_weight_q;
  reg  [Lanes*AddendBits-1:0] a_addend_q;
  wire [Lanes*AddendBits-1:0] addend;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      w_op_q <= {OpBits{1'b0}};
      m_op_q <= {OpBits{1'b0}};
      a_op_q <= {OpBits{1'b0}};
    end else if (!stall) begin
      w_op_q <= advance ? issued : {OpBits{1'b0}};
      m_op_q <= w_op_q;
      a_op_q <= m_op_q;
    end
  end

  always @(posedge clk_i) begin
    if (!stall) begin
      w_group_q  <= group_q;
      w_value_q  <= held_value_q;
      w_shift_q  <= shift;
      m_group_q  <= w_group_q;
      m_value_q  <= w_value_q;
      m_shift_q  <= w_shift_q;
      m_weight_q <= w_data_i;
      a_group_q  <= m_group_q;
      a_addend_q <= addend;
    end
  end

  genvar l;
  generate
    for (l = 0; l < Lanes; l = l + 1) begin : g_addend
      wire [WeightBits-1:0] weight = m_weight_q[l*WeightBits+:WeightBits];
      if (ValueBits == 1) begin : g_gate
        wire [AddendBits-1:0] extended = {weight[WeightBits-1], weight};
        assign addend[l*AddendBits+:AddendBits] = m_value_q[0] ? extended : {AddendBits{1'b0}};
      end else if (ShiftAdd != 0) begin : g_shift
        wire [AddendBits-1:0] extended = {{ValueBits{weight[WeightBits-1]}}, weight};
        assign addend[l*AddendBits+:AddendBits] =
            (|m_value_q) ? extended << m_shift_q : {AddendBits{1'b0}};
      end else begin : g_multiply
        wire signed [AddendBits:0] product = $signed({{(ValueBits+1){weight[WeightBits-1]}}, weight})
                                           * $signed({{(WeightBits+1){1'b0}}, m_value_q});
        wire unused_product = product[AddendBits];
        assign addend[l*AddendBits+:AddendBits] = product[AddendBits-1:0];
      end
    end
    if (ValueBits == 1 || ShiftAdd == 0) begin : g_no_shift
      wire unused_shift = &{1'b0, m_shift_q};
    end
  endgenerate

  // Whether stage A loads from the membrane memory selects every bit of every lane, so it is decided one stage early.
  wire m_acc   = m_op_q[OpBits-2];
  wire m_first = m_op_q[OpBits-4];
  reg  a_load_q;
  always @(posedge clk_i) if (!stall) a_load_q <= m_acc || m_first;

  wire a_init, a_acc, a_fire, a_first, a_last, a_image_last, a_end;
  assign {a_init, a_acc, a_fire, a_first, a_last, a_image_last, a_end} = a_op_q;

  // ---------------------------------------------------------------- membranes and firing
  wire [Lanes*StateBits-1:0]    rdata;
  wire [Lanes*StateBits-1:0]    wdata;
  wire                          we;
  wire                          res_valid;
  wire [Lanes-1:0]              res_mask;
  wire [Lanes*OutValueBits-1:0] res_value;

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

  generate
    if (Kind == KindLeaky) begin : g_leaky
      wire [Lanes-1:0] exists;
      for (l = 0; l < Lanes; l = l + 1) begin : g_exists
        assign exists[l] = (l < Neurons - LastGroup * Lanes) || (a_group_q != LastGroup[GroupBits-1:0]);
      end
      assign res_value = {(Lanes*OutValueBits){1'b1}};

      sf_leaky_lanes #(
        .Lanes       (Lanes),
        .MembraneBits(MembraneBits),
        .InputBits   (InputBits),
        .CurrentBits (CurrentBits),
        .StateBits   (StateBits),
        .AddendBits  (AddendBits),
        .ThetaBits   (ThetaBits),
        .BiasBits    (BiasBits),
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
      ) u_lanes (
        .clk_i       (clk_i),
        .en_i        (!stall),
        .op_init_i   (a_init),
        .op_acc_i    (a_acc),
        .op_fire_i   (a_fire),
        .load_i      (a_load_q),
        .store_i     (1'b1),
        .first_i     (a_first),
        .last_i      (a_last),
        .image_last_i(a_image_last),
        .exists_i    (exists),
        .addend_i    (a_addend_q),
        .param_i     (p_data_i),
        .rdata_i     (rdata),
        .we_o        (we),
        .wdata_o     (wdata),
        .res_valid_o (res_valid),
        .res_mask_o  (res_mask)
      );
    end else begin : g_lanes
      sf_lanes #(
        .Lanes       (Lanes),
        .Neurons     (Neurons),
        .Groups      (Groups),
        .GroupBits   (GroupBits),
        .MembraneBits(MembraneBits),
        .AddendBits  (AddendBits),
        .ThetaBits   (ThetaBits),
        .BiasBits    (BiasBits),
        .ValueBits   (OutValueBits),
        .Kind        (Kind),
        .CountBits   (CountBits),
        .CountMax    (CountMax)
      ) u_lanes (
        .clk_i       (clk_i),
        .en_i        (!stall),
        .op_init_i   (a_init),
        .op_acc_i    (a_acc),
        .op_fire_i   (a_fire),
        .load_i      (a_load_q),
        .store_i     (1'b1),
        .first_i     (a_first),
        .last_i      (a_last),
        .image_last_i(a_image_last),
        .group_i     (a_group_q),
        .addend_i    (a_addend_q),
        .theta_i     (p_data_i[0+:Lanes*ThetaBits]),
        .v_init_i    (p_data_i[Lanes*ThetaBits+:Lanes*MembraneBits]),
        .bias_i      (p_data_i[Lanes*(ThetaBits+MembraneBits)+:Lanes*BiasBits]),
        .rdata_i     (rdata),
        .we_o        (we),
        .wdata_o     (wdata),
        .res_valid_o (res_valid),
        .res_mask_o  (res_mask),
        .res_value_o (res_value)
      );
    end
  endgenerate

  sf_emit #(
    .Lanes    (Lanes),
    .GroupBits(GroupBits),
    .IdBits   (OutIdBits),
    .ValueBits(OutValueBits),
    .Constant ((Kind == 1 || Kind == 2 || Kind == KindLeaky) ? 1 : 0)
  ) u_emit (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .stall_o    (stall),
    .res_valid_i(res_valid),
    .res_end_i  (a_end && (Kind != KindReadout || a_image_last)),
    .res_group_i(a_group_q),
    .res_mask_i (res_mask),
    .res_value_i(res_value),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_last_o (out_last_o),
    .out_value_o(out_value_o),
    .out_id_o   (out_id_o)
  );

endmodule

`default_nettype wire
