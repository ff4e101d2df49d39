// sf_weight_fetch: the ops offered enter the back in order, each once, with its own payload, and those that need a word with the
// answer to their own request; requests are made in order, once each; hold_o is what the contract says; firing slots that follow
// each other without a gap at the front do so at the back. Any memory: it answers what was asked, in order, whenever it likes.
`default_nettype none

module sf_weight_fetch_props #(
  parameter Depth = 4
) (
  input wire       clk,
  input wire       rst_n,
  input wire       stall,
  input wire [1:0] op,
  input wire       needs,
  input wire [1:0] addr,
  input wire [1:0] payload,
  input wire       req_ready,
  input wire       rsp_valid,
  input wire [1:0] rsp_data
);

  wire       hold;
  wire [1:0] out_op;
  wire [1:0] out_payload;
  wire [1:0] out_data;
  wire       req_valid;
  wire [1:0] req_addr;

  (* hierconn *) wire [1:0] \dut.op_in_q ;
  (* hierconn *) wire [1:0] \dut.op_out_q ;
  (* hierconn *) wire [2:0] \dut.queued_q ;
  (* hierconn *) wire [1:0] \dut.word_in_q ;
  (* hierconn *) wire [1:0] \dut.word_out_q ;
  (* hierconn *) wire [2:0] \dut.stored_q ;
  (* hierconn *) wire [3:0] \dut.needs_q ;
  (* hierconn *) wire       \dut.entered_q ;
  (* hierconn *) wire [3:0] \dut.entered_op_q ;
  (* hierconn *) wire [1:0] \dut.data_q ;
  (* hierconn *) wire [3:0] \dut.ops_q[0] ;
  (* hierconn *) wire [3:0] \dut.ops_q[1] ;
  (* hierconn *) wire [3:0] \dut.ops_q[2] ;
  (* hierconn *) wire [3:0] \dut.ops_q[3] ;
  (* hierconn *) wire [1:0] \dut.words_q[0] ;
  (* hierconn *) wire [1:0] \dut.words_q[1] ;
  (* hierconn *) wire [1:0] \dut.words_q[2] ;
  (* hierconn *) wire [1:0] \dut.words_q[3] ;
  (* hierconn *) wire       \dut.u_address.head_valid_q ;
  (* hierconn *) wire       \dut.u_address.tail_valid_q ;
  (* hierconn *) wire [1:0] \dut.u_address.head_q ;
  (* hierconn *) wire [1:0] \dut.u_address.tail_q ;

  sf_weight_fetch #(.Depth(Depth), .DepthBits(2), .OpBits(2), .PayloadBits(2), .AddrBits(2), .WordBits(2)) dut (
    .clk_i(clk), .rst_ni(rst_n),
    .hold_o(hold), .op_i(op), .needs_i(needs), .addr_i(addr), .payload_i(payload),
    .stall_i(stall), .op_o(out_op), .payload_o(out_payload), .data_o(out_data),
    .req_valid_o(req_valid), .req_ready_i(req_ready), .req_addr_o(req_addr),
    .rsp_valid_i(rsp_valid), .rsp_data_i(rsp_data)
  );

  // ---------------------------------------------------------------- reference: lists, oldest entry lowest
  // Ops in the queue: {op, payload, needs}; addresses that wait; requests under way; answers stored.
  reg [2:0] count;
  reg [4:0] ops [0:3];
  reg [1:0] waiting;
  reg [1:0] addresses [0:1];
  reg [2:0] flying;
  reg [2:0] stored;
  reg [1:0] words [0:3];
  reg       entered;
  reg [4:0] last;
  reg [1:0] word;

  wire push   = !hold && |op;
  wire asks   = push && needs;
  wire taken  = req_valid && req_ready;
  wire enter  = !stall && count != 0 && (!ops[0][0] || stored != 0);
  wire uses   = enter && ops[0][0];

  // The memory answers only what was asked before.
  always @* assume (!rsp_valid || flying != 0);

  initial assume (!rst_n);

  reg     started = 1'b0;
  integer i;
  always @(posedge clk) begin
    started <= 1'b1;
    if (!rst_n) begin
      count   <= 0;
      waiting <= 0;
      flying  <= 0;
      stored  <= 0;
      entered <= 1'b0;
    end else begin
      count   <= count + push - enter;
      waiting <= waiting + asks - taken;
      flying  <= flying + taken - rsp_valid;
      stored  <= stored + rsp_valid - uses;
      if (!stall) entered <= enter;
      if (enter) last <= ops[0];
      if (uses) word <= words[0];
    end
    for (i = 0; i < 4; i = i + 1) begin
      if (enter && i < 3) ops[i] <= ops[(i < 3) ? i + 1 : 3];
      if (push && i == count - enter) ops[i] <= {op, payload, needs};
      if (uses && i < 3) words[i] <= words[(i < 3) ? i + 1 : 3];
      if (rsp_valid && i == stored - uses) words[i] <= rsp_data;
    end
    if (taken) addresses[0] <= addresses[1];
    if (asks) addresses[(waiting - taken != 0) ? 1 : 0] <= addr;
  end

  // ---------------------------------------------------------------- what must hold
  always @* if (started) begin
    assert (hold == (stall || count == 4 || waiting == 2));
    assert (req_valid == (waiting != 0));
    if (req_valid) assert (req_addr == addresses[0]);
    assert (out_op == (entered ? last[4:3] : 2'd0));
    if (entered) assert (out_payload == last[2:1]);
    if (entered && last[0]) assert (out_data == word);
  end

  // Every op that needs a word has exactly one address, request or answer: nothing overflows, and an op at the head never waits
  // for an answer that will not come.
  wire [4:0] needing = (count > 0 && ops[0][0]) + (count > 1 && ops[1][0]) + (count > 2 && ops[2][0]) + (count > 3 && ops[3][0]);
  always @* if (started) begin
    assert ({3'd0, waiting} + {2'd0, flying} + {2'd0, stored} == needing);
    assert (count <= 4 && waiting <= 2);
  end

  // What makes the above inductive.
  genvar n;
  generate
    for (n = 0; n < 4; n = n + 1) begin : g_at
      wire [1:0] at = \dut.op_out_q + n;
      wire [3:0] there = (at == 0) ? \dut.ops_q[0] : (at == 1) ? \dut.ops_q[1] : (at == 2) ? \dut.ops_q[2] : \dut.ops_q[3] ;
      wire [1:0] from = \dut.word_out_q + n;
      wire [1:0] kept = (from == 0) ? \dut.words_q[0] : (from == 1) ? \dut.words_q[1]
                      : (from == 2) ? \dut.words_q[2] : \dut.words_q[3] ;
      always @* if (started) begin
        if (n < count) assert (there == ops[n][4:1] && \dut.needs_q [at] == ops[n][0] && |ops[n][4:3]);
        if (n < stored) assert (kept == words[n]);
      end
    end
  endgenerate

  wire [1:0] op_end   = \dut.op_out_q + count[1:0];
  wire [1:0] word_end = \dut.word_out_q + stored[1:0];
  always @* if (started) begin
    assert (\dut.queued_q == count && \dut.stored_q == stored);
    assert (\dut.op_in_q == op_end && \dut.word_in_q == word_end);
    assert (\dut.entered_q == entered);
    if (entered) assert (\dut.entered_op_q == last[4:1] && |last[4:3]);
    if (entered && last[0]) assert (\dut.data_q == word);
    assert (\dut.u_address.head_valid_q == (waiting != 0) && \dut.u_address.tail_valid_q == (waiting == 2));
    if (waiting != 0) assert (\dut.u_address.head_q == addresses[0]);
    if (waiting == 2) assert (\dut.u_address.tail_q == addresses[1]);
  end

  // ---------------------------------------------------------------- firing slots do not part
  // The front offers a group's slots (op 3, none of which needs a word) one in each cycle without hold_o; `parted` would be a bubble
  // between two of them at the back.
  reg offered_slot;
  always @(posedge clk) begin
    if (!rst_n) offered_slot <= 1'b0;
    else if (!hold) offered_slot <= (op == 2'd3) && !payload[0];
  end
  // payload[0] marks the last slot.
  always @* begin
    assume (!(op == 2'd3 && needs));
    if (offered_slot) assume (op == 2'd3);
  end
  reg between;
  always @(posedge clk) begin
    if (!rst_n) between <= 1'b0;
    else if (!stall && enter) between <= (ops[0][4:3] == 2'd3) && !ops[0][1];
  end
  always @* if (started && rst_n) begin
    // The last op in the queue is what was offered last, so behind an unfinished group more slots follow.
    if (between) assert (count != 0);
    if (between) assert (ops[0][4:3] == 2'd3 && !ops[0][0]);
    // Inductive: slots stand together, and while one waits unfinished at the end of the queue the front is about to offer the next.
    if (count > 1 && ops[0][4:3] == 2'd3 && !ops[0][1]) assert (ops[1][4:3] == 2'd3);
    if (count > 2 && ops[1][4:3] == 2'd3 && !ops[1][1]) assert (ops[2][4:3] == 2'd3);
    if (count > 3 && ops[2][4:3] == 2'd3 && !ops[2][1]) assert (ops[3][4:3] == 2'd3);
    if (count > 0 && ops[0][4:3] == 2'd3) assert (!ops[0][0]);
    if (count > 1 && ops[1][4:3] == 2'd3) assert (!ops[1][0]);
    if (count > 2 && ops[2][4:3] == 2'd3) assert (!ops[2][0]);
    if (count > 3 && ops[3][4:3] == 2'd3) assert (!ops[3][0]);
    if (count != 0) assert (offered_slot == (ops[count - 1][4:3] == 2'd3 && !ops[count - 1][1]));
    else assert (offered_slot == between);
    if (entered) assert (between == (last[4:3] == 2'd3 && !last[1]));
  end

  always @(posedge clk) if (started && rst_n) begin
    cover (count == 4 && stored == 2);
    cover (entered && last[0] && out_op == 2 && stored == 1);
    cover (between && $past(between) && entered);
  end

endmodule

`default_nettype wire
