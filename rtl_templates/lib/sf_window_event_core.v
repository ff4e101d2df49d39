// Window event core: one population of shape [C, H, W], driven by one input event at a time.
//
// Contract: an event {value, id} of any projection adds value × weight to the membranes that it reaches, in each slot the
// lanes of one word of every bank; an end of phase fires the population. Events follow each other without a bubble. No
// path from out_ready_i to in_ready_o but through registers. Memories and tables stand outside:
//   w_addr_o: the word's address, the sum of the weight offsets of sf_window_event_issue; one cycle of latency; layout of a
//             word as in sf_window_taps
//   p_addr_o: {bias, v_init, theta} (of leaky neurons as in sf_leaky_lanes) of the channel group, the same at all pixels (ParamShared = 1), or of the group; one
//             cycle of latency
//   row_addr_o, column_addr_o: the tables of sf_window_event_issue; no latency
// Stages after the issue: G (table entries), X (weight address), W (weight word), S (rows of taps), M (weights), A.
// Latency: an op issued in cycle c is in stage A in cycle c + 6.
//
// Parameters: as in sf_window_event_issue, sf_window_taps (WordRows, WordColumns = taps of a word), sf_neurons; block and
// stride parameters as in sf_sweep.
`default_nettype none

`ifdef SF_EXTERNAL_WEIGHTS
// Here the weights are outside the design: requests of any latency, answers in order, see sf_weight_fetch, which stands between X
// and W. QueueDepth, QueueBits = Depth, DepthBits of that.
module sf_window_event_core_external #(
  parameter QueueDepth       = 32,
  parameter QueueBits        = 5,
`else
module sf_window_event_core #(
`endif
  parameter Lanes            = 2,
  parameter LaneBits         = 1,
  parameter BankRows         = 1,
  parameter BankColumns      = 1,
  parameter Groups           = 8,
  parameter GroupBits        = 3,
  parameter ChannelGroups    = 2,
  parameter ChannelGroupBits = 1,
  parameter BlockRows        = 2,
  parameter BlockRowBits     = 1,
  parameter BlockColumns     = 2,
  parameter BlockColumnBits  = 1,
  parameter LastLanes        = Lanes,
  parameter LastRows         = BankRows,
  parameter LastColumns      = BankColumns,
  parameter Projections      = 1,
  parameter ProjectionBits   = 1,
  parameter IdBits           = 8,
  parameter IdShift          = 8,
  parameter RowBits          = 3,
  parameter ColumnBits       = 3,
  parameter ChannelBits      = 2,
  parameter [32*Projections-1:0] ColumnWidths  = {Projections{32'd3}},
  parameter [32*Projections-1:0] ChannelWidths = {Projections{32'd2}},
  parameter RowStepBits      = 2,
  parameter ColumnStepBits   = 2,
  parameter WordRows         = 1,
  parameter WordColumns      = 1,
  parameter RowTapBits       = 1,
  parameter ColumnTapBits    = 1,
  parameter AddrBits         = 6,
  parameter [Projections*AddrBits-1:0] ChannelFactors = {(Projections*AddrBits){1'b0}},
  parameter ChannelMathBits  = 3,
  parameter [Projections-1:0] Channelwise = {Projections{1'b0}},
  parameter [Projections*ChannelMathBits-1:0] From     = {(Projections*ChannelMathBits){1'b0}},
  parameter [Projections*ChannelMathBits-1:0] To       = {(Projections*ChannelMathBits){1'b0}},
  parameter [Projections*ChannelMathBits-1:0] Channels = {(Projections*ChannelMathBits){1'b0}},
  parameter Broadcast        = 0,
  parameter ValueBits        = 4,
  parameter ValueSigned      = 0,
  parameter ShiftAdd         = 0,
  parameter WeightBits       = 8,
  parameter MembraneBits     = 16,
  parameter ThetaBits        = 8,
  parameter BiasBits         = 1,
  parameter ParamShared      = 1,
  parameter Max              = 0,
  parameter Kind             = 0,
  parameter Slots            = 4,
  parameter CountBits        = 4,
  parameter CountMax         = 15,
  parameter Phases           = 1,
  parameter ChannelStep      = 1,
  parameter ColumnStep       = 4,
  parameter RowStep          = 16,
  parameter Aligned          = 0,
  parameter OutIdBits        = 6,
  parameter OutValueBits     = 4,
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
  input  wire                        clk_i,
  input  wire                        rst_ni,
  // input stream
  input  wire                        in_valid_i,
  output wire                        in_ready_o,
  input  wire                        in_last_i,
  input  wire [ValueBits-1:0]        in_value_i,
  input  wire [IdBits-1:0]           in_id_i,
  // output stream
  output wire                        out_valid_o,
  input  wire                        out_ready_i,
  output wire                        out_last_o,
  output wire [OutValueBits-1:0]     out_value_o,
  output wire [OutIdBits-1:0]        out_id_o,
`ifdef SF_EXTERNAL_WEIGHTS
  // weight memory: requests, and answers, which are always taken
  output wire                        w_valid_o,
  input  wire                        w_ready_i,
  output wire [AddrBits-1:0]         w_addr_o,
  input  wire                        w_valid_i,
`else
  // weight memory
  output wire                        w_en_o,
  output wire [AddrBits-1:0]         w_addr_o,
`endif
  input  wire [WordRows*WordColumns*(Broadcast != 0 ? 1 : Lanes)*WeightBits-1:0] w_data_i,
  // parameter memory
  output wire                        p_en_o,
  output wire [(ParamShared != 0 ? ChannelGroupBits : GroupBits)-1:0] p_addr_o,
  input  wire [(ParamShared != 0 ? 1 : BankRows*BankColumns)*Lanes*ParamBits-1:0] p_data_i,
  // tables
  output wire [ProjectionBits+RowBits+RowStepBits-1:0]       row_addr_o,
  input  wire [AddrBits+BankRows*(1+GroupBits+RowTapBits):0] row_data_i,
  output wire [ProjectionBits+ColumnBits+ColumnStepBits-1:0] column_addr_o,
  input  wire [AddrBits+BankColumns*(1+GroupBits+ColumnTapBits):0] column_data_i
);

  localparam Banks      = BankRows * BankColumns;
  localparam ShiftBits  = (ValueBits > 1) ? $clog2(ValueBits) : 1;
  localparam AddendBits = WeightBits + ValueBits;
  localparam OpBits     = 7;
  // What travels from stage to stage until the rows, and until the columns, are selected.
  localparam RowSelect    = BankRows * (1 + RowTapBits);
  localparam ColumnSelect = BankColumns * (1 + ColumnTapBits);
  localparam Blocks       = (BankRows + BankColumns) * GroupBits;
  localparam Payload      = ValueBits + ShiftBits;

  // ---------------------------------------------------------------- issue, G
  // The names are read by co-simulation.
  wire                        stall;
  wire                        active;
`ifdef SF_EXTERNAL_WEIGHTS
  wire                        hold;
`endif

  wire [OpBits-1:0]           g_op;
  wire [AddrBits-1:0]         g_row_weight;
  wire [AddrBits-1:0]         g_column_weight;
  wire [AddrBits-1:0]         g_channel;
  wire [RowSelect-1:0]        g_rows;
  wire [ColumnSelect-1:0]     g_columns;
  wire [Blocks-1:0]           g_blocks;
  wire [ChannelGroupBits-1:0] g_group;
  wire [LaneBits-1:0]         g_lane;
  wire [Payload-1:0]          g_payload;

  sf_window_event_issue #(
    .Lanes           (Lanes),
    .LaneBits        (LaneBits),
    .BankRows        (BankRows),
    .BankColumns     (BankColumns),
    .Groups          (Groups),
    .GroupBits       (GroupBits),
    .ChannelGroups   (ChannelGroups),
    .ChannelGroupBits(ChannelGroupBits),
    .Projections     (Projections),
    .ProjectionBits  (ProjectionBits),
    .IdBits          (IdBits),
    .IdShift         (IdShift),
    .RowBits         (RowBits),
    .ColumnBits      (ColumnBits),
    .ChannelBits     (ChannelBits),
    .ColumnWidths    (ColumnWidths),
    .ChannelWidths   (ChannelWidths),
    .RowStepBits     (RowStepBits),
    .ColumnStepBits  (ColumnStepBits),
    .RowTapBits      (RowTapBits),
    .ColumnTapBits   (ColumnTapBits),
    .AddrBits        (AddrBits),
    .ChannelFactors  (ChannelFactors),
    .ChannelMathBits (ChannelMathBits),
    .Channelwise     (Channelwise),
    .From            (From),
    .To              (To),
    .Channels        (Channels),
    .ValueBits       (ValueBits),
    .ShiftAdd        (ShiftAdd),
    .ShiftBits       (ShiftBits),
    .Slots           (Slots),
    .Phases          (Phases)
  ) u_issue (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
`ifdef SF_EXTERNAL_WEIGHTS
    .stall_i        (hold),
    .active_o       (active),
`else
    .stall_i        (stall),
    .active_o       (active),
`endif
    .in_valid_i     (in_valid_i),
    .in_ready_o     (in_ready_o),
    .in_last_i      (in_last_i),
    .in_value_i     (in_value_i),
    .in_id_i        (in_id_i),
    .row_addr_o     (row_addr_o),
    .row_data_i     (row_data_i),
    .column_addr_o  (column_addr_o),
    .column_data_i  (column_data_i),
    .op_o           (g_op),
    .row_weight_o   (g_row_weight),
    .column_weight_o(g_column_weight),
    .channel_o      (g_channel),
    .row_hit_o      (g_rows[0+:BankRows]),
    .row_block_o    (g_blocks[0+:BankRows*GroupBits]),
    .row_tap_o      (g_rows[BankRows+:BankRows*RowTapBits]),
    .column_hit_o   (g_columns[0+:BankColumns]),
    .column_block_o (g_blocks[BankRows*GroupBits+:BankColumns*GroupBits]),
    .column_tap_o   (g_columns[BankColumns+:BankColumns*ColumnTapBits]),
    .group_o        (g_group),
    .lane_o         (g_lane),
    .value_o        (g_payload[0+:ValueBits]),
    .shift_o        (g_payload[ValueBits+:ShiftBits])
  );

  wire unused_active = &{1'b0, active};

  // ---------------------------------------------------------------- pipeline: X, W, S, M, A
`ifdef SF_EXTERNAL_WEIGHTS
  localparam Travels = RowSelect + ColumnSelect + Blocks + ChannelGroupBits + LaneBits + Payload;
  localparam WordBits = WordRows * WordColumns * (Broadcast != 0 ? 1 : Lanes) * WeightBits;
  reg  [OpBits-1:0]           x_op_q, s_op_q, m_op_q, a_op_q;
  reg  [AddrBits-1:0]         x_addr_q;
  reg  [Travels-1:0]          x_travels_q;
  reg  [ColumnSelect-1:0]     s_columns_q;
  reg  [Blocks-1:0]           s_blocks_q;
  reg  [ChannelGroupBits-1:0] s_group_q, m_group_q;
  reg  [LaneBits-1:0]         s_lane_q;
  reg  [Payload-1:0]          s_payload_q, m_payload_q;
  wire [OpBits-1:0]           w_op_q;
  wire [RowSelect-1:0]        w_rows_q;
  wire [ColumnSelect-1:0]     w_columns_q;
  wire [Blocks-1:0]           w_blocks_q;
  wire [ChannelGroupBits-1:0] w_group_q;
  wire [LaneBits-1:0]         w_lane_q;
  wire [Payload-1:0]          w_payload_q;
  wire [WordBits-1:0]         w_data;

  always @(posedge clk_i) begin
    if (!rst_ni) x_op_q <= {OpBits{1'b0}};
    else if (!hold) x_op_q <= g_op;
  end

  always @(posedge clk_i) begin
    if (!hold) begin
      x_addr_q    <= (g_row_weight + g_column_weight) + g_channel;
      x_travels_q <= {g_rows, g_columns, g_blocks, g_group, g_lane, g_payload};
    end
  end

  sf_weight_fetch #(
    .Depth      (QueueDepth),
    .DepthBits  (QueueBits),
    .OpBits     (OpBits),
    .PayloadBits(Travels),
    .AddrBits   (AddrBits),
    .WordBits   (WordBits)
  ) u_fetch (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .hold_o     (hold),
    .op_i       (x_op_q),
    .needs_i    (x_op_q[OpBits-2]),
    .addr_i     (x_addr_q),
    .payload_i  (x_travels_q),
    .stall_i    (stall),
    .op_o       (w_op_q),
    .payload_o  ({w_rows_q, w_columns_q, w_blocks_q, w_group_q, w_lane_q, w_payload_q}),
    .data_o     (w_data),
    .req_valid_o(w_valid_o),
    .req_ready_i(w_ready_i),
    .req_addr_o (w_addr_o),
    .rsp_valid_i(w_valid_i),
    .rsp_data_i (w_data_i)
  );
`else
  reg  [OpBits-1:0]           x_op_q, w_op_q, s_op_q, m_op_q, a_op_q;
  reg  [AddrBits-1:0]         x_addr_q;
  reg  [RowSelect-1:0]        x_rows_q, w_rows_q;
  reg  [ColumnSelect-1:0]     x_columns_q, w_columns_q, s_columns_q;
  reg  [Blocks-1:0]           x_blocks_q, w_blocks_q, s_blocks_q;
  reg  [ChannelGroupBits-1:0] x_group_q, w_group_q, s_group_q, m_group_q;
  reg  [LaneBits-1:0]         x_lane_q, w_lane_q, s_lane_q;
  reg  [Payload-1:0]          x_payload_q, w_payload_q, s_payload_q, m_payload_q;
`endif

  always @(posedge clk_i) begin
    if (!rst_ni) begin
`ifndef SF_EXTERNAL_WEIGHTS
      x_op_q <= {OpBits{1'b0}};
      w_op_q <= {OpBits{1'b0}};
`endif
      s_op_q <= {OpBits{1'b0}};
      m_op_q <= {OpBits{1'b0}};
      a_op_q <= {OpBits{1'b0}};
    end else if (!stall) begin
`ifndef SF_EXTERNAL_WEIGHTS
      x_op_q <= g_op;
      w_op_q <= x_op_q;
`endif
      s_op_q <= w_op_q;
      m_op_q <= s_op_q;
      a_op_q <= m_op_q;
    end
  end

  always @(posedge clk_i) begin
    if (!stall) begin
`ifdef SF_EXTERNAL_WEIGHTS
      s_columns_q <= w_columns_q;
      s_blocks_q  <= w_blocks_q;
      s_group_q   <= w_group_q;
      m_group_q   <= s_group_q;
      s_lane_q    <= w_lane_q;
      s_payload_q <= w_payload_q;
`else
      x_addr_q    <= (g_row_weight + g_column_weight) + g_channel;
      x_rows_q    <= g_rows;
      w_rows_q    <= x_rows_q;
      x_columns_q <= g_columns;
      w_columns_q <= x_columns_q;
      s_columns_q <= w_columns_q;
      x_blocks_q  <= g_blocks;
      w_blocks_q  <= x_blocks_q;
      s_blocks_q  <= w_blocks_q;
      x_group_q   <= g_group;
      w_group_q   <= x_group_q;
      s_group_q   <= w_group_q;
      m_group_q   <= s_group_q;
      x_lane_q    <= g_lane;
      w_lane_q    <= x_lane_q;
      s_lane_q    <= w_lane_q;
      x_payload_q <= g_payload;
      w_payload_q <= x_payload_q;
      s_payload_q <= w_payload_q;
`endif
      m_payload_q <= s_payload_q;
    end
  end

`ifndef SF_EXTERNAL_WEIGHTS
  assign w_en_o   = !stall;
  assign w_addr_o = x_addr_q;

`endif
  wire [Banks*Lanes*WeightBits-1:0] m_weight;
  sf_window_taps #(
    .Lanes        (Lanes),
    .LaneBits     (LaneBits),
    .BankRows     (BankRows),
    .BankColumns  (BankColumns),
    .Rows         (WordRows),
    .Columns      (WordColumns),
    .RowTapBits   (RowTapBits),
    .ColumnTapBits(ColumnTapBits),
    .WeightBits   (WeightBits),
    .Broadcast    (Broadcast)
  ) u_taps (
    .clk_i       (clk_i),
    .en_i        (!stall),
`ifdef SF_EXTERNAL_WEIGHTS
    .data_i      (w_data),
`else
    .data_i      (w_data_i),
`endif
    .row_hit_i   (w_rows_q[0+:BankRows]),
    .row_tap_i   (w_rows_q[BankRows+:BankRows*RowTapBits]),
    .column_hit_i(s_columns_q[0+:BankColumns]),
    .column_tap_i(s_columns_q[BankColumns+:BankColumns*ColumnTapBits]),
    .lane_i      (s_lane_q),
    .weight_o    (m_weight)
  );

  // ---------------------------------------------------------------- products and membranes
  wire [Banks*Lanes*AddendBits-1:0]   addend;
  reg  [Banks*Lanes*AddendBits-1:0]   a_addend_q;
  reg  [Banks-1:0]                    a_load_q;
  wire [Banks*GroupBits-1:0]          m_word;
  wire [Banks*Lanes*StateBits-1:0]    rdata;
  wire [Banks*Lanes*StateBits-1:0]    wdata;
  wire                                we;

  always @(posedge clk_i) if (!stall) a_addend_q <= addend;

  // Stage A loads for an addition and in a group's first firing slot, but not the word that it is writing: the op before
  // left that in the accumulators.
  wire m_loads  = m_op_q[OpBits-2] || m_op_q[OpBits-4];
  wire a_writes = a_op_q[OpBits-1] || a_op_q[OpBits-2] || (a_op_q[OpBits-3] && a_op_q[OpBits-5]);

  genvar b;
  genvar l;
  generate
    for (b = 0; b < Banks; b = b + 1) begin : g_bank
      wire [GroupBits-1:0] row_block    = s_blocks_q[(b/BankColumns)*GroupBits+:GroupBits];
      wire [GroupBits-1:0] column_block = s_blocks_q[(BankRows+b%BankColumns)*GroupBits+:GroupBits];
      reg  [GroupBits-1:0] m_word_q;
      reg  [GroupBits-1:0] a_word_q;
      wire [GroupBits+ChannelGroupBits-1:0] group = {{GroupBits{1'b0}}, s_group_q};
      wire unused_group = &{1'b0, group};

      assign m_word[b*GroupBits+:GroupBits] = m_word_q;
      always @(posedge clk_i) begin
        if (!stall) begin
          m_word_q    <= (row_block + column_block) + group[GroupBits-1:0];
          a_word_q    <= m_word_q;
          a_load_q[b] <= m_loads && !(a_writes && m_word_q == a_word_q);
        end
      end

      sf_membrane #(
        .Width    (Lanes * StateBits),
        .Groups   (Groups),
        .GroupBits(GroupBits)
      ) u_membrane (
        .clk_i  (clk_i),
        .we_i   (we && rst_ni),
        .waddr_i(a_word_q),
        .wdata_i(wdata[b*Lanes*StateBits+:Lanes*StateBits]),
        .re_i   (!stall),
        .raddr_i(m_word_q),
        .rdata_o(rdata[b*Lanes*StateBits+:Lanes*StateBits])
      );

      for (l = 0; l < Lanes; l = l + 1) begin : g_lane
        sf_product #(
          .WeightBits(WeightBits),
          .ValueBits (ValueBits),
          .Signed    (ValueSigned),
          .ShiftAdd  (ShiftAdd),
          .ShiftBits (ShiftBits)
        ) u_product (
          .weight_i (m_weight[(b*Lanes+l)*WeightBits+:WeightBits]),
          .value_i  (m_payload_q[0+:ValueBits]),
          .shift_i  (m_payload_q[ValueBits+:ShiftBits]),
          .product_o(addend[(b*Lanes+l)*AddendBits+:AddendBits])
        );
      end
    end
    // In INIT and FIRE every bank is at the same word.
    assign p_en_o = !stall;
    if (ParamShared == 0) begin : g_params_by_group
      assign p_addr_o = m_word[GroupBits-1:0];
    end else begin : g_params_by_channel_group
      assign p_addr_o = m_group_q;
    end
  endgenerate

  wire unused_words = &{1'b0, m_word, m_group_q};

  // ---------------------------------------------------------------- firing
  wire [OutIdBits-1:0] a_base;
  wire [2:0]           a_edge;

  sf_sweep #(
    .ChannelGroups   (ChannelGroups),
    .ChannelGroupBits(ChannelGroupBits),
    .BlockColumns    (BlockColumns),
    .BlockColumnBits (BlockColumnBits),
    .BlockRows       (BlockRows),
    .BlockRowBits    (BlockRowBits),
    .ChannelStride   (Lanes * ChannelStep),
    .ColumnStride    (BankColumns * ColumnStep),
    .RowStride       (BankRows * RowStep),
    .IdBits          (OutIdBits)
  ) u_sweep (
    .clk_i    (clk_i),
    .rst_ni   (rst_ni),
    .advance_i(!stall && a_op_q[OpBits-3] && a_op_q[OpBits-5]),
    .id_o     (a_base),
    .edge_o   (a_edge)
  );

  sf_neurons #(
    .Lanes       (Lanes),
    .BankRows    (BankRows),
    .BankColumns (BankColumns),
    .LastLanes   (LastLanes),
    .LastRows    (LastRows),
    .LastColumns (LastColumns),
    .ParamBanks  (ParamShared != 0 ? 1 : Banks),
    .MembraneBits(MembraneBits),
    .AddendBits  (AddendBits),
    .ThetaBits   (ThetaBits),
    .BiasBits    (BiasBits),
    .Kind        (Kind),
    .CountBits   (CountBits),
    .CountMax    (CountMax),
    .Max         (Max),
    .Forward     (1),
    .ChannelStep (ChannelStep),
    .ColumnStep  (ColumnStep),
    .RowStep     (RowStep),
    .Aligned     (Aligned),
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
    .base_i     (a_base),
    .edge_i     (a_edge),
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
