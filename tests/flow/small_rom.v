`default_nettype none
// A memory that is read in the next cycle, in the form that becomes block RAM.
module small_rom #(
  parameter AddressBits = 10
) (
  input  wire        clk_i,
  input  wire [17:0] address_i,
  output reg  [31:0] data_o
);
  reg [31:0] mem [0:(1 << AddressBits) - 1];
  initial $readmemh("mem/rom.hex", mem, 0, 1023);
  always @(posedge clk_i) data_o <= mem[address_i[AddressBits-1:0]];
endmodule
`default_nettype wire
