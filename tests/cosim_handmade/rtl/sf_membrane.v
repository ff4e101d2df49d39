// Membranes, `Lanes` to a word: neuron n is lane n mod Lanes of word n div Lanes.
`default_nettype none
module sf_membrane #(
  parameter Neurons = 1,
  parameter Lanes   = 1,
  parameter Bits    = 8
) (
  input  wire            clk_i,
  input  wire      [3:0] n_i,
  input  wire            write_i,
  input  wire [Bits-1:0] value_i,
  output wire [Bits-1:0] value_o
);
  localparam Words = (Neurons + Lanes - 1) / Lanes;
  localparam WordBits = Words > 1 ? $clog2(Words) : 1;
  reg [Lanes*Bits-1:0] mem_q [0:Words-1];

  wire [31:0] word = {28'd0, n_i} / Lanes;
  wire [31:0] bit0 = ({28'd0, n_i} % Lanes) * Bits;
  wire [Lanes*Bits-1:0] row = mem_q[word[WordBits-1:0]];
  assign value_o = row[bit0 +: Bits];
  always @(posedge clk_i) if (write_i) mem_q[word[WordBits-1:0]][bit0 +: Bits] <= value_i;
  wire unused = &{1'b0, word, bit0};
endmodule
`default_nettype wire
