//! `Graph` → `SnnGraph`: operators become populations and projections.
