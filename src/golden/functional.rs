//! The functional golden model: fast, whole test sets.
