//! The recovery log: control intervals, segments, record headers and bodies.
