//! `QuantGraph` → `MappedNet`: cores, streams, widths.
