//! The `synfire` program: everything is in the library, so that it can be tested and used without a shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    synfire::cli::main()
}
