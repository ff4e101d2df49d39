// Membrane memory: one word a group of lanes, one read and one write port.
//
// Contract: rdata_o is the word at raddr_i of the last cycle with re_i; latency 1 cycle. The cores never read an
// address in the cycle in which they write it, but for a memory of a single word, which therefore forwards the write.
// The content survives reset; the core initialises it before use.
//
// Parameters: Width = lanes × membrane bits, Groups = words, GroupBits = address bits (at least 1).
`default_nettype none

module sf_membrane #(
  parameter Width     = 16,
  parameter Groups    = 4,
  parameter GroupBits = 2
) (
  input  wire                 clk_i,
  // write port
  input  wire                 we_i,
  input  wire [GroupBits-1:0] waddr_i,
  input  wire [Width-1:0]     wdata_i,
  // read port
  input  wire                 re_i,
  input  wire [GroupBits-1:0] raddr_i,
  output wire [Width-1:0]     rdata_o
);

  reg [Width-1:0] mem_q[0:Groups-1];
  reg [Width-1:0] rdata_q;

  assign rdata_o = rdata_q;

  always @(posedge clk_i) begin
    if (we_i) mem_q[waddr_i] <= wdata_i;
    if (re_i) rdata_q <= (Groups == 1 && we_i) ? wdata_i : mem_q[raddr_i];
  end

endmodule

`default_nettype wire
