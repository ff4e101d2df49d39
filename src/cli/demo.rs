//! `synfire demo`
use crate::error::Result;
/// Arguments of `demo`.
#[derive(clap::Args)]
pub struct Args {}
pub fn run(_args: &Args) -> Result<()> {
    Ok(())
}
