//! `MappedNet` → the design directory: Verilog, memory images, bench, constraints.
