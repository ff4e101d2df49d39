//# Self-checking bench, for any Verilog simulator. #//
// Bench of @{ top }@: sends the beats of tb/input.hex, compares the output with tb/expected.hex and reports.
//
// Run in the design directory:
//   iverilog -g2005 -o tb/tb.vvp tb/tb.v rtl/*.v && vvp -N tb/tb.vvp
// PASS ends in $finish, FAIL in $stop: Verilog-2005 has no other way to tell them apart, and with -N vvp exits with 1 at
// a $stop (without it, it asks what to do).
// +patience=N sets how many cycles without an output beat count as a hang; +tail=N for how many cycles after the last
// beat nothing more may come; +stall=1 holds the output back at random.
//%- if port.is_some() %//
// The external weight memory (mem/external.hex) answers after +latency=N cycles (20), and after up to +spread=N more (0), at random.
//%- endif %//
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
//%- if port.is_some() %//
    .out_id_o   (out_id),
    .mem_valid_o       (mem_valid),
    .mem_ready_i       (mem_ready),
    .mem_addr_o        (mem_addr),
    .mem_answer_valid_i(answer_valid),
    .mem_answer_data_i (answer_data)
//%- else %//
    .out_id_o   (out_id)
//%- endif %//
  );

//% if let Some(port) = port %//
  // External weight memory: requests wait in a ring with the cycle in which each is answered.
  localparam Words    = @{ port.words }@;
  localparam Requests = 256;
  reg  [@{ port.word_bits - 1 }@:0] weights[0:Words-1];
  reg  [@{ port.addr_bits - 1 }@:0] asked[0:Requests-1];
  integer due[0:Requests-1];
  integer first;
  integer next;
  integer latency;
  integer spread;
  integer clocks;
  integer seed_memory;
  wire mem_valid;
  wire mem_ready = rst_n && (next - first < Requests);
  wire [@{ port.addr_bits - 1 }@:0] mem_addr;
  reg  answer_valid;
  reg  [@{ port.word_bits - 1 }@:0] answer_data;

  initial begin
    $readmemh("mem/external.hex", weights);
    if (!$value$plusargs("latency=%d", latency)) latency = 20;
    if (!$value$plusargs("spread=%d", spread)) spread = 0;
    first        = 0;
    next         = 0;
    clocks       = 0;
    seed_memory  = 2;
    answer_valid = 1'b0;
    answer_data  = {@{ port.word_bits }@{1'bx}};
  end

  always @(posedge clk) begin
    clocks <= clocks + 1;
    answer_valid <= 1'b0;
    answer_data  <= {@{ port.word_bits }@{1'bx}};
    if (mem_valid && mem_ready) begin
      asked[next % Requests] = mem_addr;
      due[next % Requests]   = clocks + latency - 1 + ((spread > 0) ? ($unsigned($random(seed_memory)) % (spread + 1)) : 0);
      next = next + 1;
    end
    if (first < next && due[first % Requests] <= clocks) begin
      answer_valid <= 1'b1;
      answer_data  <= weights[asked[first % Requests]];
      first = first + 1;
    end
  end

//% endif %//

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
