// Issue unit of a window matrix core: walks over groups, projections, taps and chunks, and fires each group.
//
// Contract: as ARCHITECTURE.md, "Window matrix mode". After reset, init_o for max(Groups, Words) cycles: INIT of the groups
// in order, and clear_word_o counts up. Then, while full_i: for each group (channel group innermost), for each projection
// the taps of its rows, columns and chunks, one slot each (one that adds nothing, if there is none), then the slots of
// firing. release_o in the last slot of a phase. What is issued in a cycle without stall_i is visible at the outputs in
// the next one. The tables are read without a clock:
//   row_addr_o = {projection, row of receivers, step}, column_addr_o likewise; data, from bit 0 up: last step (1), hit (1),
//   last read (1), word offset (WordBits), weight offset (AddrBits)
//   channel_addr_o = {projection, channel group}; data: hit (1), last read of the chunks before the last one (1), of the
//   last one (1), number of the last chunk (ChunkBits), word offset (WordBits), weight offset (AddrBits)
// An address is the sum of the three offsets and the chunk's number. What is not hit is not read at all.
//
// Parameters: Groups, GroupBits; ChannelGroups, BlockColumns, BlockRows with their bits; Words, WordBits; ChunkBits;
// Projections, ProjectionBits; RowStepBits, ColumnStepBits; AddrBits; Slots, Phases.
`default_nettype none

module sf_window_matrix_issue #(
  parameter Groups           = 8,
  parameter GroupBits        = 3,
  parameter ChannelGroups    = 2,
  parameter ChannelGroupBits = 1,
  parameter BlockRows        = 2,
  parameter BlockRowBits     = 1,
  parameter BlockColumns     = 2,
  parameter BlockColumnBits  = 1,
  parameter Words            = 8,
  parameter WordBits         = 3,
  parameter ChunkBits        = 1,
  parameter Projections      = 1,
  parameter ProjectionBits   = 1,
  parameter RowStepBits      = 2,
  parameter ColumnStepBits   = 2,
  parameter AddrBits         = 6,
  parameter Slots            = 4,
  parameter Phases           = 1
) (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        stall_i,
  output wire                        active_o,
  // input buffers
  output wire                        init_o,
  output wire                        clear_o,
  output wire [WordBits-1:0]         clear_word_o,
  input  wire                        full_i,
  output wire                        release_o,
  // tables
  output wire [ProjectionBits+BlockRowBits+RowStepBits-1:0]       row_addr_o,
  input  wire [AddrBits+WordBits+2:0]                             row_data_i,
  output wire [ProjectionBits+BlockColumnBits+ColumnStepBits-1:0] column_addr_o,
  input  wire [AddrBits+WordBits+2:0]                             column_data_i,
  output wire [ProjectionBits+ChannelGroupBits-1:0]               channel_addr_o,
  input  wire [AddrBits+WordBits+ChunkBits+2:0]                   channel_data_i,
  // the op issued in the last cycle: as in sf_neurons, 0 if there was none
  output reg  [6:0]                  op_o,
  output reg  [GroupBits-1:0]        number_o,
  output reg  [ChannelGroupBits-1:0] group_o,
  output reg                         hit_o,
  output reg                         read_last_o,
  output reg  [WordBits-1:0]         row_word_o,
  output reg  [WordBits-1:0]         column_word_o,
  output reg  [WordBits-1:0]         channel_word_o,
  output reg  [AddrBits-1:0]         row_weight_o,
  output reg  [AddrBits-1:0]         column_weight_o,
  output reg  [AddrBits-1:0]         channel_weight_o
);

  localparam SlotBits         = (Slots > 1) ? $clog2(Slots) : 1;
  localparam PhaseBits        = (Phases > 1) ? $clog2(Phases) : 1;
  localparam InitCycles       = (Groups > Words) ? Groups : Words;
  localparam InitBits         = (InitCycles > 1) ? $clog2(InitCycles) : 1;
  localparam LastInit         = InitCycles - 1;
  localparam LastChannelGroup = ChannelGroups - 1;
  localparam LastRow          = BlockRows - 1;
  localparam LastColumn       = BlockColumns - 1;
  localparam LastProjection   = Projections - 1;
  localparam LastSlot         = Slots - 1;
  localparam LastPhase        = Phases - 1;

  // ---------------------------------------------------------------- tables
  wire row_last, row_hit, row_read_last;
  wire column_last, column_hit, column_read_last;
  wire channel_hit, head_read_last, tail_read_last;
  wire [WordBits-1:0]  row_word, column_word, channel_word;
  wire [AddrBits-1:0]  row_weight, column_weight, channel_weight;
  wire [ChunkBits-1:0] final_chunk;
  assign {row_weight, row_word, row_read_last, row_hit, row_last} = row_data_i;
  assign {column_weight, column_word, column_read_last, column_hit, column_last} = column_data_i;
  assign {channel_weight, channel_word, final_chunk, tail_read_last, head_read_last, channel_hit} = channel_data_i;

  // ---------------------------------------------------------------- loops
  reg                         init_q;
  reg  [InitBits-1:0]         init_count_q;
  // INIT has been issued for all groups.
  reg                         swept_q;
  // The group: its number, channel group, column and row.
  reg  [GroupBits-1:0]        number_q;
  reg  [ChannelGroupBits-1:0] group_q;
  reg  [BlockColumnBits-1:0]  column_q;
  reg  [BlockRowBits-1:0]     row_q;
  reg                         fire_q;
  reg  [ProjectionBits-1:0]   projection_q;
  reg  [RowStepBits-1:0]      row_step_q;
  reg  [ColumnStepBits-1:0]   column_step_q;
  reg  [ChunkBits-1:0]        chunk_q;
  reg  [SlotBits-1:0]         slot_q;
  reg  [PhaseBits-1:0]        phase_q;

  wire hit             = row_hit && column_hit && channel_hit;
  wire last_chunk      = (chunk_q == final_chunk);
  // A projection that has nothing for the group is done after one slot.
  wire chunk_done      = !hit || last_chunk;
  wire column_done     = !hit || (last_chunk && column_last);
  wire row_done        = !hit || (last_chunk && column_last && row_last);
  wire last_projection = (projection_q == LastProjection[ProjectionBits-1:0]);
  wire last_channel    = (group_q == LastChannelGroup[ChannelGroupBits-1:0]);
  wire last_column     = (column_q == LastColumn[BlockColumnBits-1:0]);
  wire last_row        = (row_q == LastRow[BlockRowBits-1:0]);
  wire last_group      = last_channel && last_column && last_row;
  wire last_slot       = (slot_q == LastSlot[SlotBits-1:0]);
  wire last_phase      = (phase_q == LastPhase[PhaseBits-1:0]);
  wire first_tap       = projection_q == {ProjectionBits{1'b0}} && row_step_q == {RowStepBits{1'b0}}
                      && column_step_q == {ColumnStepBits{1'b0}} && chunk_q == {ChunkBits{1'b0}};

  wire initialise      = init_q && !swept_q;
  wire adding          = active_o && !fire_q;
  wire firing          = active_o && fire_q;
  wire next_group      = initialise || (firing && last_slot);

  assign active_o      = !stall_i && !init_q && full_i;
  assign release_o     = firing && last_slot && last_group;
  assign init_o        = init_q;

  // init_count_q and the word have different widths.
  wire [InitBits+WordBits-1:0] wide_count = {{WordBits{1'b0}}, init_count_q};
  wire unused_count    = &{1'b0, wide_count};
  assign clear_o       = init_q && ({1'b0, init_count_q} < Words[InitBits:0]);
  assign clear_word_o  = wide_count[WordBits-1:0];

  assign row_addr_o     = {projection_q, row_q, row_step_q};
  assign column_addr_o  = {projection_q, column_q, column_step_q};
  assign channel_addr_o = {projection_q, group_q};

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      init_q        <= 1'b1;
      init_count_q  <= {InitBits{1'b0}};
      swept_q       <= 1'b0;
      number_q      <= {GroupBits{1'b0}};
      group_q       <= {ChannelGroupBits{1'b0}};
      column_q      <= {BlockColumnBits{1'b0}};
      row_q         <= {BlockRowBits{1'b0}};
      fire_q        <= 1'b0;
      projection_q  <= {ProjectionBits{1'b0}};
      row_step_q    <= {RowStepBits{1'b0}};
      column_step_q <= {ColumnStepBits{1'b0}};
      chunk_q       <= {ChunkBits{1'b0}};
      slot_q        <= {SlotBits{1'b0}};
      phase_q       <= {PhaseBits{1'b0}};
    end else begin
      if (init_q) begin
        init_q       <= (init_count_q != LastInit[InitBits-1:0]);
        init_count_q <= init_count_q + {{(InitBits-1){1'b0}}, 1'b1};
        if (last_group) swept_q <= 1'b1;
      end
      if (adding) begin
        chunk_q <= chunk_done ? {ChunkBits{1'b0}} : chunk_q + {{(ChunkBits-1){1'b0}}, 1'b1};
        if (chunk_done) begin
          column_step_q <= column_done ? {ColumnStepBits{1'b0}}
                                       : column_step_q + {{(ColumnStepBits-1){1'b0}}, 1'b1};
        end
        if (column_done) begin
          row_step_q <= row_done ? {RowStepBits{1'b0}} : row_step_q + {{(RowStepBits-1){1'b0}}, 1'b1};
        end
        if (row_done) begin
          projection_q <= last_projection ? {ProjectionBits{1'b0}}
                                          : projection_q + {{(ProjectionBits-1){1'b0}}, 1'b1};
          fire_q       <= last_projection;
        end
      end
      if (firing) begin
        fire_q <= !last_slot;
        slot_q <= last_slot ? {SlotBits{1'b0}} : slot_q + {{(SlotBits-1){1'b0}}, 1'b1};
        if (last_slot && last_group) begin
          phase_q <= last_phase ? {PhaseBits{1'b0}} : phase_q + {{(PhaseBits-1){1'b0}}, 1'b1};
        end
      end
      if (next_group) begin
        number_q <= last_group ? {GroupBits{1'b0}} : number_q + {{(GroupBits-1){1'b0}}, 1'b1};
        group_q  <= last_channel ? {ChannelGroupBits{1'b0}} : group_q + {{(ChannelGroupBits-1){1'b0}}, 1'b1};
        if (last_channel) begin
          column_q <= last_column ? {BlockColumnBits{1'b0}} : column_q + {{(BlockColumnBits-1){1'b0}}, 1'b1};
          if (last_column) begin
            row_q <= last_row ? {BlockRowBits{1'b0}} : row_q + {{(BlockRowBits-1){1'b0}}, 1'b1};
          end
        end
      end
    end
  end

  // ---------------------------------------------------------------- what is issued
  always @(posedge clk_i) begin
    if (!rst_ni) begin
      op_o <= 7'd0;
    end else if (!stall_i) begin
      op_o <= {
        initialise, adding, firing, fire_q ? (slot_q == {SlotBits{1'b0}}) : first_tap, last_slot, last_phase, release_o
      };
    end
  end

  // Chunks are counted within the projection's range.
  wire [ChunkBits+WordBits-1:0] chunk_words   = {{WordBits{1'b0}}, chunk_q};
  wire [ChunkBits+AddrBits-1:0] chunk_weights = {{AddrBits{1'b0}}, chunk_q};
  wire unused_chunk = &{1'b0, chunk_words, chunk_weights};

  always @(posedge clk_i) begin
    if (!stall_i) begin
      number_o         <= number_q;
      group_o          <= group_q;
      hit_o            <= adding && hit;
      read_last_o      <= adding && hit && row_read_last && column_read_last
                       && (last_chunk ? tail_read_last : head_read_last);
      row_word_o       <= row_word;
      column_word_o    <= column_word;
      channel_word_o   <= channel_word + chunk_words[WordBits-1:0];
      row_weight_o     <= row_weight;
      column_weight_o  <= column_weight;
      channel_weight_o <= channel_weight + chunk_weights[AddrBits-1:0];
    end
  end

endmodule

`default_nettype wire
