// Window matrix core: one population of shape [C, H, W], gathered from a complete phase of input.
//
// Contract: the events of a phase fill one of two buffers; when the phase has ended, every group of Lanes channels of a
// pixel takes Rows channels of one sender pixel a cycle, over all taps of all projections, and fires. The next phase is
// received meanwhile. No path from out_ready_i to in_ready_o but through registers. Memories and tables stand outside:
//   w_addr_o: the sum of the weight offsets of sf_window_matrix_issue; one cycle of latency; weight of lane l and row r at
//             bit (l × Rows + r) × WeightBits
//   p_addr_o: {bias, v_init, theta} of the channel group, the same at all pixels (ParamShared = 1), or of the group; one
//             cycle of latency
//   row_addr_o, column_addr_o, channel_addr_o: the tables of sf_window_matrix_issue; no latency
// Stages after the issue: G (table entries), X (buffer word), W (weight word), M (products), T (sums), A.
// Latency: an op issued in cycle c is in stage A in cycle c + 6.
//
// Parameters: as in sf_window_matrix_issue, sf_window_buffers, sf_neurons; strides as in sf_sweep.
`default_nettype none

module sf_window_matrix_core #(
  parameter Lanes            = 2,
  parameter Groups           = 8,
  parameter GroupBits        = 3,
  parameter ChannelGroups    = 2,
  parameter ChannelGroupBits = 1,
  parameter BlockRows        = 2,
  parameter BlockRowBits     = 1,
  parameter BlockColumns     = 2,
  parameter BlockColumnBits  = 1,
  parameter LastLanes        = Lanes,
  parameter Projections      = 1,
  parameter ProjectionBits   = 1,
  parameter IdBits           = 8,
  parameter IdShift          = 8,
  parameter RowBits          = 3,
  parameter ColumnBits       = 3,
  parameter ChannelBits      = 2,
  parameter [32*Projections-1:0] ColumnWidths  = {Projections{32'd3}},
  parameter [32*Projections-1:0] ChannelWidths = {Projections{32'd2}},
  parameter Rows             = 2,
  parameter Words            = 8,
  parameter WordBits         = 3,
  parameter ChunkBits        = 1,
  parameter [Projections*WordBits-1:0] RowFactors    = {(Projections*WordBits){1'b0}},
  parameter [Projections*WordBits-1:0] ColumnFactors = {(Projections*WordBits){1'b0}},
  parameter [Projections*WordBits-1:0] Bases         = {(Projections*WordBits){1'b0}},
  parameter RowStepBits      = 2,
  parameter ColumnStepBits   = 2,
  parameter AddrBits         = 6,
  parameter ValueBits        = 4,
  parameter ValueSigned      = 0,
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
  // weight memory
  output wire                        w_en_o,
  output wire [AddrBits-1:0]         w_addr_o,
  input  wire [Lanes*Rows*WeightBits-1:0] w_data_i,
  // parameter memory
  output wire                        p_en_o,
  output wire [(ParamShared != 0 ? ChannelGroupBits : GroupBits)-1:0] p_addr_o,
  input  wire [Lanes*ParamBits-1:0]  p_data_i,
  // tables
  output wire [ProjectionBits+BlockRowBits+RowStepBits-1:0]       row_addr_o,
  input  wire [AddrBits+WordBits+2:0]                             row_data_i,
  output wire [ProjectionBits+BlockColumnBits+ColumnStepBits-1:0] column_addr_o,
  input  wire [AddrBits+WordBits+2:0]                             column_data_i,
  output wire [ProjectionBits+ChannelGroupBits-1:0]               channel_addr_o,
  input  wire [AddrBits+WordBits+ChunkBits+2:0]                   channel_data_i
);

  localparam ProductBits = WeightBits + ValueBits;
  localparam AddendBits  = ProductBits + $clog2(Rows);
  localparam OpBits      = 7;

  // ---------------------------------------------------------------- issue, G
  // The names are read by co-simulation.
  wire                        stall;
  wire                        active;

  wire                        init;
  wire                        clear;
  wire [WordBits-1:0]         clear_word;
  wire                        full;
  wire                        which;
  wire                        release_buffer;
  wire [OpBits-1:0]           g_op;
  wire [GroupBits-1:0]        g_number;
  wire [ChannelGroupBits-1:0] g_group;
  wire                        g_hit;
  wire                        g_read_last;
  wire [WordBits-1:0]         g_row_word, g_column_word, g_channel_word;
  wire [AddrBits-1:0]         g_row_weight, g_column_weight, g_channel_weight;

  sf_window_matrix_issue #(
    .Groups          (Groups),
    .GroupBits       (GroupBits),
    .ChannelGroups   (ChannelGroups),
    .ChannelGroupBits(ChannelGroupBits),
    .BlockRows       (BlockRows),
    .BlockRowBits    (BlockRowBits),
    .BlockColumns    (BlockColumns),
    .BlockColumnBits (BlockColumnBits),
    .Words           (Words),
    .WordBits        (WordBits),
    .ChunkBits       (ChunkBits),
    .Projections     (Projections),
    .ProjectionBits  (ProjectionBits),
    .RowStepBits     (RowStepBits),
    .ColumnStepBits  (ColumnStepBits),
    .AddrBits        (AddrBits),
    .Slots           (Slots),
    .Phases          (Phases)
  ) u_issue (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .stall_i         (stall),
    .active_o        (active),
    .init_o          (init),
    .clear_o         (clear),
    .clear_word_o    (clear_word),
    .full_i          (full),
    .release_o       (release_buffer),
    .row_addr_o      (row_addr_o),
    .row_data_i      (row_data_i),
    .column_addr_o   (column_addr_o),
    .column_data_i   (column_data_i),
    .channel_addr_o  (channel_addr_o),
    .channel_data_i  (channel_data_i),
    .op_o            (g_op),
    .number_o        (g_number),
    .group_o         (g_group),
    .hit_o           (g_hit),
    .read_last_o     (g_read_last),
    .row_word_o      (g_row_word),
    .column_word_o   (g_column_word),
    .channel_word_o  (g_channel_word),
    .row_weight_o    (g_row_weight),
    .column_weight_o (g_column_weight),
    .channel_weight_o(g_channel_weight)
  );

  wire unused_active = &{1'b0, active};

  wire [2*Rows*ValueBits-1:0] x_data;
  sf_window_buffers #(
    .Rows          (Rows),
    .Words         (Words),
    .WordBits      (WordBits),
    .ValueBits     (ValueBits),
    .Projections   (Projections),
    .ProjectionBits(ProjectionBits),
    .IdBits        (IdBits),
    .IdShift       (IdShift),
    .RowBits       (RowBits),
    .ColumnBits    (ColumnBits),
    .ChannelBits   (ChannelBits),
    .ColumnWidths  (ColumnWidths),
    .ChannelWidths (ChannelWidths),
    .RowFactors    (RowFactors),
    .ColumnFactors (ColumnFactors),
    .Bases         (Bases)
  ) u_buffers (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .init_i      (init),
    .clear_i     (clear),
    .clear_word_i(clear_word),
    .in_valid_i  (in_valid_i),
    .in_ready_o  (in_ready_o),
    .in_last_i   (in_last_i),
    .in_value_i  (in_value_i),
    .in_id_i     (in_id_i),
    .full_o      (full),
    .which_o     (which),
    .release_i   (release_buffer),
    .read_i      (!stall),
    .read_last_i (g_op[OpBits-2] && g_read_last),
    .read_word_i ((g_row_word + g_column_word) + g_channel_word),
    .read_data_o (x_data)
  );

  // ---------------------------------------------------------------- pipeline: X, W, M, T, A
  reg  [OpBits-1:0]                 x_op_q, w_op_q, m_op_q, t_op_q, a_op_q;
  reg  [GroupBits-1:0]              x_number_q, w_number_q, m_number_q, t_number_q, a_number_q;
  reg  [ChannelGroupBits-1:0]       x_group_q, w_group_q, m_group_q, t_group_q;
  reg                               x_which_q;
  reg                               x_hit_q;
  reg  [AddrBits-1:0]               x_addr_q;
  reg  [Rows*ValueBits-1:0]         w_value_q;
  reg  [Rows*ValueBits-1:0]         m_value_q;
  reg  [Lanes*Rows*WeightBits-1:0]  m_weight_q;
  reg  [Lanes*Rows*ProductBits-1:0] t_product_q;
  reg  [Lanes*AddendBits-1:0]       a_addend_q;
  reg                               a_load_q;
  wire [Lanes*Rows*ProductBits-1:0] product;
  wire [Lanes*AddendBits-1:0]       addend;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      x_op_q <= {OpBits{1'b0}};
      w_op_q <= {OpBits{1'b0}};
      m_op_q <= {OpBits{1'b0}};
      t_op_q <= {OpBits{1'b0}};
      a_op_q <= {OpBits{1'b0}};
    end else if (!stall) begin
      x_op_q <= g_op;
      w_op_q <= x_op_q;
      m_op_q <= w_op_q;
      t_op_q <= m_op_q;
      a_op_q <= t_op_q;
    end
  end

  always @(posedge clk_i) begin
    if (!stall) begin
      x_addr_q    <= (g_row_weight + g_column_weight) + g_channel_weight;
      // A buffer is handed back in the cycle of its last read at the earliest.
      x_which_q   <= which;
      x_hit_q     <= g_hit;
      w_value_q   <= x_hit_q ? x_data[x_which_q*Rows*ValueBits+:Rows*ValueBits] : {(Rows*ValueBits){1'b0}};
      m_value_q   <= w_value_q;
      m_weight_q  <= w_data_i;
      t_product_q <= product;
      a_addend_q  <= addend;
      x_number_q  <= g_number;
      w_number_q  <= x_number_q;
      m_number_q  <= w_number_q;
      t_number_q  <= m_number_q;
      a_number_q  <= t_number_q;
      x_group_q   <= g_group;
      w_group_q   <= x_group_q;
      m_group_q   <= w_group_q;
      t_group_q   <= m_group_q;
      // A group's sum stands in the accumulators from its first tap to its last firing slot.
      a_load_q    <= t_op_q[OpBits-2] && t_op_q[OpBits-4];
    end
  end

  assign w_en_o   = !stall;
  assign w_addr_o = x_addr_q;

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
        .Bits (ProductBits),
        .Max  (Max)
      ) u_tree (
        .terms_i(t_product_q[l*Rows*ProductBits+:Rows*ProductBits]),
        .sum_o  (addend[l*AddendBits+:AddendBits])
      );
    end

    assign p_en_o = !stall;
    if (ParamShared == 0) begin : g_params_by_group
      assign p_addr_o = t_number_q;
      wire unused_group = &{1'b0, t_group_q};
    end else begin : g_params_by_channel_group
      assign p_addr_o = t_group_q;
    end
  endgenerate

  // ---------------------------------------------------------------- membranes and firing
  wire [Lanes*StateBits-1:0]    rdata;
  wire [Lanes*StateBits-1:0]    wdata;
  wire                          we;
  wire [OutIdBits-1:0]          a_base;
  wire [2:0]                    a_edge;

  sf_membrane #(
    .Width    (Lanes * StateBits),
    .Groups   (Groups),
    .GroupBits(GroupBits)
  ) u_membrane (
    .clk_i  (clk_i),
    .we_i   (we && rst_ni),
    .waddr_i(a_number_q),
    .wdata_i(wdata),
    .re_i   (!stall),
    .raddr_i(t_number_q),
    .rdata_o(rdata)
  );

  sf_sweep #(
    .ChannelGroups   (ChannelGroups),
    .ChannelGroupBits(ChannelGroupBits),
    .BlockColumns    (BlockColumns),
    .BlockColumnBits (BlockColumnBits),
    .BlockRows       (BlockRows),
    .BlockRowBits    (BlockRowBits),
    .ChannelStride   (Lanes * ChannelStep),
    .ColumnStride    (ColumnStep),
    .RowStride       (RowStep),
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
    .LastLanes   (LastLanes),
    .MembraneBits(MembraneBits),
    .AddendBits  (AddendBits),
    .ThetaBits   (ThetaBits),
    .BiasBits    (BiasBits),
    .Store       (0),
    .Kind        (Kind),
    .CountBits   (CountBits),
    .CountMax    (CountMax),
    .Max         (Max),
    .ChannelStep (ChannelStep),
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
