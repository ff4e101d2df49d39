// The payload of the event in hand, and the passes that it takes.
//
// Contract: take_i stores value_i. With ShiftAdd there is a pass for each set bit, lowest first (a value of 0 takes one
// pass); next_i ends one; last_o says that the current one is the last, shift_o which bit it adds. Otherwise one pass.
// Outputs depend on registers alone.
//
// Parameters: ValueBits; ShiftAdd; ShiftBits = $clog2(ValueBits), at least 1.
`default_nettype none

module sf_passes #(
  parameter ValueBits = 4,
  parameter ShiftAdd  = 0,
  parameter ShiftBits = 2
) (
  input  wire                 clk_i,
  input  wire                 take_i,
  input  wire [ValueBits-1:0] value_i,
  input  wire                 next_i,
  // what is still to be added
  output wire [ValueBits-1:0] value_o,
  output wire [ShiftBits-1:0] shift_o,
  output wire                 last_o
);

  reg [ValueBits-1:0] value_q;
  assign value_o = value_q;

  generate
    if (ShiftAdd != 0 && ValueBits > 1) begin : g_passes
      wire [ValueBits-1:0] lowest = value_q & (~value_q + {{(ValueBits-1){1'b0}}, 1'b1});
      wire [ValueBits-1:0] rest   = value_q & ~lowest;
      reg  [ShiftBits-1:0] index;
      integer              b;
      assign last_o  = !(|rest);
      assign shift_o = index;
      always @* begin
        index = {ShiftBits{1'b0}};
        for (b = 0; b < ValueBits; b = b + 1) begin
          index = index | (b[ShiftBits-1:0] & {ShiftBits{lowest[b]}});
        end
      end
      always @(posedge clk_i) begin
        if (take_i) value_q <= value_i;
        else if (next_i) value_q <= rest;
      end
    end else begin : g_one_pass
      assign last_o  = 1'b1;
      assign shift_o = {ShiftBits{1'b0}};
      always @(posedge clk_i) if (take_i) value_q <= value_i;
      wire unused_next = &{1'b0, next_i};
    end
  endgenerate

endmodule

`default_nettype wire
