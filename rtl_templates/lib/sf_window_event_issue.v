// Issue unit of a window event core: from input beats to one op a cycle, with the places that it reaches.
//
// Contract: as ARCHITECTURE.md, "Window event mode". An event {projection, y, x, c} issues one slot for each pass, step of
// rows, step of columns and channel group, the channel group innermost; an end of phase fires all groups in order. What is
// issued in a cycle without stall_i is visible at the outputs in the next one. in_ready_o depends on registers and stall_i.
// The tables are read without a clock:
//   row_addr_o = {projection, y, step}, column_addr_o = {projection, x, step}
//   data, from bit 0 up: last step (1), weight offset (AddrBits), then for each bank row or column: hit (1), block offset
//   (GroupBits), tap (RowTapBits or ColumnTapBits)
// The weight's address is the sum of the two weight offsets and channel_o; the membrane word of a bank is the sum of its
// row's and its column's block offset and group_o (in INIT and FIRE too).
//
// Parameters: Groups, GroupBits; ChannelGroups, ChannelGroupBits; field parameters as in sf_window_fields; RowStepBits,
// ColumnStepBits; ChannelFactors = words between neighbouring sender channels, AddrBits bits a projection; Channelwise = 1
// bit a projection; From, To, Channels = ChannelMathBits bits a projection (channelwise ones); Slots, Phases, ShiftAdd.
`default_nettype none

module sf_window_event_issue #(
  parameter Lanes            = 2,
  parameter LaneBits         = 1,
  parameter BankRows         = 1,
  parameter BankColumns      = 1,
  parameter Groups           = 8,
  parameter GroupBits        = 3,
  parameter ChannelGroups    = 2,
  parameter ChannelGroupBits = 1,
  parameter Projections      = 1,
  parameter ProjectionBits   = 1,
  parameter IdBits           = 8,
  parameter IdShift          = 8,
  parameter RowBits          = 3,
  parameter ColumnBits       = 3,
  parameter ChannelBits      = 2,
  parameter [8*Projections-1:0] ColumnWidths  = {Projections{8'd3}},
  parameter [8*Projections-1:0] ChannelWidths = {Projections{8'd2}},
  parameter RowStepBits      = 2,
  parameter ColumnStepBits   = 2,
  parameter RowTapBits       = 1,
  parameter ColumnTapBits    = 1,
  parameter AddrBits         = 6,
  parameter [Projections*AddrBits-1:0] ChannelFactors = {(Projections*AddrBits){1'b0}},
  parameter ChannelMathBits  = 3,
  parameter [Projections-1:0] Channelwise = {Projections{1'b0}},
  parameter [Projections*ChannelMathBits-1:0] From     = {(Projections*ChannelMathBits){1'b0}},
  parameter [Projections*ChannelMathBits-1:0] To       = {(Projections*ChannelMathBits){1'b0}},
  parameter [Projections*ChannelMathBits-1:0] Channels = {(Projections*ChannelMathBits){1'b0}},
  parameter ValueBits        = 4,
  parameter ShiftAdd         = 0,
  parameter ShiftBits        = 2,
  parameter Slots            = 4,
  parameter Phases           = 1
) (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        stall_i,
  output wire                        active_o,
  // input stream
  input  wire                        in_valid_i,
  output wire                        in_ready_o,
  input  wire                        in_last_i,
  input  wire [ValueBits-1:0]        in_value_i,
  input  wire [IdBits-1:0]           in_id_i,
  // tables
  output wire [ProjectionBits+RowBits+RowStepBits-1:0]       row_addr_o,
  input  wire [AddrBits+BankRows*(1+GroupBits+RowTapBits):0] row_data_i,
  output wire [ProjectionBits+ColumnBits+ColumnStepBits-1:0] column_addr_o,
  input  wire [AddrBits+BankColumns*(1+GroupBits+ColumnTapBits):0] column_data_i,
  // the op issued in the last cycle: as in sf_neurons, 0 if there was none
  output reg  [6:0]                  op_o,
  output reg  [AddrBits-1:0]         row_weight_o,
  output reg  [AddrBits-1:0]         column_weight_o,
  output reg  [AddrBits-1:0]         channel_o,
  output reg  [BankRows-1:0]         row_hit_o,
  output reg  [BankRows*GroupBits-1:0]        row_block_o,
  output reg  [BankRows*RowTapBits-1:0]       row_tap_o,
  output reg  [BankColumns-1:0]      column_hit_o,
  output reg  [BankColumns*GroupBits-1:0]     column_block_o,
  output reg  [BankColumns*ColumnTapBits-1:0] column_tap_o,
  output reg  [ChannelGroupBits-1:0] group_o,
  output reg  [LaneBits-1:0]         lane_o,
  output reg  [ValueBits-1:0]        value_o,
  output reg  [ShiftBits-1:0]        shift_o
);

  localparam SlotBits         = (Slots > 1) ? $clog2(Slots) : 1;
  localparam PhaseBits        = (Phases > 1) ? $clog2(Phases) : 1;
  localparam LastChannelGroup = ChannelGroups - 1;
  localparam LastBlock        = Groups - ChannelGroups;
  localparam LastSlot         = Slots - 1;
  localparam LastPhase        = Phases - 1;
  localparam RowEntry         = 1 + GroupBits + RowTapBits;
  localparam ColumnEntry      = 1 + GroupBits + ColumnTapBits;

  // ---------------------------------------------------------------- the beat in hand
  reg                         init_q;
  reg                         held_q;
  reg                         held_last_q;
  wire [ValueBits-1:0]        held_value;
  reg  [ProjectionBits-1:0]   held_projection_q;
  reg  [RowBits-1:0]          held_row_q;
  reg  [ColumnBits-1:0]       held_column_q;
  reg  [ChannelBits-1:0]      held_channel_q;

  wire [ProjectionBits-1:0]   in_projection;
  wire [RowBits-1:0]          in_row;
  wire [ColumnBits-1:0]       in_column;
  wire [ChannelBits-1:0]      in_channel;

  sf_window_fields #(
    .Projections   (Projections),
    .ProjectionBits(ProjectionBits),
    .IdBits        (IdBits),
    .IdShift       (IdShift),
    .RowBits       (RowBits),
    .ColumnBits    (ColumnBits),
    .ChannelBits   (ChannelBits),
    .ColumnWidths  (ColumnWidths),
    .ChannelWidths (ChannelWidths)
  ) u_fields (
    .id_i        (in_id_i),
    .projection_o(in_projection),
    .row_o       (in_row),
    .column_o    (in_column),
    .channel_o   (in_channel)
  );

  // ---------------------------------------------------------------- loops
  // Steps of an event; channel group of an event, or of the group that is initialised or fired; that group's block.
  reg  [RowStepBits-1:0]      row_step_q;
  reg  [ColumnStepBits-1:0]   column_step_q;
  reg  [ChannelGroupBits-1:0] group_q;
  reg  [GroupBits-1:0]        block_q;
  reg  [SlotBits-1:0]         slot_q;
  reg  [PhaseBits-1:0]        phase_q;

  wire channelwise    = Channelwise[(Projections > 1) ? held_projection_q : {ProjectionBits{1'b0}}];
  wire last_channel   = (group_q == LastChannelGroup[ChannelGroupBits-1:0]);
  wire last_group     = last_channel && (block_q == LastBlock[GroupBits-1:0]);
  wire last_slot      = (slot_q == LastSlot[SlotBits-1:0]);
  wire last_phase     = (phase_q == LastPhase[PhaseBits-1:0]);
  // A channelwise event reaches one channel group.
  wire inner_done     = last_channel || channelwise;
  wire column_done    = inner_done && column_data_i[0];
  wire pass_done      = column_done && row_data_i[0];
  wire last_pass;
  wire firing         = held_q && held_last_q && !init_q;
  wire adding         = held_q && !held_last_q && !init_q;
  // The last slot of the beat in hand.
  wire finish         = held_last_q ? (last_group && last_slot) : (pass_done && last_pass);
  wire advance        = !stall_i && (init_q || held_q);

  assign active_o   = !stall_i && !init_q && held_q;
  assign in_ready_o = !init_q && (!held_q || (finish && !stall_i));
  wire take = in_valid_i && in_ready_o;

  assign row_addr_o    = {held_projection_q, held_row_q, row_step_q};
  assign column_addr_o = {held_projection_q, held_column_q, column_step_q};

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      init_q        <= 1'b1;
      held_q        <= 1'b0;
      row_step_q    <= {RowStepBits{1'b0}};
      column_step_q <= {ColumnStepBits{1'b0}};
      group_q       <= {ChannelGroupBits{1'b0}};
      block_q       <= {GroupBits{1'b0}};
      slot_q        <= {SlotBits{1'b0}};
      phase_q       <= {PhaseBits{1'b0}};
    end else begin
      if (take) held_q <= 1'b1;
      else if (active_o && finish) held_q <= 1'b0;
      if (advance && adding) begin
        group_q <= inner_done ? {ChannelGroupBits{1'b0}} : group_q + {{(ChannelGroupBits-1){1'b0}}, 1'b1};
        if (inner_done) begin
          column_step_q <= column_done ? {ColumnStepBits{1'b0}}
                                       : column_step_q + {{(ColumnStepBits-1){1'b0}}, 1'b1};
        end
        if (column_done) begin
          row_step_q <= pass_done ? {RowStepBits{1'b0}} : row_step_q + {{(RowStepBits-1){1'b0}}, 1'b1};
        end
      end else if (advance && firing && !last_slot) begin
        slot_q <= slot_q + {{(SlotBits-1){1'b0}}, 1'b1};
      end else if (advance) begin
        slot_q  <= {SlotBits{1'b0}};
        group_q <= last_channel ? {ChannelGroupBits{1'b0}} : group_q + {{(ChannelGroupBits-1){1'b0}}, 1'b1};
        if (last_channel) block_q <= last_group ? {GroupBits{1'b0}} : block_q + ChannelGroups[GroupBits-1:0];
        if (last_group) begin
          init_q <= 1'b0;
          if (firing) phase_q <= last_phase ? {PhaseBits{1'b0}} : phase_q + {{(PhaseBits-1){1'b0}}, 1'b1};
        end
      end
    end
  end

  always @(posedge clk_i) begin
    if (take) begin
      held_last_q       <= in_last_i;
      held_projection_q <= in_projection;
      held_row_q        <= in_row;
      held_column_q     <= in_column;
      held_channel_q    <= in_channel;
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
    .next_i (active_o && adding && pass_done),
    .value_o(held_value),
    .shift_o(shift),
    .last_o (last_pass)
  );

  // ---------------------------------------------------------------- channels
  wire [AddrBits-1:0] channel_words;
  sf_scale #(
    .Projections   (Projections),
    .ProjectionBits(ProjectionBits),
    .InBits        (ChannelBits),
    .OutBits       (AddrBits),
    .Factors       (ChannelFactors)
  ) u_channel (
    .projection_i(held_projection_q),
    .value_i     (held_channel_q),
    .product_o   (channel_words)
  );

  // The group and lane of the one channel that a channelwise event reaches, and whether it reaches one at all.
  wire [ChannelGroupBits-1:0] reached_group;
  wire [LaneBits-1:0]         reached_lane;
  wire                        reached;
  generate
    if (|Channelwise) begin : g_channelwise
      wire [ProjectionBits-1:0] which = (Projections > 1) ? held_projection_q : {ProjectionBits{1'b0}};
      // ChannelMathBits hold every channel of senders and receivers, so a channel before the first wraps to a large number.
      wire [ChannelMathBits-1:0] number   = {{(ChannelMathBits-ChannelBits){1'b0}}, held_channel_q}
                                          - From[which*ChannelMathBits+:ChannelMathBits];
      wire [ChannelMathBits-1:0] receiver = number + To[which*ChannelMathBits+:ChannelMathBits];
      assign reached = (number < Channels[which*ChannelMathBits+:ChannelMathBits]);
      sf_divide #(
        .Divisor     (Lanes),
        .Quotients   (ChannelGroups),
        .InBits      (ChannelMathBits),
        .QuotientBits(ChannelGroupBits),
        .RestBits    (LaneBits)
      ) u_divide (
        .value_i   (receiver),
        .quotient_o(reached_group),
        .rest_o    (reached_lane)
      );
    end else begin : g_all
      assign reached       = 1'b1;
      assign reached_group = {ChannelGroupBits{1'b0}};
      assign reached_lane  = {LaneBits{1'b0}};
    end
  endgenerate

  // ---------------------------------------------------------------- what is issued
  wire hits = adding && (!channelwise || reached);

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      op_o <= 7'd0;
    end else if (!stall_i) begin
      op_o <= advance ? {init_q, adding, firing, slot_q == {SlotBits{1'b0}}, last_slot, last_phase, firing && finish}
                      : 7'd0;
    end
  end

  always @(posedge clk_i) begin
    if (!stall_i) begin
      row_weight_o    <= row_data_i[1+:AddrBits];
      column_weight_o <= column_data_i[1+:AddrBits];
      // All lanes of the one word, or the words of all channel groups.
      channel_o       <= channel_words + (channelwise ? {AddrBits{1'b0}} : {{(AddrBits-ChannelGroupBits){1'b0}}, group_q});
      group_o         <= !(adding && channelwise) ? group_q : reached ? reached_group : {ChannelGroupBits{1'b0}};
      lane_o          <= reached_lane;
      value_o         <= held_value;
      shift_o         <= shift;
    end
  end

  genvar b;
  generate
    for (b = 0; b < BankRows; b = b + 1) begin : g_row
      wire [RowEntry-1:0] entry = row_data_i[1+AddrBits+b*RowEntry+:RowEntry];
      always @(posedge clk_i) begin
        if (!stall_i) begin
          row_hit_o[b]                       <= hits && entry[0];
          row_block_o[b*GroupBits+:GroupBits] <= adding ? entry[1+:GroupBits] : block_q;
          row_tap_o[b*RowTapBits+:RowTapBits] <= entry[1+GroupBits+:RowTapBits];
        end
      end
    end
    for (b = 0; b < BankColumns; b = b + 1) begin : g_column
      wire [ColumnEntry-1:0] entry = column_data_i[1+AddrBits+b*ColumnEntry+:ColumnEntry];
      always @(posedge clk_i) begin
        if (!stall_i) begin
          column_hit_o[b]                              <= entry[0];
          column_block_o[b*GroupBits+:GroupBits]       <= adding ? entry[1+:GroupBits] : {GroupBits{1'b0}};
          column_tap_o[b*ColumnTapBits+:ColumnTapBits] <= entry[1+GroupBits+:ColumnTapBits];
        end
      end
    end
  endgenerate

endmodule

`default_nettype wire
