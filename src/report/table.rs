//! Plain text tables.

use comfy_table::{Cell, CellAlignment, presets};
use std::fmt;

/// A table whose columns are aligned left where they hold words and right where they hold numbers.
pub struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// An empty table with the given headings.
    pub fn new(headings: &[&str]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(headings.iter().map(Cell::new));
        Table { inner }
    }

    /// Appends a row.
    pub fn row(&mut self, cells: &[String]) {
        self.inner.add_row(cells.iter().map(|text| {
            let number = text.starts_with(|c: char| c.is_ascii_digit() || c == '–' || c == '-');
            Cell::new(text).set_alignment(if number { CellAlignment::Right } else { CellAlignment::Left })
        }));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.inner)
    }
}
