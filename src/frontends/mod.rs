//! Model files become a [`crate::ir::graph::Graph`]; the float network runs as reference.
