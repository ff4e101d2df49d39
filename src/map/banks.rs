//! How many banks a window core may have.

use crate::ir::mapped::{Core, Mode};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Rows and columns of membrane banks that are asked for. A core without pixels has one bank whatever is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "String")]
pub enum BanksChoice {
    /// Whatever the cost model finds best, core by core.
    #[default]
    Auto,
    /// As many as an event of the core's windows has receivers, so that one slot reaches them all.
    Patch,
    /// So many rows and columns; never more than the population has.
    Grid([usize; 2]),
}

impl BanksChoice {
    /// The banks that `core` may be given.
    pub(super) fn options(self, core: &Core) -> Vec<[usize; 2]> {
        let [_, rows, columns] = core.extent;
        match self {
            BanksChoice::Grid([r, c]) => vec![[r.min(rows), c.min(columns)]],
            BanksChoice::Patch => vec![core.patch()],
            BanksChoice::Auto => {
                let mut both = vec![[1, 1], core.patch()];
                both.dedup();
                both
            }
        }
    }

    /// True if only event cores can have them.
    pub(super) fn several(self) -> bool {
        !matches!(self, BanksChoice::Auto | BanksChoice::Grid([1, 1]))
    }

    /// True if they are given by number.
    pub(super) fn fixed(self) -> bool {
        self != BanksChoice::Auto
    }

    /// What is wrong with the choice in itself.
    pub(super) fn problem(self) -> Option<String> {
        match self {
            BanksChoice::Grid([rows, columns]) if rows == 0 || columns == 0 => Some("0 banks hold no membranes".into()),
            _ => None,
        }
    }
}

impl fmt::Display for BanksChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BanksChoice::Auto => write!(f, "auto"),
            BanksChoice::Patch => write!(f, "patch"),
            BanksChoice::Grid([1, 1]) => write!(f, "1"),
            BanksChoice::Grid([rows, columns]) => write!(f, "{rows}x{columns}"),
        }
    }
}

impl FromStr for BanksChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Vec<Option<usize>> = text.split('x').map(|n| n.parse().ok()).collect();
        match (text, numbers.as_slice()) {
            ("auto", _) => Ok(BanksChoice::Auto),
            ("patch", _) => Ok(BanksChoice::Patch),
            (_, [Some(1)]) => Ok(BanksChoice::Grid([1, 1])),
            (_, [Some(rows), Some(columns)]) => Ok(BanksChoice::Grid([*rows, *columns])),
            _ => Err(format!("expected 'auto', 'patch', '1' or ROWSxCOLUMNS, not '{text}'")),
        }
    }
}

/// As a settings file writes it: `banks = 1` needs no quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Number(usize),
    Text(String),
}

impl TryFrom<Text> for BanksChoice {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, String> {
        match text {
            Text::Number(n) => n.to_string().parse(),
            Text::Text(text) => text.parse(),
        }
    }
}

impl From<BanksChoice> for String {
    fn from(choice: BanksChoice) -> String {
        choice.to_string()
    }
}

/// `3×3 banks`, nothing for a single one.
pub(super) fn describe(mode: Mode) -> String {
    match mode.banks() {
        [1, 1] => String::new(),
        [rows, columns] => format!(" × {rows}×{columns} banks"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_survives_its_text() {
        for text in ["auto", "patch", "1", "3x3", "2x16"] {
            let choice: BanksChoice = text.parse().unwrap();
            assert_eq!(choice.to_string(), text);
            let json = serde_json::to_string(&choice).unwrap();
            assert_eq!(serde_json::from_str::<BanksChoice>(&json).unwrap(), choice);
        }
        assert_eq!(serde_json::from_str::<BanksChoice>("1").unwrap(), BanksChoice::Grid([1, 1]));
        for bad in ["", "3", "x", "3x", "3x3x3", "-1x2", "Patch"] {
            assert!(bad.parse::<BanksChoice>().is_err(), "{bad}");
        }
    }
}
