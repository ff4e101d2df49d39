// Stage A of a core: the arithmetic on the membranes of one group of lanes.
//
// Contract: in a cycle with en_i, executes one op on Lanes membranes. `load_i` takes them from the membrane memory's
// read data, otherwise from the accumulators that the previous op left. The result word is given in the same cycle.
//   op_init_i  membrane <- v_init
//   op_acc_i   membrane <- membrane + addend, or the larger of the two (written to the memory if store_i)
//   op_fire_i  one slot of firing; first_i, last_i mark the first and the last slot of the group
//   image_last_i  the phase is the image's last: the membrane is left at v_init
//
// Parameters: Kind: 0 = count by successive approximation, 1 = unit spikes, 2 = one step of rate coding, 3 = readout,
// 4 = relay of what is not 0, 6 = one step of rate coding with several spikes, 7 = the same with a floor at -theta; CountBits,
// CountMax (Kinds 0, 6, 7); Max = 1: op_acc_i takes the larger (Kinds 3 and 4);
// Forward = 1: the accumulators hold what is written to the memory, so that an op on the word that the previous one wrote
// need not load it. Lanes that exists_i leaves out never send.
`default_nettype none

module sf_lanes #(
  parameter Lanes        = 4,
  parameter MembraneBits = 16,
  parameter AddendBits   = 12,
  parameter ThetaBits    = 8,
  parameter BiasBits     = 1,
  parameter ValueBits    = 4,
  parameter Kind         = 0,
  parameter CountBits    = 4,
  parameter CountMax     = 15,
  parameter Max          = 0,
  parameter Forward      = 0
) (
  input  wire                          clk_i,
  input  wire                          en_i,
  // op
  input  wire                          op_init_i,
  input  wire                          op_acc_i,
  input  wire                          op_fire_i,
  input  wire                          load_i,
  input  wire                          store_i,
  input  wire                          first_i,
  input  wire                          last_i,
  input  wire                          image_last_i,
  input  wire [Lanes-1:0]              exists_i,
  input  wire [Lanes*AddendBits-1:0]   addend_i,
  // parameters of the group
  input  wire [Lanes*ThetaBits-1:0]    theta_i,
  input  wire [Lanes*MembraneBits-1:0] v_init_i,
  input  wire [Lanes*BiasBits-1:0]     bias_i,
  // membrane memory
  input  wire [Lanes*MembraneBits-1:0] rdata_i,
  output wire                          we_o,
  output wire [Lanes*MembraneBits-1:0] wdata_o,
  // result
  output wire                          res_valid_o,
  output wire [Lanes-1:0]              res_mask_o,
  output wire [Lanes*ValueBits-1:0]    res_value_o
);

  localparam KindCount   = 0;
  localparam KindStep    = 2;
  localparam KindReadout = 3;
  localparam KindRelay   = 4;
  localparam KindFloor   = 7;
  localparam Multi       = (Kind == 6 || Kind == KindFloor) ? 1 : 0;
  localparam Counts      = (Kind == KindCount || Multi != 0) ? 1 : 0;

  // The threshold is compared at up to 2^(CountBits-1) times its value.
  localparam ShiftBits  = (Counts != 0) ? CountBits - 1 : 0;
  localparam ScaledBits = ThetaBits + ShiftBits;
  // One adder serves integration and comparison: wide enough that neither v + addend nor v - theta * 2^k wraps.
  localparam Wide1      = (MembraneBits > ScaledBits) ? MembraneBits : ScaledBits;
  localparam SumBits    = ((Wide1 > AddendBits) ? Wide1 : AddendBits) + 2;

  assign we_o        = en_i && (op_init_i || (op_acc_i && store_i) || (op_fire_i && last_i));
  assign res_valid_o = op_fire_i && ((Counts == 0) || last_i);

  wire unused_first = &{1'b0, first_i};

  // Multi: the digit of CountMax that belongs to the slot. A count whose digits so far are those of CountMax may have a further one only
  // where CountMax has it too.
  wire may;
  generate
    if (Multi != 0 && CountMax + 1 < (1 << CountBits)) begin : g_limit
      reg [CountBits-1:0] limit_q;
      assign may = limit_q[CountBits-1];
      always @(posedge clk_i) if (en_i) limit_q <= first_i ? CountMax[CountBits-1:0] : limit_q << 1;
    end else begin : g_no_limit
      assign may = 1'b1;
    end
  endgenerate
  wire unused_may = &{1'b0, may};

  genvar l;
  generate
    for (l = 0; l < Lanes; l = l + 1) begin : g_lane
      wire [MembraneBits-1:0] v_init = v_init_i[l*MembraneBits+:MembraneBits];
      wire [AddendBits-1:0]   addend = addend_i[l*AddendBits+:AddendBits];
      wire                    exists = exists_i[l];

      reg  [MembraneBits-1:0] acc_q;
      wire [MembraneBits-1:0] base = load_i ? rdata_i[l*MembraneBits+:MembraneBits] : acc_q;
      wire [SumBits-1:0]      added = {{(SumBits-AddendBits){addend[AddendBits-1]}}, addend};

      // The range proof guarantees that the sum fits a membrane; cutting it is exact.
      wire [SumBits-1:0]      sum;
      wire                    fired;
      // The membrane after the op, unless it is initialised.
      wire [MembraneBits-1:0] next;

      if (Kind == KindReadout || Kind == KindRelay) begin : g_pass
        wire [SumBits-1:0] v = {{(SumBits-MembraneBits){base[MembraneBits-1]}}, base};
        if (Max != 0) begin : g_max
          assign sum = ($signed(added) > $signed(v)) ? added : v;
        end else begin : g_sum
          assign sum = v + added;
        end
        assign fired = 1'b0;
        assign next  = op_acc_i ? sum[MembraneBits-1:0] : base;
        wire unused_pass = &{1'b0, theta_i[l*ThetaBits+:ThetaBits], bias_i[l*BiasBits+:BiasBits], fired};
      end else begin : g_fire
        wire [ThetaBits-1:0]  theta = theta_i[l*ThetaBits+:ThetaBits];
        wire [ScaledBits-1:0] scaled;
        wire [SumBits-1:0]    v;

        if (Kind == KindStep || Multi != 0) begin : g_bias
          wire without = op_acc_i || (Multi != 0 && !first_i);
          wire [BiasBits-1:0] bias = without ? {BiasBits{1'b0}} : bias_i[l*BiasBits+:BiasBits];
          assign v = {{(SumBits-MembraneBits){base[MembraneBits-1]}}, base}
                   + {{(SumBits-BiasBits){bias[BiasBits-1]}}, bias};
        end else begin : g_no_bias
          assign v = {{(SumBits-MembraneBits){base[MembraneBits-1]}}, base};
          wire unused_bias = &{1'b0, bias_i[l*BiasBits+:BiasBits]};
        end

        if (ShiftBits > 0) begin : g_scaled
          // theta * 2^k for k = CountBits-1 ... 0, halved from slot to slot.
          reg  [ScaledBits-1:0] scaled_q;
          wire [ScaledBits-1:0] first = {theta, {ShiftBits{1'b0}}};
          wire [ScaledBits-1:0] half  = {1'b0, scaled[ScaledBits-1:1]};
          // The first slot of Multi does not compare yet: it looks for the floor.
          assign scaled = (first_i && Multi == 0) ? first : scaled_q;
          always @(posedge clk_i) if (en_i) scaled_q <= (first_i && Multi != 0) ? first : half;
        end else begin : g_plain
          assign scaled = theta;
        end

        // Subtraction is the addition of the complement and a carry, which enters as the bit below the lowest: written as
        // a third operand it would cost synthesis a second adder.
        wire               lift    = (Kind == KindFloor) && first_i;
        wire [SumBits-1:0] theta_v = {{(SumBits-ThetaBits){1'b0}}, theta};
        wire [SumBits-1:0] operand = op_acc_i ? added : lift ? theta_v : ~{{(SumBits-ScaledBits){1'b0}}, scaled};
        wire [SumBits:0]   carried = {v, 1'b1} + {operand, !op_acc_i && !lift};
        assign sum = carried[SumBits:1];
        if (Multi != 0) begin : g_multi
          // Digits of the count so far are those of CountMax.
          reg  tight_q;
          wire loose = !tight_q;
          assign fired = !first_i && !sum[SumBits-1] && (may || loose);
          always @(posedge clk_i) if (en_i) tight_q <= first_i || (tight_q && fired == may);
        end else begin : g_single
          assign fired = !sum[SumBits-1];
        end
        if (Kind == KindFloor) begin : g_floor
          // v + theta < 0
          wire [SumBits-1:0] floor = ~theta_v + {{(SumBits-1){1'b0}}, 1'b1};
          wire               below = first_i && sum[SumBits-1] && !op_acc_i;
          wire               unused_floor = &{1'b0, floor[SumBits-1:MembraneBits]};
          assign next = below ? floor[MembraneBits-1:0]
                      : (op_acc_i || fired) ? sum[MembraneBits-1:0] : v[MembraneBits-1:0];
        end else begin : g_no_floor
          assign next = (op_acc_i || fired) ? sum[MembraneBits-1:0] : v[MembraneBits-1:0];
        end
        wire unused_v = &{1'b0, v[SumBits-1:MembraneBits], carried[0]};
      end

      wire unused_sum = &{1'b0, sum[SumBits-1:MembraneBits]};

      // With Forward the accumulators see the memory's data, so that must be v_init in the last slot of firing alone.
      wire renew = op_init_i || (op_fire_i && (image_last_i || Kind == KindRelay) && (Forward == 0 || last_i));
      wire [MembraneBits-1:0] written = renew ? v_init : next;

      always @(posedge clk_i) if (en_i) acc_q <= (Forward != 0) ? written : next;

      assign wdata_o[l*MembraneBits+:MembraneBits] = written;

      // Result.
      if (Kind == KindReadout) begin : g_logit
        assign res_mask_o[l] = exists && image_last_i;
        assign res_value_o[l*ValueBits+:ValueBits] = base;
      end else if (Kind == KindRelay) begin : g_relay
        wire [ValueBits+MembraneBits-1:0] wide = {{ValueBits{1'b0}}, base};
        wire unused_wide = &{1'b0, wide};
        assign res_mask_o[l] = exists && (|base);
        assign res_value_o[l*ValueBits+:ValueBits] = wide[ValueBits-1:0];
      end else if (Counts != 0) begin : g_count
        reg  [CountBits-1:0] count_q;
        wire [CountBits-1:0] count;
        if (CountBits > 1) begin : g_shift
          assign count = {first_i ? {(CountBits-1){1'b0}} : count_q[CountBits-2:0], fired};
          wire unused_count = &{1'b0, count_q[CountBits-1]};
        end else begin : g_bit
          assign count = fired;
          wire unused_count = &{1'b0, count_q};
        end
        always @(posedge clk_i) if (en_i) count_q <= count;
        assign res_mask_o[l] = exists && (|count);
        // Successive approximation finds up to 2^CountBits - 1; a count has at most CountMax.
        if (Multi == 0 && CountMax + 1 < (1 << CountBits)) begin : g_clip
          wire over = (count > CountMax[CountBits-1:0]);
          assign res_value_o[l*ValueBits+:ValueBits] = over ? CountMax[CountBits-1:0] : count;
        end else begin : g_full
          assign res_value_o[l*ValueBits+:ValueBits] = count;
        end
      end else begin : g_spike
        assign res_mask_o[l] = exists && fired;
        assign res_value_o[l*ValueBits+:ValueBits] = {ValueBits{1'b1}};
      end
    end
  endgenerate

endmodule

`default_nettype wire
