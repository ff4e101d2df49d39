// Stage A of a core of leaky neurons: the arithmetic on one group of lanes. Takes the place of sf_lanes.
//
// Contract: in a cycle with en_i, executes one op on Lanes neurons. A word of the membrane memory holds for each lane
// {u, a, v}, v lowest: current, input of the step, membrane. `load_i` takes it from the memory's read data, otherwise what
// is not in the memory yet is taken from what the previous op left. Ops:
//   op_init_i  v <- v_init, a <- 0, u <- 0
//   op_acc_i   a <- a + addend (written to the memory if store_i)
//   op_fire_i  one of the four slots of firing; first_i, last_i mark the first and the last, in which the result is given:
//                u' = rtz(u * (4096 - du), 12) + (a << Align)             rtz rounds towards zero
//                v' = clamp(rtz(v * (4096 - dv), 12) + u' + bias, VMin, VMax)
//                spike = v' > theta;  v <- v' or what the reset leaves;  u <- u';  a <- 0
//   image_last_i  the phase is the image's last: v <- v_init, u <- 0 after firing
// Without a threshold (Fires = 0) nothing fires and nothing is reset: the result is v' of all lanes, in an image's last phase alone.
// The four slots are the stages products, decayed values, clamped membrane, decision. Word and parameters must be there in all
// four of them; a stall may come between any two. u' is as wide as the range proof says, so that it cannot wrap: CurrentBits is 0 or at
// least InputBits + Align.
//
// Parameters: StateBits = MembraneBits + InputBits + CurrentBits; CurrentBits = 0: no neuron keeps a current, u' = a << Align.
// param_i has for ParamLanes lanes, of which ParamFirst is lane 0, the fields {du, dv, reset, bias, v_init, theta}, theta
// lowest, each a field a lane. Of DuBits, DvBits, ResetBits = 0 there is no field, and all neurons have KeepU = 4096 - du,
// KeepV = 4096 - dv, ResetBy. Subtract = 1: a spike takes `reset` from the membrane, otherwise it leaves `reset`.
// Fires = 0: a readout, whose threshold and reset do not matter. res_value_o is v'.
// Forward = 1: load_i = 0 stands for the whole state, otherwise for `a` alone.
`default_nettype none

module sf_leaky_lanes #(
  parameter Lanes        = 4,
  parameter MembraneBits = 16,
  parameter InputBits    = 12,
  parameter CurrentBits  = 0,
  parameter StateBits    = MembraneBits + InputBits + CurrentBits,
  parameter AddendBits   = 12,
  parameter ThetaBits    = 8,
  parameter BiasBits     = 1,
  parameter ResetBits    = 0,
  parameter DvBits       = 0,
  parameter DuBits       = 0,
  parameter ParamLanes   = Lanes,
  parameter ParamFirst   = 0,
  parameter ParamBits    = ThetaBits + MembraneBits + BiasBits + ResetBits + DvBits + DuBits,
  parameter Align        = 0,
  parameter Subtract     = 0,
  parameter Fires        = 1,
  parameter Forward      = 0,
  parameter [12:0] KeepU = 13'd0,
  parameter [12:0] KeepV = 13'd4096,
  parameter [MembraneBits-1:0] ResetBy = {MembraneBits{1'b0}},
  parameter [MembraneBits-1:0] VMin    = {1'b1, {(MembraneBits-1){1'b0}}},
  parameter [MembraneBits-1:0] VMax    = {1'b0, {(MembraneBits-1){1'b1}}}
) (
  input  wire                            clk_i,
  input  wire                            en_i,
  // op
  input  wire                            op_init_i,
  input  wire                            op_acc_i,
  input  wire                            op_fire_i,
  input  wire                            load_i,
  input  wire                            store_i,
  input  wire                            first_i,
  input  wire                            last_i,
  input  wire                            image_last_i,
  input  wire [Lanes-1:0]                exists_i,
  input  wire [Lanes*AddendBits-1:0]     addend_i,
  // parameters of the group
  input  wire [ParamLanes*ParamBits-1:0] param_i,
  // membrane memory
  input  wire [Lanes*StateBits-1:0]      rdata_i,
  output wire                            we_o,
  output wire [Lanes*StateBits-1:0]      wdata_o,
  // result
  output wire                            res_valid_o,
  output wire [Lanes-1:0]                res_mask_o,
  output wire [Lanes*MembraneBits-1:0]   res_value_o
);

  // Where the fields begin in param_i.
  localparam VInitAt = ParamLanes * ThetaBits;
  localparam BiasAt  = VInitAt + ParamLanes * MembraneBits;
  localparam ResetAt = BiasAt + ParamLanes * BiasBits;
  localparam DvAt    = ResetAt + ParamLanes * ResetBits;
  localparam DuAt    = DvAt + ParamLanes * DvBits;

  localparam AlignedBits = InputBits + Align;
  localparam UBits       = (CurrentBits > 0) ? CurrentBits : AlignedBits;
  localparam ProductBits = MembraneBits + 14;
  // Three addends of the membrane's, the current's and the bias's width.
  localparam Wide1       = (MembraneBits > UBits) ? MembraneBits : UBits;
  localparam SumBits     = ((Wide1 > BiasBits) ? Wide1 : BiasBits) + 2;
  localparam CompareBits = ((MembraneBits > ThetaBits) ? MembraneBits : ThetaBits) + 1;

  assign we_o        = en_i && (op_init_i || (op_acc_i && store_i) || (op_fire_i && last_i));
  assign res_valid_o = op_fire_i && last_i;

  wire unused_inputs = &{1'b0, param_i, first_i};

  genvar l;
  generate
    for (l = 0; l < Lanes; l = l + 1) begin : g_lane
      localparam Lane = ParamFirst + l;
      wire [ThetaBits-1:0]    theta  = param_i[Lane*ThetaBits+:ThetaBits];
      wire [MembraneBits-1:0] v_init = param_i[VInitAt+Lane*MembraneBits+:MembraneBits];
      wire [BiasBits-1:0]     bias   = param_i[BiasAt+Lane*BiasBits+:BiasBits];
      wire [StateBits-1:0]    read   = rdata_i[l*StateBits+:StateBits];
      wire [AddendBits-1:0]   addend = addend_i[l*AddendBits+:AddendBits];

      // ---------------------------------------------------------------- state before the op
      wire [StateBits-1:0]    written;
      wire [MembraneBits-1:0] v;
      wire [InputBits-1:0]    a;
      wire [StateBits-1:0]    state;
      wire [InputBits-1:0]    sum;

      if (Forward != 0) begin : g_forward
        reg [StateBits-1:0] state_q;
        assign state = load_i ? read : state_q;
        always @(posedge clk_i) begin
          if (en_i) state_q <= (op_fire_i && !last_i) ? state : written;
        end
        assign a = state[MembraneBits+:InputBits];
      end else begin : g_sum
        reg [InputBits-1:0] a_q;
        assign state = read;
        assign a     = load_i ? read[MembraneBits+:InputBits] : a_q;
        always @(posedge clk_i) if (en_i) a_q <= sum;
      end
      assign v = state[MembraneBits-1:0];
      wire unused_state = &{1'b0, state};

      // ---------------------------------------------------------------- input: the range proof says that it cannot wrap
      wire [InputBits-1:0] added;
      assign sum = a + (op_acc_i ? added : {InputBits{1'b0}});
      if (AddendBits >= InputBits) begin : g_cut
        wire unused_addend = &{1'b0, addend};
        assign added = addend[InputBits-1:0];
      end else begin : g_extend
        assign added = {{(InputBits-AddendBits){addend[AddendBits-1]}}, addend};
      end

      // ---------------------------------------------------------------- slot 0: products
      wire [12:0] keep_v;
      if (DvBits > 0) begin : g_dv
        assign keep_v = 13'd4096 - param_i[DvAt+Lane*DvBits+:DvBits];
      end else begin : g_keep_v
        assign keep_v = KeepV;
      end
      wire signed [ProductBits-1:0] v_wide = {{14{v[MembraneBits-1]}}, v};
      wire signed [ProductBits-1:0] v_keep = {{(ProductBits-13){1'b0}}, keep_v};
      reg  signed [ProductBits-1:0] v_product_q;
      reg  [InputBits-1:0]          a_slot_q;
      always @(posedge clk_i) begin
        if (en_i) begin
          v_product_q <= v_wide * v_keep;
          a_slot_q    <= a;
        end
      end

      // ---------------------------------------------------------------- slot 1: decays, the new current
      // Dropping the low bits rounds down; a negative product with a remainder needs one more.
      wire v_carry = v_product_q[ProductBits-1] && (|v_product_q[11:0]);
      wire [MembraneBits-1:0] v_kept = v_product_q[12+:MembraneBits] + {{(MembraneBits-1){1'b0}}, v_carry};
      wire unused_top = &{1'b0, v_product_q[ProductBits-1:12+MembraneBits]};
      wire [SumBits-1:0]      v_bias = {{(SumBits-MembraneBits){v_kept[MembraneBits-1]}}, v_kept}
                                     + {{(SumBits-BiasBits){bias[BiasBits-1]}}, bias};
      wire [UBits-1:0]        a_aligned;
      wire [UBits-1:0]        u_next;
      if (Align > 0) begin : g_align
        wire [AlignedBits-1:0] shifted = {a_slot_q, {Align{1'b0}}};
        if (UBits > AlignedBits) begin : g_wide
          assign a_aligned = {{(UBits-AlignedBits){shifted[AlignedBits-1]}}, shifted};
        end else begin : g_same
          assign a_aligned = shifted;
        end
      end else if (UBits > InputBits) begin : g_extend_a
        assign a_aligned = {{(UBits-InputBits){a_slot_q[InputBits-1]}}, a_slot_q};
      end else begin : g_plain_a
        assign a_aligned = a_slot_q;
      end

      reg [SumBits-1:0] v_bias_q;
      reg [UBits-1:0]   u_q;
      always @(posedge clk_i) begin
        if (en_i) begin
          v_bias_q <= v_bias;
          u_q      <= u_next;
        end
      end

      // ---------------------------------------------------------------- slot 2: the new membrane
      wire signed [SumBits-1:0] v_sum = v_bias_q + {{(SumBits-UBits){u_q[UBits-1]}}, u_q};
      wire signed [SumBits-1:0] v_min = {{(SumBits-MembraneBits){VMin[MembraneBits-1]}}, VMin};
      wire signed [SumBits-1:0] v_max = {{(SumBits-MembraneBits){VMax[MembraneBits-1]}}, VMax};
      reg  [MembraneBits-1:0]   v_q;
      always @(posedge clk_i) begin
        if (en_i) begin
          v_q <= (v_sum < v_min) ? VMin : (v_sum > v_max) ? VMax : v_sum[MembraneBits-1:0];
        end
      end

      // ---------------------------------------------------------------- slot 3: decision and reset
      wire [MembraneBits-1:0] v_next;
      assign res_value_o[l*MembraneBits+:MembraneBits] = v_q;
      if (Fires != 0) begin : g_fire
        wire signed [CompareBits-1:0] v_compared = {{(CompareBits-MembraneBits){v_q[MembraneBits-1]}}, v_q};
        wire signed [CompareBits-1:0] threshold  = {{(CompareBits-ThetaBits){theta[ThetaBits-1]}}, theta};
        wire                          spike      = (v_compared > threshold);
        wire [MembraneBits-1:0]       by;
        if (ResetBits == 0) begin : g_reset_by
          assign by = ResetBy;
        end else if (ResetBits >= MembraneBits) begin : g_reset_cut
          // Only modulo 2^MembraneBits counts, because what is left fits.
          assign by = param_i[ResetAt+Lane*ResetBits+:MembraneBits];
        end else begin : g_reset
          wire [ResetBits-1:0] reset = param_i[ResetAt+Lane*ResetBits+:ResetBits];
          assign by = {{(MembraneBits-ResetBits){reset[ResetBits-1]}}, reset};
        end
        wire [MembraneBits-1:0] v_left = (Subtract != 0) ? v_q - by : by;
        assign v_next = spike ? v_left : v_q;
        assign res_mask_o[l] = exists_i[l] && spike;
      end else begin : g_readout
        wire unused_theta = &{1'b0, theta};
        assign v_next = v_q;
        assign res_mask_o[l] = exists_i[l] && image_last_i;
      end

      // ---------------------------------------------------------------- state after the op
      wire                    renew   = op_init_i || (op_fire_i && image_last_i);
      wire [MembraneBits-1:0] v_write = renew ? v_init : op_acc_i ? v : v_next;
      wire [InputBits-1:0]    a_write = op_acc_i ? sum : {InputBits{1'b0}};

      if (CurrentBits > 0) begin : g_current
        localparam UProductBits = CurrentBits + 14;
        wire [CurrentBits-1:0] u = state[MembraneBits+InputBits+:CurrentBits];
        wire [12:0] keep_u;
        if (DuBits > 0) begin : g_du
          assign keep_u = 13'd4096 - param_i[DuAt+Lane*DuBits+:DuBits];
        end else begin : g_keep_u
          assign keep_u = KeepU;
        end
        wire signed [UProductBits-1:0] u_wide = {{14{u[CurrentBits-1]}}, u};
        wire signed [UProductBits-1:0] u_keep = {{(UProductBits-13){1'b0}}, keep_u};
        reg  signed [UProductBits-1:0] u_product_q;
        always @(posedge clk_i) if (en_i) u_product_q <= u_wide * u_keep;
        wire u_carry = u_product_q[UProductBits-1] && (|u_product_q[11:0]);
        wire [CurrentBits-1:0] u_kept = u_product_q[12+:CurrentBits] + {{(CurrentBits-1){1'b0}}, u_carry};
        wire unused_u_top = &{1'b0, u_product_q[UProductBits-1:12+CurrentBits]};
        assign u_next = u_kept + a_aligned;
        wire [CurrentBits-1:0] u_write = renew ? {CurrentBits{1'b0}} : op_acc_i ? u : u_q;
        assign written = {u_write, a_write, v_write};
      end else begin : g_no_current
        assign u_next  = a_aligned;
        assign written = {a_write, v_write};
      end

      assign wdata_o[l*StateBits+:StateBits] = written;
    end
  endgenerate

endmodule

`default_nettype wire
