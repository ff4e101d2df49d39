// Merge: joins several streams into one id space.
//
// Contract: takes one beat a cycle, from the lowest-numbered input that offers one and whose phase is still open.
// Events get the input's base added to their id. An input whose phase has ended waits until all have ended; then one
// end of phase is sent. No path from out_ready_i to in_ready_o but through registers. Latency 1 cycle.
//
// Parameters: Inputs = number of streams; InIdBits, InValueBits = widths to which the inputs are extended;
// IdBits, ValueBits = widths of the output; Bases = first id of each input, IdBits bits each, input 0 lowest.
`default_nettype none

module sf_merge #(
  parameter Inputs    = 2,
  parameter IdBits    = 4,
  parameter ValueBits = 1,
  parameter [Inputs*IdBits-1:0] Bases = {(Inputs*IdBits){1'b0}}
) (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  // input streams
  input  wire [Inputs-1:0]           in_valid_i,
  output wire [Inputs-1:0]           in_ready_o,
  input  wire [Inputs-1:0]           in_last_i,
  input  wire [Inputs*ValueBits-1:0] in_value_i,
  input  wire [Inputs*IdBits-1:0]    in_id_i,
  // output stream
  output wire                        out_valid_o,
  input  wire                        out_ready_i,
  output wire                        out_last_o,
  output wire [ValueBits-1:0]        out_value_o,
  output wire [IdBits-1:0]           out_id_o
);

  // Inputs whose phase has ended.
  reg  [Inputs-1:0]    lasted_q;

  wire                 room;
  wire [Inputs-1:0]    offered  = in_valid_i & ~lasted_q;
  // The lowest set bit.
  wire [Inputs-1:0]    grant    = offered & (~offered + {{(Inputs-1){1'b0}}, 1'b1});
  wire                 taken    = room && (|offered);
  wire                 end_beat = |(grant & in_last_i);
  wire                 end_all  = &(lasted_q | grant);

  reg  [ValueBits-1:0] value;
  reg  [IdBits-1:0]    id;
  integer              i;

  always @* begin
    value = {ValueBits{1'b0}};
    id    = {IdBits{1'b0}};
    for (i = 0; i < Inputs; i = i + 1) begin
      if (grant[i]) begin
        value = in_value_i[i*ValueBits+:ValueBits];
        id    = in_id_i[i*IdBits+:IdBits] + Bases[i*IdBits+:IdBits];
      end
    end
    if (end_beat) begin
      value = {ValueBits{1'b0}};
      id    = {IdBits{1'b0}};
    end
  end

  assign in_ready_o = room ? grant : {Inputs{1'b0}};

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      lasted_q <= {Inputs{1'b0}};
    end else if (taken && end_beat) begin
      lasted_q <= end_all ? {Inputs{1'b0}} : (lasted_q | grant);
    end
  end

  sf_spill #(
    .Width(1 + ValueBits + IdBits)
  ) u_spill (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (taken && (!end_beat || end_all)),
    .in_ready_o (room),
    .in_data_i  ({end_beat, value, id}),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_data_o ({out_last_o, out_value_o, out_id_o})
  );

endmodule

`default_nettype wire
