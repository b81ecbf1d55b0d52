//! recpoint as people run it, against a queue manager that runs in this process.

#[path = "../../../console/testing/at_rest.rs"]
mod at_rest;
mod keeping;
mod points;
mod remembered;
mod site;
