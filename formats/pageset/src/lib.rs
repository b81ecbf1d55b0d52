//! Page sets: page zero, space maps, data pages, message and object records.
