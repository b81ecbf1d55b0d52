//! The manifest of a recovery point.
