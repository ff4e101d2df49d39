// Leaky integrate-and-fire neuron, one update per cycle.
//
// Purpose
//   Computes one time step of one neuron from its state and parameters; the state lives outside, so
//   one instance serves many neurons in turn. No design contains it: it is the reference that is proved equal to
//   the equations and with which sf_leaky_lanes, which the cores have, is compared. With the default parameters it is the Loihi 2 LIF:
//     u' = wrap(rtz(u * (4096 - (du + 1)), 12) + (a << 6))
//     v' = clamp(rtz(v * (4096 - dv), 12) + u' + (bias_mant << bias_exp))
//     spike = v' > (vth << 6)
//   rtz divides by a power of two and rounds towards zero. The current u is not reset.
//
// Contract
//   u is modulo 2^24 in (-2^23, 2^23]: the pattern 0x800000 stands for +2^23, there is no -2^23.
//   v is two's complement in [-(2^23 - 1), 2^23 - 1]; v_i must not be 0x800000.
//   After a spike v is: ResetMode 0: zero; 1: reset_i (a voltage, two's complement);
//   2: v' - reset_i (an amount, unsigned, at most (vth + 1) << Align).
//   clamp_o is 1 if v' was clamped.
//   en_i = 0 holds every register. Outputs are meaningful while valid_o is 1.
//
// Parameters
//   StateWidth bits of u and v; DecayWidth bits of du and dv, in units of 2^-DecayWidth; InputWidth
//   bits of a (two's complement); BiasWidth, BiasExpWidth bits of mantissa (two's complement) and
//   exponent; ThetaWidth bits of vth; Align left shift of a and vth; ResetMode see above.
//   Needed: ThetaWidth + Align < StateWidth, BiasWidth + 2^BiasExpWidth - 1 <= StateWidth,
//   InputWidth < StateWidth, DecayWidth <= StateWidth - 2, BiasExpWidth >= 1.
//
// Latency
//   3 enabled cycles from inputs to outputs; one update may enter per enabled cycle.

`default_nettype none

module sf_neuron_lif #(
  parameter StateWidth   = 24,
  parameter DecayWidth   = 12,
  parameter InputWidth   = 18,
  parameter BiasWidth    = 13,
  parameter BiasExpWidth = 3,
  parameter ThetaWidth   = 17,
  parameter Align        = 6,
  parameter ResetMode    = 0
) (
  input  wire                    clk_i,
  input  wire                    rst_ni,
  input  wire                    en_i,
  // one neuron: its state, its input and its parameters
  input  wire                    valid_i,
  input  wire [StateWidth-1:0]   u_i,
  input  wire [StateWidth-1:0]   v_i,
  input  wire [InputWidth-1:0]   a_i,
  input  wire [DecayWidth-1:0]   du_i,
  input  wire [DecayWidth-1:0]   dv_i,
  input  wire [BiasWidth-1:0]    bias_mant_i,
  input  wire [BiasExpWidth-1:0] bias_exp_i,
  input  wire [ThetaWidth-1:0]   vth_i,
  input  wire [StateWidth-1:0]   reset_i,
  // the same neuron, one time step later
  output wire                    valid_o,
  output wire [StateWidth-1:0]   u_o,
  output wire [StateWidth-1:0]   v_o,
  output wire                    spike_o,
  output wire                    clamp_o
);

  localparam SumWidth   = StateWidth + 2;               // three addends of StateWidth bits
  localparam ProdWidth  = StateWidth + DecayWidth + 2;  // state times a factor of 0 to 2^DecayWidth
  localparam ShiftWidth = BiasWidth + (1 << BiasExpWidth) - 1;
  localparam [StateWidth-1:0] UTop = {1'b1, {(StateWidth-1){1'b0}}};  // stands for +2^23

  // ---- Stage 1: decay products and the aligned bias ---------------------------------------------

  wire signed [StateWidth-1:0] u = u_i;
  wire signed [StateWidth-1:0] v = v_i;

  // 2^n - (du + 1) is the complement of du; 2^n - dv needs one bit more.
  wire signed [DecayWidth+1:0] keep_u = {2'b00, ~du_i};
  wire signed [DecayWidth+1:0] keep_v = {2'b01, {DecayWidth{1'b0}}} - {2'b00, dv_i};

  wire signed [ShiftWidth-1:0] bias_wide =
    {{(ShiftWidth-BiasWidth){bias_mant_i[BiasWidth-1]}}, bias_mant_i};

  reg signed [ProdWidth-1:0]  prod_u_q;
  reg signed [ProdWidth-1:0]  prod_v_q;
  reg        [DecayWidth-1:0] keep_u_q;
  reg                         top_u_q;
  reg        [ShiftWidth-1:0] bias_q;
  reg        [InputWidth-1:0] a_q;

  always @(posedge clk_i) begin
    if (en_i) begin
      prod_u_q <= u * keep_u;
      prod_v_q <= v * keep_v;
      keep_u_q <= ~du_i;
      top_u_q  <= u_i == UTop;
      bias_q   <= bias_wide <<< bias_exp_i;
      a_q      <= a_i;
    end
  end

  // ---- Stage 2: rounding, the new current, and what else goes into the voltage ------------------

  // Dropping low bits rounds down; a negative product with a remainder needs one more to be rounded
  // towards zero.
  wire carry_u = prod_u_q[ProdWidth-1] & (|prod_u_q[DecayWidth-1:0]);
  wire carry_v = prod_v_q[ProdWidth-1] & (|prod_v_q[DecayWidth-1:0]);

  // The pattern of +2^23 was multiplied as -2^23; its decay has no remainder, so it is made anew.
  wire [StateWidth-1:0] u_kept =
    top_u_q ? {1'b0, keep_u_q, {(StateWidth-1-DecayWidth){1'b0}}}
            : prod_u_q[DecayWidth +: StateWidth];

  // Dropping the carry out of the top bit is the wrap.
  wire [StateWidth-1:0] a_aligned =
    {{(StateWidth-InputWidth){a_q[InputWidth-1]}}, a_q} << Align;
  wire [StateWidth-1:0] u_d = u_kept + a_aligned + {{(StateWidth-1){1'b0}}, carry_u};

  wire [SumWidth-1:0] bias_aligned = {{(SumWidth-ShiftWidth){bias_q[ShiftWidth-1]}}, bias_q};
  wire [SumWidth-1:0] rest_d = prod_v_q[DecayWidth +: SumWidth] + bias_aligned
                             + {{(SumWidth-1){1'b0}}, carry_v};

  reg [StateWidth-1:0] u_q;
  reg [SumWidth-1:0]   rest_q;

  always @(posedge clk_i) begin
    if (en_i) begin
      u_q    <= u_d;
      rest_q <= rest_d;
    end
  end

  // ---- Operands that stage 3 needs travel along, and so does valid ------------------------------

  reg [ThetaWidth-1:0] vth_early_q;
  reg [ThetaWidth-1:0] vth_q;
  reg [StateWidth-1:0] reset_early_q;
  reg [StateWidth-1:0] reset_q;
  reg [2:0]            valid_q;

  always @(posedge clk_i) begin
    if (en_i) begin
      vth_early_q   <= vth_i;
      vth_q         <= vth_early_q;
      reset_early_q <= reset_i;
      reset_q       <= reset_early_q;
    end
  end

  always @(posedge clk_i) begin
    if (!rst_ni)   valid_q <= 3'b000;
    else if (en_i) valid_q <= {valid_q[1:0], valid_i};
  end

  // ---- Stage 3: the new voltage, clamp, decision, reset -----------------------------------------

  wire [SumWidth-1:0] u_sum = {{2{u_q[StateWidth-1] & (u_q != UTop)}}, u_q};
  wire signed [SumWidth-1:0] v_sum = rest_q + u_sum;
  wire signed [SumWidth-1:0] theta = {{(SumWidth-ThetaWidth){1'b0}}, vth_q} << Align;

  // The threshold lies below the clamp, so the sum before the clamp decides alike.
  wire spike_d = v_sum > theta;

  // Within +-(2^23 - 1) all bits from 23 up equal the sign, and the pattern is not that of -2^23.
  wire negative = v_sum[SumWidth-1];
  wire above    = !negative && |v_sum[SumWidth-2:StateWidth-1];
  wire below    = negative && !(&v_sum[SumWidth-2:StateWidth-1] && |v_sum[StateWidth-2:0]);
  wire [StateWidth-1:0] v_clamped = above ? ~UTop : below ? UTop + 1'b1 : v_sum[StateWidth-1:0];
  wire [StateWidth-1:0] v_reset;
  wire [StateWidth-1:0] v_d = spike_d ? v_reset : v_clamped;

  generate
    if (ResetMode == 0) begin : g_zero
      assign v_reset = {StateWidth{1'b0}};
      wire unused = &{1'b0, reset_q};
    end else begin : g_operand
      assign v_reset = (ResetMode == 1) ? reset_q : v_clamped - reset_q;
    end
  endgenerate

  reg [StateWidth-1:0] u_out_q;
  reg [StateWidth-1:0] v_out_q;
  reg                  spike_q;
  reg                  clamp_q;

  always @(posedge clk_i) begin
    if (en_i) begin
      u_out_q <= u_q;
      v_out_q <= v_d;
      spike_q <= spike_d;
      clamp_q <= above | below;
    end
  end

  assign valid_o = valid_q[2];
  assign u_o     = u_out_q;
  assign v_o     = v_out_q;
  assign spike_o = spike_q;
  assign clamp_o = clamp_q;

endmodule

`default_nettype wire
