// sf_fork: every output is a queue of two beats into which every beat taken goes, see queue_ref.
`default_nettype none

module sf_fork_props #(
  parameter Width = 2
) (
  input wire             clk,
  input wire             rst_n,
  input wire             in_valid,
  input wire [Width-1:0] in_data,
  input wire [1:0]       out_ready
);

  wire               in_ready;
  wire [1:0]         out_valid;
  wire [2*Width-1:0] out_data;
  wire [1:0]         room;
  wire               push = in_valid && in_ready;

  (* hierconn *) wire             \dut.g_output[0].u_spill.tail_valid_q ;
  (* hierconn *) wire             \dut.g_output[1].u_spill.tail_valid_q ;
  (* hierconn *) wire [Width-1:0] \dut.g_output[0].u_spill.tail_q ;
  (* hierconn *) wire [Width-1:0] \dut.g_output[1].u_spill.tail_q ;

  sf_fork #(.Outputs(2), .Width(Width)) dut (
    .clk_i(clk), .rst_ni(rst_n),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data)
  );

  queue_ref #(.Width(Width)) queue0 (
    .clk_i(clk), .rst_ni(rst_n), .push_i(push), .beat_i(in_data),
    .valid_i(out_valid[0]), .ready_i(out_ready[0]), .data_i(out_data[0+:Width]),
    .tail_valid_i(\dut.g_output[0].u_spill.tail_valid_q ), .tail_i(\dut.g_output[0].u_spill.tail_q ), .room_o(room[0])
  );
  queue_ref #(.Width(Width)) queue1 (
    .clk_i(clk), .rst_ni(rst_n), .push_i(push), .beat_i(in_data),
    .valid_i(out_valid[1]), .ready_i(out_ready[1]), .data_i(out_data[Width+:Width]),
    .tail_valid_i(\dut.g_output[1].u_spill.tail_valid_q ), .tail_i(\dut.g_output[1].u_spill.tail_q ), .room_o(room[1])
  );

  initial assume (!rst_n);

  reg started = 1'b0;
  always @(posedge clk) begin
    started <= 1'b1;
    if (started && rst_n) begin
      assert (in_ready == &room);
      // One output is two beats behind the other.
      cover (room == 2'b01 && !out_valid[0]);
    end
  end

endmodule

`default_nettype wire
