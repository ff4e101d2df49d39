// sf_matrix_core with free weights and parameters, for any neuron.
//
// Bounded: the output of a phase is what the neuron's equation gives (core_ref), resets at any time included.
// By induction: while a bank is filled, it holds the payloads taken in this phase and zeros; so it is zero again when a phase
// begins. Nothing is written during reset, and the first write to a group after it is v_init (bounded).
`default_nettype none

module sf_matrix_core_props #(
  parameter Neurons      = 3,
  parameter Lanes        = 2,
  parameter Groups       = 2,
  parameter Rows         = 2,
  parameter Chunks       = 2,
  parameter IdBits       = 2,
  parameter ValueBits    = 2,
  parameter WeightBits   = 3,
  parameter MembraneBits = 5,
  parameter ThetaBits    = 3,
  parameter BiasBits     = 2,
  parameter Kind         = 0,
  parameter Slots        = 2,
  parameter CountBits    = 2,
  parameter CountMax     = 2,
  parameter Phases       = 1,
  parameter OutValueBits = 2
) (
  input wire                 clk,
  input wire                 rst_n,
  input wire                 in_valid,
  input wire                 in_last,
  input wire [ValueBits-1:0] in_value,
  input wire [IdBits-1:0]    in_id,
  input wire                 out_ready
);

  localparam GroupBits = 1;
  localparam OutIdBits = 2;
  localparam ChunkBits = 1;
  localparam AddrBits  = 2;
  localparam Words     = Groups * Chunks;
  localparam WWidth    = Lanes * Rows * WeightBits;
  localparam PWidth    = Lanes * (BiasBits + MembraneBits + ThetaBits);

  wire                    in_ready;
  wire                    out_valid;
  wire                    out_last;
  wire [OutValueBits-1:0] out_value;
  wire [OutIdBits-1:0]    out_id;
  wire                    w_en;
  wire [AddrBits-1:0]     w_addr;
  reg  [WWidth-1:0]       w_data;
  wire                    p_en;
  wire [GroupBits-1:0]    p_addr;
  reg  [PWidth-1:0]       p_data;

  // ------------------------------------------------ memories with any content
  (* anyconst *) wire [Words*WWidth-1:0]  weights;
  (* anyconst *) wire [Groups*PWidth-1:0] parameters;

  always @(posedge clk) begin
    if (w_en) w_data <= weights[w_addr*WWidth+:WWidth];
    if (p_en) p_data <= parameters[p_addr*PWidth+:PWidth];
  end

  sf_matrix_core #(
    .Neurons(Neurons), .Lanes(Lanes), .Groups(Groups), .GroupBits(GroupBits), .IdBits(IdBits), .ValueBits(ValueBits),
    .Rows(Rows), .Chunks(Chunks), .ChunkBits(ChunkBits), .WeightBits(WeightBits), .AddrBits(AddrBits), .MembraneBits(MembraneBits),
    .ThetaBits(ThetaBits), .BiasBits(BiasBits), .Kind(Kind), .Slots(Slots), .CountBits(CountBits), .CountMax(CountMax),
    .Phases(Phases), .OutIdBits(OutIdBits), .OutValueBits(OutValueBits)
  ) dut (
    .clk_i(clk), .rst_ni(rst_n),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_last_i(in_last), .in_value_i(in_value), .in_id_i(in_id),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_last_o(out_last), .out_value_o(out_value), .out_id_o(out_id),
    .w_en_o(w_en), .w_addr_o(w_addr), .w_data_i(w_data), .p_en_o(p_en), .p_addr_o(p_addr), .p_data_i(p_data)
  );

  // ------------------------------------------------ the neuron watched
  (* anyconst *) wire [OutIdBits-1:0] neuron;
  (* anyconst *) wire [2:0]           watched;
  wire [GroupBits-1:0] group = neuron / Lanes;
  wire [1:0]           lane  = neuron % Lanes;
  wire                 take  = in_valid && in_ready;

  wire [PWidth-1:0]       own    = parameters[group*PWidth+:PWidth];
  wire [ThetaBits-1:0]    theta  = own[lane*ThetaBits+:ThetaBits];
  wire [MembraneBits-1:0] v_init = own[Lanes*ThetaBits+lane*MembraneBits+:MembraneBits];
  wire [BiasBits-1:0]     bias   = own[Lanes*(ThetaBits+MembraneBits)+lane*BiasBits+:BiasBits];
  wire [WeightBits-1:0]   weight = weights[(group*Chunks+in_id/Rows)*WWidth+(lane*Rows+in_id%Rows)*WeightBits+:WeightBits];

  wire [MembraneBits-1:0] sum;
  core_ref #(
    .Neurons(Neurons), .ValueBits(ValueBits), .WeightBits(WeightBits), .MembraneBits(MembraneBits),
    .ThetaBits(ThetaBits), .BiasBits(BiasBits), .Kind(Kind), .CountMax(CountMax), .Phases(Phases),
    .OutIdBits(OutIdBits), .OutValueBits(OutValueBits)
  ) core (
    .clk_i(clk), .rst_ni(rst_n), .neuron_i(neuron), .watched_i(watched),
    .weight_i(weight), .v_init_i(v_init), .theta_i(theta), .bias_i(bias),
    .take_i(take), .last_i(in_last), .value_i(in_value),
    .out_valid_i(out_valid), .out_ready_i(out_ready), .out_last_i(out_last), .out_value_i(out_value),
    .out_id_i(out_id), .membrane_o(sum)
  );

  initial assume (!rst_n);
  always @* begin
    assume (neuron < Neurons);
    assume (watched == 0); // a second phase would begin behind the depth that is searched
    assume (theta != 0);
  end

  // The senders' promise: an id at most once a phase, and only ids that exist.
  reg [Rows*Chunks-1:0] seen;
  always @(posedge clk) begin
    if (!rst_n || (take && in_last)) seen <= 0;
    else if (take) seen <= seen | (1 << in_id);
  end
  always @* if (in_valid && !in_last) assume (in_id < Rows * Chunks && !seen[in_id]);

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;

  // ------------------------------------------------ inside: writes to the membrane memory
  (* hierconn *) wire                          \dut.u_membrane.we_i ;
  (* hierconn *) wire [GroupBits-1:0]          \dut.u_membrane.waddr_i ;
  (* hierconn *) wire [Lanes*MembraneBits-1:0] \dut.u_membrane.wdata_i ;

  wire [MembraneBits-1:0] wdata  = \dut.u_membrane.wdata_i [lane*MembraneBits+:MembraneBits];
  wire                    writes = \dut.u_membrane.we_i && \dut.u_membrane.waddr_i == group;

  // The group was written since reset.
  reg fresh = 1'b0;
  always @(posedge clk) begin
    if (!rst_n) fresh <= 1'b0;
    else if (writes) fresh <= 1'b1;
    if (!rst_n) assert (!\dut.u_membrane.we_i );
`ifdef BOUNDED
    if (started && rst_n && writes && !fresh) assert (wdata == v_init);
`endif
  end

  // ------------------------------------------------ inside: the input banks, at any place
  (* hierconn *) wire                 \dut.g_bank[0].u_bank.write_i ;
  (* hierconn *) wire                 \dut.g_bank[1].u_bank.write_i ;
  (* hierconn *) wire                 \dut.g_bank[0].u_bank.clear_i ;
  (* hierconn *) wire                 \dut.g_bank[1].u_bank.clear_i ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_bank[0].u_bank.g_row[0].mem[0] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_bank[0].u_bank.g_row[0].mem[1] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_bank[0].u_bank.g_row[1].mem[0] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_bank[0].u_bank.g_row[1].mem[1] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_bank[1].u_bank.g_row[0].mem[0] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_bank[1].u_bank.g_row[0].mem[1] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_bank[1].u_bank.g_row[1].mem[0] ;
  (* hierconn *) wire [ValueBits-1:0] \dut.g_bank[1].u_bank.g_row[1].mem[1] ;
  (* hierconn *) wire                 \dut.stall ;
  (* hierconn *) wire                 \dut.init_q ;
  (* hierconn *) wire [0:0]           \dut.init_count_q ;
  (* hierconn *) wire [1:0]           \dut.full_q ;
  (* hierconn *) wire                 \dut.fill_q ;
  (* hierconn *) wire                 \dut.issue_q ;
  (* hierconn *) wire                 \dut.fire_q ;
  (* hierconn *) wire [GroupBits-1:0] \dut.group_q ;
  (* hierconn *) wire [ChunkBits-1:0] \dut.chunk_q ;
  (* hierconn *) wire [0:0]           \dut.slot_q ;
  (* hierconn *) wire                 \dut.clear_q ;
  (* hierconn *) wire [ChunkBits-1:0] \dut.clear_word_q ;

  (* anyconst *) wire          bank;
  (* anyconst *) wire [IdBits-1:0] place;

  // [bank][word][row]
  wire [8*ValueBits-1:0] all = {
    (Chunks > 1) ? {\dut.g_bank[1].u_bank.g_row[1].mem[1] , \dut.g_bank[1].u_bank.g_row[0].mem[1] } : {(2*ValueBits){1'b0}},
    \dut.g_bank[1].u_bank.g_row[1].mem[0] , \dut.g_bank[1].u_bank.g_row[0].mem[0] ,
    (Chunks > 1) ? {\dut.g_bank[0].u_bank.g_row[1].mem[1] , \dut.g_bank[0].u_bank.g_row[0].mem[1] } : {(2*ValueBits){1'b0}},
    \dut.g_bank[0].u_bank.g_row[1].mem[0] , \dut.g_bank[0].u_bank.g_row[0].mem[0]
  };
  wire [ValueBits-1:0] stored = all[(bank*4+place)*ValueBits+:ValueBits];
  wire                 word   = place / Rows;
  always @* assume (place < Rows * Chunks);

  wire working    = \dut.full_q [bank] && \dut.issue_q == bank;
  wire last_group = (\dut.group_q == Groups - 1);
  // The word has been read for the last time; it is cleared in the next unstalled cycle.
  wire passed     = working && last_group && (\dut.fire_q || \dut.chunk_q > word);
  wire cleared    = passed && !(\dut.clear_q && \dut.clear_word_q == word);

  // The payload taken for this place, until it has been read for the last time.
  reg [ValueBits-1:0] payload;
  always @(posedge clk) begin
    if (!rst_n || (passed && !\dut.stall )) payload <= 0;
    else if (take && !in_last && \dut.fill_q == bank && in_id == place) payload <= in_value;
  end

  always @(posedge clk) begin
    if (!rst_n) begin
      assert (!\dut.g_bank[0].u_bank.write_i && !\dut.g_bank[1].u_bank.write_i );
      assert (!\dut.g_bank[0].u_bank.clear_i && !\dut.g_bank[1].u_bank.clear_i );
    end
    if (started && rst_n) begin
      // The property: a bank holds the payloads of its phase, and is zero when the phase begins.
      if (!\dut.init_q ) assert (stored == (cleared ? 0 : payload));
      if (!\dut.init_q && !\dut.full_q [bank] && (\dut.fill_q != bank || seen == 0)) assert (stored == 0);

      // What makes it inductive: INIT has zeroed what it has passed,
      if (\dut.init_q ) begin
        assert (payload == 0 && seen == 0);
        if (\dut.init_count_q > word) assert (stored == 0);
        assert (\dut.full_q == 0 && !\dut.fill_q && !\dut.issue_q && !\dut.clear_q );
      end
      // what was not taken is zero,
      if (!\dut.full_q [bank] && (\dut.fill_q != bank || !seen[place])) assert (payload == 0);
      // the banks take turns,
      if (^\dut.full_q ) assert (\dut.full_q [\dut.issue_q ] && \dut.fill_q != \dut.issue_q );
      else assert (\dut.fill_q == \dut.issue_q );
      // and the issue unit walks in order.
      if (\dut.full_q == 0) assert (\dut.group_q == 0 && \dut.chunk_q == 0 && !\dut.fire_q );
      if (\dut.fire_q ) assert (\dut.chunk_q == 0);
      else assert (\dut.slot_q == 0);
      assert (\dut.group_q < Groups && \dut.slot_q < Slots);
      if (\dut.clear_q ) begin
        assert (\dut.full_q != 0 && last_group);
        if (\dut.fire_q ) assert (\dut.clear_word_q == Chunks - 1 && \dut.slot_q == 0);
        else assert (\dut.chunk_q == \dut.clear_word_q + 1);
      end
      cover (\dut.full_q [bank] && stored != 0);
      cover (!\dut.full_q [bank] && !\dut.init_q && $past(\dut.full_q [bank]));
    end
  end

endmodule

`default_nettype wire
