//! The golden models: what the integer network computes (`functional`), and in which cycle (`cycle`).

pub mod cycle;
pub mod functional;
