// The two input buffers of a window matrix core: one is filled while the other is read.
//
// Contract: events write their value at {projection, pixel, chunk of channels}, two cycles after they were taken; an end of
// phase closes the buffer (full_o: the one to be read is complete), release_i hands it back. A word is read with one cycle
// of latency; one that is read with read_last_i is cleared in the next cycle, stalled or not, so that the buffer is zero
// again before its next phase can write to it. read_data_o has both buffers' words. The first read of a phase comes at the earliest in the cycle after full_o
// appeared, the last one not after the cycle of release_i. While init_i, nothing is taken, and with clear_i word
// clear_word_i of both buffers is cleared. in_ready_o depends on registers alone.
//
// Parameters: Rows = payloads of a word (a power of two), Words, WordBits; ValueBits; fields as in sf_window_fields;
// RowFactors, ColumnFactors, Bases = words between a projection's rows and columns, and its first word, WordBits bits each.
`default_nettype none

module sf_window_buffers #(
  parameter Rows           = 2,
  parameter Words          = 8,
  parameter WordBits       = 3,
  parameter ValueBits      = 4,
  parameter Projections    = 1,
  parameter ProjectionBits = 1,
  parameter IdBits         = 8,
  parameter IdShift        = 8,
  parameter RowBits        = 3,
  parameter ColumnBits     = 3,
  parameter ChannelBits    = 2,
  parameter [32*Projections-1:0] ColumnWidths  = {Projections{32'd3}},
  parameter [32*Projections-1:0] ChannelWidths = {Projections{32'd2}},
  parameter [Projections*WordBits-1:0] RowFactors    = {(Projections*WordBits){1'b0}},
  parameter [Projections*WordBits-1:0] ColumnFactors = {(Projections*WordBits){1'b0}},
  parameter [Projections*WordBits-1:0] Bases         = {(Projections*WordBits){1'b0}}
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,
  // initialisation
  input  wire                      init_i,
  input  wire                      clear_i,
  input  wire [WordBits-1:0]       clear_word_i,
  // input stream
  input  wire                      in_valid_i,
  output wire                      in_ready_o,
  input  wire                      in_last_i,
  input  wire [ValueBits-1:0]      in_value_i,
  input  wire [IdBits-1:0]         in_id_i,
  // the buffer to be read
  output wire                      full_o,
  output wire                      which_o,
  input  wire                      release_i,
  // read port
  input  wire                      read_i,
  input  wire                      read_last_i,
  input  wire [WordBits-1:0]       read_word_i,
  output wire [2*Rows*ValueBits-1:0] read_data_o
);

  localparam RowSelect = (Rows > 1) ? $clog2(Rows) : 1;
  localparam Skip      = $clog2(Rows);

  // ---------------------------------------------------------------- phases
  reg [1:0] full_q;
  reg       fill_q;
  reg       issue_q;

  assign in_ready_o = !init_i && !full_q[fill_q];
  assign full_o     = full_q[issue_q];
  assign which_o    = issue_q;
  wire take = in_valid_i && in_ready_o;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      full_q  <= 2'b00;
      fill_q  <= 1'b0;
      issue_q <= 1'b0;
    end else begin
      if (take && in_last_i) begin
        full_q[fill_q] <= 1'b1;
        fill_q         <= !fill_q;
      end
      if (release_i) begin
        full_q[issue_q] <= 1'b0;
        issue_q         <= !issue_q;
      end
    end
  end

  // ---------------------------------------------------------------- writing: fields, address
  wire [ProjectionBits-1:0] in_projection;
  wire [RowBits-1:0]        in_row;
  wire [ColumnBits-1:0]     in_column;
  wire [ChannelBits-1:0]    in_channel;

  sf_window_fields #(
    .Projections   (Projections),
    .ProjectionBits(ProjectionBits),
    .IdBits        (IdBits),
    .IdShift       (IdShift),
    .RowBits       (RowBits),
    .ColumnBits    (ColumnBits),
    .ChannelBits   (ChannelBits),
    .ColumnWidths  (ColumnWidths),
    .ChannelWidths (ChannelWidths)
  ) u_fields (
    .id_i        (in_id_i),
    .projection_o(in_projection),
    .row_o       (in_row),
    .column_o    (in_column),
    .channel_o   (in_channel)
  );

  reg                       f_valid_q;
  reg                       f_fill_q;
  reg  [ValueBits-1:0]      f_value_q;
  reg  [ProjectionBits-1:0] f_projection_q;
  reg  [RowBits-1:0]        f_row_q;
  reg  [ColumnBits-1:0]     f_column_q;
  reg  [ChannelBits-1:0]    f_channel_q;
  reg                       w_valid_q;
  reg                       w_fill_q;
  reg  [ValueBits-1:0]      w_value_q;
  reg  [WordBits-1:0]       w_word_q;
  reg  [RowSelect-1:0]      w_row_q;
  wire [WordBits-1:0]       row_words;
  wire [WordBits-1:0]       column_words;
  wire [WordBits-1:0]       first_word;

  sf_scale #(
    .Projections   (Projections),
    .ProjectionBits(ProjectionBits),
    .InBits        (RowBits),
    .OutBits       (WordBits),
    .Factors       (RowFactors)
  ) u_row (
    .projection_i(f_projection_q),
    .value_i     (f_row_q),
    .product_o   (row_words)
  );

  sf_scale #(
    .Projections   (Projections),
    .ProjectionBits(ProjectionBits),
    .InBits        (ColumnBits),
    .OutBits       (WordBits),
    .Factors       (ColumnFactors)
  ) u_column (
    .projection_i(f_projection_q),
    .value_i     (f_column_q),
    .product_o   (column_words)
  );

  sf_scale #(
    .Projections   (Projections),
    .ProjectionBits(ProjectionBits),
    .InBits        (1),
    .OutBits       (WordBits),
    .Factors       (Bases)
  ) u_base (
    .projection_i(f_projection_q),
    .value_i     (1'b1),
    .product_o   (first_word)
  );

  // Chunk and row of the channel; it may have too few bits to reach beyond chunk 0.
  wire [ChannelBits+WordBits+RowSelect-1:0] channel = {{(WordBits+RowSelect){1'b0}}, f_channel_q};
  wire unused_channel = &{1'b0, channel};

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      f_valid_q <= 1'b0;
      w_valid_q <= 1'b0;
    end else begin
      f_valid_q <= take && !in_last_i;
      w_valid_q <= f_valid_q;
    end
  end

  always @(posedge clk_i) begin
    f_fill_q       <= fill_q;
    f_value_q      <= in_value_i;
    f_projection_q <= in_projection;
    f_row_q        <= in_row;
    f_column_q     <= in_column;
    f_channel_q    <= in_channel;
    w_fill_q       <= f_fill_q;
    w_value_q      <= f_value_q;
    w_word_q       <= (row_words + column_words) + (first_word + channel[Skip+:WordBits]);
    w_row_q        <= (Rows > 1) ? channel[RowSelect-1:0] : {RowSelect{1'b0}};
  end

  // ---------------------------------------------------------------- clearing what has been read for the last time
  reg                clear_q;
  reg                clear_which_q;
  reg [WordBits-1:0] clear_word_q;

  always @(posedge clk_i) begin
    if (!rst_ni) clear_q <= 1'b0;
    else clear_q <= read_i && read_last_i;
  end

  always @(posedge clk_i) begin
    clear_which_q <= issue_q;
    clear_word_q  <= read_word_i;
  end

  wire [WordBits-1:0] clear_word = init_i ? clear_word_i : clear_word_q;

  genvar b;
  generate
    for (b = 0; b < 2; b = b + 1) begin : g_buffer
      sf_bank #(
        .Rows     (Rows),
        .RowBits  (RowSelect),
        .ValueBits(ValueBits),
        .Words    (Words),
        .WordBits (WordBits)
      ) u_bank (
        .clk_i  (clk_i),
        .write_i(rst_ni && w_valid_q && w_fill_q == b[0]),
        .row_i  (w_row_q),
        .waddr_i(w_word_q),
        .value_i(w_value_q),
        .clear_i(rst_ni && (clear_i || (clear_q && clear_which_q == b[0]))),
        .caddr_i(clear_word),
        .re_i   (read_i),
        .raddr_i(read_word_i),
        .rdata_o(read_data_o[b*Rows*ValueBits+:Rows*ValueBits])
      );
    end
  endgenerate

endmodule

`default_nettype wire
