// The neurons of a core: stage A of its pipeline with all that follows, for one or several banks of membranes.
//
// Contract: in every cycle without stall_o, executes the op op_i on the membranes of one word of each bank, and sends
// what they fire. op_i = {init, acc, fire, first slot, last slot, image's last phase, end of phase}; ops as in sf_lanes.
// The memories stand outside: rdata_i holds the words read, we_o and wdata_o what to write to the same addresses (all
// banks are written together). load_i says of each bank whether stage A takes rdata_i or what the previous op left.
// base_i = output id of lane 0; edge_i = the word is the last along {block rows, block columns, channel groups}, where
// only LastRows, LastColumns, LastLanes exist. param_i = {bias, v_init, theta}, each a field a lane, lane 0 lowest.
//
// Parameters: Lanes = lanes of a bank, BankRows, BankColumns; ParamBanks = banks for which param_i has lanes (1: all
// banks share them); Store = 1: acc is written to the memory; Kind, CountBits, CountMax, Max, Forward as in sf_lanes;
// ChannelStep, ColumnStep, RowStep, Aligned as in sf_emit.
`default_nettype none

module sf_neurons #(
  parameter Lanes        = 4,
  parameter BankRows     = 1,
  parameter BankColumns  = 1,
  parameter LastLanes    = Lanes,
  parameter LastRows     = BankRows,
  parameter LastColumns  = BankColumns,
  parameter ParamBanks   = 1,
  parameter MembraneBits = 16,
  parameter AddendBits   = 12,
  parameter ThetaBits    = 8,
  parameter BiasBits     = 1,
  parameter Store        = 1,
  parameter Kind         = 0,
  parameter CountBits    = 4,
  parameter CountMax     = 15,
  parameter Max          = 0,
  parameter Forward      = 0,
  parameter ChannelStep  = 1,
  parameter ColumnStep   = 0,
  parameter RowStep      = 0,
  parameter Aligned      = 0,
  parameter OutIdBits    = 3,
  parameter OutValueBits = 4,
  // leaky neurons (Kind 5; Kind 8: without a threshold, a readout), see sf_leaky_lanes
  parameter InputBits    = 1,
  parameter CurrentBits  = 0,
  parameter StateBits    = MembraneBits,
  parameter ResetBits    = 0,
  parameter DvBits       = 0,
  parameter DuBits       = 0,
  parameter ParamBits    = BiasBits + MembraneBits + ThetaBits,
  parameter Align        = 0,
  parameter Subtract     = 0,
  parameter [12:0] KeepU = 13'd0,
  parameter [12:0] KeepV = 13'd4096,
  parameter [MembraneBits-1:0] ResetBy = {MembraneBits{1'b0}},
  parameter [MembraneBits-1:0] VMin    = {1'b1, {(MembraneBits-1){1'b0}}},
  parameter [MembraneBits-1:0] VMax    = {1'b0, {(MembraneBits-1){1'b1}}}
) (
  input  wire                          clk_i,
  input  wire                          rst_ni,
  output wire                          stall_o,
  // op
  input  wire [6:0]                    op_i,
  input  wire [BankRows*BankColumns-1:0] load_i,
  input  wire [OutIdBits-1:0]          base_i,
  input  wire [2:0]                    edge_i,
  input  wire [BankRows*BankColumns*Lanes*AddendBits-1:0] addend_i,
  input  wire [ParamBanks*Lanes*ParamBits-1:0] param_i,
  // membrane memories, bank 0 lowest
  input  wire [BankRows*BankColumns*Lanes*StateBits-1:0] rdata_i,
  output wire                          we_o,
  output wire [BankRows*BankColumns*Lanes*StateBits-1:0] wdata_o,
  // output stream
  output wire                          out_valid_o,
  input  wire                          out_ready_i,
  output wire                          out_last_o,
  output wire [OutValueBits-1:0]       out_value_o,
  output wire [OutIdBits-1:0]          out_id_o
);

  localparam KindReadout = 3;
  localparam KindLeaky   = 5;
  localparam KindLeakyReadout = 8;
  localparam Readout     = (Kind == KindReadout || Kind == KindLeakyReadout) ? 1 : 0;
  localparam Banks       = BankRows * BankColumns;
  localparam ParamLanes  = ParamBanks * Lanes;

  wire init, acc, fire, first, last, image_last, phase_end;
  assign {init, acc, fire, first, last, image_last, phase_end} = op_i;

  wire [Banks-1:0]                    we;
  wire [Banks-1:0]                    res_valid;
  wire [Banks*Lanes-1:0]              res_mask;
  wire [Banks*Lanes*OutValueBits-1:0] res_value;

  // The same in every bank.
  assign we_o = we[0];
  wire unused_banks = &{1'b0, we, res_valid};

  genvar b;
  genvar l;
  generate
    for (b = 0; b < Banks; b = b + 1) begin : g_bank
      // Lanes of the parameters, and whether the bank's neurons exist at the border.
      localparam ParamBank = (ParamBanks > 1) ? b : 0;
      wire covered = (b / BankColumns < LastRows || !edge_i[2]) && (b % BankColumns < LastColumns || !edge_i[1]);
      wire [Lanes-1:0] exists;
      for (l = 0; l < Lanes; l = l + 1) begin : g_lane
        assign exists[l] = covered && (l < LastLanes || !edge_i[0]);
      end

      if (Kind == KindLeaky || Kind == KindLeakyReadout) begin : g_leaky
        wire [Lanes*MembraneBits-1:0] v;
        if (Kind == KindLeakyReadout) begin : g_logits
          // What is sent is as wide as a membrane.
          assign res_value[b*Lanes*OutValueBits+:Lanes*OutValueBits] = v;
        end else begin : g_spikes
          wire unused_v = &{1'b0, v};
          assign res_value[b*Lanes*OutValueBits+:Lanes*OutValueBits] = {(Lanes*OutValueBits){1'b1}};
        end
        sf_leaky_lanes #(
          .Lanes       (Lanes),
          .MembraneBits(MembraneBits),
          .InputBits   (InputBits),
          .CurrentBits (CurrentBits),
          .StateBits   (StateBits),
          .AddendBits  (AddendBits),
          .ThetaBits   (ThetaBits),
          .BiasBits    (BiasBits),
          .ResetBits   (ResetBits),
          .DvBits      (DvBits),
          .DuBits      (DuBits),
          .ParamLanes  (ParamLanes),
          .ParamFirst  (ParamBank * Lanes),
          .ParamBits   (ParamBits),
          .Align       (Align),
          .Subtract    (Subtract),
          .Fires       ((Kind == KindLeaky) ? 1 : 0),
          .Forward     (Forward),
          .KeepU       (KeepU),
          .KeepV       (KeepV),
          .ResetBy     (ResetBy),
          .VMin        (VMin),
          .VMax        (VMax)
        ) u_lanes (
          .clk_i       (clk_i),
          .en_i        (!stall_o),
          .op_init_i   (init),
          .op_acc_i    (acc),
          .op_fire_i   (fire),
          .load_i      (load_i[b]),
          .store_i     (Store != 0),
          .first_i     (first),
          .last_i      (last),
          .image_last_i(image_last),
          .exists_i    (exists),
          .addend_i    (addend_i[b*Lanes*AddendBits+:Lanes*AddendBits]),
          .param_i     (param_i),
          .rdata_i     (rdata_i[b*Lanes*StateBits+:Lanes*StateBits]),
          .we_o        (we[b]),
          .wdata_o     (wdata_o[b*Lanes*StateBits+:Lanes*StateBits]),
          .res_valid_o (res_valid[b]),
          .res_mask_o  (res_mask[b*Lanes+:Lanes]),
          .res_value_o (v)
        );
      end else begin : g_plain
        sf_lanes #(
          .Lanes       (Lanes),
          .MembraneBits(MembraneBits),
          .AddendBits  (AddendBits),
          .ThetaBits   (ThetaBits),
          .BiasBits    (BiasBits),
          .ValueBits   (OutValueBits),
          .Kind        (Kind),
          .CountBits   (CountBits),
          .CountMax    (CountMax),
          .Max         (Max),
          .Forward     (Forward)
        ) u_lanes (
          .clk_i       (clk_i),
          .en_i        (!stall_o),
          .op_init_i   (init),
          .op_acc_i    (acc),
          .op_fire_i   (fire),
          .load_i      (load_i[b]),
          .store_i     (Store != 0),
          .first_i     (first),
          .last_i      (last),
          .image_last_i(image_last),
          .exists_i    (exists),
          .addend_i    (addend_i[b*Lanes*AddendBits+:Lanes*AddendBits]),
          .theta_i     (param_i[ParamBank*Lanes*ThetaBits+:Lanes*ThetaBits]),
          .v_init_i    (param_i[ParamLanes*ThetaBits+ParamBank*Lanes*MembraneBits+:Lanes*MembraneBits]),
          .bias_i      (param_i[ParamLanes*(ThetaBits+MembraneBits)+ParamBank*Lanes*BiasBits+:Lanes*BiasBits]),
          .rdata_i     (rdata_i[b*Lanes*MembraneBits+:Lanes*MembraneBits]),
          .we_o        (we[b]),
          .wdata_o     (wdata_o[b*Lanes*MembraneBits+:Lanes*MembraneBits]),
          .res_valid_o (res_valid[b]),
          .res_mask_o  (res_mask[b*Lanes+:Lanes]),
          .res_value_o (res_value[b*Lanes*OutValueBits+:Lanes*OutValueBits])
        );
      end
    end
  endgenerate

  sf_emit #(
    .Lanes       (Banks * Lanes),
    .ChannelLanes(Lanes),
    .BankColumns (BankColumns),
    .ChannelStep (ChannelStep),
    .ColumnStep  (ColumnStep),
    .RowStep     (RowStep),
    .Aligned     (Aligned),
    .IdBits      (OutIdBits),
    .ValueBits   (OutValueBits),
    .Constant    ((Kind == 1 || Kind == 2 || Kind == KindLeaky) ? 1 : 0)
  ) u_emit (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .stall_o    (stall_o),
    .res_valid_i(res_valid[0]),
    .res_end_i  (phase_end && (Readout == 0 || image_last)),
    .res_base_i (base_i),
    .res_mask_i (res_mask),
    .res_value_i(res_value),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_last_o (out_last_o),
    .out_value_o(out_value_o),
    .out_id_o   (out_id_o)
  );

endmodule

`default_nettype wire
