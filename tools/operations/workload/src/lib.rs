//! Load, journal and audit.
