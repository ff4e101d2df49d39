// Quotient and rest of a division by a constant.
//
// Contract: combinational. quotient_o = value_i div Divisor, rest_o = value_i mod Divisor; meaningful for values below
// Quotients × Divisor. A power of two costs nothing, other divisors a comparison for every quotient.
//
// Parameters: Divisor; Quotients; InBits, QuotientBits, RestBits (at least 1; RestBits < InBits unless Divisor is 1).
`default_nettype none

module sf_divide #(
  parameter Divisor      = 4,
  parameter Quotients    = 4,
  parameter InBits       = 5,
  parameter QuotientBits = 2,
  parameter RestBits     = 2
) (
  input  wire [InBits-1:0]       value_i,
  output wire [QuotientBits-1:0] quotient_o,
  output wire [RestBits-1:0]     rest_o
);

  localparam Shift = $clog2(Divisor);

  wire [InBits+QuotientBits+RestBits-1:0] wide = {{(QuotientBits+RestBits){1'b0}}, value_i};

  generate
    if ((Divisor & (Divisor - 1)) == 0) begin : g_cut
      assign quotient_o = wide[Shift+:QuotientBits];
      assign rest_o     = (Divisor == 1) ? {RestBits{1'b0}} : wide[RestBits-1:0];
    end else begin : g_compare
      reg [QuotientBits-1:0] quotient;
      reg [InBits-1:0]       start;
      integer                q;
      always @* begin
        quotient = {QuotientBits{1'b0}};
        start    = {InBits{1'b0}};
        for (q = 1; q < Quotients; q = q + 1) begin
          if (value_i >= q * Divisor) begin
            quotient = q[QuotientBits-1:0];
            start    = q * Divisor;
          end
        end
      end
      wire [InBits-1:0] rest = value_i - start;
      wire unused_rest = &{1'b0, rest};
      assign quotient_o = quotient;
      assign rest_o     = rest[RestBits-1:0];
    end
  endgenerate

  wire unused_wide = &{1'b0, wide};

endmodule

`default_nettype wire
