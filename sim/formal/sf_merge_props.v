// sf_merge: the output is a queue of two beats (queue_ref) into which the beats taken go, with these rules: an input's
// beats are taken in its own order (it has no storage, so this is the handshake); events get the input's base; an input
// is never ahead of the output's phase; one end of phase leaves for one taken from every input.
`default_nettype none

module sf_merge_props #(
  parameter Inputs    = 3,
  parameter IdBits    = 3,
  parameter ValueBits = 1,
  parameter [Inputs*IdBits-1:0] Bases = {3'd5, 3'd2, 3'd0}
) (
  input wire                        clk,
  input wire                        rst_n,
  input wire [Inputs-1:0]           in_valid,
  input wire [Inputs-1:0]           in_last,
  input wire [Inputs*ValueBits-1:0] in_value,
  input wire [Inputs*IdBits-1:0]    in_id,
  input wire                        out_ready
);

  localparam Width = 1 + ValueBits + IdBits;

  wire [Inputs-1:0]    in_ready;
  wire                 out_valid;
  wire                 out_last;
  wire [ValueBits-1:0] out_value;
  wire [IdBits-1:0]    out_id;

  (* hierconn *) wire [Inputs-1:0] \dut.lasted_q ;
  (* hierconn *) wire              \dut.u_spill.tail_valid_q ;
  (* hierconn *) wire [Width-1:0]  \dut.u_spill.tail_q ;

  sf_merge #(.Inputs(Inputs), .IdBits(IdBits), .ValueBits(ValueBits), .Bases(Bases)) dut (
    .clk_i(clk), .rst_ni(rst_n),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_last_i(in_last), .in_value_i(in_value), .in_id_i(in_id),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_last_o(out_last), .out_value_o(out_value), .out_id_o(out_id)
  );

  // Ends of phase seen, modulo 4: an input may be one ahead of the output, never more.
  reg  [2*Inputs-1:0] in_phase;
  reg  [1:0]          out_phase;
  wire [Inputs-1:0]   taken = in_valid & in_ready;

  reg               push;
  reg [Width-1:0]   beat;
  reg [Inputs-1:0]  ahead;      // this input has ended the output's phase
  reg [Inputs-1:0]  ahead_next; // the same after this cycle
  integer           i;

  always @* begin
    push = 1'b0;
    beat = {Width{1'b0}};
    for (i = 0; i < Inputs; i = i + 1) begin
      ahead[i]      = in_phase[2*i+:2] != out_phase;
      ahead_next[i] = ahead[i] || (taken[i] && in_last[i]);
      if (taken[i] && !in_last[i]) begin
        push = 1'b1;
        beat = {1'b0, in_value[i*ValueBits+:ValueBits], in_id[i*IdBits+:IdBits] + Bases[i*IdBits+:IdBits]};
      end
    end
    if (|(taken & in_last) && &ahead_next) begin
      push = 1'b1;
      beat = {1'b1, {(Width-1){1'b0}}};
    end
  end

  wire room;
  queue_ref #(.Width(Width)) queue (
    .clk_i(clk), .rst_ni(rst_n), .push_i(push), .beat_i(beat),
    .valid_i(out_valid), .ready_i(out_ready), .data_i({out_last, out_value, out_id}),
    .tail_valid_i(\dut.u_spill.tail_valid_q ), .tail_i(\dut.u_spill.tail_q ), .room_o(room)
  );

  initial assume (!rst_n);

  reg started = 1'b0;
  always @(posedge clk) begin
    started <= 1'b1;
    for (i = 0; i < Inputs; i = i + 1) begin
      if (!rst_n) in_phase[2*i+:2] <= 2'd0;
      else if (taken[i] && in_last[i]) in_phase[2*i+:2] <= in_phase[2*i+:2] + 2'd1;
    end
    if (!rst_n) out_phase <= 2'd0;
    else if (push && beat[Width-1]) out_phase <= out_phase + 2'd1;
    if (started && rst_n) begin
      for (i = 0; i < Inputs; i = i + 1) begin
        // Never a beat of the next phase before the end of this one.
        if (taken[i]) assert (!ahead[i]);
        assert (!ahead[i] || in_phase[2*i+:2] == out_phase + 2'd1);
        // The lowest open input that offers a beat is the one granted.
        assert (in_ready[i] == (room && in_valid[i] && !ahead[i]
                                && (in_valid & ~ahead & ((1 << i) - 1)) == 0));
      end
      assert ((taken & (taken - 1)) == 0);
      assert (!(&ahead));
      // What makes the above inductive.
      assert (\dut.lasted_q == ahead);
      cover (out_phase == 2 && out_valid && !out_last && out_id == 7);
    end
  end

endmodule

`default_nettype wire
