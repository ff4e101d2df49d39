//! `SnnGraph` → `QuantGraph`: integer weights and thresholds, chosen without labels.
