//! `synfire doctor`

use super::inputs::Output;
use crate::error::{Error, Kind, Problem, Result};
use crate::flow::{self, Origin};
use crate::report;

/// Arguments of `doctor`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(None)?;
    let tools = flow::doctor();
    let mut table = report::Table::new(&["tool", "version", "from", "for"]);
    for tool in &tools {
        let version = tool.version.clone().unwrap_or_else(|| "missing".into());
        let origin = match tool.origin {
            Some(Origin::Environment) => "environment variable",
            Some(Origin::System) => "system",
            Some(Origin::Project) => "scripts/setup",
            None => "",
        };
        table.row(&[tool.tool.clone(), version, origin.into(), tool.purpose.clone()]);
    }
    let mut text = table.to_string();
    for tool in &tools {
        for why in &tool.rejected {
            text.push_str(&format!("note: {why}\n"));
        }
    }
    report::emit(&args.output.json, &tools, &text)?;
    let problems: Vec<Problem> = tools.iter().filter_map(|t| t.problem.clone().map(Problem::new)).collect();
    Error::check(Kind::MissingTool, problems)
}
