//! Parameters, tables and weight words of window matrix cores.

use super::memory::Word;
use super::window::{Parameter, Table};
use crate::ir::mapped::{Core, CoreInput};
use crate::ir::snn::Synapses;

pub fn parameters(_core: &Core) -> Vec<Parameter> {
    Vec::new()
}
pub fn tables(_core: &Core) -> Vec<Table> {
    Vec::new()
}
pub fn weight_words(_core: &Core, _input: &CoreInput, _synapses: &Synapses<i32>, _emit: impl FnMut(Word)) {}
