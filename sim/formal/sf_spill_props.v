// sf_spill: a queue of two beats, see queue_ref. Its ready is a function of registers (checked on the netlist).
`default_nettype none

module sf_spill_props #(
  parameter Width = 2
) (
  input wire             clk,
  input wire             rst_n,
  input wire             in_valid,
  input wire [Width-1:0] in_data,
  input wire             out_ready
);

  wire             in_ready;
  wire             out_valid;
  wire [Width-1:0] out_data;
  wire             room;

  (* hierconn *) wire             \dut.tail_valid_q ;
  (* hierconn *) wire [Width-1:0] \dut.tail_q ;

  sf_spill #(.Width(Width)) dut (
    .clk_i(clk), .rst_ni(rst_n),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data)
  );

  queue_ref #(.Width(Width)) queue (
    .clk_i(clk), .rst_ni(rst_n), .push_i(in_valid && in_ready), .beat_i(in_data),
    .valid_i(out_valid), .ready_i(out_ready), .data_i(out_data),
    .tail_valid_i(\dut.tail_valid_q ), .tail_i(\dut.tail_q ), .room_o(room)
  );

  initial assume (!rst_n);

  reg started = 1'b0;
  always @(posedge clk) begin
    started <= 1'b1;
    if (started && rst_n) assert (in_ready == room);
  end

endmodule

`default_nettype wire
