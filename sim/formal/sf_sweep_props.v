// sf_sweep: groups are named in order, each with the id of its first lane and the borders that it touches.
`default_nettype none

module sf_sweep_props #(
  parameter IdBits = 6
) (
  input wire clk,
  input wire rst_n,
  input wire advance
);

  localparam Groups  = 2;
  localparam Columns = 3;
  localparam Rows    = 2;
  localparam Group   = 3;  // ids from a channel group, block column and block row to the next
  localparam Column  = 8;
  localparam Row     = 27;

  wire [IdBits-1:0] id;
  wire [2:0]        edges;

  (* hierconn *) wire       \dut.group_q ;
  (* hierconn *) wire [1:0] \dut.column_q ;
  (* hierconn *) wire       \dut.row_q ;

  sf_sweep #(
    .ChannelGroups(Groups), .ChannelGroupBits(1), .BlockColumns(Columns), .BlockColumnBits(2), .BlockRows(Rows),
    .BlockRowBits(1), .ChannelStride(Group), .ColumnStride(Column), .RowStride(Row), .IdBits(IdBits)
  ) dut (
    .clk_i(clk), .rst_ni(rst_n), .advance_i(advance), .id_o(id), .edge_o(edges)
  );

  // The number of the group.
  reg [3:0] number = 4'd0;
  always @(posedge clk) begin
    if (!rst_n) number <= 4'd0;
    else if (advance) number <= (number == Groups * Columns * Rows - 1) ? 4'd0 : number + 4'd1;
  end

  wire [3:0] group  = number % Groups;
  wire [3:0] column = number / Groups % Columns;
  wire [3:0] row    = number / (Groups * Columns);
  wire [9:0] first  = group * Group + column * Column + row * Row;

  initial assume (!rst_n);
  reg started = 1'b0;
  always @(posedge clk) begin
    started <= 1'b1;
    if (started) begin
      assert (id == first[IdBits-1:0]);
      assert (edges == {row == Rows - 1, column == Columns - 1, group == Groups - 1});
      // What makes it inductive.
      assert (number < Groups * Columns * Rows);
      assert (\dut.group_q == group && \dut.column_q == column && \dut.row_q == row);
      cover (&edges && advance);
    end
  end

endmodule

`default_nettype wire
