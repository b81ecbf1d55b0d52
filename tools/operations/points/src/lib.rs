//! Recovery points: make, list, verify, restore.
