//! A design with more ports than its package has pins is placed behind two shift registers, so that clock rate and area
//! can be had all the same.

use std::fmt::Write;

/// The wrapper's Verilog, or `None` if the design lacks `clk_i`. Clock and reset keep their pins; the other inputs are
/// filled from one serial pin, the other outputs are folded into one.
pub(super) fn wrapper(top: &str, name: &str, ports: &[(String, bool, u64)]) -> Option<String> {
    let kept = |port: &str| port == "clk_i" || port == "rst_ni";
    ports.iter().any(|(port, input, _)| port == "clk_i" && *input).then_some(())?;
    let bits = |input: bool| -> u64 { ports.iter().filter(|p| p.1 == input && !kept(&p.0)).map(|p| p.2).sum() };
    let (inputs, outputs) = (bits(true), bits(false));
    let mut text = String::from("// The design between two shift registers: fewer pins, the same paths inside.\n");
    let _ = writeln!(
        text,
        "module {name} (input wire clk_i, input wire rst_ni, input wire serial_i, output wire serial_o);"
    );
    let _ = writeln!(text, "  reg [{}:0] inputs_q;\n  reg [{}:0] outputs_q;", inputs.max(1) - 1, outputs.max(1) - 1);
    let _ = writeln!(text, "  wire [{}:0] outputs;", outputs.max(1) - 1);
    let _ = writeln!(text, "  assign serial_o = outputs_q[{}];", outputs.max(1) - 1);
    // A shift to the left and an addition of the new bit; the synthesis sees a chain of flip-flops.
    let _ = writeln!(text, "  always @(posedge clk_i) begin\n    inputs_q <= (inputs_q << 1) | serial_i;");
    let _ = writeln!(text, "    outputs_q <= (outputs_q << 1) ^ outputs;\n  end\n  {top} u_design (");
    let (mut input_bit, mut output_bit) = (0, 0);
    for (i, (port, input, width)) in ports.iter().enumerate() {
        let (from, at) = if *input { ("inputs_q", &mut input_bit) } else { ("outputs", &mut output_bit) };
        let comma = if i + 1 < ports.len() { "," } else { "" };
        if kept(port) {
            let _ = writeln!(text, "    .{port}({port}){comma}");
        } else {
            let _ = writeln!(text, "    .{port}({from}[{}:{}]){comma}", *at + width - 1, at);
            *at += width;
        }
    }
    text += "  );\nendmodule\n";
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_connected_once() {
        let port = |name: &str, input, width| (name.to_string(), input, width);
        let ports = [port("a_i", true, 3), port("b_o", false, 2), port("c_i", true, 1), port("clk_i", true, 1)];
        let text = wrapper("net", "net_pins", &ports).unwrap();
        for part in [".a_i(inputs_q[2:0]),", ".b_o(outputs[1:0]),", ".c_i(inputs_q[3:3]),", ".clk_i(clk_i)\n"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.contains("reg [3:0] inputs_q") && text.contains("reg [1:0] outputs_q"));
        assert_eq!(wrapper("net", "net_pins", &ports[..3]), None);
    }
}
