//! The emitted bench under Icarus, a four-state simulator: nothing undefined reaches the output.

use crate::generator::{Recipe, images, realise};
use crate::judge::{Failure, Tally, Verdict, Wrong};
use crate::rtl_support::{Tools, vectors};
use std::sync::OnceLock;

/// Images of a bench: Icarus is slow.
const IMAGES: usize = 2;

/// The simulator; `None`, after saying so, where it is missing.
pub fn tools() -> Option<&'static Tools> {
    static TOOLS: OnceLock<Option<Tools>> = OnceLock::new();
    TOOLS.get_or_init(Tools::find).as_ref()
}

/// The first run, with and without back-pressure.
pub fn check(recipe: &Recipe) -> Verdict {
    let tools = tools().ok_or_else(|| Failure::new(Wrong::Verilog, None, "no tools"))?;
    let nets = realise(recipe).map_err(|e| Failure::new(Wrong::Recipe, None, e))?;
    let mut images = images(recipe, &recipe.runs[0], &nets[0].quant);
    images.truncate(IMAGES);
    let bench = tools.build(&nets[0], &vectors(&nets[0], &images), "random network");
    for stall in ["+stall=0", "+stall=1"] {
        let (passed, text) = tools.simulate(&bench, stall);
        if !(passed && text.contains("PASS:") && text.contains(" 0 mismatches")) {
            return Err(Failure::new(Wrong::Counts, Some(0), format!("{stall}: {text}\n{}", nets[0].dump())));
        }
    }
    Ok(Tally { structures: 1, ..Tally::default() })
}
