//! The tools of the suite.

use serde::Serialize;

/// A program of the suite.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Tool {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
}

/// All programs, in the order in which they are met.
pub(crate) const TOOLS: &[Tool] = &[
    Tool { name: "qmgr", about: "create, start, stop and feed a queue manager" },
    Tool { name: "mqsc", about: "run MQSC commands" },
    Tool { name: "repro", about: "copy a page set or log image, also while its owner writes" },
    Tool { name: "listcat", about: "describe page sets, logs and bootstrap data sets as LISTCAT does" },
    Tool { name: "dispusage", about: "show page set usage and the system recovery RBA with its holders" },
    Tool { name: "archlog", about: "truncate, switch and offload the active log" },
    Tool { name: "recpoint", about: "make, list, show and verify recovery points" },
    Tool { name: "recover", about: "restore page sets from a recovery point and bring them forward" },
    Tool { name: "prunelog", about: "say which log data sets recovery needs, why, and which may go" },
    Tool { name: "rehearse", about: "rehearse a whole loss and recovery" },
    Tool { name: "simulate", about: "run the shipped core on faulty storage from a seed" },
];
