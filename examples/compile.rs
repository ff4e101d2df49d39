//! The compiler as a library: `cargo run --release --example compile -- MODEL.onnx IMAGES OUT`

use std::path::Path;

fn main() -> synfire::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, images, out] = &args[..] else {
        return Err(synfire::Error::input("expected three arguments: MODEL.onnx IMAGES OUT"));
    };
    let model = synfire::Model::open(model, images)?;
    synfire::compile(&model, synfire::Target::Ecp5_25k)?.write(Path::new(out), false)
}
