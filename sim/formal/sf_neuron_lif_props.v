// sf_neuron_lif at small widths, against integer equations with a real division.
//
// The state u is modulo 2^StateWidth; its pattern 10...0 stands for +2^(StateWidth-1), the smallest integer does not exist.
`default_nettype none

module sf_neuron_lif_props #(
  parameter StateWidth   = 6,
  parameter DecayWidth   = 2,
  parameter InputWidth   = 3,
  parameter BiasWidth    = 3,
  parameter BiasExpWidth = 1,
  parameter ThetaWidth   = 3,
  parameter Align        = 2,
  parameter ResetMode    = 0
) (
  input wire                    clk,
  input wire                    rst_n,
  input wire                    en,
  input wire                    valid,
  input wire [StateWidth-1:0]   u,
  input wire [StateWidth-1:0]   v,
  input wire [InputWidth-1:0]   a,
  input wire [DecayWidth-1:0]   du,
  input wire [DecayWidth-1:0]   dv,
  input wire [BiasWidth-1:0]    bias_mant,
  input wire [BiasExpWidth-1:0] bias_exp,
  input wire [ThetaWidth-1:0]   vth,
  input wire [StateWidth-1:0]   reset
);

  wire                  out_valid;
  wire [StateWidth-1:0] out_u;
  wire [StateWidth-1:0] out_v;
  wire                  spike;
  wire                  clamp;

  sf_neuron_lif #(
    .StateWidth(StateWidth), .DecayWidth(DecayWidth), .InputWidth(InputWidth), .BiasWidth(BiasWidth),
    .BiasExpWidth(BiasExpWidth), .ThetaWidth(ThetaWidth), .Align(Align), .ResetMode(ResetMode)
  ) dut (
    .clk_i(clk), .rst_ni(rst_n), .en_i(en), .valid_i(valid), .u_i(u), .v_i(v), .a_i(a), .du_i(du), .dv_i(dv),
    .bias_mant_i(bias_mant), .bias_exp_i(bias_exp), .vth_i(vth), .reset_i(reset),
    .valid_o(out_valid), .u_o(out_u), .v_o(out_v), .spike_o(spike), .clamp_o(clamp)
  );

  // ------------------------------------------------ the equations, in integers
  localparam Wide = StateWidth + DecayWidth + 4;
  localparam signed [Wide-1:0] Half = 1 << (StateWidth - 1);
  localparam signed [Wide-1:0] Unit = 1 << DecayWidth;

  wire signed [Wide-1:0] u_pattern = $signed(u);
  wire signed [Wide-1:0] u_now     = (u_pattern == -Half) ? Half : u_pattern;
  wire signed [Wide-1:0] v_now     = $signed(v);
  wire signed [Wide-1:0] du_now    = $signed({1'b0, du});
  wire signed [Wide-1:0] dv_now    = $signed({1'b0, dv});
  wire signed [Wide-1:0] a_now     = $signed(a);
  wire signed [Wide-1:0] bias_now  = $signed(bias_mant);
  wire signed [Wide-1:0] vth_now   = $signed({1'b0, vth});

  // Verilog's division rounds towards zero.
  wire signed [Wide-1:0] u_sum     = (u_now * (Unit - (du_now + 1))) / Unit + a_now * (1 << Align);
  // Into (-Half, Half], which |u_sum| < 3 * Half needs at most one turn for.
  wire signed [Wide-1:0] u_next    = (u_sum > Half) ? u_sum - 2 * Half : (u_sum <= -Half) ? u_sum + 2 * Half : u_sum;
  wire signed [Wide-1:0] v_sum     = (v_now * (Unit - dv_now)) / Unit + u_next + bias_now * (1 << bias_exp);
  wire signed [Wide-1:0] v_clamped = (v_sum > Half - 1) ? Half - 1 : (v_sum < -(Half - 1)) ? -(Half - 1) : v_sum;
  wire                   fires     = v_clamped > vth_now * (1 << Align);
  wire signed [Wide-1:0] v_reset   = (ResetMode == 0) ? 0 : (ResetMode == 1) ? $signed(reset)
                                   : v_clamped - $signed({1'b0, reset});
  wire signed [Wide-1:0] v_next    = fires ? v_reset : v_clamped;

  // ------------------------------------------------ what is in the pipeline
  localparam Packed = 3 + 2 * Wide;
  wire [Packed-1:0] now = {valid, fires, v_sum != v_clamped, u_next, v_next};
  reg  [Packed-1:0] one, two, three;
  reg               filled1 = 1'b0, filled2 = 1'b0, filled3 = 1'b0;
  always @(posedge clk) begin
    if (en) begin
      {one, two, three}           <= {now, one, two};
      {filled1, filled2, filled3} <= {1'b1, filled1, filled2};
    end
    if (!rst_n) {one[Packed-1], two[Packed-1], three[Packed-1]} <= 3'b000;
  end
  wire                   e_valid, e_spike, e_clamp;
  wire signed [Wide-1:0] e_u, e_v;
  assign {e_valid, e_spike, e_clamp, e_u, e_v} = three;
  wire signed [Wide-1:0] got_u = $signed(out_u);
  wire signed [Wide-1:0] got_v = $signed(out_v);

  initial assume (!rst_n);
  always @* begin
    assume (v_now != -Half);
    if (ResetMode == 1) assume (reset != Half);
    if (ResetMode == 2) assume ({1'b0, reset} <= (vth_now + 1) << Align);
`ifdef INDUCTION
    // A pipeline that stands still for ever cannot be proved with a finite look back; that it stands still is below.
    assume (en);
`endif
  end

  reg started = 1'b0;
  always @(posedge clk) begin
    started <= 1'b1;
    if (started && rst_n) assert (out_valid == e_valid);
    if (started && rst_n && filled3 && out_valid) begin
      assert (got_u == ((e_u == Half) ? -Half : e_u));
      assert (got_v == e_v);
      assert (spike == e_spike && clamp == e_clamp);
      // The bounds, said once more.
      assert (e_u > -Half && e_u <= Half);
      assert (got_v >= -(Half - 1) && got_v <= Half - 1);
      cover (spike && clamp);
      cover (!spike && clamp && got_v < 0);
      cover (got_u == -Half);
      cover (spike && e_u < 0);
    end
    // Without enable nothing moves.
    if (started && rst_n && $past(rst_n && !en)) begin
      assert ({out_valid, out_u, out_v, spike, clamp} == $past({out_valid, out_u, out_v, spike, clamp}));
    end
  end

`ifdef INDUCTION
  // valid is in the shift register, so what it says of the last three cycles is known.
  (* hierconn *) wire [2:0] \dut.valid_q ;
  always @(posedge clk) if (started && rst_n) begin
    assert (\dut.valid_q == {three[Packed-1], two[Packed-1], one[Packed-1]});
    assert (!filled3 || filled2);
    assert (!filled2 || filled1);
  end
`endif

endmodule

`default_nettype wire
