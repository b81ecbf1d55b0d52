//! Reports of mixed files.

use format_types::QueueManagerName;

use crate::cursor::Cursor;
use crate::error::ListingError;
use crate::log_map::LogMap;
use crate::log_map_reader;
use crate::text::Text;

/// A report, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The file.
    pub file: String,
    /// Its first line.
    pub line: usize,
    /// The queue manager, where the report names it.
    pub queue_manager: Option<QueueManagerName>,
    /// What it says.
    pub report: Report,
}

/// What a section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// CSQJU004.
    LogMap(Box<LogMap>),
}

/// Reads all reports of `texts`.
///
/// # Errors
/// When a line inside a report does not read.
pub fn read(texts: &[Text]) -> Result<Vec<Section>, ListingError> {
    let mut sections = Vec::new();
    for text in texts {
        let mut lines = Cursor::new(text);
        while let Some(line) = lines.peek() {
            if log_map_reader::begins(&line) {
                let map = log_map_reader::read(&mut lines)?;
                let queue_manager = map.header.queue_manager.clone();
                let report = Report::LogMap(Box::new(map));
                sections.push(Section {
                    file: line.file.to_owned(),
                    line: line.number,
                    queue_manager,
                    report,
                });
            } else {
                lines.advance();
            }
        }
    }
    Ok(sections)
}
