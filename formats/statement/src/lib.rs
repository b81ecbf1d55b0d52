//! Control statements: MQSC.
