// A number times a factor that its projection has.
//
// Contract: combinational. product_o = value_i × Factors[projection_i], cut to OutBits; sums of shifted values, because a
// multiplier would be spent on a constant.
//
// Parameters: Projections, ProjectionBits (at least 1); InBits, OutBits; Factors, OutBits bits each, projection 0 lowest.
`default_nettype none

module sf_scale #(
  parameter Projections    = 1,
  parameter ProjectionBits = 1,
  parameter InBits         = 4,
  parameter OutBits        = 8,
  parameter [Projections*OutBits-1:0] Factors = {(Projections*OutBits){1'b0}}
) (
  input  wire [ProjectionBits-1:0] projection_i,
  input  wire [InBits-1:0]         value_i,
  output reg  [OutBits-1:0]        product_o
);

  wire [InBits+OutBits-1:0] wide = {{OutBits{1'b0}}, value_i};
  wire [OutBits-1:0]        cut  = wide[OutBits-1:0];
  reg  [OutBits-1:0]        term;
  integer                   p;
  integer                   b;

  always @* begin
    product_o = {OutBits{1'b0}};
    for (p = 0; p < Projections; p = p + 1) begin
      term = {OutBits{1'b0}};
      for (b = 0; b < OutBits; b = b + 1) begin
        if (Factors[p*OutBits+b]) term = term + (cut << b);
      end
      if (Projections == 1 || projection_i == p[ProjectionBits-1:0]) product_o = term;
    end
  end

  wire unused_wide = &{1'b0, wide, projection_i};

endmodule

`default_nettype wire
