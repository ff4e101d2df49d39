//! ONNX files: what is read, what is refused, and what a reference says of the result.

#[path = "../data_support/mod.rs"]
mod data_support;
#[path = "../onnx_support/mod.rs"]
mod onnx_support;

mod bad_input;
mod hostile;
mod lowering;
mod reference;
mod windows;
