//! The journal of a load: what was acknowledged, what is unknown.
