//! Plots as SVG.

use crate::error::{Error, Result};
use plotters::prelude::*;
use std::path::Path;

/// One line of a plot: a name and its points.
pub type Curve = (String, Vec<(f64, f64)>);

/// Writes an SVG with one line per curve. The horizontal axis is logarithmic (base 2).
///
/// # Errors
/// The file cannot be written.
pub fn curves(file: &Path, title: &str, x_label: &str, y_label: &str, curves: &[Curve]) -> Result<()> {
    draw(file, title, x_label, y_label, curves)
        .map_err(|e| Error::input(format!("cannot write the plot: {e}")).in_file(file))
}

fn draw(
    file: &Path,
    title: &str,
    x_label: &str,
    y_label: &str,
    curves: &[Curve],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let points = || curves.iter().flat_map(|(_, p)| p);
    let (mut low, mut high) = points().fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p.1), h.max(p.1)));
    let margin = ((high - low) * 0.05).max(0.1);
    (low, high) = (low - margin, high + margin);
    let (left, right) = points().fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p.0), h.max(p.0)));
    let root = SVGBackend::new(file, (720, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d((left..right).log_scale().base(2.0), low..high)?;
    chart.configure_mesh().x_desc(x_label).y_desc(y_label).light_line_style(BLACK.mix(0.05)).draw()?;
    for (i, (name, line)) in curves.iter().enumerate() {
        let color = Palette99::pick(i).to_rgba();
        chart
            .draw_series(LineSeries::new(line.iter().copied(), color.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}
