//! The legaliser: any text becomes a short, unique identifier that is legal in Verilog-2005 and SystemVerilog, as a file
//! name on every system, and still recognisable.
//!
//! ONNX names repeat themselves: `/n/n.1/Gemm` becomes `n_1_gemm`.

mod reserved;

use std::collections::BTreeSet;

/// The bench's module, which stands beside the network's own in a simulation.
const BENCH: &str = "tb";

/// The longest identifier that [`Names::claim`] hands out.
pub const MAX_LENGTH: usize = 48;

/// Beginnings that belong to the generated Verilog: library modules, instances, stream wires.
const TAKEN_PREFIXES: [&str; 3] = ["sf_", "u_", "s_"];

/// The identifiers of one name space. All are lower case, so that no two are the same file to any file system.
#[derive(Clone, Debug, Default)]
pub struct Names {
    used: BTreeSet<String>,
}

impl Names {
    /// An empty name space.
    pub fn new() -> Self {
        Names::default()
    }

    /// An identifier made of `text` that was not claimed before; `fallback` (itself legal) where `text` has nothing to
    /// make one of. Depends on `text` and the claims before it, and on nothing else.
    pub fn claim(&mut self, text: &str, fallback: &str) -> String {
        let stem = legalise(text, fallback);
        let mut name = stem.clone();
        let mut number = 2u64;
        while !self.used.insert(name.clone()) {
            let suffix = format!("_{number}");
            let keep = stem.len().min(MAX_LENGTH - suffix.len());
            name = format!("{}{suffix}", stem[..keep].trim_end_matches('_'));
            number += 1;
        }
        name
    }
}

/// A legal identifier made of `text`, at most [`MAX_LENGTH`] long; not unique by itself.
///
/// Lower case; runs of other characters than ASCII letters and digits become one underscore; a part that repeats the one
/// before is dropped; the end is kept where it is too long, because that is where names of layers differ.
pub fn legalise(text: &str, fallback: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut parts: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|p| !p.is_empty()).collect();
    drop_repeats(&mut parts);
    let mut name = parts.join("_");
    // Room for a prefix.
    let room = MAX_LENGTH - 6;
    if name.len() > room {
        let start = name.len() - room;
        // Begin at a part, unless that would lose half of what is there.
        let part = name[start..].find('_').map_or(start, |at| start + at + 1);
        name = name.split_off(if part - start > room / 2 { start } else { part });
        name = name.trim_start_matches('_').to_string();
    }
    if name.is_empty() {
        name = fallback.to_string();
    }
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    // `s` alone is taken as well: a number behind it would make it `s_2`.
    let taken = TAKEN_PREFIXES.iter().any(|p| name.starts_with(p) || name == p.trim_end_matches('_'));
    if digit || taken || name == BENCH || reserved::is_reserved(&name) {
        name.insert_str(0, "n_");
    }
    name
}

/// `n, n, 1, gemm` → `n, 1, gemm`, and likewise for repeated sequences (`layer1, 0, layer1, 0, conv` → `layer1, 0, conv`).
/// Numbers alone are not dropped: `1_1` is not `1`.
fn drop_repeats(parts: &mut Vec<&str>) {
    let mut kept: Vec<&str> = Vec::with_capacity(parts.len());
    for &part in parts.iter() {
        kept.push(part);
        let n = kept.len();
        // Names of a few parts are what exporters repeat; a bound keeps a hostile name cheap.
        for length in 1..=(n / 2).min(4) {
            let (before, last) = (&kept[n - 2 * length..n - length], &kept[n - length..]);
            let wordy = last.iter().any(|p| !p.bytes().all(|b| b.is_ascii_digit()));
            if before == last && wordy {
                kept.truncate(n - length);
                break;
            }
        }
    }
    *parts = kept;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn legal(name: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && name.len() <= MAX_LENGTH
            && !name.ends_with('_')
            && !name.contains("__")
            && !reserved::is_reserved(name)
            && !TAKEN_PREFIXES.iter().any(|p| name.starts_with(p))
    }

    #[test]
    fn names_of_layers_stay_recognisable() {
        for (text, name) in [
            ("/n/n.1/Gemm", "n_1_gemm"),
            ("fc1", "fc1"),
            ("/layer1/layer1.0/conv1/Conv", "layer1_0_conv1_conv"),
            ("mnist_mlp_784-128-10", "mnist_mlp_784_128_10"),
            ("x; endmodule", "x_endmodule"),
            ("endmodule", "n_endmodule"),
            ("Module", "n_module"),
            ("logic", "n_logic"),
            ("2nd", "n_2nd"),
            ("sf_core", "n_sf_core"),
            ("u_net", "n_u_net"),
            ("S_in", "n_s_in"),
            ("con", "n_con"),
            ("tb", "n_tb"),
            ("", "layer"),
            ("ünïcödé", "n_c_d"),
            ("层", "layer"),
            ("../../etc/passwd", "etc_passwd"),
            ("a\0b\nc", "a_b_c"),
        ] {
            assert_eq!(legalise(text, "layer"), name, "{text:?}");
            assert!(legal(name), "{name}");
        }
    }

    #[test]
    fn long_names_keep_their_end() {
        let long = format!("/{}/Gemm", "block/".repeat(1_000) + &"q".repeat(10_000));
        let name = legalise(&long, "layer");
        assert!(legal(&name) && name.ends_with("q_gemm"), "{name}");
    }

    #[test]
    fn collisions_are_numbered() {
        let mut names = Names::new();
        let claimed: Vec<String> = ["a.b", "A_B", "a b", "a_b_2", ""].iter().map(|t| names.claim(t, "layer")).collect();
        assert_eq!(claimed, ["a_b", "a_b_2", "a_b_3", "a_b_2_2", "layer"]);
    }

    proptest! {
        #[test]
        fn always_legal_unique_and_deterministic(texts in prop::collection::vec(".{0,80}|[a-bA-B_. ]{0,4}|[su]f?_[a-z]*|[0-9_]{0,60}", 1..40)) {
            let claim = || {
                let mut names = Names::new();
                texts.iter().map(|t| names.claim(t, "layer")).collect::<Vec<_>>()
            };
            let claimed = claim();
            for name in &claimed {
                prop_assert!(legal(name), "{:?}", name);
            }
            let folded: BTreeSet<String> = claimed.iter().map(|n| n.to_lowercase()).collect();
            prop_assert_eq!(folded.len(), claimed.len());
            prop_assert_eq!(claimed, claim());
        }
    }
}
