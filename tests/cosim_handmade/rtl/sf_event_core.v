// A stand-in for a core: neuron `id` adds (or subtracts) the payload of every event; an end of phase sends the
// low bits of every membrane in order, puts each back to its start value, and sends an end of phase.
`default_nettype none
module sf_event_core #(
  parameter Neurons      = 1,
  parameter Lanes        = 1,
  parameter MembraneBits = 8,
  parameter InBits       = 1,
  parameter OutBits      = 1,
  parameter Sign         = 1,
  parameter InitFile     = ""
) (
  input  wire               clk_i,
  input  wire               rst_ni,
  input  wire               in_valid_i,
  output wire               in_ready_o,
  input  wire               in_last_i,
  input  wire  [InBits-1:0] in_value_i,
  input  wire         [3:0] in_id_i,
  output wire               out_valid_o,
  input  wire               out_ready_i,
  output wire               out_last_o,
  output wire [OutBits-1:0] out_value_o,
  output wire         [3:0] out_id_o
);
  localparam Init = 2'd0, Take = 2'd1, Fire = 2'd2, End = 2'd3;

  reg              [1:0] state_q;
  reg              [3:0] n_q;
  reg [MembraneBits-1:0] start_q [0:0];
  initial $readmemh(InitFile, start_q);

  wire [MembraneBits-1:0] membrane, change;
  wire                    last_n = n_q == Neurons[3:0] - 4'd1;
  wire                    take   = in_valid_i && in_ready_o;

  wire active = take || (state_q == Fire && out_ready_i);
  wire stall  = (state_q == Fire || state_q == End) && !out_ready_i;

  assign in_ready_o  = state_q == Take;
  assign out_valid_o = state_q == Fire || state_q == End;
  assign out_last_o  = state_q == End;
  assign out_value_o = out_last_o ? {OutBits{1'b0}} : membrane[OutBits-1:0];
  assign out_id_o    = out_last_o ? 4'd0 : n_q;
  assign change      = {{(MembraneBits-InBits){1'b0}}, in_value_i};

  sf_membrane #(.Neurons(Neurons), .Lanes(Lanes), .Bits(MembraneBits)) u_membrane (
    .clk_i(clk_i),
    .n_i(state_q == Take ? in_id_i : n_q),
    .write_i(rst_ni && (state_q == Init || (take && !in_last_i) || (state_q == Fire && out_ready_i))),
    .value_i(state_q != Take ? start_q[0] : (Sign != 0) ? membrane + change : membrane - change),
    .value_o(membrane)
  );

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Init;
      n_q     <= 4'd0;
    end else begin
      case (state_q)
        Init: begin
          n_q <= last_n ? 4'd0 : n_q + 4'd1;
          if (last_n) state_q <= Take;
        end
        Take: if (take && in_last_i) state_q <= Fire;
        Fire: if (out_ready_i) begin
          n_q <= last_n ? 4'd0 : n_q + 4'd1;
          if (last_n) state_q <= End;
        end
        default: if (out_ready_i) state_q <= Take;
      endcase
    end
  end

  wire unused = &{1'b0, active, stall};
endmodule
`default_nettype wire
