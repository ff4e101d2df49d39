//! What `run` tells about the operations of a network.

use crate::data::Samples;
use crate::error::Result;
use crate::fixed::{grouped, grouped_tenths};
use crate::ir::quant::QuantGraph;
use crate::metrics::{Meter, Metrics, Totals, spread};
use crate::report::{self, percent};

/// NeuroBench's metrics on `count` of the samples.
pub fn measure(net: &QuantGraph, samples: &Samples, count: usize) -> Result<Metrics> {
    let meter = Meter::new(net)?;
    let tally = meter.images(&spread(samples.len(), count), |i| samples.codes(i, net))?;
    Ok(meter.report(&tally))
}

/// One line a layer, and what the columns mean.
pub fn text(metrics: &Metrics) -> String {
    let bits = format!("{}-bit", metrics.quantised_bits);
    let mut table = report::Table::new(&[
        "per image",
        "sparsity",
        "MACs",
        "ACs",
        "dense",
        "updates",
        "bytes",
        "float MACs",
        &format!("{bits} MACs"),
    ]);
    let mut row = |name: &str, t: &Totals| {
        table.row(&[
            name.to_string(),
            percent(t.activation_sparsity),
            grouped_tenths(t.effective_macs),
            grouped_tenths(t.effective_acs),
            grouped(t.dense),
            grouped_tenths(t.membrane_updates),
            grouped(t.footprint_bytes),
            grouped(t.float_macs),
            grouped_tenths(t.quantised_macs),
        ]);
    };
    metrics.layers.iter().for_each(|layer| row(&layer.source, &layer.totals));
    row("total", &metrics.total);
    let pools = match metrics.total.pool_operations {
        0.0 => String::new(),
        operations => {
            format!("Pools add {} operations, which NeuroBench does not count.\n", grouped_tenths(operations))
        }
    };
    format!(
        "\nNeuroBench's metrics, mean of {} images; in the last two columns one pass of the float and of a {bits} quantised network\n\
         {table}{pools}{}\n",
        grouped(metrics.images),
        metrics.note
    )
}
