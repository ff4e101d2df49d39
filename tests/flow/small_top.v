`default_nettype none
// A hand-made stand-in for a generated network: its ports, a weight memory, a multiplier and a few adders.
module small_top (
  input  wire        clk_i,
  input  wire        rst_ni,
  input  wire        in_valid_i,
  output wire        in_ready_o,
  input  wire        in_last_i,
  input  wire [7:0]  in_value_i,
  input  wire [9:0]  in_id_i,
  output wire        out_valid_o,
  input  wire        out_ready_i,
  output wire        out_last_o,
  output wire [23:0] out_value_o,
  output wire [3:0]  out_id_o
);
  wire signed [31:0] weights;
  reg                held_q;
  reg                held_last_q;
  reg                valid_q;
  reg         [7:0]  value_q;
  reg         [7:0]  previous_q;
  reg signed  [23:0] sum_q;
  reg         [3:0]  id_q;

  small_rom #(.AddressBits(10)) u_rom (.clk_i(clk_i), .address_i({previous_q, in_id_i}), .data_o(weights));

  wire step = !valid_q || out_ready_i;
  wire signed [23:0] product = $signed(weights[7:0]) * $signed({1'b0, value_q});

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      held_q      <= 1'b0;
      held_last_q <= 1'b0;
      valid_q     <= 1'b0;
      value_q     <= 8'd0;
      previous_q  <= 8'd0;
      sum_q       <= 24'sd0;
      id_q        <= 4'd0;
    end else if (step) begin
      held_q      <= in_valid_i;
      held_last_q <= in_last_i;
      valid_q     <= held_q && held_last_q;
      value_q     <= in_value_i;
      previous_q  <= value_q;
      if (held_q) begin
        id_q  <= id_q + 4'd1;
        sum_q <= held_last_q ? $signed(weights[31:8]) : sum_q + product + $signed(weights[15:8]);
      end
    end
  end

  assign in_ready_o  = step;
  assign out_valid_o = valid_q;
  assign out_last_o  = held_last_q;
  assign out_value_o = sum_q;
  assign out_id_o    = id_q;
endmodule
`default_nettype wire
