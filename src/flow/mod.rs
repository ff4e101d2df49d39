//! External tools: finding them, Yosys, nextpnr.
