// Result register, serialiser and output register of a core.
//
// Contract: takes a word of results (a mask of lanes, a value a lane, the group, an end-of-phase flag) in every cycle
// without stall_o, and sends the lanes in the mask as events, lowest lane first, then the end of phase. A word with an
// empty mask and no end of phase costs nothing. stall_o depends on registers alone.
// A result is on the output 3 cycles after it was given, if nothing waits in front of it.
//
// Parameters: Lanes; GroupBits; IdBits, ValueBits = output widths; Constant = 1: every value is 1 and none is stored.
`default_nettype none

module sf_emit #(
  parameter Lanes     = 4,
  parameter GroupBits = 1,
  parameter IdBits    = 4,
  parameter ValueBits = 4,
  parameter Constant  = 0
) (
  input  wire                       clk_i,
  input  wire                       rst_ni,
  // results
  output wire                       stall_o,
  input  wire                       res_valid_i,
  input  wire                       res_end_i,
  input  wire [GroupBits-1:0]       res_group_i,
  input  wire [Lanes-1:0]           res_mask_i,
  input  wire [Lanes*ValueBits-1:0] res_value_i,
  // output stream
  output wire                       out_valid_o,
  input  wire                       out_ready_i,
  output wire                       out_last_o,
  output wire [ValueBits-1:0]       out_value_o,
  output wire [IdBits-1:0]          out_id_o
);

  // Wide enough for group × Lanes + lane before it is cut to the ids that exist.
  localparam LaneBits = (Lanes > 1) ? $clog2(Lanes) : 1;
  localparam WideBits = GroupBits + LaneBits + IdBits;

  // R, the result register.
  reg                        r_end_q;
  reg  [GroupBits-1:0]       r_group_q;
  reg  [Lanes-1:0]           r_mask_q;
  // S, the serialiser.
  reg                        s_end_q;
  reg  [GroupBits-1:0]       s_group_q;
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
    if (!stall_o) r_group_q <= res_group_i;
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
    if (s_take) s_group_q <= r_group_q;
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

  // The event of the lowest lane.
  reg [ValueBits-1:0] value;
  reg [LaneBits-1:0]  lane;
  integer             i;

  always @* begin
    value = {ValueBits{1'b0}};
    lane  = {LaneBits{1'b0}};
    for (i = 0; i < Lanes; i = i + 1) begin
      value = value | (s_value[i*ValueBits+:ValueBits] & {ValueBits{s_lowest[i]}});
      lane  = lane | (i[LaneBits-1:0] & {LaneBits{s_lowest[i]}});
    end
  end

  wire                last = !(|s_mask_q);
  wire [WideBits-1:0] wide = {{(WideBits-GroupBits){1'b0}}, s_group_q} * Lanes[WideBits-1:0]
                           + {{(WideBits-LaneBits){1'b0}}, lane};
  wire [IdBits-1:0]   id   = last ? {IdBits{1'b0}} : wide[IdBits-1:0];

  wire unused_wide = &{1'b0, wide[WideBits-1:IdBits]};

  sf_spill #(
    .Width(1 + ValueBits + IdBits)
  ) u_spill (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (s_busy_q),
    .in_ready_o (room),
    .in_data_i  ({last, last ? {ValueBits{1'b0}} : value, id}),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_data_o ({out_last_o, out_value_o, out_id_o})
  );

endmodule

`default_nettype wire
