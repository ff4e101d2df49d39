// Table: a small read-only memory without a clock, built from LUTs and filled from a $readmemh image.
//
// Contract: combinational; data_o is the word at addr_i. File is read relative to the directory in which the simulator or
// synthesis runs.
//
// Parameters: Width, Depth; AddrBits = $clog2(Depth), at least 1.
`default_nettype none

module sf_table #(
  parameter Width    = 8,
  parameter Depth    = 16,
  parameter AddrBits = 4,
  parameter File     = ""
) (
  input  wire [AddrBits-1:0] addr_i,
  output wire [Width-1:0]    data_o
);

  (* ram_style = "logic", rom_style = "distributed" *)
  reg [Width-1:0] mem[0:Depth-1];
  initial $readmemh(File, mem);

  assign data_o = mem[addr_i];

endmodule

`default_nettype wire
