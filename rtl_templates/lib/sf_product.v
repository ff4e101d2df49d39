// A weight times a payload, in two's complement.
//
// Contract: combinational. product_o = weight_i × value_i; with ShiftAdd weight_i × 2^shift_i, or 0 for a value of 0.
//
// Parameters: WeightBits, ValueBits; Signed = 1: the value is two's complement; ShiftAdd = 1: no multiplier (unsigned
// values only), shift_i names the bit of the value that is added; ShiftBits = bits of shift_i.
`default_nettype none

module sf_product #(
  parameter WeightBits = 8,
  parameter ValueBits  = 4,
  parameter Signed     = 0,
  parameter ShiftAdd   = 0,
  parameter ShiftBits  = 2
) (
  input  wire [WeightBits-1:0]           weight_i,
  input  wire [ValueBits-1:0]            value_i,
  input  wire [ShiftBits-1:0]            shift_i,
  output wire [WeightBits+ValueBits-1:0] product_o
);

  localparam ProductBits = WeightBits + ValueBits;

  generate
    if (ValueBits == 1 && Signed == 0) begin : g_gate
      assign product_o = value_i[0] ? {weight_i[WeightBits-1], weight_i} : {ProductBits{1'b0}};
    end else if (ShiftAdd != 0) begin : g_shift
      wire [ProductBits-1:0] extended = {{ValueBits{weight_i[WeightBits-1]}}, weight_i};
      assign product_o = (|value_i) ? extended << shift_i : {ProductBits{1'b0}};
    end else begin : g_multiply
      wire top = (Signed != 0) && value_i[ValueBits-1];
      wire signed [ProductBits:0] full = $signed({{(ValueBits+1){weight_i[WeightBits-1]}}, weight_i})
                                       * $signed({{(WeightBits+1){top}}, value_i});
      wire unused_full = full[ProductBits];
      assign product_o = full[ProductBits-1:0];
    end
    if (ShiftAdd == 0 || (ValueBits == 1 && Signed == 0)) begin : g_no_shift
      wire unused_shift = &{1'b0, shift_i};
    end
  endgenerate

endmodule

`default_nettype wire
