// sf_event_core with free weights and parameters, for any neuron.
//
// Bounded: the output of a phase is what the neuron's equation gives (core_ref), resets at any time included.
// By induction (phases = 1): the membrane memory holds v_init + sum of w * x over the events taken, less what is still on
// its way; after a reset the first write to a group is v_init and nothing is read before; nothing is written during reset.
`default_nettype none

module sf_event_core_props #(
  parameter Neurons      = 3,
  parameter Lanes        = 2,
  parameter Groups       = 2,
  parameter IdBits       = 1,
  parameter ValueBits    = 2,
  parameter ShiftAdd     = 0,
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
  localparam AddrBits  = IdBits + 1;
  localparam Words     = Groups << IdBits;
  localparam WWidth    = Lanes * WeightBits;
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

  sf_event_core #(
    .Neurons(Neurons), .Lanes(Lanes), .Groups(Groups), .GroupBits(GroupBits), .IdBits(IdBits), .ValueBits(ValueBits),
    .ShiftAdd(ShiftAdd), .WeightBits(WeightBits), .AddrBits(AddrBits), .MembraneBits(MembraneBits),
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
  wire [WeightBits-1:0]   weight = weights[(in_id*Groups+group)*WWidth+lane*WeightBits+:WeightBits];

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

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;

  // ------------------------------------------------ inside: the membrane memory and the ops on their way to it
  (* hierconn *) wire                          \dut.u_membrane.we_i ;
  (* hierconn *) wire [GroupBits-1:0]          \dut.u_membrane.waddr_i ;
  (* hierconn *) wire [Lanes*MembraneBits-1:0] \dut.u_membrane.wdata_i ;
  (* hierconn *) wire [Lanes*MembraneBits-1:0] \dut.u_membrane.mem_q[0] ;
  (* hierconn *) wire [Lanes*MembraneBits-1:0] \dut.u_membrane.mem_q[1] ;
  (* hierconn *) wire [Lanes*MembraneBits-1:0] \dut.rdata ;
  (* hierconn *) wire                          \dut.stall ;
  (* hierconn *) wire                          \dut.init_q ;
  (* hierconn *) wire                          \dut.held_q ;
  (* hierconn *) wire                          \dut.held_last_q ;
  (* hierconn *) wire [ValueBits-1:0]          \dut.held_value ;
  (* hierconn *) wire [AddrBits-1:0]           \dut.held_base_q ;
  (* hierconn *) wire [GroupBits-1:0]          \dut.group_q ;
  (* hierconn *) wire [0:0]                    \dut.slot_q ;
  (* hierconn *) wire [0:0]                    \dut.phase_q ;
  (* hierconn *) wire [6:0]                    \dut.w_op_q ;
  (* hierconn *) wire [6:0]                    \dut.m_op_q ;
  (* hierconn *) wire [6:0]                    \dut.a_op_q ;
  (* hierconn *) wire                          \dut.a_load_q ;
  (* hierconn *) wire [GroupBits-1:0]          \dut.w_group_q ;
  (* hierconn *) wire [GroupBits-1:0]          \dut.m_group_q ;
  (* hierconn *) wire [GroupBits-1:0]          \dut.a_group_q ;
  (* hierconn *) wire [ValueBits-1:0]          \dut.w_value_q ;
  (* hierconn *) wire [ValueBits-1:0]          \dut.m_value_q ;
  (* hierconn *) wire [0:0]                    \dut.w_shift_q ;
  (* hierconn *) wire [0:0]                    \dut.m_shift_q ;
  (* hierconn *) wire [WWidth-1:0]             \dut.m_weight_q ;
  (* hierconn *) wire [Lanes*(WeightBits+ValueBits)-1:0] \dut.a_addend_q ;

  wire [MembraneBits-1:0] wdata  = \dut.u_membrane.wdata_i [lane*MembraneBits+:MembraneBits];
  wire                    writes = \dut.u_membrane.we_i && \dut.u_membrane.waddr_i == group;

  // The group was written since reset.
  reg fresh = 1'b0;
  always @(posedge clk) begin
    if (!rst_n) fresh <= 1'b0;
    else if (writes) fresh <= 1'b1;
    if (!rst_n) assert (!\dut.u_membrane.we_i );
    if (started && rst_n && writes && !fresh) assert (wdata == v_init);
  end

`ifdef INDUCTION
  // A flag of an op that concerns the group.
  wire [6:0] w_op = (\dut.w_group_q == group) ? \dut.w_op_q : 7'd0;
  wire [6:0] m_op = (\dut.m_group_q == group) ? \dut.m_op_q : 7'd0;
  wire [6:0] a_op = (\dut.a_group_q == group) ? \dut.a_op_q : 7'd0;
  localparam Init = 6, Acc = 5, Fire = 4, First = 3, Last = 2, ImageLast = 1;

  // What an op must add to the neuron's membrane, known when it is issued.
  reg  [IdBits-1:0]       held_id;
  reg  [ValueBits-1:0]    held_value; // of the beat; the core's own loses the bits that have been added
  reg  [MembraneBits-1:0] w_add, m_add, a_add;
  wire [WeightBits-1:0]   held_weight = weights[(held_id*Groups+group)*WWidth+lane*WeightBits+:WeightBits];
  wire [ValueBits-1:0]    rest        = \dut.held_value ;
  wire [ValueBits-1:0]    part        = ShiftAdd ? rest & (~rest + 1'b1) : rest;
  wire                    adding      = \dut.held_q && !\dut.held_last_q ;

  function [MembraneBits-1:0] times;
    input signed [WeightBits-1:0] factor;
    input [ValueBits-1:0] by;
    reg signed [MembraneBits+4:0] wide;
    begin
      wide  = factor;
      wide  = wide * $signed({1'b0, by});
      times = wide[MembraneBits-1:0];
    end
  endfunction

  // What the core is about to add, from its own registers.
  function [MembraneBits-1:0] gives;
    input [WeightBits-1:0] factor;
    input [ValueBits-1:0] by;
    input [0:0] shift;
    gives = ShiftAdd ? (by == 0 ? 0 : times(factor, 1 << shift)) : times(factor, by);
  endfunction

  always @(posedge clk) begin
    if (take) begin
      held_id    <= in_id;
      held_value <= in_value;
    end
    if (!\dut.stall ) begin
      w_add <= times(held_weight, part);
      m_add <= w_add;
      a_add <= m_add;
    end
  end

  // The neuron's membrane after all ops that have been issued: the memory, then the ops from the oldest to the youngest.
  wire [Lanes*MembraneBits-1:0] word   = group ? \dut.u_membrane.mem_q[1] : \dut.u_membrane.mem_q[0] ;
  wire [MembraneBits-1:0]       stored = word[lane*MembraneBits+:MembraneBits];
  wire                    a_known = fresh || a_op[Init];
  wire                    m_known = a_known || m_op[Init];
  wire                    w_known = m_known || w_op[Init];
  wire [MembraneBits-1:0] a_after = (a_op[Init] || (a_op[Fire] && a_op[Last])) ? v_init : a_op[Acc] ? stored + a_add : stored;
  wire [MembraneBits-1:0] m_after = (m_op[Init] || (m_op[Fire] && m_op[Last])) ? v_init : m_op[Acc] ? a_after + m_add : a_after;
  wire [MembraneBits-1:0] w_after = (w_op[Init] || (w_op[Fire] && w_op[Last])) ? v_init : w_op[Acc] ? m_after + w_add : m_after;
  wire                    ahead   = \dut.group_q <= group; // the beat in hand has not yet come to the group
  wire [MembraneBits-1:0] issued  = !adding ? w_after : w_after + times(held_weight, ahead ? rest : rest & ~part);
  wire                    ending  = \dut.held_q && \dut.held_last_q && ahead;
  wire [6:0]              live    = 7'b1110000;
  wire signed [WeightBits+ValueBits-1:0] a_given =
    \dut.a_addend_q [lane*(WeightBits+ValueBits)+:WeightBits+ValueBits];
  wire signed [MembraneBits+8:0] a_wide = a_given;

  always @(posedge clk) if (started && rst_n) begin
    // The property: with the pipeline empty, the memory is the neuron's membrane.
    if (!\dut.init_q && !\dut.held_q && ((\dut.w_op_q | \dut.m_op_q | \dut.a_op_q ) & live) == 0) begin
      assert (fresh && stored == sum);
    end
    cover (!\dut.init_q && !\dut.held_q && ((\dut.w_op_q | \dut.m_op_q | \dut.a_op_q ) & live) == 0
           && sum != v_init && $past(in_ready && in_valid && !in_last && in_value == 2, 6));
    // The same at any time, with what is on its way.
    if (!(\dut.init_q && ahead)) begin
      assert (w_known);
      assert (ending ? sum == v_init : sum == issued);
    end
    // Nothing is read before it was initialised.
    if (a_op[Acc] || a_op[Fire]) assert (fresh);
    if (m_op[Acc] || m_op[Fire]) assert (a_known);
    if (w_op[Acc] || w_op[Fire]) assert (m_known);
    // Stage A loads for an addition and in a group's first firing slot (bits 5, 4 and 3: acc, fire, first).
    if (\dut.a_op_q [5] || \dut.a_op_q [4]) assert (\dut.a_load_q == (\dut.a_op_q [5] || \dut.a_op_q [3]));
    // What is in stage A is what the memory holds, and each stage carries what it should.
    if (a_op[Acc]) assert (\dut.rdata [lane*MembraneBits+:MembraneBits] == stored);
    if (a_op[Acc]) assert (a_wide[MembraneBits-1:0] == a_add);
    if (m_op[Acc]) assert (gives(\dut.m_weight_q [lane*WeightBits+:WeightBits], \dut.m_value_q , \dut.m_shift_q ) == m_add);
    if (w_op[Acc]) assert (gives(w_data[lane*WeightBits+:WeightBits], \dut.w_value_q , \dut.w_shift_q ) == w_add);
    if (a_op & live) assert (p_data == own);
    // Two ops on one group never follow each other directly, but for the slots of firing.
    if ((a_op & live) && (m_op & live)) assert (a_op[Fire] && !a_op[Last] && m_op[Fire] && !m_op[First]);
    if ((m_op & live) && (w_op & live)) assert (m_op[Fire] && !m_op[Last] && w_op[Fire] && !w_op[First]);
    if ((w_op & live) && \dut.group_q == group) begin
      assert (w_op[Fire] && !w_op[Last] && \dut.held_q && \dut.held_last_q && !\dut.init_q && \dut.slot_q == 1);
    end
    if ((w_op[Fire] && !w_op[Last])) assert (\dut.group_q == group);
    // The issue unit.
    assert (\dut.group_q < Groups && \dut.slot_q < Slots && \dut.phase_q == 0);
    if (\dut.slot_q != 0) assert (\dut.held_q && \dut.held_last_q );
    if (\dut.init_q ) assert (!\dut.held_q && \dut.slot_q == 0 && sum == v_init);
    if (!\dut.held_q && !\dut.init_q ) assert (\dut.group_q == 0);
    if (\dut.held_q ) assert (\dut.held_base_q == held_id * Groups);
    if (\dut.init_q ) assert (((\dut.w_op_q | \dut.m_op_q | \dut.a_op_q ) & 7'b0110000) == 0);
    if (w_op[Fire]) assert (w_op[ImageLast] && !w_op[Acc] && !w_op[Init]);
    if (m_op[Fire]) assert (m_op[ImageLast] && !m_op[Acc] && !m_op[Init]);
    if (a_op[Fire]) assert (a_op[ImageLast] && !a_op[Acc] && !a_op[Init]);
    assert (!(w_op[Acc] && w_op[Init]) && !(m_op[Acc] && m_op[Init]) && !(a_op[Acc] && a_op[Init]));
  end
`endif

endmodule

`default_nettype wire
