// Two fake cores in a row behind the interface that every generated top has. Enough hardware to try the
// co-simulation on: it has the names and the scopes of a real design and arithmetic of its own.
`default_nettype none
module tiny (
  input  wire              clk_i,
  input  wire              rst_ni,
  input  wire              in_valid_i,
  output wire              in_ready_o,
  input  wire              in_last_i,
  input  wire        [3:0] in_value_i,
  input  wire        [3:0] in_id_i,
  output wire              out_valid_o,
  input  wire              out_ready_i,
  output wire              out_last_o,
  output wire signed [9:0] out_value_o,
  output wire        [3:0] out_id_o
);
  wire              s_pixels_valid, s_pixels_ready, s_pixels_last;
  wire        [3:0] s_pixels_value;
  wire        [3:0] s_pixels_id;
  wire              s_hidden_valid, s_hidden_ready, s_hidden_last;
  wire        [6:0] s_hidden_value;
  wire        [3:0] s_hidden_id;
  wire              s_logits_valid, s_logits_ready, s_logits_last;
  wire signed [9:0] s_logits_value;
  wire        [3:0] s_logits_id;

  assign s_pixels_valid = in_valid_i;
  assign s_pixels_last  = in_last_i;
  assign s_pixels_value = in_value_i;
  assign s_pixels_id    = in_id_i;
  assign in_ready_o     = s_pixels_ready;
  assign out_valid_o    = s_logits_valid;
  assign out_last_o     = s_logits_last;
  assign out_value_o    = s_logits_value;
  assign out_id_o       = s_logits_id;
  assign s_logits_ready = out_ready_i;

  core_hidden u_hidden (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(s_pixels_valid), .in_ready_o(s_pixels_ready), .in_last_i(s_pixels_last),
    .in_value_i(s_pixels_value), .in_id_i(s_pixels_id),
    .out_valid_o(s_hidden_valid), .out_ready_i(s_hidden_ready), .out_last_o(s_hidden_last),
    .out_value_o(s_hidden_value), .out_id_o(s_hidden_id)
  );

  core_logits u_logits (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(s_hidden_valid), .in_ready_o(s_hidden_ready), .in_last_i(s_hidden_last),
    .in_value_i(s_hidden_value), .in_id_i(s_hidden_id),
    .out_valid_o(s_logits_valid), .out_ready_i(s_logits_ready), .out_last_o(s_logits_last),
    .out_value_o(s_logits_value), .out_id_o(s_logits_id)
  );
endmodule
`default_nettype wire
