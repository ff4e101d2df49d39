//! Plain text tables.

use comfy_table::{Cell, CellAlignment};
use std::fmt;

/// A line above, below and under the headings; none between rows or columns (`comfy_table`'s order of characters).
const LIGHT: &str = "  ── ──      ──    ";

/// A table whose columns are aligned left where they hold words and right where they hold numbers.
pub struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// An empty table with the given headings.
    pub fn new(headings: &[&str]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_preset(LIGHT).set_header(headings.iter().map(Cell::new));
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
