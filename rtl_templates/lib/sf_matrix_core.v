// Matrix core: one population of integrate-and-fire neurons, computed from all of its inputs in order.
//
// Contract: the events of a phase fill one of two banks; when the phase has ended, every group of Lanes neurons takes
// Rows inputs a cycle, zeros included, and fires. The next phase is received meanwhile. No path from out_ready_i to
// in_ready_o but through registers. The weight and parameter memories stand outside, behind ports with one cycle of
// latency:
//   w_addr_o = group × Chunks + chunk: weight of lane l and row r at bit (l × Rows + r) × WeightBits
//   p_addr_o = group: {bias, v_init, theta}, each Lanes wide, theta lowest; of leaky neurons as in sf_leaky_lanes
//
// Parameters: see ARCHITECTURE.md, "Microarchitecture". ValueSigned = 1: values are two's complement. Kind as in sf_lanes.
`default_nettype none

module sf_matrix_core #(
  parameter Neurons      = 8,
  parameter Lanes        = 4,
  parameter Groups       = 2,
  parameter GroupBits    = 1,
  parameter Rows         = 4,
  parameter Chunks       = 4,
  parameter ChunkBits    = 2,
  parameter IdBits       = 4,
  parameter ValueBits    = 4,
  parameter ValueSigned  = 0,
  parameter WeightBits   = 8,
  parameter AddrBits     = 3,
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
  input  wire                             clk_i,
  input  wire                             rst_ni,
  // input stream
  input  wire                             in_valid_i,
  output wire                             in_ready_o,
  input  wire                             in_last_i,
  input  wire [ValueBits-1:0]             in_value_i,
  input  wire [IdBits-1:0]                in_id_i,
  // output stream
  output wire                             out_valid_o,
  input  wire                             out_ready_i,
  output wire                             out_last_o,
  output wire [OutValueBits-1:0]          out_value_o,
  output wire [OutIdBits-1:0]             out_id_o,
  // weight memory
  output wire                             w_en_o,
  output wire [AddrBits-1:0]              w_addr_o,
  input  wire [Lanes*Rows*WeightBits-1:0] w_data_i,
  // parameter memory
  output wire                             p_en_o,
  output wire [GroupBits-1:0]             p_addr_o,
  input  wire [Lanes*ParamBits-1:0]       p_data_i
);

  localparam RowBits     = (Rows > 1) ? $clog2(Rows) : 1;
  localparam SlotBits    = (Slots > 1) ? $clog2(Slots) : 1;
  localparam PhaseBits   = (Phases > 1) ? $clog2(Phases) : 1;
  localparam ProductBits = WeightBits + ValueBits;
  localparam AddendBits  = ProductBits + $clog2(Rows);
  localparam InitCycles  = (Groups > Chunks) ? Groups : Chunks;
  localparam InitBits    = (InitCycles > 1) ? $clog2(InitCycles) : 1;
  localparam LastInit    = InitCycles - 1;
  localparam LastGroup   = Groups - 1;
  localparam LastChunk   = Chunks - 1;
  localparam LastSlot    = Slots - 1;
  localparam LastPhase   = Phases - 1;

  // ---------------------------------------------------------------- input banks
  wire                 stall;
  reg                  init_q;
  reg  [InitBits-1:0]  init_count_q;
  reg  [1:0]           full_q;
  reg                  fill_q;
  reg                  issue_q;
  wire                 release_bank;

  assign in_ready_o = !init_q && !full_q[fill_q];
  wire take = in_valid_i && in_ready_o;

  // Row and word of an id. IdBits may be too few to reach beyond row 0 or word 0.
  wire [IdBits+RowBits+ChunkBits-1:0] wide_id = {{(RowBits+ChunkBits){1'b0}}, in_id_i};
  wire [RowBits-1:0]   in_row  = (Rows > 1) ? wide_id[RowBits-1:0] : {RowBits{1'b0}};
  wire [ChunkBits-1:0] in_word = (Rows > 1) ? wide_id[RowBits+:ChunkBits] : wide_id[ChunkBits-1:0];
  wire unused_id = &{1'b0, wide_id};

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      full_q <= 2'b00;
      fill_q <= 1'b0;
    end else begin
      if (take && in_last_i) begin
        full_q[fill_q] <= 1'b1;
        fill_q         <= !fill_q;
      end
      if (release_bank) full_q[issue_q] <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- issue
  reg                  fire_q;
  reg  [GroupBits-1:0] group_q;
  reg  [ChunkBits-1:0] chunk_q;
  reg  [SlotBits-1:0]  slot_q;
  reg  [PhaseBits-1:0] phase_q;
  reg  [AddrBits-1:0]  addr_q;

  wire                 last_group = (group_q == LastGroup[GroupBits-1:0]);
  wire                 last_chunk = (chunk_q == LastChunk[ChunkBits-1:0]);
  wire                 last_slot  = (slot_q == LastSlot[SlotBits-1:0]);
  wire                 last_phase = (phase_q == LastPhase[PhaseBits-1:0]);
  // A slot is used in this cycle. The name is read by co-simulation.
  wire                 active     = !stall && !init_q && full_q[issue_q];
  wire                 finish     = fire_q && last_slot && last_group;
  wire                 init_group = init_q && ({1'b0, init_count_q} < Groups[InitBits:0]);
  wire                 init_word  = init_q && ({1'b0, init_count_q} < Chunks[InitBits:0]);

  assign release_bank = active && finish;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      init_q       <= 1'b1;
      init_count_q <= {InitBits{1'b0}};
      issue_q      <= 1'b0;
      fire_q       <= 1'b0;
      group_q      <= {GroupBits{1'b0}};
      chunk_q      <= {ChunkBits{1'b0}};
      slot_q       <= {SlotBits{1'b0}};
      phase_q      <= {PhaseBits{1'b0}};
      addr_q       <= {AddrBits{1'b0}};
    end else if (init_q) begin
      init_q       <= (init_count_q != LastInit[InitBits-1:0]);
      init_count_q <= init_count_q + {{(InitBits-1){1'b0}}, 1'b1};
    end else if (active) begin
      if (!fire_q) begin
        fire_q  <= last_chunk;
        chunk_q <= last_chunk ? {ChunkBits{1'b0}} : chunk_q + {{(ChunkBits-1){1'b0}}, 1'b1};
        addr_q  <= addr_q + {{(AddrBits-1){1'b0}}, 1'b1};
      end else if (!last_slot) begin
        slot_q <= slot_q + {{(SlotBits-1){1'b0}}, 1'b1};
      end else begin
        fire_q  <= 1'b0;
        slot_q  <= {SlotBits{1'b0}};
        group_q <= last_group ? {GroupBits{1'b0}} : group_q + {{(GroupBits-1){1'b0}}, 1'b1};
        if (last_group) begin
          addr_q  <= {AddrBits{1'b0}};
          issue_q <= !issue_q;
          phase_q <= last_phase ? {PhaseBits{1'b0}} : phase_q + {{(PhaseBits-1){1'b0}}, 1'b1};
        end
      end
    end
  end

  assign w_en_o   = !stall;
  assign w_addr_o = addr_q;

  // A word of the last group is cleared in the cycle after it was read.
  reg                  clear_q;
  reg  [ChunkBits-1:0] clear_word_q;
  always @(posedge clk_i) begin
    if (!rst_ni) clear_q <= 1'b0;
    else if (!stall) clear_q <= active && !fire_q && last_group;
  end
  always @(posedge clk_i) begin
    if (!stall) clear_word_q <= chunk_q;
  end

  // init_count_q and chunk_q have different widths; one is enough to address the banks.
  wire [InitBits+ChunkBits-1:0] wide_init  = {{ChunkBits{1'b0}}, init_count_q};
  wire [ChunkBits-1:0]          clear_word = init_q ? wide_init[ChunkBits-1:0] : clear_word_q;
  wire                          clear      = rst_ni && !stall && clear_q;
  wire unused_init = &{1'b0, wide_init};

  wire [2*Rows*ValueBits-1:0]   bank_data;
  reg                           w_issue_q;

  genvar b;
  generate
    for (b = 0; b < 2; b = b + 1) begin : g_bank
      sf_bank #(
        .Rows     (Rows),
        .RowBits  (RowBits),
        .ValueBits(ValueBits),
        .Words    (Chunks),
        .WordBits (ChunkBits)
      ) u_bank (
        .clk_i  (clk_i),
        .write_i(rst_ni && take && !in_last_i && fill_q == b[0]),
        .row_i  (in_row),
        .waddr_i(in_word),
        .value_i(in_value_i),
        .clear_i((rst_ni && init_word) || (clear && issue_q == b[0])),
        .caddr_i(clear_word),
        .re_i   (!stall),
        .raddr_i(chunk_q),
        .rdata_o(bank_data[b*Rows*ValueBits+:Rows*ValueBits])
      );
    end
  endgenerate

  // ---------------------------------------------------------------- pipeline: W, M, T, A
  // Bits of an op that travel with it: init, acc, fire, first chunk or slot, last slot, image's last phase, end.
  localparam OpBits = 7;
  wire first = fire_q ? 1'b0 : (chunk_q == {ChunkBits{1'b0}});
  wire [OpBits-1:0] issued = {
      init_group, active && !fire_q, active && fire_q, fire_q ? (slot_q == {SlotBits{1'b0}}) : first,
      last_slot, last_phase, active && finish
  };
  wire [InitBits+GroupBits-1:0] wide_group = {{GroupBits{1'b0}}, init_count_q};
  wire unused_group = &{1'b0, wide_group};

  reg  [OpBits-1:0]                 w_op_q, m_op_q, t_op_q, a_op_q;
  reg  [GroupBits-1:0]              w_group_q, m_group_q, t_group_q, a_group_q;
  reg  [Lanes*Rows*WeightBits-1:0]  m_weight_q;
  reg  [Rows*ValueBits-1:0]         m_value_q;
  reg  [Lanes*Rows*ProductBits-1:0] t_product_q;
  reg  [Lanes*AddendBits-1:0]       a_addend_q;
  wire [Lanes*Rows*ProductBits-1:0] product;
  wire [Lanes*AddendBits-1:0]       addend;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      w_op_q <= {OpBits{1'b0}};
      m_op_q <= {OpBits{1'b0}};
      t_op_q <= {OpBits{1'b0}};
      a_op_q <= {OpBits{1'b0}};
    end else if (!stall) begin
      w_op_q <= (init_q || active) ? issued : {OpBits{1'b0}};
      m_op_q <= w_op_q;
      t_op_q <= m_op_q;
      a_op_q <= t_op_q;
    end
  end

  always @(posedge clk_i) begin
    if (!stall) begin
      w_issue_q   <= issue_q;
      w_group_q   <= init_q ? wide_group[GroupBits-1:0] : group_q;
      m_group_q   <= w_group_q;
      m_weight_q  <= w_data_i;
      m_value_q   <= bank_data[w_issue_q*Rows*ValueBits+:Rows*ValueBits];
      t_group_q   <= m_group_q;
      t_product_q <= product;
      a_group_q   <= t_group_q;
      a_addend_q  <= addend;
    end
  end

  genvar l;
  genvar r;
  generate
    for (l = 0; l < Lanes; l = l + 1) begin : g_lane
      for (r = 0; r < Rows; r = r + 1) begin : g_row
        sf_product #(
          .WeightBits(WeightBits),
          .ValueBits (ValueBits),
          .Signed    (ValueSigned),
          .ShiftBits (1)
        ) u_product (
          .weight_i (m_weight_q[(l*Rows+r)*WeightBits+:WeightBits]),
          .value_i  (m_value_q[r*ValueBits+:ValueBits]),
          .shift_i  (1'b0),
          .product_o(product[(l*Rows+r)*ProductBits+:ProductBits])
        );
      end

      sf_tree #(
        .Count(Rows),
        .Bits (ProductBits)
      ) u_tree (
        .terms_i(t_product_q[l*Rows*ProductBits+:Rows*ProductBits]),
        .sum_o  (addend[l*AddendBits+:AddendBits])
      );
    end
  endgenerate

  // Whether stage A loads from the membrane memory selects every bit of every lane, so it is decided one stage early.
  wire t_acc   = t_op_q[OpBits-2];
  wire t_first = t_op_q[OpBits-4];
  reg  a_load_q;
  always @(posedge clk_i) if (!stall) a_load_q <= t_acc && t_first;

  // ---------------------------------------------------------------- membranes and firing
  wire [Lanes*StateBits-1:0]    rdata;
  wire [Lanes*StateBits-1:0]    wdata;
  wire                          we;

  // The first neuron of the group in stage A; cut to the ids that exist.
  wire [GroupBits+OutIdBits-1:0] a_base = {{OutIdBits{1'b0}}, a_group_q} * Lanes[GroupBits+OutIdBits-1:0];
  wire unused_base_bits = &{1'b0, a_base[GroupBits+OutIdBits-1:OutIdBits]};

  assign p_en_o   = !stall;
  assign p_addr_o = t_group_q;

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
    .raddr_i(t_group_q),
    .rdata_o(rdata)
  );

  sf_neurons #(
    .Lanes       (Lanes),
    .LastLanes   (Neurons - LastGroup * Lanes),
    .MembraneBits(MembraneBits),
    .AddendBits  (AddendBits),
    .ThetaBits   (ThetaBits),
    .BiasBits    (BiasBits),
    .Store       (0),
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
    // The sum stands in the accumulators from a group's first chunk to its last firing slot.
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
