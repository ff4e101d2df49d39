//! Version numbers as tools print them.

use std::fmt;

/// A dotted version number; compared number by number, so 5.48 is above 5.006 and 0.10 above 0.9.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(Vec<u32>);

impl Version {
    /// The first dotted number of `text` that does not begin inside a word: `nextpnr-0.4-36-gc8406b71` gives 0.4, a bare
    /// commit hash gives nothing.
    pub(super) fn first_in(text: &str) -> Option<(Version, &str)> {
        let mut before = ' ';
        for (start, c) in text.char_indices() {
            if c.is_ascii_digit() && !before.is_alphanumeric() && !matches!(before, '.' | '_') {
                let rest = &text[start..];
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                let number = rest[..end].trim_end_matches('.');
                if let Some(version) = Version::parse(number) {
                    return Some((version, number));
                }
            }
            before = c;
        }
        None
    }

    /// `number` as a version, if it has at least two parts.
    fn parse(number: &str) -> Option<Version> {
        let parts: Vec<u32> = number.split('.').map(|p| p.parse().ok()).collect::<Option<_>>()?;
        (parts.len() >= 2).then_some(Version(parts))
    }

    /// True if this is `minimum` or newer.
    pub(super) fn at_least(&self, minimum: &[u32]) -> bool {
        self.0.as_slice() >= minimum
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        write!(f, "{}", parts.join("."))
    }
}

/// The version in a tool's answer: the first one on the first line that holds one after `marker` (any case).
pub(super) fn in_answer(answer: &str, marker: &str) -> Option<(Version, String)> {
    answer.lines().find_map(|line| {
        // Lower-casing ASCII keeps every byte in place, so the position fits the original line.
        let at = line.to_ascii_lowercase().find(&marker.to_ascii_lowercase())?;
        let (version, text) = Version::first_in(&line[at + marker.len()..])?;
        Some((version, text.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the tools really print.
    #[test]
    fn answers_of_real_tools() {
        for (answer, marker, expected) in [
            ("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)", "verilator", Some("5.006")),
            ("Verilator 5.020 2024-01-01 rev (Debian 5.020-1)", "verilator", Some("5.020")),
            (" rev vUNKNOWN-built20260516-4e853d8", "verilator", None),
            ("Yosys 0.70 (git sha1 28ba3cb92, Release, Clang 22.1.0)", "yosys", Some("0.70")),
            ("Yosys 0.9+4081 (git sha1 862e84eb)", "yosys", Some("0.9")),
            (
                "\"nextpnr-ecp5\" -- Next Generation Place and Route (Version nextpnr-0.11.1)",
                "(version",
                Some("0.11.1"),
            ),
            ("nextpnr-ice40 -- Next Generation Place and Route (Version 0.4-1+b1)", "(version", Some("0.4")),
            ("nextpnr-ecp5 -- Next Generation Place and Route (Version c8406b71)", "(version", None),
            (
                "Preparing to run yowasp-ecppack.\nProject Trellis ecppack Version 1.4-82-g3afe7b5",
                "version",
                Some("1.4"),
            ),
            ("Icarus Verilog version 11.0 (stable) ()", "version", Some("11.0")),
            ("Icarus Verilog runtime version 12.0 (devel)", "version", Some("12.0")),
            ("Z3 version 5.4.0 - 64 bit", "z3 version", Some("5.4.0")),
            ("Python 3.11.7", "python", Some("3.11.7")),
            ("g++ (Debian 12.2.0-14) 12.2.0", "", Some("12.2.0")),
            ("Apple clang version 14.0.0 (clang-1400)", "", Some("14.0.0")),
            ("", "", None),
            ("Yosys 99999999999.1", "yosys", None),
            ("Überraschung: Yosys ü0.5", "yosys", None),
        ] {
            assert_eq!(in_answer(answer, marker).map(|v| v.1).as_deref(), expected, "{answer}");
        }
    }

    #[test]
    fn numbers_compare_as_numbers() {
        let version = |text: &str| Version::parse(text).unwrap();
        assert!(version("5.006").at_least(&[5, 6]));
        assert!(version("5.48.0").at_least(&[5, 6]));
        assert!(!version("4.228").at_least(&[5, 6]));
        assert!(!version("5.004").at_least(&[5, 6]));
        assert!(version("0.23").at_least(&[0, 23]));
        assert!(!version("0.9").at_least(&[0, 23]));
        assert!(version("0.10").at_least(&[0, 4]));
    }
}
