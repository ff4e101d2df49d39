// Reference for a core, seen from its two streams alone: what one neuron must send in one phase.
//
// The neuron's membrane follows the beats taken (the integers are cut to MembraneBits, as in the core). `watched` is the
// number of the phase, counted from reset, whose output is compared. Whatever the core does in between (groups, passes,
// stalls, a reset in mid-inference) must not show.
`default_nettype none

module core_ref #(
  parameter Neurons      = 3,
  parameter ValueBits    = 2,
  parameter WeightBits   = 3,
  parameter MembraneBits = 5,
  parameter ThetaBits    = 3,
  parameter BiasBits     = 2,
  parameter Kind         = 0,
  parameter CountMax     = 2,
  parameter Phases       = 1,
  parameter OutIdBits    = 2,
  parameter OutValueBits = 2
) (
  input  wire                    clk_i,
  input  wire                    rst_ni,
  input  wire [OutIdBits-1:0]    neuron_i,
  input  wire [2:0]              watched_i,
  // the neuron's parameters and its weight for the beat's id
  input  wire [WeightBits-1:0]   weight_i,
  input  wire [MembraneBits-1:0] v_init_i,
  input  wire [ThetaBits-1:0]    theta_i,
  input  wire [BiasBits-1:0]     bias_i,
  // the beat taken in this cycle
  input  wire                    take_i,
  input  wire                    last_i,
  input  wire [ValueBits-1:0]    value_i,
  // output stream
  input  wire                    out_valid_i,
  input  wire                    out_ready_i,
  input  wire                    out_last_i,
  input  wire [OutValueBits-1:0] out_value_i,
  input  wire [OutIdBits-1:0]    out_id_i,
  // the membrane after all beats taken
  output wire [MembraneBits-1:0] membrane_o
);

  localparam Wide = MembraneBits + ThetaBits + 4;

  reg  [MembraneBits-1:0] membrane;
  reg  [2:0]              step;      // phase within the image
  reg  [3:0]              in_phase;  // ends of phase taken that must leave again
  reg  [3:0]              out_phase; // ends of phase sent

  wire signed [Wide-1:0] v       = $signed(membrane);
  wire signed [Wide-1:0] weight  = $signed(weight_i);
  wire signed [Wide-1:0] value   = $signed({1'b0, value_i});
  wire signed [Wide-1:0] theta   = $signed({1'b0, theta_i});
  wire signed [Wide-1:0] bias    = (Kind == 2) ? $signed(bias_i) : 0;
  wire signed [Wide-1:0] at_fire = v + bias;
  wire signed [Wide-1:0] added   = v + weight * value;
  wire                   image_last = (step == Phases - 1);
  wire                   sends      = (Kind != 3) || image_last;

  // Spikes of the phase: clip(floor(v / theta), 0, CountMax).
  reg signed [Wide-1:0] spent;
  reg [2:0]             spikes;
  integer               k;
  always @* begin
    spikes = 0;
    spent  = 0;
    for (k = 1; k <= CountMax; k = k + 1) begin
      if (at_fire >= k * theta) begin
        spikes = k;
        spent  = k * theta;
      end
    end
  end
  wire signed [Wide-1:0] left = (Kind == 3) ? v : at_fire - spent;

  assign membrane_o = membrane;

  // What the watched phase must send, and what it has sent.
  reg [2:0]              expected;
  reg [MembraneBits-1:0] logit;
  reg [2:0]              sent;
  reg                    sent_any; // some neuron has sent in this phase
  reg [OutIdBits-1:0]    sent_id;

  wire pop  = out_valid_i && out_ready_i;
  wire mine = (out_phase == watched_i) && !out_last_i && (out_id_i == neuron_i);

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      membrane  <= v_init_i;
      step      <= 0;
      in_phase  <= 0;
      out_phase <= 0;
      sent      <= 0;
      sent_any  <= 1'b0;
    end else begin
      if (take_i) begin
        if (!last_i) begin
          membrane <= added[MembraneBits-1:0];
        end else begin
          membrane <= image_last ? v_init_i : left[MembraneBits-1:0];
          step     <= image_last ? 0 : step + 1;
          in_phase <= in_phase + sends;
          if (in_phase == watched_i && sends) begin
            expected <= spikes;
            logit    <= membrane;
          end
        end
      end
      if (pop) begin
        out_phase <= out_phase + out_last_i;
        sent      <= out_last_i ? 0 : sent + mine;
        sent_any  <= !out_last_i;
        sent_id   <= out_id_i;
      end
    end
  end

  reg started = 1'b0;
  always @(posedge clk_i) begin
    started <= 1'b1;
    if (started && rst_ni) assert (step < Phases);
    // The protocol of the output.
    if (started && rst_ni && $past(rst_ni && out_valid_i && !out_ready_i)) begin
      assert (out_valid_i);
      assert ({out_last_i, out_value_i, out_id_i} == $past({out_last_i, out_value_i, out_id_i}));
    end
  end

  // Not inductive: the beats between input and output are known to the core alone.
`ifdef BOUNDED
  always @(posedge clk_i) if (started && rst_ni && out_valid_i) begin
    assert (in_phase > out_phase);
    if (out_last_i) begin
      assert (out_value_i == 0 && out_id_i == 0);
      if (out_phase == watched_i) begin
        if (Kind == 0) assert (sent == (expected != 0));
        if (Kind == 1 || Kind == 2) assert (sent == expected);
        if (Kind == 3) assert (sent == 1);
      end
    end else begin
      assert (out_id_i < Neurons);
      if (Kind != 1 && sent_any) assert (out_id_i > sent_id);
      if (mine && Kind == 0) assert (out_value_i == expected && expected != 0);
      if (mine && (Kind == 1 || Kind == 2)) assert (out_value_i == 1 && sent < expected);
      if (mine && Kind == 3) assert (out_value_i == logit);
    end
  end

  reg [1:0] events; // taken since reset
  reg       reset_again = 1'b0;
  reg       moved = 1'b0;
  always @(posedge clk_i) begin
    if (!rst_ni) events <= 0;
    else if (take_i && !last_i && value_i != 0 && weight_i != 0 && !(&events)) events <= events + 1;
    if (rst_ni && take_i && !last_i && value_i != 0 && weight_i != 0) moved <= 1'b1;
    if (!rst_ni && moved) reset_again <= 1'b1;
    // The neuron's answer to two events, complete and after a wait; and one after a reset in mid-inference.
    cover (started && rst_ni && pop && out_last_i && out_phase == watched_i && sent != 0 && events == 2);
    cover (started && rst_ni && pop && mine && reset_again && events == 1);
  end
`endif

endmodule

`default_nettype wire
