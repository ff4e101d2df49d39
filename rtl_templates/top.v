//# The network: units joined by streams. #//
// @{ top }@: the network as a pipeline of cores.
//
// Contract: feed events {value, id} and, after each phase, one beat with last = 1 (value and id 0). After each image the
// output sends one signed logit per class, then one beat with last = 1. @{ phases }@ phase(s) an image.
// valid never waits for ready; data is stable while valid && !ready. Reset is synchronous, active low.
//%- if let Some(port) = port %//
// External weights: mem_* reads a memory of @{ port.words }@ words of @{ port.word_bits }@ bits (image: mem/external.hex; word w is the bytes from
// w * @{ port.word_bits / 8 }@ on, lowest bits first). Answers come in the order of the requests, a cycle later or more, and are always taken; reset
// the memory with the design.
//%- endif %//
//
//%- for line in overview %//
//   @{ line }@
//%- endfor %//
`default_nettype none

module @{ top }@ (
  input  wire clk_i,
  input  wire rst_ni,
  // input stream: the image
  input  wire in_valid_i,
  output wire in_ready_o,
  input  wire in_last_i,
  input  wire [@{ input.value_bits - 1 }@:0] in_value_i,
  input  wire [@{ input.id_bits - 1 }@:0] in_id_i,
  // output stream: the logits
  output wire out_valid_o,
  input  wire out_ready_i,
  output wire out_last_o,
  output wire [@{ output.value_bits - 1 }@:0] out_value_o,
//%- match port %//
//%- when Some with (port) %//
  output wire [@{ output.id_bits - 1 }@:0] out_id_o,
  // external weights: requests and answers
  output wire mem_valid_o,
  input  wire mem_ready_i,
  output wire [@{ port.addr_bits - 1 }@:0] mem_addr_o,
  input  wire mem_answer_valid_i,
  input  wire [@{ port.word_bits - 1 }@:0] mem_answer_data_i
);

  wire unused_answer = &{1'b0, mem_answer_data_i};
//%- for core in port.cores %//
  wire w_@{ core }@_valid;
  wire w_@{ core }@_ready;
  wire [@{ port.addr_bits - 1 }@:0] w_@{ core }@_addr;
  wire w_@{ core }@_answer;
//%- endfor %//
//%- when None %//
  output wire [@{ output.id_bits - 1 }@:0] out_id_o
);
//%- endmatch %//

//% for s in streams %//
  wire s_@{ s.name }@_valid;
  wire s_@{ s.name }@_ready;
  wire s_@{ s.name }@_last;
  wire [@{ s.value_bits - 1 }@:0] s_@{ s.name }@_value;
  wire [@{ s.id_bits - 1 }@:0] s_@{ s.name }@_id;

//% endfor %//
  assign s_@{ input.name }@_valid = in_valid_i;
  assign s_@{ input.name }@_last  = in_last_i;
  assign s_@{ input.name }@_value = in_value_i;
  assign s_@{ input.name }@_id    = in_id_i;
  assign in_ready_o = s_@{ input.name }@_ready;

  assign out_valid_o = s_@{ output.name }@_valid;
  assign out_last_o  = s_@{ output.name }@_last;
  assign out_value_o = s_@{ output.name }@_value;
  assign out_id_o    = s_@{ output.name }@_id;
  assign s_@{ output.name }@_ready = out_ready_i;

//% for unit in units %//
//% match unit %//
//% when UnitView::Core with { name, input, output, external } %//
  @{ name }@ u_@{ name }@ (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (s_@{ input }@_valid),
    .in_ready_o (s_@{ input }@_ready),
    .in_last_i  (s_@{ input }@_last),
    .in_value_i (s_@{ input }@_value),
    .in_id_i    (s_@{ input }@_id),
    .out_valid_o(s_@{ output }@_valid),
    .out_ready_i(s_@{ output }@_ready),
    .out_last_o (s_@{ output }@_last),
    .out_value_o(s_@{ output }@_value),
//%- match external %//
//%- when Some with (word_bits) %//
    .out_id_o   (s_@{ output }@_id),
    .w_valid_o  (w_@{ name }@_valid),
    .w_ready_i  (w_@{ name }@_ready),
    .w_addr_o   (w_@{ name }@_addr),
    .w_valid_i  (w_@{ name }@_answer),
    .w_data_i   (mem_answer_data_i[@{ *word_bits - 1 }@:0])
//%- when None %//
    .out_id_o   (s_@{ output }@_id)
//%- endmatch %//
  );

//% when UnitView::Fork with { name, input, outputs, width } %//
  sf_fork #(
    .Outputs(@{ outputs.len() }@),
    .Width  (@{ width }@)
  ) u_@{ name }@ (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (s_@{ input }@_valid),
    .in_ready_o (s_@{ input }@_ready),
    .in_data_i  ({s_@{ input }@_last, s_@{ input }@_value, s_@{ input }@_id}),
    .out_valid_o({//% for o in outputs %//s_@{ o }@_valid//% if !loop.last %//, //% endif %////% endfor %//}),
    .out_ready_i({//% for o in outputs %//s_@{ o }@_ready//% if !loop.last %//, //% endif %////% endfor %//}),
    .out_data_o ({
//% for o in outputs %//
      s_@{ o }@_last, s_@{ o }@_value, s_@{ o }@_id//% if !loop.last %//,//% endif %//
//% endfor %//
    })
  );

//% when UnitView::Queue with { name, input, output, width, depth } %//
  sf_queue #(
    .Width (@{ width }@),
    .Depth (@{ depth }@),
    .Phases(@{ phases }@)
  ) u_@{ name }@ (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (s_@{ input }@_valid),
    .in_ready_o (s_@{ input }@_ready),
    .in_data_i  ({s_@{ input }@_last, s_@{ input }@_value, s_@{ input }@_id}),
    .out_valid_o(s_@{ output }@_valid),
    .out_ready_i(s_@{ output }@_ready),
    .out_data_o ({s_@{ output }@_last, s_@{ output }@_value, s_@{ output }@_id})
  );

//% when UnitView::Merge with { name, inputs, output, id_bits, value_bits, bases } %//
  sf_merge #(
    .Inputs   (@{ inputs.len() }@),
    .IdBits   (@{ id_bits }@),
    .ValueBits(@{ value_bits }@),
    .Bases    ({//% for b in bases %//@{ id_bits }@'d@{ b }@//% if !loop.last %//, //% endif %////% endfor %//})
  ) u_@{ name }@ (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i ({//% for i in inputs %//s_@{ i.name }@_valid//% if !loop.last %//, //% endif %////% endfor %//}),
    .in_ready_o ({//% for i in inputs %//s_@{ i.name }@_ready//% if !loop.last %//, //% endif %////% endfor %//}),
    .in_last_i  ({//% for i in inputs %//s_@{ i.name }@_last//% if !loop.last %//, //% endif %////% endfor %//}),
    .in_value_i ({
//% for i in inputs %//
      //% if i.value_pad > 0 && i.signed %//{@{ i.value_pad }@{s_@{ i.name }@_value[@{ i.value_bits - 1 }@]}}, //% else if i.value_pad > 0 %//@{ i.value_pad }@'d0, //% endif %//s_@{ i.name }@_value//% if !loop.last %//,//% endif %//
//% endfor %//
    }),
    .in_id_i    ({
//% for i in inputs %//
      //% if i.id_pad > 0 %//@{ i.id_pad }@'d0, //% endif %//s_@{ i.name }@_id//% if !loop.last %//,//% endif %//
//% endfor %//
    }),
    .out_valid_o(s_@{ output }@_valid),
    .out_ready_i(s_@{ output }@_ready),
    .out_last_o (s_@{ output }@_last),
    .out_value_o(s_@{ output }@_value),
    .out_id_o   (s_@{ output }@_id)
  );

//% endmatch %//
//% endfor %//
//% if let Some(port) = port %//
  sf_weight_port #(
    .Cores     (@{ port.cores.len() }@),
    .CoreBits  (@{ port.core_bits }@),
    .AddrBits  (@{ port.addr_bits }@),
    .Flights   (@{ port.flights }@),
    .FlightBits(@{ port.flight_bits }@)
  ) u_weight_port (
    .clk_i             (clk_i),
    .rst_ni            (rst_ni),
    .core_valid_i      ({//% for core in port.cores %//w_@{ core }@_valid//% if !loop.last %//, //% endif %////% endfor %//}),
    .core_ready_o      ({//% for core in port.cores %//w_@{ core }@_ready//% if !loop.last %//, //% endif %////% endfor %//}),
    .core_addr_i       ({//% for core in port.cores %//w_@{ core }@_addr//% if !loop.last %//, //% endif %////% endfor %//}),
    .core_answer_o     ({//% for core in port.cores %//w_@{ core }@_answer//% if !loop.last %//, //% endif %////% endfor %//}),
    .mem_valid_o       (mem_valid_o),
    .mem_ready_i       (mem_ready_i),
    .mem_addr_o        (mem_addr_o),
    .mem_answer_valid_i(mem_answer_valid_i)
  );

//% endif %//
endmodule

`default_nettype wire
