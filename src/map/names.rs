//! Names from a model file become Verilog identifiers. Nothing else of a model file reaches the generated text.

use std::collections::BTreeSet;

/// Longest identifier; more would only be unreadable.
const LONGEST: usize = 40;

/// Words that an identifier must not be: the keywords of Verilog-2005 and SystemVerilog, of VHDL where tools mix both, and
/// names that the generated text uses itself.
const RESERVED: &str = " accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind \
    bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config const \
    constraint context continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge else \
    end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule endpackage \
    endprimitive endprogram endproperty endspecify endsequence endtable endtask enum event eventually expect export extends \
    extern final first_match for force foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff \
    ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input inside instance int integer \
    interconnect interface intersect join join_any join_none large let liblist library local localparam logic longint \
    macromodule matches medium modport module nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1 \
    null or output package packed parameter pmos posedge primitive priority program property protected pull0 pull1 pulldown \
    pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg \
    reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until \
    s_until_with scalared sequence shortint shortreal showcancelled signed small soft solve specify specparam static string \
    strong strong0 strong1 struct super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time \
    timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned \
    until until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while wildcard wire \
    with within wor xnor xor tb con prn aux nul ";

/// Gives out identifiers, each once.
#[derive(Debug, Default)]
pub struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// No identifier is taken.
    pub fn new() -> Self {
        Names::default()
    }

    /// The identifier of the top module, from the model's file name.
    pub fn top(&mut self, text: &str) -> String {
        let stem = text.strip_suffix(".onnx").unwrap_or(text);
        self.legal(if stem.is_empty() { "network" } else { stem })
    }

    /// A legal identifier that resembles `text`, in lower case and given to nobody before. Lower case, because two files whose
    /// names differ in case alone cannot share a folder everywhere.
    pub fn legal(&mut self, text: &str) -> String {
        let base = legalise(text);
        let mut name = base.clone();
        let mut n = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}_{n}");
            n += 1;
        }
        name
    }
}

/// Letters, digits and single underscores; starts with a letter; neither reserved nor in the library's name space.
fn legalise(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if name.len() >= LONGEST {
            break;
        }
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = strip_repeats(name.trim_end_matches('_'));
    let reserved = RESERVED.contains(&format!(" {name} "));
    let own = ["sf_", "u_", "s_"].iter().any(|prefix| name.starts_with(prefix));
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || reserved || own {
        return format!("n_{name}").trim_end_matches('_').to_string();
    }
    name
}

/// Exporters repeat a module's path in front of its operator (`/n/n.1/Gemm`): `n_n_1_gemm` says no more than `n_1_gemm`.
fn strip_repeats(name: &str) -> String {
    let parts: Vec<&str> = name.split('_').collect();
    let mut kept: Vec<&str> = Vec::new();
    for part in parts {
        if kept.last() != Some(&part) || part.chars().all(|c| c.is_ascii_digit()) {
            kept.push(part);
        }
    }
    kept.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_recognisable_and_harmless() {
        let mut names = Names::new();
        let cases = [
            ("/n/n.1/Gemm", "n_1_gemm"),
            ("x; endmodule", "x_endmodule"),
            ("endmodule", "n_endmodule"),
            ("", "n"),
            ("日本", "n_2"),
            ("3x3", "n_3x3"),
            ("sf_rom", "n_sf_rom"),
            ("u_core", "n_u_core"),
            ("../../etc/passwd", "etc_passwd"),
            ("FC1", "fc1"),
            ("fc1", "fc1_2"),
            ("tb", "n_tb"),
            ("`define", "define"),
        ];
        for (text, expected) in cases {
            assert_eq!(names.legal(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_legal_unique_names(texts in proptest::collection::vec(any::<String>(), 1..20)) {
            let mut names = Names::new();
            let mut seen = BTreeSet::new();
            for text in &texts {
                let name = names.legal(text);
                prop_assert!(name.starts_with(|c: char| c.is_ascii_lowercase()));
                prop_assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
                prop_assert!(name.len() <= LONGEST + 8);
                prop_assert!(!RESERVED.contains(&format!(" {name} ")));
                prop_assert!(seen.insert(name));
            }
        }
    }
}
