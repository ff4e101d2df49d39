// sf_emit: the beats that leave are those of the words given, in order.
//
// A word given stands for the events of its lanes, lowest lane first, then its end of phase. One beat is watched: any
// lane, or the end, of a word given at any time. `ahead` counts the beats that must leave before it. Since every beat can
// be the watched one, none is lost, doubled, changed or moved.
`default_nettype none

module sf_emit_props #(
  parameter Lanes     = 3,  // in all banks
  parameter Columns   = 1,  // banks in a row
  parameter IdBits    = 3,
  parameter ValueBits = 2,
  parameter Aligned   = 0,
  parameter Constant  = 0
) (
  input wire                       clk,
  input wire                       rst_n,
  input wire                       res_valid,
  input wire                       res_end,
  input wire [IdBits-1:0]          res_base,
  input wire [Lanes-1:0]           res_mask,
  input wire [Lanes*ValueBits-1:0] res_value,
  input wire                       out_ready,
  // which beat is watched: that of this lane, or the end of phase for lane = Lanes, of a word given while watch = 1
  input wire                       watch
);

  localparam Width = 1 + ValueBits + IdBits;
  // Ids of banked lanes: a channel lane counts 1, a bank column 2, a bank row 4.
  localparam ChannelLanes = (Columns > 1) ? Lanes / (2 * Columns) : Lanes;
  localparam ChannelStep  = 1;
  localparam ColumnStep   = (Columns > 1) ? 2 : 0;
  localparam RowStep      = (Columns > 1) ? 4 : 0;

  wire                 stall;
  wire                 out_valid;
  wire                 out_last;
  wire [ValueBits-1:0] out_value;
  wire [IdBits-1:0]    out_id;
  (* anyconst *) wire [2:0] lane;

  (* hierconn *) wire                       \dut.r_end_q ;
  (* hierconn *) wire [IdBits-1:0]          \dut.r_base_q ;
  (* hierconn *) wire [Lanes-1:0]           \dut.r_mask_q ;
  (* hierconn *) wire                       \dut.s_end_q ;
  (* hierconn *) wire                       \dut.s_busy_q ;
  (* hierconn *) wire                       \dut.s_final_q ;
  (* hierconn *) wire [IdBits-1:0]          \dut.s_base_q ;
  (* hierconn *) wire [Lanes-1:0]           \dut.s_mask_q ;
  (* hierconn *) wire [Lanes*ValueBits-1:0] \dut.g_value.r_value_q ;
  (* hierconn *) wire [Lanes*ValueBits-1:0] \dut.g_value.s_value_q ;
  (* hierconn *) wire                       \dut.u_spill.tail_valid_q ;
  (* hierconn *) wire [Width-1:0]           \dut.u_spill.tail_q ;

  sf_emit #(
    .Lanes(Lanes), .ChannelLanes(ChannelLanes), .BankColumns(Columns), .ChannelStep(ChannelStep), .ColumnStep(ColumnStep),
    .RowStep(RowStep), .Aligned(Aligned), .IdBits(IdBits), .ValueBits(ValueBits), .Constant(Constant)
  ) dut (
    .clk_i(clk), .rst_ni(rst_n), .stall_o(stall),
    .res_valid_i(res_valid), .res_end_i(res_end), .res_base_i(res_base), .res_mask_i(res_mask),
    .res_value_i(res_value),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_last_o(out_last), .out_value_o(out_value), .out_id_o(out_id)
  );

  // The beat of a lane, or the end of phase.
  function [Width-1:0] beat_of;
    input integer which;
    input [IdBits-1:0] base;
    input [Lanes*ValueBits-1:0] value;
    reg [IdBits-1:0] id;
    begin
      id = base + which % ChannelLanes * ChannelStep + which / ChannelLanes % Columns * ColumnStep
         + which / (ChannelLanes * Columns) * RowStep;
      if (which == Lanes) beat_of = {1'b1, {(Width-1){1'b0}}};
      else beat_of = {1'b0, Constant ? {ValueBits{1'b1}} : value[which*ValueBits+:ValueBits], id};
    end
  endfunction

  // ------------------------------------------------ the beats given
  wire [Lanes:0] given = (res_valid && !stall) ? {res_end, res_mask} : {(Lanes+1){1'b0}};
  wire           pop   = out_valid && out_ready;
  reg  [4:0]     number, before; // beats in the word given, and those in front of the watched one
  reg  [Width-1:0] beat;         // the watched one
  integer        i;

  always @* begin
    number = 0;
    before = 0;
    beat   = 0;
    for (i = 0; i <= Lanes; i = i + 1) begin
      if (given[i] && i < lane) before = before + 1;
      if (given[i]) number = number + 1;
      if (i == lane) beat = beat_of(i, res_base, res_value);
    end
  end

  reg  [4:0]       backlog; // beats given and not yet sent
  reg              watching;
  reg  [4:0]       ahead;
  reg  [Width-1:0] expected;
  wire             begins = watch && !watching && (given >> lane) & 1'b1;

  always @(posedge clk) begin
    if (!rst_n) begin
      backlog  <= 0;
      watching <= 0;
    end else begin
      backlog <= backlog + number - pop;
      if (begins) begin
        watching <= 1'b1;
        expected <= beat;
        ahead    <= backlog + before - pop;
      end else if (watching && pop) begin
        watching <= (ahead != 0);
        ahead    <= ahead - 1;
      end
    end
  end

  // ------------------------------------------------ the beats inside, oldest first
  localparam Places = 2 + 2 * (Lanes + 1);
  wire [Lanes*ValueBits-1:0] r_value = \dut.g_value.r_value_q ;
  wire [Lanes*ValueBits-1:0] s_value = \dut.g_value.s_value_q ;
  reg  [Places-1:0]          present;
  reg  [Places*Width-1:0]    inside;
  reg  [4:0]                 count;
  reg                        found;

  always @* begin
    present[0] = out_valid;
    present[1] = \dut.u_spill.tail_valid_q ;
    inside[0+:Width]     = {out_last, out_value, out_id};
    inside[Width+:Width] = \dut.u_spill.tail_q ;
    for (i = 0; i <= Lanes; i = i + 1) begin
      present[2+i]                       = (i == Lanes) ? \dut.s_end_q : \dut.s_mask_q [i];
      present[3+Lanes+i]                 = (i == Lanes) ? \dut.r_end_q : \dut.r_mask_q [i];
      inside[(2+i)*Width+:Width]         = beat_of(i, \dut.s_base_q , s_value);
      inside[(3+Lanes+i)*Width+:Width]   = beat_of(i, \dut.r_base_q , r_value);
    end
    count = 0;
    found = 1'b0;
    for (i = 0; i < Places; i = i + 1) begin
      if (present[i]) begin
        if (count == ahead && inside[i*Width+:Width] == expected) found = 1'b1;
        count = count + 1;
      end
    end
  end

  wire r_busy  = (\dut.r_mask_q != 0) || \dut.r_end_q ;
  wire s_two   = ((\dut.s_mask_q & (\dut.s_mask_q - 1'b1)) != 0) || ((\dut.s_mask_q != 0) && \dut.s_end_q );
  wire s_busy  = (\dut.s_mask_q != 0) || \dut.s_end_q ;
  wire no_room = \dut.u_spill.tail_valid_q ;

  initial assume (!rst_n);
  always @* begin
    assume (lane <= Lanes);
    if (Aligned) assume (res_base[2:0] == 0);
  end

  reg started = 1'b0;
  always @(posedge clk) begin
    started <= 1'b1;
    if (started && rst_n) begin
      // The watched beat leaves in its turn, as it was given.
      if (watching && ahead == 0 && out_valid) assert ({out_last, out_value, out_id} == expected);
      // Nothing leaves that was not given.
      assert (!out_valid || backlog != 0);
      // Stalled only if a word waits and the one in front of it cannot leave in this cycle.
      assert (stall == (r_busy && s_busy && (s_two || no_room)));
      // The protocol of the output.
      if ($past(rst_n && out_valid && !out_ready)) begin
        assert (out_valid);
        assert ({out_last, out_value, out_id} == $past({out_last, out_value, out_id}));
      end
      // What makes the above inductive.
      assert (backlog == count);
      if (watching) assert (found && ahead < backlog);
      assert (out_valid || !\dut.u_spill.tail_valid_q );
      assert (\dut.s_busy_q == s_busy);
      assert (!s_busy || \dut.s_final_q == !s_two);
      if (Aligned) assert ((!r_busy || \dut.r_base_q [2:0] == 0) && (!s_busy || \dut.s_base_q [2:0] == 0));

      cover (watching && ahead == 0 && out_valid && out_last && $past(stall, 2) && $past(watching, 5));
    end
  end

  // With nothing in front of it a word is at the output three cycles later.
  reg [2:0] alone = 3'b000;
  always @(posedge clk) begin
    alone <= rst_n ? {alone[1:0], backlog == 0 && number != 0} : 3'b000;
    if (started && rst_n && alone[2]) assert (out_valid);
    if (started && rst_n) cover (alone[2]);
    // What makes it inductive.
    if (started && rst_n && alone[0]) assert (r_busy && !out_valid && !s_busy);
    if (started && rst_n && alone[1]) assert (s_busy && !out_valid);
  end

endmodule

`default_nettype wire
