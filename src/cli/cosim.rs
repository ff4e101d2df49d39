//! `synfire cosim`
use crate::error::Result;
/// Arguments of `cosim`.
#[derive(clap::Args)]
pub struct Args {}
pub fn run(_args: &Args) -> Result<()> {
    Ok(())
}
