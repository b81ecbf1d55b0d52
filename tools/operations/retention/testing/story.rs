//! The worked example: T1 to T6, as inventory documents.
//!
//! S1 and S2 are structures; their earlier backups start at 1000 and 1400. Log data sets hold 4096 bytes, in two copies.
// Each test file uses its part of it.
#![allow(dead_code)]

/// Policy of the example: the last verified point is kept, so a newer one gives up the one before.
pub(crate) const KEEP_LAST: u32 = 1;

/// A step of the example: its name, the lowest RBA that is needed now, and the one that log is kept from.
pub(crate) struct Step {
    /// T1 to T6.
    pub(crate) name: &'static str,
    /// The system recovery RBA at that time.
    pub(crate) now: u64,
    /// Log is kept from here on.
    pub(crate) keep_from: u64,
    /// Page sets, structures S1 and S2, oldest unit, end of the log.
    facts: (u64, u64, u64, Option<u64>, u64),
    /// How many points there are by then.
    points: usize,
}

/// The table.
pub(crate) const STEPS: [Step; 6] = [
    step("T1", 0x1000, 0x1000, (0x2600, 0x1000, 0x1400, Some(0x2200), 0x2800), 1),
    step("T2", 0x2C00, 0x1000, (0x2E00, 0x3000, 0x3300, Some(0x2C00), 0x3400), 1),
    step("T3", 0x3000, 0x3000, (0x4200, 0x3000, 0x3300, Some(0x3900), 0x4500), 2),
    step("T4", 0x3000, 0x3000, (0x4800, 0x3000, 0x5000, Some(0x4A00), 0x5100), 2),
    step("T5", 0x5000, 0x3000, (0x5600, 0x6000, 0x5000, Some(0x5800), 0x6100), 2),
    step("T6", 0x5000, 0x5000, (0x7000, 0x6000, 0x5000, None, 0x7100), 3),
];

const fn step(
    name: &'static str,
    now: u64,
    keep_from: u64,
    facts: (u64, u64, u64, Option<u64>, u64),
    points: usize,
) -> Step {
    Step { name, now, keep_from, facts, points }
}

const POINTS: [&str; 3] = [
    r#"{"name": "T1", "method": "fuzzy", "state": "verified", "at": "2026-11-16T01:00:00Z", "history": "1",
      "start": "0000000000002700", "end": "00000000000027FF",
      "page_sets": [{"psid": 0, "recovery_rba": "0000000000002600"}, {"psid": 1, "recovery_rba": "0000000000002680"}],
      "system_recovery": {"page_sets": {"rba": "0000000000002600", "holder": "page set 00"},
        "structures": {"rba": "0000000000001000", "holder": "S1"},
        "units": {"rba": "0000000000002200", "holder": "UOWB1"}}}"#,
    r#"{"name": "T3", "method": "fuzzy", "state": "verified", "at": "2026-11-18T01:00:00Z", "history": "1",
      "start": "0000000000004400", "end": "00000000000044FF",
      "page_sets": [{"psid": 0, "recovery_rba": "0000000000004200"}, {"psid": 1, "recovery_rba": "0000000000004280"}],
      "system_recovery": {"page_sets": {"rba": "0000000000004200", "holder": "page set 00"},
        "structures": {"rba": "0000000000003000", "holder": "S1"},
        "units": {"rba": "0000000000003900", "holder": "UOWA1"}}}"#,
    r#"{"name": "T6", "method": "full", "state": "verified", "at": "2026-11-21T01:00:00Z", "history": "1",
      "start": "0000000000007000", "end": "00000000000070FF",
      "page_sets": [{"psid": 0, "recovery_rba": "0000000000007000"}, {"psid": 1, "recovery_rba": "0000000000007000"}],
      "system_recovery": {"page_sets": {"rba": "0000000000007000", "holder": "page set 00"},
        "structures": {"rba": "0000000000005000", "holder": "S2"}, "units": null}}"#,
];

impl Step {
    /// The inventory document at that time.
    pub(crate) fn document(&self) -> String {
        let (page_sets, s1, s2, unit, log_end) = self.facts;
        let mut logs = Vec::new();
        for copy in 1..=2 {
            for number in 0..=log_end / 0x1000 {
                let (kind, name) = if number < log_end / 0x1000 {
                    ("archive", format!("ARCHLOG{copy}.A{number:07}"))
                } else {
                    ("active", format!("LOGCOPY{copy}.DS01"))
                };
                logs.push(format!(
                    r#"    {{"name": "{name}", "kind": "{kind}", "copy": {copy}, "history": "1", "start": "{:016X}", "end": "{:016X}", "bytes": 4096, "present": true}}"#,
                    number * 0x1000,
                    number * 0x1000 + 0xFFF
                ));
            }
        }
        let unit = unit.map(|urid| format!(r#"{{"urid": "{urid:016X}", "state": "in-flight"}}"#));
        let checkpoints = [log_end - 0x80, log_end - 0x20];
        let checkpoints = checkpoints.map(|begin| format!("\"{:016X}\"", begin.max(page_sets)));
        format!(
            r#"{{"queue_manager": "QM1", "histories": [{{"id": "1", "parent": null, "cut": null}}],
  "logs": [
{}
  ],
  "points": [
    {}
  ],
  "now": {{"at": "2026-11-{}T02:00:00Z", "log_end": "{log_end:016X}", "checkpoints": [{}],
    "page_sets": [{{"psid": 0, "recovery_rba": "{page_sets:016X}"}}, {{"psid": 1, "recovery_rba": "{page_sets:016X}"}}],
    "structures": [{{"name": "S1", "rba": "{s1:016X}"}}, {{"name": "S2", "rba": "{s2:016X}"}}],
    "units": [{}]}},
  "holds": [], "in_progress": []}}
"#,
            logs.join(",\n"),
            POINTS[..self.points].join(",\n    "),
            15 + self.name[1..].parse::<u32>().expect("T and a number"),
            checkpoints.join(", "),
            unit.unwrap_or_default()
        )
    }
}
