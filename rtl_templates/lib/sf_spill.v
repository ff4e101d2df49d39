// Spill register: a FIFO of two entries that cuts every path between the two sides of a stream.
//
// Contract: in_ready_o and out_valid_o, out_data_o depend on registers alone. Data is stable while
// out_valid_o && !out_ready_i. One beat a cycle; latency 1 cycle.
//
// Parameters: Width = bits of a beat.
`default_nettype none

module sf_spill #(
  parameter Width = 8
) (
  input  wire             clk_i,
  input  wire             rst_ni,
  // input stream
  input  wire             in_valid_i,
  output wire             in_ready_o,
  input  wire [Width-1:0] in_data_i,
  // output stream
  output wire             out_valid_o,
  input  wire             out_ready_i,
  output wire [Width-1:0] out_data_o
);

  // The oldest beat stands in head_q; tail_q is used only while both entries are taken.
  reg             head_valid_q;
  reg             tail_valid_q;
  reg [Width-1:0] head_q;
  reg [Width-1:0] tail_q;

  wire push = in_valid_i && in_ready_o;
  wire pop  = head_valid_q && out_ready_i;

  assign in_ready_o  = !tail_valid_q;
  assign out_valid_o = head_valid_q;
  assign out_data_o  = head_q;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      head_valid_q <= 1'b0;
      tail_valid_q <= 1'b0;
    end else begin
      head_valid_q <= push || tail_valid_q || (head_valid_q && !pop);
      tail_valid_q <= (tail_valid_q || push) && head_valid_q && !pop;
    end
  end

  always @(posedge clk_i) begin
    if (pop || !head_valid_q) head_q <= tail_valid_q ? tail_q : in_data_i;
    if (push) tail_q <= in_data_i;
  end

endmodule

`default_nettype wire
