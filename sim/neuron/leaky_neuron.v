// The lanes of a leaky core behind the ports of sf_neuron_lif, so that both run on the same bench.
//
// Five units take turns: each holds its operands while sf_leaky_lanes goes through one accumulation and the four slots of
// firing. One update may enter per enabled cycle. The current has two bits more than on Loihi 2: it must not wrap.
`default_nettype none

module leaky_neuron #(
  parameter ResetMode = 0
) (
  input  wire        clk_i,
  input  wire        rst_ni,
  input  wire        en_i,
  input  wire        valid_i,
  input  wire [23:0] u_i,
  input  wire [23:0] v_i,
  input  wire [17:0] a_i,
  input  wire [11:0] du_i,
  input  wire [11:0] dv_i,
  input  wire [12:0] bias_mant_i,
  input  wire [2:0]  bias_exp_i,
  input  wire [16:0] vth_i,
  input  wire [23:0] reset_i,
  output wire        valid_o,
  output wire [23:0] u_o,
  output wire [23:0] v_o,
  output wire        spike_o,
  output wire        clamp_o
);

  localparam Units       = 5;
  localparam InputBits   = 19;
  localparam CurrentBits = 26;
  localparam StateBits   = 24 + InputBits + CurrentBits;
  localparam ResetBits   = (ResetMode == 0) ? 0 : 24;
  localparam ParamBits   = 24 + 24 + 20 + ResetBits + 13 + 13;

  wire signed [19:0] bias_wide = {{7{bias_mant_i[12]}}, bias_mant_i};
  wire [19:0]        bias      = bias_wide <<< bias_exp_i;
  // The pattern 0x800000 stands for +2^23.
  wire [CurrentBits-1:0] u     = {{2{u_i[23] && (|u_i[22:0])}}, u_i};
  wire [12:0]        du        = {1'b0, du_i} + 13'd1;
  wire [12:0]        dv        = {1'b0, dv_i};
  wire [23:0]        theta     = {1'b0, vth_i, 6'd0};

  reg  [2:0]                 turn_q;
  wire [Units*StateBits-1:0] wdata;
  wire [Units-1:0]           spike;
  reg  [Units-1:0]           valid_q;
  reg  [StateBits-1:0]       result_q;
  reg                        spike_q;
  reg                        valid_out_q;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      turn_q      <= 3'd0;
      valid_q     <= {Units{1'b0}};
      valid_out_q <= 1'b0;
    end else if (en_i) begin
      turn_q          <= (turn_q == Units - 1) ? 3'd0 : turn_q + 3'd1;
      valid_q[turn_q] <= valid_i;
      valid_out_q     <= valid_q[turn_q];
    end
  end

  always @(posedge clk_i) begin
    if (en_i) begin
      result_q <= wdata[turn_q*StateBits+:StateBits];
      spike_q  <= spike[turn_q];
    end
  end

  genvar i;
  generate
    for (i = 0; i < Units; i = i + 1) begin : g_unit
      wire [2:0]           age = (turn_q + Units - i - 1) % Units;
      reg  [StateBits-1:0] state_q;
      reg  [17:0]          addend_q;
      reg  [ParamBits-1:0] param_q;
      wire                 mask;
      wire                 unused_we;
      wire                 unused_valid;
      wire [23:0]          unused_v;
      assign spike[i] = mask;

      always @(posedge clk_i) begin
        if (en_i && turn_q == i) begin
          state_q  <= {u, {InputBits{1'b0}}, v_i};
          addend_q <= a_i;
        end
      end
      if (ResetMode == 0) begin : g_zero
        always @(posedge clk_i) if (en_i && turn_q == i) param_q <= {du, dv, bias, 24'h123456, theta};
      end else begin : g_reset
        always @(posedge clk_i) if (en_i && turn_q == i) param_q <= {du, dv, reset_i, bias, 24'h123456, theta};
      end

      sf_leaky_lanes #(
        .Lanes(1), .MembraneBits(24), .InputBits(InputBits), .CurrentBits(CurrentBits), .StateBits(StateBits),
        .AddendBits(18), .ThetaBits(24), .BiasBits(20), .ResetBits(ResetBits), .DvBits(13), .DuBits(13),
        .ParamBits(ParamBits), .Align(6), .Subtract(ResetMode == 2), .ResetBy(24'd0),
        .VMin(24'h800001), .VMax(24'h7fffff)
      ) u_lanes (
        .clk_i(clk_i), .en_i(en_i),
        .op_init_i(1'b0), .op_acc_i(age == 0), .op_fire_i(age != 0),
        // The sum stays in the lanes, as in a matrix core; the memory's data has no input.
        .load_i(age == 0), .store_i(1'b0), .first_i(age == 1), .last_i(age == 4), .image_last_i(1'b0),
        .exists_i(1'b1), .addend_i(addend_q), .param_i(param_q), .rdata_i(state_q),
        .we_o(unused_we), .wdata_o(wdata[i*StateBits+:StateBits]), .res_valid_o(unused_valid), .res_mask_o(mask),
        .res_value_o(unused_v)
      );
    end
  endgenerate

  assign valid_o = valid_out_q;
  assign u_o     = result_q[24+InputBits+:24];
  assign v_o     = result_q[23:0];
  assign spike_o = spike_q;
  // The lanes do not tell.
  assign clamp_o = 1'b0;

endmodule

`default_nettype wire
