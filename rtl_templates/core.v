//# One core: the library core with this layer's parameters and memories. #//
// @{ name }@: @{ neurons }@ neurons, @{ inputs }@ inputs, @{ library }@, lanes: @{ lanes }@, groups: @{ groups }@.
//
// Computes @{ description }@.
// Contract: streams as in @{ library }@. A beat is {last, value, id}; last closes a phase.
//%- match external %//
//%- when Some with (outside) %//
// Weights: @{ weight_words }@ words of @{ weight_word_bits }@ bits, outside, from word @{ outside.base }@ of the external memory on.
//%- when None %//
// Weights: @{ weight_words }@ words of @{ weight_word_bits }@ bits, in slices that suit the device's block RAM.
//%- endmatch %//
`default_nettype none

module @{ name }@ (
  input  wire        clk_i,
  input  wire        rst_ni,
  // input stream
  input  wire        in_valid_i,
  output wire        in_ready_o,
  input  wire        in_last_i,
  input  wire [@{ value_bits - 1 }@:0] in_value_i,
  input  wire [@{ id_bits - 1 }@:0] in_id_i,
  // output stream
  output wire        out_valid_o,
  input  wire        out_ready_i,
  output wire        out_last_o,
  output wire [@{ out_value_bits - 1 }@:0] out_value_o,
//%- match external %//
//%- when Some with (outside) %//
  output wire [@{ out_id_bits - 1 }@:0] out_id_o,
  // external weights: requests, and answers, which are always taken
  output wire        w_valid_o,
  input  wire        w_ready_i,
  output wire [@{ outside.port_addr_bits - 1 }@:0] w_addr_o,
  input  wire        w_valid_i,
  input  wire [@{ weight_word_bits - 1 }@:0] w_data_i
);

  wire [@{ addr_bits - 1 }@:0] w_addr;
  assign w_addr_o = //% if outside.pad > 0 %//{@{ outside.pad }@'d0, w_addr}//% else %//w_addr//% endif %// + @{ outside.port_addr_bits }@'d@{ outside.base }@;
//%- when None %//
  output wire [@{ out_id_bits - 1 }@:0] out_id_o
);

  wire w_en;
  wire [@{ addr_bits - 1 }@:0] w_addr;
  wire [@{ weight_word_bits - 1 }@:0] w_data;
//%- endmatch %//
  wire p_en;
  wire [@{ param_addr_bits - 1 }@:0] p_addr;
  wire [@{ param_bits - 1 }@:0] p_data;

//% for table in tables %//
  wire [@{ table.addr_bits - 1 }@:0] @{ table.name }@_addr;
  wire [@{ table.width - 1 }@:0] @{ table.name }@_data;
//% endfor %//

//% for slice in slices %//
  sf_rom #(
    .Width   (@{ slice.bits }@),
    .Depth   (@{ weight_words }@),
    .AddrBits(@{ addr_bits }@),
    .File    ("mem/@{ name }@_weights_@{ loop.index0 }@.hex")
  ) u_weights_@{ loop.index0 }@ (
    .clk_i (clk_i),
    .en_i  (w_en),
    .addr_i(w_addr),
    .data_o(w_data[@{ slice.offset }@+:@{ slice.bits }@])
  );

//% endfor %//
  sf_rom #(
    .Width   (@{ param_bits }@),
    .Depth   (@{ param_words }@),
    .AddrBits(@{ param_addr_bits }@),
    .Logic   (@{ param_logic }@),
    .File    ("mem/@{ name }@_params.hex")
  ) u_params (
    .clk_i (clk_i),
    .en_i  (p_en),
    .addr_i(p_addr),
    .data_o(p_data)
  );

//% for table in tables %//
  sf_table #(
    .Width   (@{ table.width }@),
    .Depth   (@{ table.depth }@),
    .AddrBits(@{ table.addr_bits }@),
    .File    ("mem/@{ name }@_@{ table.name }@.hex")
  ) u_@{ table.name }@ (
    .addr_i(@{ table.name }@_addr),
    .data_o(@{ table.name }@_data)
  );

//% endfor %//
  @{ library }@ #(
//% for (key, value) in parameters %//
    .@{ key }@(@{ value }@)//% if !loop.last %//,//% endif %//
//% endfor %//
  ) u_core (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready_o),
    .in_last_i  (in_last_i),
    .in_value_i (in_value_i),
    .in_id_i    (in_id_i),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_last_o (out_last_o),
    .out_value_o(out_value_o),
    .out_id_o   (out_id_o),
//%- if external.is_some() %//
    .w_valid_o  (w_valid_o),
    .w_ready_i  (w_ready_i),
    .w_addr_o   (w_addr),
    .w_valid_i  (w_valid_i),
    .w_data_i   (w_data_i),
//%- else %//
    .w_en_o     (w_en),
    .w_addr_o   (w_addr),
    .w_data_i   (w_data),
//%- endif %//
    .p_en_o     (p_en),
    .p_addr_o   (p_addr),
    .p_data_i   (p_data)//% if !tables.is_empty() %//,//% endif %//
//% for table in tables %//
    .@{ table.name }@_addr_o(@{ table.name }@_addr),
    .@{ table.name }@_data_i(@{ table.name }@_data)//% if !loop.last %//,//% endif %//
//% endfor %//
  );

endmodule

`default_nettype wire
