// sf_membrane: what is read is what was last written to the address, whatever resets happen in between.
`default_nettype none

module sf_membrane_props #(
  parameter Width     = 2,
  parameter Groups    = 2,
  parameter GroupBits = 1
) (
  input wire                 clk,
  input wire                 we,
  input wire [GroupBits-1:0] waddr,
  input wire [Width-1:0]     wdata,
  input wire                 re,
  input wire [GroupBits-1:0] raddr
);

  wire [Width-1:0] rdata;
  (* anyconst *) wire [GroupBits-1:0] group;

  (* hierconn *) wire [Width-1:0] \dut.mem_q[0] ;
  (* hierconn *) wire [Width-1:0] \dut.mem_q[1] ;
  wire [Width-1:0] word = (Groups > 1 && group == 1) ? \dut.mem_q[1] : \dut.mem_q[0] ;

  sf_membrane #(.Width(Width), .Groups(Groups), .GroupBits(GroupBits)) dut (
    .clk_i(clk), .we_i(we), .waddr_i(waddr), .wdata_i(wdata), .re_i(re), .raddr_i(raddr), .rdata_o(rdata)
  );

  always @* begin
    assume (waddr < Groups && raddr < Groups && group < Groups);
    // The cores' promise.
    if (Groups > 1) assume (!(we && re && waddr == raddr));
  end

  reg             known = 1'b0; // the group was written
  reg [Width-1:0] written;
  reg             shown = 1'b0; // rdata shows the group
  reg [Width-1:0] expected;

  always @(posedge clk) begin
    if (we && waddr == group) begin
      known   <= 1'b1;
      written <= wdata;
    end
    if (re) begin
      shown    <= (raddr == group) && (known || (we && waddr == group));
      expected <= (we && waddr == group) ? wdata : written;
    end
    if (shown) assert (rdata == expected);
    if (known) assert (word == written);
    cover (shown && $past(shown && re && rdata != expected + 1'b1) && $past(rdata) != rdata);
  end

endmodule

`default_nettype wire
