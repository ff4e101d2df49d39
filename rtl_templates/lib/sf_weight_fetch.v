// Fetch unit of a core whose weights are outside: from ops with an address to ops with their weights, in order.
//
// Contract: as ARCHITECTURE.md, "External weights". In a cycle without hold_o the op on op_i (0: none) joins the queue, and if
// needs_i its address is requested. op_o is the op that entered the back in the last cycle without stall_i (0: a bubble), with
// payload_o and, if it needed one, the word on data_o; they stay while stall_i. A request stays until it is taken; answers come
// in order and are always taken. hold_o depends on registers and stall_i.
//
// Parameters: Depth = ops in the queue, a power of two, at least 2; DepthBits = $clog2(Depth); OpBits, PayloadBits = what
// travels with the op; AddrBits, WordBits.
`default_nettype none

module sf_weight_fetch #(
  parameter Depth       = 32,
  parameter DepthBits   = 5,
  parameter OpBits      = 7,
  parameter PayloadBits = 8,
  parameter AddrBits    = 5,
  parameter WordBits    = 16
) (
  input  wire                   clk_i,
  input  wire                   rst_ni,
  // front
  output wire                   hold_o,
  input  wire [OpBits-1:0]      op_i,
  input  wire                   needs_i,
  input  wire [AddrBits-1:0]    addr_i,
  input  wire [PayloadBits-1:0] payload_i,
  // back
  input  wire                   stall_i,
  output wire [OpBits-1:0]      op_o,
  output wire [PayloadBits-1:0] payload_o,
  output wire [WordBits-1:0]    data_o,
  // memory
  output wire                   req_valid_o,
  input  wire                   req_ready_i,
  output wire [AddrBits-1:0]    req_addr_o,
  input  wire                   rsp_valid_i,
  input  wire [WordBits-1:0]    rsp_data_i
);

  localparam [DepthBits:0] Full = Depth[DepthBits:0];

  // ---------------------------------------------------------------- queue of ops
  reg  [OpBits+PayloadBits-1:0] ops_q[0:Depth-1];
  // Whether each op needs a word; beside the memory, because it decides before the op is read.
  reg  [Depth-1:0]              needs_q;
  reg  [DepthBits-1:0]          op_in_q;
  reg  [DepthBits-1:0]          op_out_q;
  reg  [DepthBits:0]            queued_q;
  reg  [OpBits+PayloadBits-1:0] entered_op_q;
  reg                           entered_q;

  // ---------------------------------------------------------------- store of answers
  reg  [WordBits-1:0]  words_q[0:Depth-1];
  reg  [DepthBits-1:0] word_in_q;
  reg  [DepthBits-1:0] word_out_q;
  reg  [DepthBits:0]   stored_q;
  reg  [WordBits-1:0]  data_q;

  wire room;
  wire push  = !hold_o && (|op_i);
  wire needs = needs_q[op_out_q];
  wire enter = !stall_i && (|queued_q) && (!needs || (|stored_q));
  wire use_word = enter && needs;

  assign hold_o = stall_i || (queued_q == Full) || !room;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      op_in_q    <= {DepthBits{1'b0}};
      op_out_q   <= {DepthBits{1'b0}};
      queued_q   <= {(DepthBits+1){1'b0}};
      word_in_q  <= {DepthBits{1'b0}};
      word_out_q <= {DepthBits{1'b0}};
      stored_q   <= {(DepthBits+1){1'b0}};
      entered_q  <= 1'b0;
    end else begin
      if (push) op_in_q <= op_in_q + {{(DepthBits-1){1'b0}}, 1'b1};
      if (enter) op_out_q <= op_out_q + {{(DepthBits-1){1'b0}}, 1'b1};
      queued_q <= queued_q + {{DepthBits{1'b0}}, push} - {{DepthBits{1'b0}}, enter};
      if (rsp_valid_i) word_in_q <= word_in_q + {{(DepthBits-1){1'b0}}, 1'b1};
      if (use_word) word_out_q <= word_out_q + {{(DepthBits-1){1'b0}}, 1'b1};
      stored_q <= stored_q + {{DepthBits{1'b0}}, rsp_valid_i} - {{DepthBits{1'b0}}, use_word};
      if (!stall_i) entered_q <= enter;
    end
  end

  // No word is read in the cycle in which it is written: it counts as stored from the next one on.
  always @(posedge clk_i) begin
    if (push && rst_ni) ops_q[op_in_q] <= {op_i, payload_i};
    if (enter) entered_op_q <= ops_q[op_out_q];
    if (rsp_valid_i && rst_ni) words_q[word_in_q] <= rsp_data_i;
    if (use_word) data_q <= words_q[word_out_q];
  end

  always @(posedge clk_i) if (push) needs_q[op_in_q] <= needs_i;

  assign op_o      = entered_q ? entered_op_q[PayloadBits+:OpBits] : {OpBits{1'b0}};
  assign payload_o = entered_op_q[0+:PayloadBits];
  assign data_o    = data_q;

  // ---------------------------------------------------------------- requests
  sf_spill #(
    .Width(AddrBits)
  ) u_address (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (push && needs_i),
    .in_ready_o (room),
    .in_data_i  (addr_i),
    .out_valid_o(req_valid_o),
    .out_ready_i(req_ready_i),
    .out_data_o (req_addr_o)
  );

endmodule

`default_nettype wire
