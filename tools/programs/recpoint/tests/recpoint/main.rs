//! recpoint as people run it, against a queue manager that runs in this process.

mod keeping;
mod points;
mod remembered;
mod site;
