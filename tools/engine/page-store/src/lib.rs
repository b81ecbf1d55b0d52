//! Buffer manager and data manager: page sets, space maps, the one redo function.
