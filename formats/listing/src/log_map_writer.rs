//! A log map, written.

use std::fmt::Write as _;

use crate::field::{AddressWidth, print_lrsn, print_rba};
use crate::log_map::{
    ActiveStatus, ArchiveCommand, ConditionalRestart, LogMap, LogMapHeader, LogRow, QueuedCheckpoint,
    RestartField,
};
use crate::printed_time::PrintedTime;

/// Whose layout rows are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogMapLayout {
    /// CSQJU004: `start / end / date DSN=`.
    Csqju004,
    /// DSNJU004: columns without `/`, the times of both ends below.
    Dsnju004,
}

impl LogMap {
    /// The lines of the map in `layout`, without carriage control.
    #[must_use]
    pub fn lines(&self, layout: LogMapLayout) -> Vec<String> {
        let mut lines = Vec::new();
        let has_tail = self.checkpoints.is_some() || self.archive_commands.is_some();
        if let (Some(at), false) = (self.printed, has_tail) {
            let utility = match layout {
                LogMapLayout::Csqju004 => "CSQJU004",
                LogMapLayout::Dsnju004 => "DSNJU004",
            };
            lines.push(format!("{utility}   PRINT LOG MAP   {}   PAGE     1", at.long()));
        }
        lines.extend(self.header.lines(self.width));
        for copy in 0..2 {
            lines.push(format!("{:28}ACTIVE LOG COPY {} DATA SETS", "", copy + 1));
            let active = self.active.get(copy).map_or(&[][..], Vec::as_slice);
            if active.is_empty() {
                lines.push(" NO ACTIVE DATA SETS DEFINED FOR THIS COPY".to_owned());
            }
            for log in active {
                let status: Vec<&str> =
                    log.status.iter().map(|status: &ActiveStatus| status.name()).collect();
                let status =
                    if status.is_empty() { String::new() } else { format!("STATUS={}", status.join(", ")) };
                log.row.write(self.width, layout, &[status], &mut lines);
            }
            lines.push(format!("{:28}ARCHIVE LOG COPY {} DATA SETS", "", copy + 1));
            let archives = self.archives.get(copy).map_or(&[][..], Vec::as_slice);
            if archives.is_empty() {
                lines.push(" NO ARCHIVE DATA SETS DEFINED FOR THIS COPY".to_owned());
            }
            for archive in archives {
                let volume =
                    archive.volume.as_ref().map_or_else(String::new, |volume| format!("VOL={volume}"));
                let unit = archive.unit.as_ref().map_or_else(String::new, |unit| format!("UNIT={unit}"));
                let answer =
                    archive.catalogued.map_or_else(String::new, |yes| format!("CATALOGUED={}", answer(yes)));
                archive.row.write(self.width, layout, &[volume, unit, answer], &mut lines);
            }
        }
        if self.restarts.is_empty() {
            lines.push(" CSQJ401E CSQJU004 RECORD NOT FOUND - RESTART CONTROL".to_owned());
        }
        for restart in &self.restarts {
            restart.write(self.width, &mut lines);
        }
        let mut printed = self.printed.map(|at| format!("{:31}{}", "", at.long()));
        if let Some(checkpoints) = &self.checkpoints {
            lines.push(format!("{:32}CHECKPOINT QUEUE", ""));
            lines.extend(printed.take());
            for checkpoint in checkpoints {
                checkpoint.write(self.width, &mut lines);
            }
        }
        if let Some(commands) = &self.archive_commands {
            lines.push(format!("{:28}ARCHIVE LOG COMMAND HISTORY", ""));
            lines.extend(printed.take());
            lines.push(" DATE        TIME        RBA               MODE     WAIT  TIME  SCOPE".to_owned());
            lines.extend(commands.iter().map(|command| command.line(self.width)));
        }
        lines
    }
}

fn answer(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}

impl LogMapHeader {
    fn lines(&self, width: AddressWidth) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.bsds {
            Some((copy, name)) => lines.push(format!(" LOG MAP OF BSDS DATA SET COPY {copy}, DSN={name}")),
            None => lines.push(" LOG MAP OF BSDS DATA SET".to_owned()),
        }
        if self.queue_manager.is_some() || self.group.is_some() {
            let name = self.queue_manager.as_ref().map_or("NO NAME", |name| name.as_str());
            let group = self.group.as_deref().unwrap_or("NO NAME");
            lines.push(format!(
                " LOG MAP OF THE BSDS DATA SET BELONGING TO QUEUE MANAGER '{name:<8}' OF GROUP '{group:<8}'."
            ));
        }
        lines.push(" LTIME INDICATES LOCAL TIME, ALL OTHER TIMES ARE GMT.".to_owned());
        let mut field = |label: &str, value: String| {
            lines.push(format!("{:9}{label:<26} {value}", "").trim_end().to_owned());
        };
        if let Some(version) = self.version {
            field("BSDS VERSION", version.to_string());
        }
        if let Some(converted) = self.converted {
            field("CSQJUCNV CONVERSION PROGRAM HAS", (if converted { "RUN" } else { "NOT RUN" }).to_owned());
        }
        if let Some(sharing) = self.sharing {
            field("DATA SHARING MODE IS", (if sharing { "ON" } else { "OFF" }).to_owned());
        }
        let stamps =
            [("SYSTEM TIMESTAMP", self.system_timestamp), ("UTILITY TIMESTAMP", self.utility_timestamp)];
        for (label, stamp) in stamps {
            if let Some(PrintedTime { date, time: Some(time) }) = stamp {
                let (date, time) = (PrintedTime::julian(date), PrintedTime::clock(time));
                field(label, format!("- DATE={date}  LTIME={time}"));
            }
        }
        if let Some(catalog) = &self.catalog {
            field("VSAM CATALOG NAME", format!("= {catalog}"));
        }
        let at = self.written_at.map_or_else(String::new, |at| format!("  {}", at.stamp()));
        field("HIGHEST RBA WRITTEN", format!("{}{at}", print_rba(self.highest_written, width)));
        field("HIGHEST RBA OFFLOADED", print_rba(self.highest_offloaded, width));
        for (label, rba) in &self.other_rbas {
            field(label, print_rba(*rba, width));
        }
        for (name, yes) in &self.parameters {
            field(name, answer(*yes).to_owned());
        }
        for remark in &self.remarks {
            field(remark, String::new());
        }
        lines
    }
}

impl LogRow {
    fn write(
        &self,
        width: AddressWidth,
        layout: LogMapLayout,
        attributes: &[String],
        lines: &mut Vec<String>,
    ) {
        let (between, gap) = match layout {
            LogMapLayout::Csqju004 => (" /   ", " /  "),
            LogMapLayout::Dsnju004 => ("  ", "  "),
        };
        let column = 22;
        let (start, last) = (print_rba(self.start, width), print_rba(self.last, width));
        let mut first = format!(" {start:<column$}{between}{last:<column$}{gap}");
        if let Some(entered) = &self.entered {
            let date = entered.date;
            let date = match layout {
                LogMapLayout::Csqju004 => PrintedTime::day(date),
                LogMapLayout::Dsnju004 => PrintedTime::julian(date),
            };
            first.push_str(&date);
            if let Some(time) = entered.time {
                let _ = write!(first, "  {}", PrintedTime::clock(time));
            }
            first.push(' ');
        }
        let _ = write!(first, "DSN={}", self.data_set);
        lines.push(first);
        let password = self
            .password
            .map_or("", |password| if password { "PASSWORD=********" } else { "PASSWORD=(NULL)" });
        let attributes: Vec<&str> = std::iter::once(password)
            .chain(attributes.iter().map(String::as_str))
            .filter(|attribute| !attribute.is_empty())
            .collect();
        let mut second = String::new();
        if let Some([start, last]) = self.times {
            let _ = write!(second, " {:<column$}{between}{:<column$}{gap}", start.stamp(), last.stamp());
        }
        if !attributes.is_empty() {
            let _ = write!(second, "{:>60}{}", "", attributes.join(" "));
        }
        if !second.is_empty() {
            lines.push(second.trim_end().to_owned());
        }
        if let Some([start, last]) = self.lrsns {
            let (start, last) = (print_lrsn(start, width), print_lrsn(last, width));
            lines.push(format!(" {start:<column$}{between}{last}"));
        }
    }
}

impl ConditionalRestart {
    fn write(&self, width: AddressWidth, lines: &mut Vec<String>) {
        lines.push(format!("{:28}CONDITIONAL RESTART CONTROL RECORD", ""));
        for (label, field) in &self.fields {
            let value = match field {
                RestartField::Status => String::new(),
                RestartField::Word(word) => word.clone(),
                RestartField::Answer(yes) => format!("= {}", answer(*yes)),
                RestartField::Rba(rba) => print_rba(*rba, width),
                RestartField::Lrsn(lrsn) => print_lrsn(*lrsn, width),
                RestartField::Time(at) => at.long(),
            };
            lines.push(format!("{:9}{label:<30} {value}", "").trim_end().to_owned());
        }
    }
}

impl QueuedCheckpoint {
    fn write(&self, width: AddressWidth, lines: &mut Vec<String>) {
        let mut field = |label: &str, value: String| lines.push(format!(" {label:<30} {value}"));
        if let Some(at) = &self.at {
            field("TIME OF CHECKPOINT", at.long());
        }
        field("BEGIN CHECKPOINT RBA", print_rba(self.begin, width));
        field("END CHECKPOINT RBA", print_rba(self.end, width));
        if let Some(lrsn) = self.end_lrsn {
            field("END CHECKPOINT LRSN", print_lrsn(lrsn, width));
        }
        if self.shutdown {
            lines.push(" SHUTDOWN CHECKPOINT".to_owned());
        }
    }
}

impl ArchiveCommand {
    fn line(&self, width: AddressWidth) -> String {
        let line = format!(" {}  {}  {}", self.at.stamp(), print_rba(self.rba, width), self.options);
        line.trim_end().to_owned()
    }
}
