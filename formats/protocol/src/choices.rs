//! The byte of each choice.

use format_types::{ConditionCode, Expand, UnitState};

use crate::field::choice_field;

choice_field!(ConditionCode, "condition code" { 0 => Done, 4 => Warning, 8 => Partial, 12 => Refused, 16 => Severe });
choice_field!(Expand, "EXPAND" { 1 => User, 2 => System, 3 => None });
choice_field!(UnitState, "state of a unit of recovery" { 1 => InFlight, 2 => InDoubt, 3 => InCommit, 4 => InBackout });
