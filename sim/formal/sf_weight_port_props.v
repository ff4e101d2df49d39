// sf_weight_port: of the cores that ask the one with the highest number is granted, exactly then when there is room; addresses leave
// in the order of the grants, none lost or doubled; every answer goes to the core that made its request, in the same cycle. Any
// memory that answers what was asked, in order.
`default_nettype none

module sf_weight_port_props #(
  parameter Cores   = 3,
  parameter Flights = 4
) (
  input wire               clk,
  input wire               rst_n,
  input wire [Cores-1:0]   core_valid,
  input wire [2*Cores-1:0] core_addr,
  input wire               mem_ready,
  input wire               answer
);

  wire [Cores-1:0] core_ready;
  wire [Cores-1:0] core_answer;
  wire             mem_valid;
  wire [1:0]       mem_addr;

  (* hierconn *) wire [1:0] \dut.asked_q[0] ;
  (* hierconn *) wire [1:0] \dut.asked_q[1] ;
  (* hierconn *) wire [1:0] \dut.asked_q[2] ;
  (* hierconn *) wire [1:0] \dut.asked_q[3] ;
  (* hierconn *) wire [1:0] \dut.in_q ;
  (* hierconn *) wire [1:0] \dut.out_q ;
  (* hierconn *) wire [2:0] \dut.flying_q ;
  (* hierconn *) wire       \dut.u_address.head_valid_q ;
  (* hierconn *) wire       \dut.u_address.tail_valid_q ;
  (* hierconn *) wire [1:0] \dut.u_address.head_q ;
  (* hierconn *) wire [1:0] \dut.u_address.tail_q ;

  sf_weight_port #(.Cores(Cores), .CoreBits(2), .AddrBits(2), .Flights(Flights), .FlightBits(2)) dut (
    .clk_i(clk), .rst_ni(rst_n),
    .core_valid_i(core_valid), .core_ready_o(core_ready), .core_addr_i(core_addr), .core_answer_o(core_answer),
    .mem_valid_o(mem_valid), .mem_ready_i(mem_ready), .mem_addr_o(mem_addr), .mem_answer_valid_i(answer)
  );

  // Requests without an answer, oldest first: {core, address}; of these the latest `waiting` have not moved.
  reg [2:0] count;
  reg [1:0] waiting;
  reg [3:0] list [0:3];

  wire       open  = waiting < 2 && count < 4;
  wire [1:0] best  = core_valid[2] ? 2 : core_valid[1] ? 1 : 0;
  wire       grant = open && |core_valid;
  wire       moved = mem_valid && mem_ready;

  always @* assume (!answer || count != waiting);
  initial assume (!rst_n);

  reg     started = 1'b0;
  integer i;
  always @(posedge clk) begin
    started <= 1'b1;
    if (!rst_n) begin
      count   <= 0;
      waiting <= 0;
    end else begin
      count   <= count + grant - answer;
      waiting <= waiting + grant - moved;
    end
    for (i = 0; i < 4; i = i + 1) begin
      if (answer && i < 3) list[i] <= list[(i < 3) ? i + 1 : 3];
      if (grant && i == count - answer) list[i] <= {best, core_addr[2*best+:2]};
    end
  end

  wire [1:0] first = count - waiting;
  always @* if (started) begin
    assert (core_ready == (grant ? 3'd1 << best : 3'd0));
    assert (core_answer == (answer ? 3'd1 << list[0][3:2] : 3'd0));
    assert (mem_valid == (waiting != 0));
    if (mem_valid) assert (mem_addr == list[first][1:0]);
    // What makes the above inductive.
    assert (count <= 4 && waiting <= 2 && waiting <= count);
    assert (\dut.flying_q == count);
    assert (\dut.u_address.head_valid_q == (waiting != 0) && \dut.u_address.tail_valid_q == (waiting == 2));
    if (waiting == 2) assert (\dut.u_address.tail_q == list[first + 2'd1][1:0]);
  end

  wire [1:0] last = \dut.out_q + count[1:0];
  genvar     n;
  generate
    for (n = 0; n < 4; n = n + 1) begin : g_at
      wire [1:0] at = \dut.out_q + n;
      wire [1:0] who = (at == 0) ? \dut.asked_q[0] : (at == 1) ? \dut.asked_q[1]
                     : (at == 2) ? \dut.asked_q[2] : \dut.asked_q[3] ;
      always @* if (started && n < count) assert (who == list[n][3:2] && who < Cores);
    end
  endgenerate
  always @* if (started) assert (\dut.in_q == last);

  always @(posedge clk) if (started && rst_n) begin
    cover (count == 4 && list[0][3:2] == 0 && list[1][3:2] == 2);
    cover (answer && core_answer[1] && waiting == 2);
  end

endmodule

`default_nettype wire
