// Takes an input id apart: {projection, y, x, c}, as the projection's sender lays its fields out.
//
// Contract: combinational. The lowest bits are the channel, then the column, then the row, each as wide as the sender's
// extent needs (0 bits for an extent of 1); the projection stands from bit IdShift up.
//
// Parameters: Projections, ProjectionBits; IdBits, IdShift (IdBits, if there is one projection); RowBits, ColumnBits,
// ChannelBits = widths of the outputs (at least 1); ColumnWidths, ChannelWidths = bits of the fields in the id, 8 bits a
// projection, projection 0 lowest.
`default_nettype none

module sf_window_fields #(
  parameter Projections    = 1,
  parameter ProjectionBits = 1,
  parameter IdBits         = 8,
  parameter IdShift        = 8,
  parameter RowBits        = 3,
  parameter ColumnBits     = 3,
  parameter ChannelBits    = 2,
  parameter [8*Projections-1:0] ColumnWidths  = {Projections{8'd3}},
  parameter [8*Projections-1:0] ChannelWidths = {Projections{8'd2}}
) (
  input  wire [IdBits-1:0]         id_i,
  output wire [ProjectionBits-1:0] projection_o,
  output wire [RowBits-1:0]        row_o,
  output wire [ColumnBits-1:0]     column_o,
  output wire [ChannelBits-1:0]    channel_o
);

  localparam Padding = RowBits + ColumnBits + ChannelBits;

  wire [IdShift+Padding-1:0]         fields = {{Padding{1'b0}}, id_i[IdShift-1:0]};
  wire [Projections*RowBits-1:0]     row;
  wire [Projections*ColumnBits-1:0]  column;
  wire [Projections*ChannelBits-1:0] channel;

  genvar p;
  generate
    for (p = 0; p < Projections; p = p + 1) begin : g_projection
      localparam ColumnWidth  = ColumnWidths[8*p+:8];
      localparam ChannelWidth = ChannelWidths[8*p+:8];
      assign row[p*RowBits+:RowBits]             = fields[ChannelWidth+ColumnWidth+:RowBits];
      assign column[p*ColumnBits+:ColumnBits]    = fields[ChannelWidth+:ColumnBits]
                                                 & ~({ColumnBits{1'b1}} << ColumnWidth);
      assign channel[p*ChannelBits+:ChannelBits] = fields[ChannelBits-1:0] & ~({ChannelBits{1'b1}} << ChannelWidth);
    end
    if (Projections > 1) begin : g_several
      assign projection_o = id_i[IdShift+:ProjectionBits];
      assign row_o        = row[projection_o*RowBits+:RowBits];
      assign column_o     = column[projection_o*ColumnBits+:ColumnBits];
      assign channel_o    = channel[projection_o*ChannelBits+:ChannelBits];
    end else begin : g_one
      assign projection_o = {ProjectionBits{1'b0}};
      assign row_o        = row;
      assign column_o     = column;
      assign channel_o    = channel;
    end
  endgenerate

  wire unused_fields = &{1'b0, fields};

endmodule

`default_nettype wire
