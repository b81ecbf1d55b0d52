//! Verified copying of live images.
