//# Self-checking bench, for any Verilog simulator. #//
// Bench of @{ top }@: sends the beats of tb/input.hex, compares the output with tb/expected.hex and reports.
//
// Run in the design directory:
//   iverilog -g2005 -o tb/tb.vvp tb/tb.v rtl/*.v && vvp -N tb/tb.vvp
// PASS ends in $finish, FAIL in $stop: Verilog-2005 has no other way to tell them apart, and with -N vvp exits with 1 at
// a $stop (without it, it asks what to do).
// +patience=N sets how many cycles without an output beat count as a hang; +tail=N for how many cycles after the last
// beat nothing more may come; +stall=1 holds the output back at random.
`default_nettype none
`timescale 1ns / 1ps

module tb;

  localparam Inputs   = @{ inputs }@;
  localparam Outputs  = @{ outputs }@;
  localparam InWidth  = @{ input.value_bits + input.id_bits + 1 }@;
  localparam OutWidth = @{ output.value_bits + output.id_bits + 1 }@;

  reg  [InWidth-1:0]  stimulus[0:Inputs-1];
  reg  [OutWidth-1:0] expected[0:Outputs-1];

  reg  clk;
  reg  rst_n;
  integer sent;
  integer received;
  integer mismatches;
  integer extra;
  integer cycles;
  integer took;
  integer tail;
  integer quiet;
  integer patience;
  integer stalling;
  integer seed;
  reg  hold;

  wire in_valid = rst_n && (sent < Inputs);
  wire in_ready;
  wire in_last;
  wire [@{ input.value_bits - 1 }@:0] in_value;
  wire [@{ input.id_bits - 1 }@:0] in_id;
  assign {in_last, in_value, in_id} = stimulus[(sent < Inputs) ? sent : 0];

  wire out_valid;
  wire out_ready = !hold;
  wire out_last;
  wire [@{ output.value_bits - 1 }@:0] out_value;
  wire [@{ output.id_bits - 1 }@:0] out_id;
  wire [OutWidth-1:0] got = {out_last, out_value, out_id};

  @{ top }@ u_dut (
    .clk_i      (clk),
    .rst_ni     (rst_n),
    .in_valid_i (in_valid),
    .in_ready_o (in_ready),
    .in_last_i  (in_last),
    .in_value_i (in_value),
    .in_id_i    (in_id),
    .out_valid_o(out_valid),
    .out_ready_i(out_ready),
    .out_last_o (out_last),
    .out_value_o(out_value),
    .out_id_o   (out_id)
  );

  initial begin
    $readmemh("tb/input.hex", stimulus);
    $readmemh("tb/expected.hex", expected);
    if (!$value$plusargs("patience=%d", patience)) patience = @{ patience }@;
    if (!$value$plusargs("tail=%d", tail)) tail = 1000;
    if (!$value$plusargs("stall=%d", stalling)) stalling = 0;
    seed       = 1;
    hold       = 1'b0;
    sent       = 0;
    received   = 0;
    mismatches = 0;
    extra      = 0;
    cycles     = 0;
    took       = 0;
    quiet      = 0;
    clk        = 1'b0;
    rst_n      = 1'b0;
    repeat (4) @(negedge clk);
    rst_n = 1'b1;
  end

  always #5 clk = !clk;

  // Decisions fall at the rising edge, on what stood on the wires before it.
  always @(posedge clk) begin
    if (rst_n) begin
      cycles <= cycles + 1;
      quiet  <= quiet + 1;
      if (in_valid && in_ready) sent <= sent + 1;
      if (out_valid && out_ready) begin
        quiet    <= 0;
        received <= received + 1;
        if (received + 1 == Outputs) took <= cycles;
        if (received >= Outputs) begin
          extra = extra + 1;
          if (extra <= 10) $display("EXTRA beat after the last one expected: %h", got);
        // !== also catches unknown bits.
        end else if (got !== expected[received]) begin
          mismatches = mismatches + 1;
          if (mismatches <= 10)
            $display("MISMATCH at beat %0d: expected %h, got %h", received, expected[received], got);
        end
      end
      if (received >= Outputs) begin
        if (cycles - took > tail) begin
          if (mismatches == 0 && extra == 0) begin
            $display("PASS: %0d beats, %0d cycles, 0 mismatches", Outputs, took);
            $finish;
          end else begin
            $display("FAIL: %0d of %0d beats differ, %0d came after them", mismatches, Outputs, extra);
            $stop;
            $finish;
          end
        end
      end else if (quiet > patience) begin
        $display("FAIL: no output for %0d cycles after %0d of %0d beats", patience, received, Outputs);
        $stop;
        $finish;
      end
    end
  end

  always @(negedge clk) begin
    if (stalling != 0) hold = ($random(seed) & 3) != 0;
  end

endmodule

`default_nettype wire
