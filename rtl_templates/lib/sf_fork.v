// Fork: copies every beat of one stream to several.
//
// Contract: a beat is taken when every output has room for it, so the outputs' backlogs never differ by more
// than two beats. No path from an output's ready to in_ready_o but through registers. Latency 1 cycle.
//
// Parameters: Outputs = number of copies, Width = bits of a beat.
`default_nettype none

module sf_fork #(
  parameter Outputs = 2,
  parameter Width   = 8
) (
  input  wire                     clk_i,
  input  wire                     rst_ni,
  // input stream
  input  wire                     in_valid_i,
  output wire                     in_ready_o,
  input  wire [Width-1:0]         in_data_i,
  // output streams
  output wire [Outputs-1:0]       out_valid_o,
  input  wire [Outputs-1:0]       out_ready_i,
  output wire [Outputs*Width-1:0] out_data_o
);

  wire [Outputs-1:0] room;

  assign in_ready_o = &room;

  genvar i;
  generate
    for (i = 0; i < Outputs; i = i + 1) begin : g_output
      sf_spill #(
        .Width(Width)
      ) u_spill (
        .clk_i      (clk_i),
        .rst_ni     (rst_ni),
        .in_valid_i (in_valid_i && in_ready_o),
        .in_ready_o (room[i]),
        .in_data_i  (in_data_i),
        .out_valid_o(out_valid_o[i]),
        .out_ready_i(out_ready_i[i]),
        .out_data_o (out_data_o[i*Width+:Width])
      );
    end
  endgenerate

endmodule

`default_nettype wire
