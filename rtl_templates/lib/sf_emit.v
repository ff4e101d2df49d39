// Result register, serialiser and output register of a core.
//
// Contract: takes a word of results (a mask of lanes, a value a lane, the id of lane 0, an end-of-phase flag) in every
// cycle without stall_o, and sends the lanes in the mask as events, lowest lane first, then the end of phase. A word with
// an empty mask and no end of phase costs nothing. stall_o depends on registers alone.
// A result is on the output 3 cycles after it was given, if nothing waits in front of it.
//
// Parameters: Lanes, of which each bank of membranes has ChannelLanes and each row of banks BankColumns · ChannelLanes;
// ChannelStep, ColumnStep, RowStep = ids between neighbours; Aligned = 1: the id of lane 0 has zeros wherever the lanes'
// offsets to it have ones; IdBits, ValueBits = output widths; Constant = 1: every value is 1 and none is stored.
`default_nettype none

module sf_emit #(
  parameter Lanes        = 4,
  parameter ChannelLanes = Lanes,
  parameter BankColumns  = 1,
  parameter ChannelStep  = 1,
  parameter ColumnStep   = 0,
  parameter RowStep      = 0,
  parameter Aligned      = 0,
  parameter IdBits       = 4,
  parameter ValueBits    = 4,
  parameter Constant     = 0
) (
  input  wire                       clk_i,
  input  wire                       rst_ni,
  // results
  output wire                       stall_o,
  input  wire                       res_valid_i,
  input  wire                       res_end_i,
  input  wire [IdBits-1:0]          res_base_i,
  input  wire [Lanes-1:0]           res_mask_i,
  input  wire [Lanes*ValueBits-1:0] res_value_i,
  // output stream
  output wire                       out_valid_o,
  input  wire                       out_ready_i,
  output wire                       out_last_o,
  output wire [ValueBits-1:0]       out_value_o,
  output wire [IdBits-1:0]          out_id_o
);

  // R, the result register.
  reg                        r_end_q;
  reg  [IdBits-1:0]          r_base_q;
  reg  [Lanes-1:0]           r_mask_q;
  // S, the serialiser.
  reg                        s_end_q;
  reg  [IdBits-1:0]          s_base_q;
  reg  [Lanes-1:0]           s_mask_q;
  wire [Lanes*ValueBits-1:0] s_value;

  // S holds something; S holds exactly one more beat. Both follow from s_mask_q and s_end_q, but stall_o stops the whole
  // core, so they are registers of their own instead of logic behind the mask.
  reg                        s_busy_q;
  reg                        s_final_q;

  wire                       room;
  wire                       r_busy   = r_end_q || (|r_mask_q);
  wire [Lanes-1:0]           s_lowest = s_mask_q & (~s_mask_q + {{(Lanes-1){1'b0}}, 1'b1});
  wire [Lanes-1:0]           s_rest   = s_mask_q & ~s_lowest;
  wire                       s_take   = !s_busy_q || (room && s_final_q);

  // Exactly one beat: a single lane without an end of phase, or an end of phase without a lane.
  wire [Lanes-1:0]           one      = {{(Lanes-1){1'b0}}, 1'b1};
  wire                       r_final  = !(|(r_mask_q & (r_mask_q - one))) && ((|r_mask_q) ^ r_end_q);
  wire                       s_next   = !(|(s_rest & (s_rest - one))) && ((|s_rest) ^ s_end_q);

  assign stall_o = r_busy && !s_take;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      r_end_q  <= 1'b0;
      r_mask_q <= {Lanes{1'b0}};
    end else if (!stall_o) begin
      r_end_q  <= res_valid_i && res_end_i;
      r_mask_q <= res_valid_i ? res_mask_i : {Lanes{1'b0}};
    end
  end

  always @(posedge clk_i) begin
    if (!stall_o) r_base_q <= res_base_i;
  end

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      s_end_q   <= 1'b0;
      s_mask_q  <= {Lanes{1'b0}};
      s_busy_q  <= 1'b0;
      s_final_q <= 1'b0;
    end else if (s_take) begin
      s_end_q   <= r_end_q;
      s_mask_q  <= r_mask_q;
      s_busy_q  <= r_busy;
      s_final_q <= r_final;
    end else if (room) begin
      // Not the last beat, so a lane: an end of phase alone would be the last.
      s_mask_q  <= s_rest;
      s_final_q <= s_next;
    end
  end

  always @(posedge clk_i) begin
    if (s_take) s_base_q <= r_base_q;
  end

  generate
    if (Constant != 0) begin : g_constant
      assign s_value = {(Lanes*ValueBits){1'b1}};
      wire unused_value = &{1'b0, res_value_i};
    end else begin : g_value
      reg [Lanes*ValueBits-1:0] r_value_q;
      reg [Lanes*ValueBits-1:0] s_value_q;
      assign s_value = s_value_q;
      always @(posedge clk_i) begin
        if (!stall_o) r_value_q <= res_value_i;
        if (s_take) s_value_q <= r_value_q;
      end
    end
  endgenerate

  // What a lane's id is beyond that of lane 0.
  wire [Lanes*IdBits-1:0] offsets;
  genvar l;
  generate
    for (l = 0; l < Lanes; l = l + 1) begin : g_offset
      localparam integer Offset = (l % ChannelLanes) * ChannelStep
                                + ((l / ChannelLanes) % BankColumns) * ColumnStep
                                + (l / (ChannelLanes * BankColumns)) * RowStep;
      assign offsets[l*IdBits+:IdBits] = Offset[IdBits-1:0];
    end
  endgenerate

  // The event of the lowest lane.
  reg [ValueBits-1:0] value;
  reg [IdBits-1:0]    offset;
  integer             i;

  always @* begin
    value  = {ValueBits{1'b0}};
    offset = {IdBits{1'b0}};
    for (i = 0; i < Lanes; i = i + 1) begin
      value  = value | (s_value[i*ValueBits+:ValueBits] & {ValueBits{s_lowest[i]}});
      offset = offset | (offsets[i*IdBits+:IdBits] & {IdBits{s_lowest[i]}});
    end
  end

  wire              last = !(|s_mask_q);
  wire [IdBits-1:0] id   = (Aligned != 0) ? (s_base_q | offset) : (s_base_q + offset);

  sf_spill #(
    .Width(1 + ValueBits + IdBits)
  ) u_spill (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (s_busy_q),
    .in_ready_o (room),
    .in_data_i  ({last, last ? {ValueBits{1'b0}} : value, last ? {IdBits{1'b0}} : id}),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_data_o ({out_last_o, out_value_o, out_id_o})
  );

endmodule

`default_nettype wire
