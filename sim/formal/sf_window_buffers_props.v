// sf_window_buffers with any events, reads and releases that keep the issue unit's promise: what is read of a phase is what
// the phase's events wrote, and zero elsewhere; nothing is written during reset.
//
// Watched: any channel (word and row) of either buffer. `done`: its word has been read for the last time in this phase.
`default_nettype none

module sf_window_buffers_props #(
  parameter ValueBits = 2
) (
  input wire                 clk,
  input wire                 rst_n,
  input wire                 in_valid,
  input wire                 in_last,
  input wire [ValueBits-1:0] in_value,
  input wire [1:0]           in_id,
  input wire                 read,
  input wire                 read_last,
  input wire                 read_word,
  input wire                 release_buffer
);

  wire                   in_ready;
  wire                   full;
  wire                   which;
  wire [4*ValueBits-1:0] read_data;
  (* anyconst *) wire [1:0] place;
  (* anyconst *) wire       buffer;
  wire                   word = place[1];

  // INIT, as the issue unit does it: one word a cycle.
  reg [1:0] count = 2'd0;
  wire      init  = (count != 2'd2);
  always @(posedge clk) count <= !rst_n ? 2'd0 : init ? count + 2'd1 : count;

  // 1 projection of 4 channels and 1 pixel: 2 words of 2 rows.
  sf_window_buffers #(
    .Rows(2), .Words(2), .WordBits(1), .ValueBits(ValueBits), .IdBits(2), .IdShift(2), .RowBits(1), .ColumnBits(1),
    .ChannelBits(2), .ColumnWidths(32'd0), .ChannelWidths(32'd2)
  ) dut (
    .clk_i(clk), .rst_ni(rst_n), .init_i(init), .clear_i(init), .clear_word_i(count[0]),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_last_i(in_last), .in_value_i(in_value), .in_id_i(in_id),
    .full_o(full), .which_o(which), .release_i(release_buffer),
    .read_i(read), .read_last_i(read_last), .read_word_i(read_word), .read_data_o(read_data)
  );

  (* hierconn *) wire [1:0]           \dut.full_q ;
  (* hierconn *) wire                 \dut.fill_q ;
  (* hierconn *) wire                 \dut.issue_q ;
  (* hierconn *) wire                 \dut.f_valid_q ;
  (* hierconn *) wire                 \dut.f_fill_q ;
  (* hierconn *) wire [ValueBits-1:0] \dut.f_value_q ;
  (* hierconn *) wire [1:0]           \dut.f_channel_q ;
  (* hierconn *) wire                 \dut.w_valid_q ;
  (* hierconn *) wire                 \dut.w_fill_q ;
  (* hierconn *) wire [ValueBits-1:0] \dut.w_value_q ;
  (* hierconn *) wire                 \dut.w_word_q ;
  (* hierconn *) wire                 \dut.w_row_q ;
  (* hierconn *) wire                 \dut.clear_q ;
  (* hierconn *) wire                 \dut.clear_which_q ;
  (* hierconn *) wire                 \dut.clear_word_q ;
  (* hierconn *) wire                 \dut.g_buffer[0].u_bank.write_i ;
  (* hierconn *) wire                 \dut.g_buffer[1].u_bank.write_i ;
  (* hierconn *) wire                 \dut.g_buffer[0].u_bank.clear_i ;
  (* hierconn *) wire                 \dut.g_buffer[1].u_bank.clear_i ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_buffer[0].u_bank.g_row[0].mem[0] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_buffer[0].u_bank.g_row[0].mem[1] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_buffer[0].u_bank.g_row[1].mem[0] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_buffer[0].u_bank.g_row[1].mem[1] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_buffer[1].u_bank.g_row[0].mem[0] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_buffer[1].u_bank.g_row[0].mem[1] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_buffer[1].u_bank.g_row[1].mem[0] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_buffer[1].u_bank.g_row[1].mem[1] ;

  // [buffer][word][row]
  wire [8*ValueBits-1:0] all = {
    \dut.g_buffer[1].u_bank.g_row[1].mem[1] , \dut.g_buffer[1].u_bank.g_row[0].mem[1] ,
    \dut.g_buffer[1].u_bank.g_row[1].mem[0] , \dut.g_buffer[1].u_bank.g_row[0].mem[0] ,
    \dut.g_buffer[0].u_bank.g_row[1].mem[1] , \dut.g_buffer[0].u_bank.g_row[0].mem[1] ,
    \dut.g_buffer[0].u_bank.g_row[1].mem[0] , \dut.g_buffer[0].u_bank.g_row[0].mem[0]
  };
  wire [ValueBits-1:0] stored = all[{buffer, place}*ValueBits+:ValueBits];

  // The promise: reads count from the cycle after the buffer appeared; the word's last read comes not after the release.
  reg  [1:0] ready_q = 2'b00; // the buffer was full in the cycle before
  reg        done    = 1'b0;
  wire       mine    = full && which == buffer;
  wire       counts  = mine && ready_q[buffer];
  wire       at_word = read && read_word == word;
  wire       last    = counts && at_word && read_last;
  always @(posedge clk) begin
    ready_q <= !rst_n ? 2'b00 : \dut.full_q & ~({2{release_buffer}} & (2'b01 << which));
    done    <= rst_n && !(release_buffer && which == buffer) && (done || last);
  end
  always @* begin
    if (read && read_last) assume (full && ready_q[which]);
    if (release_buffer) assume (full && !init);
    if (release_buffer && which == buffer) assume (done || last);
    if (done && mine && at_word) assume (!read_last);
  end

  // What the phase's events say.
  wire take = in_valid && in_ready;
  reg  [ValueBits-1:0] payload = {ValueBits{1'b0}};
  always @(posedge clk) begin
    if (!rst_n || (release_buffer && which == buffer)) payload <= {ValueBits{1'b0}};
    else if (take && !in_last && \dut.fill_q == buffer && in_id == place) payload <= in_value;
  end

  // What the watched place will hold when all that is on its way has arrived.
  wire f_mine = \dut.f_valid_q && \dut.f_fill_q == buffer;
  wire w_mine = \dut.w_valid_q && \dut.w_fill_q == buffer;
  wire c_mine = \dut.clear_q && \dut.clear_which_q == buffer && \dut.clear_word_q == word;
  wire [ValueBits-1:0] arriving =
      (f_mine && \dut.f_channel_q == place) ? \dut.f_value_q :
      (w_mine && {\dut.w_word_q , \dut.w_row_q } == place) ? \dut.w_value_q :
      c_mine ? {ValueBits{1'b0}} : stored;

  reg                 shown = 1'b0; // the place was read in its phase, before its last read or by it
  reg [ValueBits-1:0] expected;
  always @(posedge clk) begin
    shown    <= rst_n && counts && at_word && !done;
    expected <= payload;
  end

  initial assume (!rst_n);
  reg started = 1'b0;
  always @(posedge clk) begin
    started <= 1'b1;
    if (!rst_n) begin
      assert (!\dut.g_buffer[0].u_bank.write_i && !\dut.g_buffer[1].u_bank.write_i );
      assert (!\dut.g_buffer[0].u_bank.clear_i && !\dut.g_buffer[1].u_bank.clear_i );
    end
    if (started && rst_n) begin
      // The property.
      if (shown) assert (read_data[{buffer, place[0]}*ValueBits+:ValueBits] == expected);
      // What makes it inductive: the memory follows the events and the last reads,
      if (!init) assert (arriving == (done ? {ValueBits{1'b0}} : payload));
      if (init) begin
        assert (count < 2 && \dut.full_q == 0 && !\dut.fill_q && !\dut.issue_q && payload == 0 && !done);
        assert (!\dut.f_valid_q && !\dut.w_valid_q && !\dut.clear_q && ready_q == 0);
        if (count > word) assert (stored == 0);
      end
      assert (count <= 2);
      // the buffers take turns,
      if (^\dut.full_q ) assert (\dut.full_q [\dut.issue_q ] && \dut.fill_q != \dut.issue_q );
      else assert (\dut.fill_q == \dut.issue_q );
      assert ((ready_q & ~\dut.full_q ) == 0);
      if (done) assert (mine && ready_q[buffer]);
      // and no event arrives at a buffer that is read, or in which a word is still to be cleared.
      if (\dut.f_valid_q ) assert (!\dut.full_q [\dut.f_fill_q ] || !ready_q[\dut.f_fill_q ]);
      if (f_mine) assert (!mine || !ready_q[buffer]);
      if (\dut.f_valid_q ) assert (!\dut.full_q [\dut.f_fill_q ] && \dut.fill_q == \dut.f_fill_q );
      if (\dut.w_valid_q ) assert (!ready_q[\dut.w_fill_q ]);
      if (c_mine) assert (!f_mine && !w_mine);
      if (c_mine) assert (done || (!\dut.full_q [buffer] && payload == 0));
      if (\dut.clear_q ) assert (!(\dut.f_valid_q && \dut.f_fill_q == \dut.clear_which_q ));
      if (\dut.clear_q ) assert (!(\dut.w_valid_q && \dut.w_fill_q == \dut.clear_which_q ));
      if (shown && counts && !done) assert (expected == payload);
      cover (shown && expected != 0 && $past(\dut.full_q == 2'b11));
      cover (!init && !\dut.full_q [buffer] && done == 0 && $past(\dut.full_q [buffer]) && $past(payload != 0));
    end
  end

endmodule

`default_nettype wire
