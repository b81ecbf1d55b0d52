//! Reports of every kind, written as they are read.

use format_types::Timestamp;

use crate::attributes::{Attribute, details};
use crate::completion::normal_completion;
use crate::log_map_writer::LogMapLayout;
use crate::log_status::{displayed_log, displayed_parameters};
use crate::sections::Report;
use crate::structure::{Connection, Structure, StructureBackup};
use crate::usage;

/// The module that answers DISPLAY of objects.
const DISPLAY_MODULE: &str = "CSQMDRTS";

impl Report {
    /// The report as it is printed: messages of the queue manager with the command prefix `prefix`, prints of jobs with pages that were
    /// made at `at` and carriage control in column 1, a log map as CSQJU004 prints it, without. [`read`](crate::read) gives the same
    /// report of these lines, except for the places where the objects of [`Displayed`](crate::Displayed) begin.
    #[must_use]
    pub fn lines(&self, prefix: &str, at: Timestamp) -> Vec<String> {
        match self {
            Self::LogMap(map) => map.lines(LogMapLayout::Csqju004),
            Self::PageSets(rows) => usage::page_sets(prefix, rows),
            Self::BufferPools(rows) => usage::buffer_pools(prefix, rows),
            Self::DataSets(rows) => usage::data_sets(prefix, rows),
            Self::RestartRba(rba) => usage::restart_rba(prefix, *rba),
            Self::RestartRbaWithOffline(rba) => usage::restart_rba_with_offline(prefix, *rba),
            Self::SharedMessageDataSets(rows) => usage::shared_message_data_sets(prefix, rows),
            Self::SharedMessageBuffers(rows) => usage::shared_message_buffers(prefix, rows),
            Self::LogParameters(rows) => displayed_parameters(prefix, rows),
            Self::LogStatus(log) => displayed_log(prefix, log),
            Self::Structures(structures) => objects(prefix, "CFSTRUCT", structures, Structure::attributes),
            Self::StructureBackups(backups) => {
                objects(prefix, "CFSTATUS", backups, StructureBackup::attributes)
            }
            Self::Connections(connections) => objects(prefix, "CONN", connections, Connection::attributes),
            Self::Objects(displayed) => {
                completed(prefix, &displayed.noun, displayed.lines(prefix, DISPLAY_MODULE))
            }
            Self::Event(event) => vec![event.message(prefix)],
            Self::Idcams(print) => print.lines(at),
            Self::LogInventory(change) => change.lines(at),
        }
    }
}

/// The answer to DISPLAY of `noun`.
fn objects<T>(
    prefix: &str,
    noun: &str,
    objects: &[T],
    attributes: impl Fn(&T) -> Vec<Attribute>,
) -> Vec<String> {
    let objects: Vec<Vec<Attribute>> = objects.iter().map(attributes).collect();
    completed(prefix, noun, details(prefix, DISPLAY_MODULE, noun, &objects))
}

/// The answer to DISPLAY of `noun`, with its last line.
fn completed(prefix: &str, noun: &str, mut lines: Vec<String>) -> Vec<String> {
    lines.push(normal_completion(prefix, DISPLAY_MODULE, &format!("DISPLAY {noun}")));
    lines
}
