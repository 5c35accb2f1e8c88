//! Picking files.
