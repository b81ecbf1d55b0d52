//! Arguments, messages, condition codes, JSON and progress of every program.
