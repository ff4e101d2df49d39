// Adder tree: the sum of Count signed terms, or the largest of them (Count a power of two).
//
// Contract: combinational; the sum has $clog2(Count) bits more than a term and cannot overflow.
//
// Parameters: Count, Bits of a term; Max = 1: the largest instead of the sum.
`default_nettype none

module sf_tree #(
  parameter Count = 4,
  parameter Bits  = 8,
  parameter Max   = 0
) (
  input  wire [Count*Bits-1:0]           terms_i,
  output wire [Bits+$clog2(Count)-1:0]   sum_o
);

  localparam SumBits = Bits + $clog2(Count);

  // A heap of partial sums: node n adds nodes 2n+1 and 2n+2, the terms are its leaves.
  wire [(2*Count-1)*SumBits-1:0] node;

  genvar n;
  generate
    for (n = 0; n < Count - 1; n = n + 1) begin : g_node
      wire [SumBits-1:0] left  = node[(2*n+1)*SumBits+:SumBits];
      wire [SumBits-1:0] right = node[(2*n+2)*SumBits+:SumBits];
      if (Max != 0) begin : g_max
        assign node[n*SumBits+:SumBits] = ($signed(left) > $signed(right)) ? left : right;
      end else begin : g_sum
        assign node[n*SumBits+:SumBits] = left + right;
      end
    end
    for (n = 0; n < Count; n = n + 1) begin : g_leaf
      wire [Bits-1:0] term = terms_i[n*Bits+:Bits];
      if (SumBits > Bits) begin : g_extend
        assign node[(Count-1+n)*SumBits+:SumBits] = {{(SumBits-Bits){term[Bits-1]}}, term};
      end else begin : g_plain
        assign node[(Count-1+n)*SumBits+:SumBits] = term;
      end
    end
  endgenerate

  assign sum_o = node[SumBits-1:0];

endmodule

`default_nettype wire
