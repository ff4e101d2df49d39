// From a weight word to the weights of every bank and lane of a window event core.
//
// Contract: two stages of registers, enabled by en_i. In the first each bank row takes the row of taps row_tap_i of the
// word data_i, in the second each bank column takes the tap column_tap_i of its row's taps; banks whose row or column is
// not hit get zeros. With Broadcast a word has one weight a tap, which only the lane lane_i gets. data_i, row_hit_i and
// row_tap_i belong to one slot, the other inputs to the slot before.
//
// Parameters: Lanes; BankRows, BankColumns; Rows, Columns = taps of a word; RowTapBits, ColumnTapBits, LaneBits (at least
// 1); WeightBits; Broadcast. Weight of tap (r, c), lane l at bit ((r × Columns + c) × lanes of the word + l) × WeightBits.
`default_nettype none

module sf_window_taps #(
  parameter Lanes         = 2,
  parameter LaneBits      = 1,
  parameter BankRows      = 2,
  parameter BankColumns   = 2,
  parameter Rows          = 3,
  parameter Columns       = 3,
  parameter RowTapBits    = 2,
  parameter ColumnTapBits = 2,
  parameter WeightBits    = 8,
  parameter Broadcast     = 0
) (
  input  wire                                  clk_i,
  input  wire                                  en_i,
  // first stage
  input  wire [Rows*Columns*(Broadcast != 0 ? 1 : Lanes)*WeightBits-1:0] data_i,
  input  wire [BankRows-1:0]                   row_hit_i,
  input  wire [BankRows*RowTapBits-1:0]        row_tap_i,
  // second stage
  input  wire [BankColumns-1:0]                column_hit_i,
  input  wire [BankColumns*ColumnTapBits-1:0]  column_tap_i,
  input  wire [LaneBits-1:0]                   lane_i,
  output wire [BankRows*BankColumns*Lanes*WeightBits-1:0] weight_o
);

  localparam TapWidth = (Broadcast != 0 ? 1 : Lanes) * WeightBits;
  localparam RowWidth = Columns * TapWidth;

  genvar r;
  genvar c;
  genvar l;
  generate
    for (r = 0; r < BankRows; r = r + 1) begin : g_row
      wire [RowTapBits-1:0] row_tap = row_tap_i[r*RowTapBits+:RowTapBits];
      reg  [RowWidth-1:0]   row;
      reg  [RowWidth-1:0]   row_q;
      integer               i;
      always @* begin
        row = {RowWidth{1'b0}};
        for (i = 0; i < Rows; i = i + 1) begin
          if (row_hit_i[r] && (Rows == 1 || row_tap == i[RowTapBits-1:0])) row = row | data_i[i*RowWidth+:RowWidth];
        end
      end
      always @(posedge clk_i) if (en_i) row_q <= row;
      wire unused_row_tap = &{1'b0, row_tap};

      for (c = 0; c < BankColumns; c = c + 1) begin : g_column
        wire [ColumnTapBits-1:0]    column_tap = column_tap_i[c*ColumnTapBits+:ColumnTapBits];
        reg  [TapWidth-1:0]         tap;
        reg  [Lanes*WeightBits-1:0] weight_q;
        integer                     j;
        always @* begin
          tap = {TapWidth{1'b0}};
          for (j = 0; j < Columns; j = j + 1) begin
            if (column_hit_i[c] && (Columns == 1 || column_tap == j[ColumnTapBits-1:0])) begin
              tap = tap | row_q[j*TapWidth+:TapWidth];
            end
          end
        end
        wire unused_column_tap = &{1'b0, column_tap};

        for (l = 0; l < Lanes; l = l + 1) begin : g_lane
          if (Broadcast != 0) begin : g_one
            wire here = (Lanes == 1) || (lane_i == l[LaneBits-1:0]);
            always @(posedge clk_i) if (en_i) weight_q[l*WeightBits+:WeightBits] <= here ? tap : {WeightBits{1'b0}};
          end else begin : g_own
            always @(posedge clk_i) begin
              if (en_i) weight_q[l*WeightBits+:WeightBits] <= tap[l*WeightBits+:WeightBits];
            end
          end
        end
        assign weight_o[(r*BankColumns+c)*Lanes*WeightBits+:Lanes*WeightBits] = weight_q;
      end
    end
  endgenerate

  wire unused_lane = &{1'b0, lane_i};

endmodule

`default_nettype wire
