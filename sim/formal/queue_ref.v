// Reference for the spill register that stands at a module's output: a queue of at most two beats.
//
// The beats given at push_i must leave at the output in order, each once. `valid_i`, `ready_i`, `data_i` are the output
// under proof; `tail_valid_i` and `tail_i` show the second entry of the spill register, which induction needs to know.
`default_nettype none

module queue_ref #(
  parameter Width  = 2,
  parameter Refill = 2
) (
  input  wire             clk_i,
  input  wire             rst_ni,
  input  wire             push_i,
  input  wire [Width-1:0] beat_i,
  input  wire             valid_i,
  input  wire             ready_i,
  input  wire [Width-1:0] data_i,
  input  wire             tail_valid_i,
  input  wire [Width-1:0] tail_i,
  output wire             room_o
);

  reg [1:0]       count;
  reg [Width-1:0] first;
  reg [Width-1:0] second;
  reg             started = 1'b0;

  wire pop = (count != 0) && ready_i;

  assign room_o = (count < 2);

  always @(posedge clk_i) begin
    started <= 1'b1;
    if (!rst_ni) begin
      count <= 0;
    end else begin
      count <= count + push_i - pop;
      if (pop) first <= second;
      if (push_i && count - pop == 0) first <= beat_i;
      if (push_i && count - pop == 1) second <= beat_i;
    end
  end

  always @(posedge clk_i) if (started && rst_ni) begin
    assert (count <= 2);
    assert (!push_i || count < 2);
    assert (valid_i == (count > 0));
    if (count > 0) assert (data_i == first);
    // What makes the above inductive.
    assert (tail_valid_i == (count == 2));
    if (count == 2) assert (tail_i == second);
    // The protocol, said once more without the queue.
    if ($past(rst_ni && valid_i && !ready_i)) begin
      assert (valid_i);
      assert (data_i == $past(data_i));
    end
  end

  // Full, a beat left, full again: Refill cycles later at the earliest.
  generate
    if (Refill == 2) begin : g_soon
      always @(posedge clk_i) if (started && rst_ni)
        cover (count == 2 && first != second && $past(count == 2 && ready_i, 2));
    end else begin : g_later
      always @(posedge clk_i) if (started && rst_ni)
        cover (count == 2 && first != second && $past(count == 2 && ready_i, 3));
    end
  endgenerate

endmodule

`default_nettype wire
