//! Verilator against the models, cycle for cycle.
