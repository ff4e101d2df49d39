// Read-only memory, filled from a $readmemh image.
//
// Contract: data_o is the word at addr_i of the last cycle with en_i; latency 1 cycle. File is read relative to the
// directory in which the simulator or synthesis runs.
//
// Parameters: Width, Depth; AddrBits = $clog2(Depth), at least 1; Logic = 1 builds it from LUTs, 0 lets synthesis
// choose (a block RAM, if it is large enough).
`default_nettype none

module sf_rom #(
  parameter Width    = 8,
  parameter Depth    = 16,
  parameter AddrBits = 4,
  parameter Logic    = 0,
  parameter File     = ""
) (
  input  wire                clk_i,
  input  wire                en_i,
  input  wire [AddrBits-1:0] addr_i,
  output wire [Width-1:0]    data_o
);

  reg [Width-1:0] data_q;
  assign data_o = data_q;

  generate
    if (Logic != 0) begin : g_logic
      (* ram_style = "logic" *)
      reg [Width-1:0] mem[0:Depth-1];
      initial $readmemh(File, mem);
      always @(posedge clk_i) if (en_i) data_q <= mem[addr_i];
    end else begin : g_block
      reg [Width-1:0] mem[0:Depth-1];
      initial $readmemh(File, mem);
      always @(posedge clk_i) if (en_i) data_q <= mem[addr_i];
    end
  endgenerate

endmodule

`default_nettype wire
