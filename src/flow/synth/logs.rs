//! What the logs of Yosys and nextpnr say that a user should see.

use std::collections::BTreeSet;

/// A memory smaller than this is no loss when it becomes flip-flops.
const SMALL_MEMORY: u64 = 64;

/// Lines that show a mistake in the Verilog, worded with their consequence, each once.
pub(super) fn yosys_warnings(log: &str) -> Vec<String> {
    let mut seen = Unique::default();
    let mut memory = String::new();
    let mut words = None;
    for line in log.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("Mapping memory ") {
            memory = rest.trim_end_matches(':').to_string();
        } else if let Some(count) = flip_flops_created(line) {
            words = Some(count).filter(|&count| count >= SMALL_MEMORY);
        } else if let Some(count) = words.filter(|_| line.starts_with("write interface: ")) {
            // What is never written becomes constants, that is LUTs: a small read-only memory loses nothing by that.
            if !line.starts_with("write interface: 0 ") {
                seen.add(format!("memory became {count} flip-flop words instead of block RAM: {memory}"));
            }
            words = None;
        }
        let text = line.strip_prefix("Warning: ");
        // Whether a latch is a warning depends on the version and the device.
        if let Some(at) = line.find("Latch inferred for signal") {
            seen.add(format!("latch instead of a flip-flop: {}", &line[at..]));
        } else if let Some(text) = text.filter(|t| t.contains("multiple conflicting drivers")) {
            seen.add(format!("more than one driver: {text}"));
        } else if let Some(text) = text.filter(|t| t.starts_with("Replacing memory ")) {
            seen.add(format!("memory became flip-flops: {text}"));
        } else if let Some(text) = text {
            seen.add(text.to_string());
        }
    }
    seen.list
}

/// The number in `created 1024 $dff cells and 0 static cells`.
fn flip_flops_created(line: &str) -> Option<u64> {
    let (number, rest) = line.strip_prefix("created ")?.split_once(' ')?;
    rest.starts_with("$dff cells").then_some(())?;
    number.parse().ok()
}

/// nextpnr's warnings, each once, without those about pins, which a design without a board has, and about the clock
/// rate, which is a figure of the report.
pub(super) fn nextpnr_warnings(log: &str) -> Vec<String> {
    let mut seen = Unique::default();
    for text in log.lines().filter_map(|l| l.trim().strip_prefix("Warning: ")) {
        let expected = ["No LPF", "No PCF", "Max frequency"].iter().any(|head| text.starts_with(head));
        if !expected && !text.contains("unconstrained") {
            seen.add(text.to_string());
        }
    }
    seen.list
}

/// A line of nextpnr's table of resources: name, used, available.
pub(super) fn utilisation(log: &str) -> Vec<(String, u64, u64)> {
    let lines = log.lines().skip_while(|l| !l.contains("Device utilisation")).skip(1);
    let rows = lines.map_while(|line| {
        let (name, numbers) = line.strip_prefix("Info:")?.trim().split_once(':')?;
        let (used, rest) = numbers.split_once('/')?;
        let available = rest.split_whitespace().next()?;
        Some((name.trim().to_string(), used.trim().parse().ok()?, available.parse().ok()?))
    });
    rows.collect()
}

/// True if nextpnr gave up because the device is full.
pub(super) fn is_full(log: &str) -> bool {
    let marks = [
        "no BELs remaining",
        "Unable to find legal placement",
        "Unable to find a placement location",
        "failed to place",
    ];
    log.lines().filter(|l| l.starts_with("ERROR")).any(|l| marks.iter().any(|m| l.contains(m)))
}

/// The last lines of a log, for a message.
pub(super) fn tail(log: &str, lines: usize) -> String {
    let all: Vec<&str> = log.lines().filter(|l| !l.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n  ")
}

#[derive(Default)]
struct Unique {
    seen: BTreeSet<String>,
    list: Vec<String>,
}

impl Unique {
    /// Keeps the order of the first appearances, and not more than a screenful.
    fn add(&mut self, text: String) {
        if self.list.len() < 40 && self.seen.insert(text.clone()) {
            self.list.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_device_is_told_from_a_failure() {
        assert!(is_full("Info: x\nERROR: Unable to place cell 'a', no BELs remaining to implement cell type 'DP16KD'"));
        assert!(!is_full("ERROR: Failed to open JSON file"));
        assert!(!is_full("Info: no BELs remaining"));
    }

    #[test]
    fn the_table_of_resources_is_read_to_its_end() {
        let log = "Info: Device utilisation:\nInfo: \t          SB_IO:      54/     39   138%\n\
                   Info: \t   ICESTORM_LC:     116/   5280     2%\n\nInfo: Placed: 3/ 4 7%\n";
        let rows = utilisation(log);
        assert_eq!(rows, [("SB_IO".to_string(), 54, 39), ("ICESTORM_LC".to_string(), 116, 5280)]);
        assert!(utilisation("Info: nothing\n").is_empty());
    }

    #[test]
    fn small_memories_and_repetitions_are_not_worth_a_warning() {
        let log = "Mapping memory \\a in module \\m:\n  created 2 $dff cells and 0 static cells of width 8.\n\
                   write interface: 1 write mux blocks.\nWarning: twice\nWarning: twice\n";
        assert_eq!(yosys_warnings(log), ["twice"]);
        let log = "Mapping memory \\rom in module \\m:\n  created 128 $dff cells and 0 static cells of width 8.\n\
                   read interface: 1 $dff and 127 $mux cells.\n  write interface: 0 write mux blocks.\n\
                   Mapping memory \\b in module \\m:\n  created 1024 $dff cells and 0 static cells of width 8.\n\
                   write interface: 2 write mux blocks.\n";
        assert_eq!(yosys_warnings(log), ["memory became 1024 flip-flop words instead of block RAM: \\b in module \\m"]);
    }
}
