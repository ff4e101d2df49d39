// Wrapper of the second fake core: 9 neurons in 1 word of 9 lanes (90 bits a word), subtracting.
`default_nettype none
module core_logits (
  input  wire       clk_i,
  input  wire       rst_ni,
  input  wire       in_valid_i,
  output wire       in_ready_o,
  input  wire       in_last_i,
  input  wire [6:0] in_value_i,
  input  wire [3:0] in_id_i,
  output wire       out_valid_o,
  input  wire       out_ready_i,
  output wire       out_last_o,
  output wire [9:0] out_value_o,
  output wire [3:0] out_id_o
);
  sf_event_core #(
    .Neurons(9), .Lanes(9), .MembraneBits(10), .InBits(7), .OutBits(10), .Sign(0),
    .InitFile("mem/logits.hex")
  ) u_core (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .in_last_i(in_last_i),
    .in_value_i(in_value_i), .in_id_i(in_id_i),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_last_o(out_last_o),
    .out_value_o(out_value_o), .out_id_o(out_id_o)
  );
endmodule
`default_nettype wire
