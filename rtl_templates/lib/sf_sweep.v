// Where a core stands while it fires its groups in order: the id of the group's first lane, and which borders it touches.
//
// Contract: with advance_i the next group follows; groups run channel groups first, then block columns, then block rows,
// and begin again after the last. id_o and edge_o are registers or decoded from registers.
//
// Parameters: ChannelGroups, BlockColumns, BlockRows with their bits (at least 1); ChannelStride, ColumnStride, RowStride =
// ids between neighbouring channel groups, block columns and block rows; IdBits.
`default_nettype none

module sf_sweep #(
  parameter ChannelGroups    = 2,
  parameter ChannelGroupBits = 1,
  parameter BlockColumns     = 3,
  parameter BlockColumnBits  = 2,
  parameter BlockRows        = 3,
  parameter BlockRowBits     = 2,
  parameter ChannelStride    = 4,
  parameter ColumnStride     = 8,
  parameter RowStride        = 32,
  parameter IdBits           = 8
) (
  input  wire              clk_i,
  input  wire              rst_ni,
  input  wire              advance_i,
  output wire [IdBits-1:0] id_o,
  // last block row, last block column, last channel group
  output wire [2:0]        edge_o
);

  localparam LastGroup  = ChannelGroups - 1;
  localparam LastColumn = BlockColumns - 1;
  localparam LastRow    = BlockRows - 1;
  // From a group to the next: in the same block, in the same row of blocks, in the next row. The ids are modulo 2^IdBits.
  localparam integer ToColumn = ColumnStride - LastGroup * ChannelStride;
  localparam integer ToRow    = RowStride - LastColumn * ColumnStride - LastGroup * ChannelStride;

  reg  [ChannelGroupBits-1:0] group_q;
  reg  [BlockColumnBits-1:0]  column_q;
  reg  [BlockRowBits-1:0]     row_q;
  reg  [IdBits-1:0]           id_q;

  wire last_group  = (group_q == LastGroup[ChannelGroupBits-1:0]);
  wire last_column = (column_q == LastColumn[BlockColumnBits-1:0]);
  wire last_row    = (row_q == LastRow[BlockRowBits-1:0]);

  assign id_o   = id_q;
  assign edge_o = {last_row, last_column, last_group};

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      group_q  <= {ChannelGroupBits{1'b0}};
      column_q <= {BlockColumnBits{1'b0}};
      row_q    <= {BlockRowBits{1'b0}};
      id_q     <= {IdBits{1'b0}};
    end else if (advance_i) begin
      group_q <= last_group ? {ChannelGroupBits{1'b0}} : group_q + {{(ChannelGroupBits-1){1'b0}}, 1'b1};
      if (last_group) begin
        column_q <= last_column ? {BlockColumnBits{1'b0}} : column_q + {{(BlockColumnBits-1){1'b0}}, 1'b1};
        if (last_column) begin
          row_q <= last_row ? {BlockRowBits{1'b0}} : row_q + {{(BlockRowBits-1){1'b0}}, 1'b1};
        end
      end
      if (last_group && last_column && last_row) id_q <= {IdBits{1'b0}};
      else if (last_group && last_column) id_q <= id_q + ToRow[IdBits-1:0];
      else if (last_group) id_q <= id_q + ToColumn[IdBits-1:0];
      else id_q <= id_q + ChannelStride[IdBits-1:0];
    end
  end

endmodule

`default_nettype wire
