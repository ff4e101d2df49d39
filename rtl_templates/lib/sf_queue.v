// Queue: hands the beats of each phase on into the next one, for a projection with a delay.
//
// Contract: after reset the first beat out is an end of phase, the empty phase before the first. Then what comes in goes
// out in its order, but for the events of every Phases-th phase (an image's last), which are dropped; its end is not. Takes a
// beat a cycle while the memory has room for it. No path from out_ready_i to in_ready_o but through registers. Latency 3
// cycles.
//
// Parameters: Width = bits of a beat {last, value, id}; Depth = beats in the memory, at least 2; Phases = phases an image.
`default_nettype none

module sf_queue #(
  parameter Width  = 4,
  parameter Depth  = 4,
  parameter Phases = 2
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

  localparam AddrBits  = $clog2(Depth);
  localparam CountBits = $clog2(Depth + 1);
  localparam PhaseBits = (Phases > 1) ? $clog2(Phases) : 1;
  localparam LastAddr  = Depth - 1;
  localparam LastPhase = Phases - 1;

  reg  [Width-1:0]     mem_q[0:Depth-1];
  reg  [Width-1:0]     rdata_q;
  reg  [AddrBits-1:0]  waddr_q;
  reg  [AddrBits-1:0]  raddr_q;
  reg  [CountBits-1:0] stored_q;
  reg  [PhaseBits-1:0] phase_q;
  // The oldest beat stored is the end of phase of the reset, which the memory does not hold.
  reg                  fresh_q;
  // A beat was read in the last cycle; it was that end of phase.
  reg                  reading_q;
  reg                  empty_q;

  // Beats in the output register, counted here so that reading depends on registers alone.
  reg  [1:0]           waiting_q;

  wire room;
  wire pop        = out_valid_o && out_ready_i;
  wire take       = in_valid_i && in_ready_o;
  wire last       = in_data_i[Width-1];
  wire last_phase = (phase_q == LastPhase[PhaseBits-1:0]);
  wire keep       = take && (last || !last_phase);
  wire read       = (|stored_q) && (waiting_q + {1'b0, reading_q} < 2'd2);

  assign in_ready_o = (stored_q != Depth[CountBits-1:0]);

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      waddr_q   <= {{(AddrBits-1){1'b0}}, 1'b1};
      raddr_q   <= {AddrBits{1'b0}};
      stored_q  <= {{(CountBits-1){1'b0}}, 1'b1};
      phase_q   <= {PhaseBits{1'b0}};
      fresh_q   <= 1'b1;
      reading_q <= 1'b0;
      waiting_q <= 2'd0;
    end else begin
      if (keep) waddr_q <= (waddr_q == LastAddr[AddrBits-1:0]) ? {AddrBits{1'b0}} : waddr_q + {{(AddrBits-1){1'b0}}, 1'b1};
      if (read) raddr_q <= (raddr_q == LastAddr[AddrBits-1:0]) ? {AddrBits{1'b0}} : raddr_q + {{(AddrBits-1){1'b0}}, 1'b1};
      if (keep && !read) stored_q <= stored_q + {{(CountBits-1){1'b0}}, 1'b1};
      if (read && !keep) stored_q <= stored_q - {{(CountBits-1){1'b0}}, 1'b1};
      if (take && last) phase_q <= last_phase ? {PhaseBits{1'b0}} : phase_q + {{(PhaseBits-1){1'b0}}, 1'b1};
      if (read) fresh_q <= 1'b0;
      reading_q <= read;
      waiting_q <= waiting_q + {1'b0, reading_q} - {1'b0, pop};
    end
  end

  always @(posedge clk_i) begin
    if (keep && rst_ni) mem_q[waddr_q] <= in_data_i;
    if (read) rdata_q <= mem_q[raddr_q];
    if (read) empty_q <= fresh_q;
  end

  // There is room whenever a beat was read.
  wire unused_room = &{1'b0, room};

  sf_spill #(
    .Width(Width)
  ) u_spill (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (reading_q),
    .in_ready_o (room),
    .in_data_i  (empty_q ? {1'b1, {(Width-1){1'b0}}} : rdata_q),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_data_o (out_data_o)
  );

endmodule

`default_nettype wire
