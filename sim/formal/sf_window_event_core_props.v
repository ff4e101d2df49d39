// sf_window_event_core with a free weight and free parameters: two pixels of one channel behind a convolution of 1 by 1. Two
// events of one pixel need, one after the other, the same word of the membrane memory.
//
// Bounded: the output of a phase is what the neuron's equation gives (core_ref), resets at any time included; nothing is
// written during reset, and the first write after it is v_init.
`default_nettype none

module sf_window_event_core_props #(
  parameter Neurons      = 2,
  parameter Lanes        = 1,
  parameter IdBits       = 1,
  parameter ValueBits    = 2,
  parameter ShiftAdd     = 0,
  parameter WeightBits   = 2,
  parameter MembraneBits = 5,
  parameter ThetaBits    = 2,
  parameter BiasBits     = 1,
  parameter Kind         = 3,
  parameter Slots        = 1,
  parameter CountBits    = 1,
  parameter CountMax     = 1,
  parameter OutValueBits = 5
) (
  input wire                 clk,
  input wire                 rst_n,
  input wire                 in_valid,
  input wire                 in_last,
  input wire [ValueBits-1:0] in_value,
  input wire [IdBits-1:0]    in_id,
  input wire                 out_ready
);

  localparam OutIdBits = 1;
  localparam WWidth    = Lanes * WeightBits;
  localparam PWidth    = Lanes * (BiasBits + MembraneBits + ThetaBits);

  wire                    in_ready;
  wire                    out_valid;
  wire                    out_last;
  wire [OutValueBits-1:0] out_value;
  wire [OutIdBits-1:0]    out_id;
  wire                    w_en;
  wire [0:0]              w_addr;
  reg  [WWidth-1:0]       w_data;
  wire                    p_en;
  wire [0:0]              p_addr;
  reg  [PWidth-1:0]       p_data;

  // ------------------------------------------------ memories with any content
  (* anyconst *) wire [WWidth-1:0]   weights;
  (* anyconst *) wire [PWidth-1:0]   parameters;

  always @(posedge clk) begin
    if (w_en) w_data <= weights;
    if (p_en) p_data <= parameters;
  end

  // One row; two columns, a block each: {tap, block, hit, weight offset, last step}.
  wire [2:0] row_addr;
  wire [2:0] column_addr;
  wire [4:0] row    = 5'b00101;
  wire [4:0] column = {1'b0, column_addr[1], 3'b101};

  sf_window_event_core #(
    .Lanes(Lanes), .Groups(2), .GroupBits(1), .ChannelGroups(1), .ChannelGroupBits(1), .BlockRows(1), .BlockRowBits(1),
    .BlockColumns(2), .BlockColumnBits(1), .IdBits(IdBits), .IdShift(IdBits), .RowBits(1), .ColumnBits(1), .ChannelBits(1),
    .ColumnWidths(32'd1), .ChannelWidths(32'd0), .RowStepBits(1), .ColumnStepBits(1), .AddrBits(1), .ChannelFactors(1'd0),
    .ValueBits(ValueBits), .ShiftAdd(ShiftAdd), .WeightBits(WeightBits), .MembraneBits(MembraneBits),
    .ThetaBits(ThetaBits), .BiasBits(BiasBits), .Kind(Kind), .Slots(Slots), .CountBits(CountBits), .CountMax(CountMax),
    .ColumnStep(1), .RowStep(2), .OutIdBits(OutIdBits), .OutValueBits(OutValueBits)
  ) dut (
    .clk_i(clk), .rst_ni(rst_n),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_last_i(in_last), .in_value_i(in_value), .in_id_i(in_id),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_last_o(out_last), .out_value_o(out_value), .out_id_o(out_id),
    .w_en_o(w_en), .w_addr_o(w_addr), .w_data_i(w_data), .p_en_o(p_en), .p_addr_o(p_addr), .p_data_i(p_data),
    .row_addr_o(row_addr), .row_data_i(row), .column_addr_o(column_addr), .column_data_i(column)
  );

  // ------------------------------------------------ the neuron watched
  (* anyconst *) wire [OutIdBits-1:0] neuron;
  wire take = in_valid && in_ready;

  wire [ThetaBits-1:0]    theta  = parameters[0+:ThetaBits];
  wire [MembraneBits-1:0] v_init = parameters[ThetaBits+:MembraneBits];
  wire [BiasBits-1:0]     bias   = parameters[ThetaBits+MembraneBits+:BiasBits];
  wire [WeightBits-1:0]   weight = (in_id == neuron) ? weights : {WeightBits{1'b0}};

  wire [MembraneBits-1:0] sum;
  core_ref #(
    .Neurons(Neurons), .ValueBits(ValueBits), .WeightBits(WeightBits), .MembraneBits(MembraneBits),
    .ThetaBits(ThetaBits), .BiasBits(BiasBits), .Kind(Kind), .CountMax(CountMax), .Phases(1),
    .OutIdBits(OutIdBits), .OutValueBits(OutValueBits)
  ) core (
    .clk_i(clk), .rst_ni(rst_n), .neuron_i(neuron), .watched_i(3'd0),
    .weight_i(weight), .v_init_i(v_init), .theta_i(theta), .bias_i(bias),
    .take_i(take), .last_i(in_last), .value_i(in_value),
    .out_valid_i(out_valid), .out_ready_i(out_ready), .out_last_i(out_last), .out_value_i(out_value),
    .out_id_i(out_id), .membrane_o(sum)
  );

  initial assume (!rst_n);
  always @* assume (theta != 0);

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;

  (* hierconn *) wire                          \dut.g_bank[0].u_membrane.we_i ;
  (* hierconn *) wire [Lanes*MembraneBits-1:0] \dut.g_bank[0].u_membrane.wdata_i ;
  (* hierconn *) wire [0:0]                    \dut.g_bank[0].u_membrane.waddr_i ;
  wire writes = \dut.g_bank[0].u_membrane.we_i && \dut.g_bank[0].u_membrane.waddr_i == neuron;

  // The neuron was written since reset.
  reg fresh = 1'b0;
  always @(posedge clk) begin
    if (!rst_n) fresh <= 1'b0;
    else if (writes) fresh <= 1'b1;
    if (!rst_n) assert (!\dut.g_bank[0].u_membrane.we_i );
    if (started && rst_n && writes && !fresh) assert (\dut.g_bank[0].u_membrane.wdata_i == v_init);
  end

endmodule

`default_nettype wire
