// The port to the external weight memory that all cores share.
//
// Contract: as ARCHITECTURE.md, "External weights". Of the cores that request, the one with the highest number is granted,
// while the address register has room and fewer than Flights requests are unanswered. Answers come in the order of
// the requests; each is passed on in the cycle in which it comes, to the core that asked. mem_valid_o and mem_addr_o depend on
// registers alone; core_ready_o also depends on the other cores' core_valid_i.
//
// Parameters: Cores; CoreBits = bits of a core's number, at least 1; AddrBits; Flights = a power of two, at least 2; FlightBits = $clog2(Flights).
`default_nettype none

module sf_weight_port #(
  parameter Cores      = 2,
  parameter CoreBits   = 1,
  parameter AddrBits   = 8,
  parameter Flights    = 64,
  parameter FlightBits = 6
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,
  // cores, core 0 lowest
  input  wire [Cores-1:0]          core_valid_i,
  output wire [Cores-1:0]          core_ready_o,
  input  wire [Cores*AddrBits-1:0] core_addr_i,
  output wire [Cores-1:0]          core_answer_o,
  // memory
  output wire                      mem_valid_o,
  input  wire                      mem_ready_i,
  output wire [AddrBits-1:0]       mem_addr_o,
  input  wire                      mem_answer_valid_i
);

  localparam [FlightBits:0] Full = Flights[FlightBits:0];

  // Who asked, oldest request first.
  reg  [CoreBits-1:0]   asked_q[0:Flights-1];
  reg  [FlightBits-1:0] in_q;
  reg  [FlightBits-1:0] out_q;
  reg  [FlightBits:0]   flying_q;

  wire                  room;
  wire                  open = room && (flying_q != Full);
  wire                  grant = open && (|core_valid_i);
  reg  [Cores-1:0]      granted;
  reg  [CoreBits-1:0]   number;
  reg  [AddrBits-1:0]   addr;
  integer               c;

  always @* begin
    granted = {Cores{1'b0}};
    number  = {CoreBits{1'b0}};
    addr    = core_addr_i[0+:AddrBits];
    for (c = 0; c < Cores; c = c + 1) begin
      if (core_valid_i[c]) begin
        granted    = {Cores{1'b0}};
        granted[c] = 1'b1;
        number     = c[CoreBits-1:0];
        addr       = core_addr_i[c*AddrBits+:AddrBits];
      end
    end
  end

  assign core_ready_o = open ? granted : {Cores{1'b0}};

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      in_q     <= {FlightBits{1'b0}};
      out_q    <= {FlightBits{1'b0}};
      flying_q <= {(FlightBits+1){1'b0}};
    end else begin
      if (grant) in_q <= in_q + {{(FlightBits-1){1'b0}}, 1'b1};
      if (mem_answer_valid_i) out_q <= out_q + {{(FlightBits-1){1'b0}}, 1'b1};
      flying_q <= flying_q + {{FlightBits{1'b0}}, grant} - {{FlightBits{1'b0}}, mem_answer_valid_i};
    end
  end

  always @(posedge clk_i) if (grant && rst_ni) asked_q[in_q] <= number;

  wire [CoreBits-1:0] asked = asked_q[out_q];
  genvar g;
  generate
    for (g = 0; g < Cores; g = g + 1) begin : g_answer
      assign core_answer_o[g] = mem_answer_valid_i && (asked == g[CoreBits-1:0]);
    end
  endgenerate

  sf_spill #(
    .Width(AddrBits)
  ) u_address (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (grant),
    .in_ready_o (room),
    .in_data_i  (addr),
    .out_valid_o(mem_valid_o),
    .out_ready_i(mem_ready_i),
    .out_data_o (mem_addr_o)
  );

endmodule

`default_nettype wire
