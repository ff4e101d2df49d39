// Input bank of a matrix core: the payloads of one phase, Rows of them a word.
//
// Contract: one payload is written a cycle, or one whole word cleared; a word is read with one cycle of latency. A
// word is never read in the cycle in which it is written.
//
// Parameters: Rows (a power of two), ValueBits, Words, WordBits = address bits (at least 1), RowBits = $clog2(Rows).
`default_nettype none

module sf_bank #(
  parameter Rows      = 4,
  parameter RowBits   = 2,
  parameter ValueBits = 4,
  parameter Words     = 8,
  parameter WordBits  = 3
) (
  input  wire                      clk_i,
  // write one payload
  input  wire                      write_i,
  input  wire [RowBits-1:0]        row_i,
  input  wire [WordBits-1:0]       waddr_i,
  input  wire [ValueBits-1:0]      value_i,
  // or clear a word
  input  wire                      clear_i,
  input  wire [WordBits-1:0]       caddr_i,
  // read a word
  input  wire                      re_i,
  input  wire [WordBits-1:0]       raddr_i,
  output wire [Rows*ValueBits-1:0] rdata_o
);

  genvar r;
  generate
    for (r = 0; r < Rows; r = r + 1) begin : g_row
      reg [ValueBits-1:0] mem[0:Words-1];
      reg [ValueBits-1:0] rdata_q;
      assign rdata_o[r*ValueBits+:ValueBits] = rdata_q;
      wire here = write_i && (Rows == 1 || row_i == r[RowBits-1:0]);
      always @(posedge clk_i) begin
        if (here || clear_i) mem[clear_i ? caddr_i : waddr_i] <= clear_i ? {ValueBits{1'b0}} : value_i;
        if (re_i) rdata_q <= mem[raddr_i];
      end
    end
  endgenerate

endmodule

`default_nettype wire
