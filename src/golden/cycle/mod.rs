//! The cycle model: every stream in every cycle, every membrane at the end of every phase.
