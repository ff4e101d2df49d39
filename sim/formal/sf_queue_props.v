// sf_queue: the beats taken leave in order, each once, but for the events of every Phases-th phase; the first beat after a reset is
// an end of phase; ready says whether the memory has room. A reference holds in one list what is in the memory; the output register
// behind it is a queue of two beats (queue_ref).
`default_nettype none

module sf_queue_props #(
  parameter Width  = 2,
  // A power of two, so that the registers made of the memory have a value at every address.
  parameter Depth  = 4,
  parameter Phases = 2
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

  (* hierconn *) wire [Width-1:0] \dut.mem_q[0] ;
  (* hierconn *) wire [Width-1:0] \dut.mem_q[1] ;
  (* hierconn *) wire [Width-1:0] \dut.mem_q[2] ;
  (* hierconn *) wire [Width-1:0] \dut.mem_q[3] ;
  (* hierconn *) wire [Width-1:0] \dut.rdata_q ;
  (* hierconn *) wire [1:0]       \dut.waddr_q ;
  (* hierconn *) wire [1:0]       \dut.raddr_q ;
  (* hierconn *) wire [2:0]       \dut.stored_q ;
  (* hierconn *) wire [0:0]       \dut.phase_q ;
  (* hierconn *) wire             \dut.fresh_q ;
  (* hierconn *) wire             \dut.reading_q ;
  (* hierconn *) wire             \dut.empty_q ;
  (* hierconn *) wire [1:0]       \dut.waiting_q ;
  (* hierconn *) wire             \dut.u_spill.head_valid_q ;
  (* hierconn *) wire             \dut.u_spill.tail_valid_q ;
  (* hierconn *) wire [Width-1:0] \dut.u_spill.tail_q ;

  sf_queue #(.Width(Width), .Depth(Depth), .Phases(Phases)) dut (
    .clk_i(clk), .rst_ni(rst_n),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(in_data),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data)
  );

  localparam [Width-1:0] End = {1'b1, {(Width-1){1'b0}}};

  // The memory as a list, oldest beat lowest, and the beat that was read in the last cycle.
  reg  [3:0]             count;
  reg  [Depth*Width-1:0] list;
  reg                    moving;
  reg  [Width-1:0]       moved;
  reg  [1:0]             phase;

  wire room;
  queue_ref #(.Width(Width), .Refill(3)) queue (
    .clk_i(clk), .rst_ni(rst_n), .push_i(moving), .beat_i(moved),
    .valid_i(out_valid), .ready_i(out_ready), .data_i(out_data),
    .tail_valid_i(\dut.u_spill.tail_valid_q ), .tail_i(\dut.u_spill.tail_q ), .room_o(room)
  );

  wire       take   = in_valid && in_ready;
  wire       last   = in_data[Width-1];
  wire       keep   = take && (last || phase != Phases - 1);
  wire [1:0] behind = \dut.u_spill.head_valid_q + \dut.u_spill.tail_valid_q ;
  // The oldest beat goes as soon as it has a place in the output register.
  wire       go     = count != 0 && behind + moving < 2;

  initial assume (!rst_n);

  reg     started = 1'b0;
  integer i;
  always @(posedge clk) begin
    started <= 1'b1;
    if (!rst_n) begin
      count  <= 1;
      list   <= {{((Depth-1)*Width){1'b0}}, End};
      moving <= 1'b0;
      phase  <= 0;
    end else begin
      count  <= count + keep - go;
      moving <= go;
      moved  <= list[Width-1:0];
      if (go) list <= list >> Width;
      if (keep) begin
        for (i = 0; i < Depth; i = i + 1) begin
          if (i == count - go) list[i*Width+:Width] <= in_data;
        end
      end
      if (take && last) phase <= (phase == Phases - 1) ? 0 : phase + 1;
    end
  end

  // The word of the memory that is `n` behind the oldest.
  wire [1:0] at [0:Depth-1];
  wire [1:0] free = \dut.raddr_q + count[1:0];
  genvar     n;
  generate
    for (n = 0; n < Depth; n = n + 1) begin : g_at
      assign at[n] = \dut.raddr_q + n;
      wire [Width-1:0] word = (at[n] == 0) ? \dut.mem_q[0] : (at[n] == 1) ? \dut.mem_q[1]
                            : (at[n] == 2) ? \dut.mem_q[2] : \dut.mem_q[3] ;
      always @(posedge clk) if (started && rst_n) begin
        // But for the end of phase of the reset, which is in no word.
        if (n < count && !(n == 0 && \dut.fresh_q )) assert (word == list[n*Width+:Width]);
      end
    end
  endgenerate

  always @(posedge clk) if (started && rst_n) begin
    assert (in_ready == (count < Depth));
    // What makes the above inductive.
    assert (count <= Depth);
    assert (\dut.stored_q == count);
    assert (\dut.waddr_q == free);
    assert (\dut.phase_q == phase && phase < Phases);
    assert (\dut.waiting_q == behind);
    assert (!(\dut.u_spill.tail_valid_q && !\dut.u_spill.head_valid_q ));
    assert (\dut.reading_q == moving && !(moving && behind == 2));
    if (moving) assert (moved == (\dut.empty_q ? End : \dut.rdata_q ));
    if (\dut.fresh_q ) assert (count > 0 && list[Width-1:0] == End && \dut.raddr_q == 0 && !moving && behind == 0);
    // A full memory, and events that come out in the phase after a dropped one.
    cover (count == Depth && phase == 1);
    cover (out_valid && !out_data[Width-1] && out_ready && $past(phase == 1 && take && !last, 6));
  end

endmodule

`default_nettype wire
