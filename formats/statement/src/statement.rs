//! Statements: what a command says, as a value.

use format_types::{Expand, ObjectName, PageSetId};

use crate::StatementError;
use crate::control::{ArchiveLog, StopMode};
use crate::display::{DisplayRequest, DisplayUsage, NamePattern, page_set, page_set_or_all};
use crate::in_doubt::{DisplayThread, ResolveInDoubt};
use crate::page_set::{DefinePageSet, expand};
use crate::parameters::{Parameter, Parameters};
use crate::queue::{DefineQueue, QueueAttributes, object_name};
use crate::storage_class::{DefineStorageClass, StorageClassAttributes, storage_class_name};

const QUEUE: &[&str] = &["QLOCAL", "QL"];
const QUEUE_DISPLAYED: &[&str] = &["QLOCAL", "QL", "QUEUE", "Q"];
const STORAGE_CLASS: &[&str] = &["STGCLASS", "STC"];
const PAGE_SET: &[&str] = &["PSID"];
const IN_DOUBT: &[&str] = &["INDOUBT", "IND"];
const PAGE_SET_DISPLAYED: &[&str] = &["PAGES", "EXPAND", "BUFFPOOL", "STATUS", "USED", "RECRBA"];
const STORAGE_CLASS_DISPLAYED: &[&str] = &["PSID", "DESCR"];
const QUEUE_MANAGER_DISPLAYED: &[&str] = &[
    "QMNAME", "QMID", "PLATFORM", "VERSION", "CMDLEVEL", "MAXMSGL", "MAXPRTY", "MAXUMSGS", "SYNCPT",
    "CRDATE", "CRTIME",
];
const CONNECTION_DISPLAYED: &[&str] = &[
    "TYPE", "APPLTAG", "EXTCONN", "EXTURID", "NID", "PID", "QMURID", "UOWLOG", "UOWLOGDA", "UOWLOGTI",
    "UOWSTATE", "UOWSTDA", "UOWSTTI", "URTYPE", "USERID",
];

/// An MQSC command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// DEFINE QLOCAL.
    DefineQueue(DefineQueue),
    /// ALTER QLOCAL.
    AlterQueue {
        /// The queue.
        name: ObjectName,
        /// What changes.
        attributes: QueueAttributes,
    },
    /// DELETE QLOCAL.
    DeleteQueue {
        /// The queue.
        name: ObjectName,
    },
    /// DISPLAY QLOCAL or QUEUE.
    DisplayQueue(DisplayRequest),
    /// DEFINE STGCLASS.
    DefineStorageClass(DefineStorageClass),
    /// ALTER STGCLASS.
    AlterStorageClass {
        /// The storage class.
        name: ObjectName,
        /// What changes.
        attributes: StorageClassAttributes,
    },
    /// DELETE STGCLASS.
    DeleteStorageClass {
        /// The storage class.
        name: ObjectName,
    },
    /// DISPLAY STGCLASS.
    DisplayStorageClass(DisplayRequest),
    /// DEFINE PSID.
    DefinePageSet(DefinePageSet),
    /// ALTER PSID.
    AlterPageSet {
        /// The page set.
        page_set: PageSetId,
        /// How it grows from now on.
        expand: Expand,
    },
    /// DELETE PSID.
    DeletePageSet {
        /// The page set.
        page_set: PageSetId,
    },
    /// DISPLAY PSID.
    DisplayPageSet {
        /// The page set; none for all.
        page_set: Option<PageSetId>,
        /// What is printed of it; its `names` match all.
        request: DisplayRequest,
    },
    /// START PSID: a page set that went offline comes back.
    StartPageSet {
        /// The page set.
        page_set: PageSetId,
    },
    /// DISPLAY USAGE.
    DisplayUsage(DisplayUsage),
    /// DISPLAY LOG.
    DisplayLog,
    /// DISPLAY QMGR; its `names` match all.
    DisplayQueueManager(DisplayRequest),
    /// DISPLAY CONN.
    DisplayConnection(DisplayRequest),
    /// DISPLAY THREAD.
    DisplayThread(DisplayThread),
    /// RESOLVE INDOUBT.
    ResolveInDoubt(ResolveInDoubt),
    /// ARCHIVE LOG.
    ArchiveLog(ArchiveLog),
    /// STOP QMGR.
    StopQueueManager(StopMode),
}

impl Statement {
    /// Reads one statement.
    ///
    /// # Errors
    /// With IBM's message and the column, when any part of it does not read.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let mut rest = Parameters::read(text)?;
        let Some(verb) = rest.first() else {
            return Err(StatementError::unknown_command("", 1));
        };
        let statement = match verb.keyword.as_str() {
            "DEFINE" | "DEF" if verb.is_bare() => Self::define(&mut rest, &verb)?,
            "ALTER" | "ALT" if verb.is_bare() => Self::alter(&mut rest, &verb)?,
            "DELETE" | "DEL" if verb.is_bare() => Self::delete(&mut rest, &verb)?,
            "DISPLAY" | "DIS" if verb.is_bare() => Self::display(&mut rest, &verb)?,
            "START" | "STA" if verb.is_bare() => {
                let primary = rest.take(PAGE_SET)?.ok_or_else(|| Self::no_noun(&rest, &verb))?;
                Self::StartPageSet { page_set: page_set(&primary)? }
            }
            "RESOLVE" | "RES" if verb.is_bare() => {
                let primary = rest.take(IN_DOUBT)?.ok_or_else(|| Self::no_noun(&rest, &verb))?;
                Self::ResolveInDoubt(ResolveInDoubt::read(&primary, &mut rest)?)
            }
            "ARCHIVE" | "ARC" if verb.is_bare() => {
                Self::noun(&mut rest, &verb, "LOG")?;
                Self::ArchiveLog(ArchiveLog::read(&mut rest)?)
            }
            "STOP" if verb.is_bare() => {
                Self::noun(&mut rest, &verb, "QMGR")?;
                Self::StopQueueManager(StopMode::read(&mut rest)?)
            }
            _ => return Err(StatementError::unknown_command(&verb.keyword, verb.column)),
        };
        rest.finish()?;
        Ok(statement)
    }

    /// The command as CSQ9022I and CSQ9023E name it: `DISPLAY USAGE`.
    #[must_use]
    pub const fn command(&self) -> &'static str {
        match self {
            Self::DefineQueue(_) => "DEFINE QLOCAL",
            Self::AlterQueue { .. } => "ALTER QLOCAL",
            Self::DeleteQueue { .. } => "DELETE QLOCAL",
            Self::DisplayQueue(_) => "DISPLAY QLOCAL",
            Self::DefineStorageClass(_) => "DEFINE STGCLASS",
            Self::AlterStorageClass { .. } => "ALTER STGCLASS",
            Self::DeleteStorageClass { .. } => "DELETE STGCLASS",
            Self::DisplayStorageClass(_) => "DISPLAY STGCLASS",
            Self::DefinePageSet(_) => "DEFINE PSID",
            Self::AlterPageSet { .. } => "ALTER PSID",
            Self::DeletePageSet { .. } => "DELETE PSID",
            Self::DisplayPageSet { .. } => "DISPLAY PSID",
            Self::StartPageSet { .. } => "START PSID",
            Self::DisplayUsage(_) => "DISPLAY USAGE",
            Self::DisplayLog => "DISPLAY LOG",
            Self::DisplayQueueManager(_) => "DISPLAY QMGR",
            Self::DisplayConnection(_) => "DISPLAY CONN",
            Self::DisplayThread(_) => "DISPLAY THREAD",
            Self::ResolveInDoubt(_) => "RESOLVE INDOUBT",
            Self::ArchiveLog(_) => "ARCHIVE LOG",
            Self::StopQueueManager(_) => "STOP QMGR",
        }
    }

    /// The control section that answers, as the messages name it.
    #[must_use]
    pub const fn csect(&self) -> &'static str {
        match self {
            Self::DefineQueue(_) | Self::AlterQueue { .. } => "CSQMAQLC",
            Self::DeleteQueue { .. } => "CSQMUQLC",
            Self::DefineStorageClass(_) | Self::AlterStorageClass { .. } => "CSQMASTC",
            Self::DeleteStorageClass { .. } => "CSQMUSTC",
            Self::DisplayQueue(_)
            | Self::DisplayStorageClass(_)
            | Self::DisplayPageSet { .. }
            | Self::DisplayQueueManager(_) => "CSQMDRTS",
            Self::DisplayConnection(_) => "CSQMDRTC",
            Self::DisplayThread(_) => "CSQVDT",
            Self::ResolveInDoubt(_) => "CSQVRRID",
            Self::DefinePageSet(_)
            | Self::AlterPageSet { .. }
            | Self::DeletePageSet { .. }
            | Self::StartPageSet { .. } => "CSQPALTR",
            Self::DisplayUsage(_) => "CSQIDUSE",
            Self::DisplayLog | Self::ArchiveLog(_) => "CSQJC001",
            Self::StopQueueManager(_) => "CSQYASCP",
        }
    }

    fn define(rest: &mut Parameters, verb: &Parameter) -> Result<Self, StatementError> {
        if let Some(primary) = rest.take(QUEUE)? {
            return DefineQueue::read(&primary, rest).map(Self::DefineQueue);
        }
        if let Some(primary) = rest.take(STORAGE_CLASS)? {
            return DefineStorageClass::read(&primary, rest).map(Self::DefineStorageClass);
        }
        if let Some(primary) = rest.take(PAGE_SET)? {
            return DefinePageSet::read(&primary, rest).map(Self::DefinePageSet);
        }
        Err(Self::no_noun(rest, verb))
    }

    fn alter(rest: &mut Parameters, verb: &Parameter) -> Result<Self, StatementError> {
        if let Some(primary) = rest.take(QUEUE)? {
            let name = object_name(&primary)?;
            return Ok(Self::AlterQueue { name, attributes: QueueAttributes::read(rest)? });
        }
        if let Some(primary) = rest.take(STORAGE_CLASS)? {
            let name = storage_class_name(&primary)?;
            return Ok(Self::AlterStorageClass { name, attributes: StorageClassAttributes::read(rest)? });
        }
        if let Some(primary) = rest.take(PAGE_SET)? {
            let page_set = page_set(&primary)?;
            return Ok(Self::AlterPageSet { page_set, expand: expand(&rest.require(&["EXPAND"])?)? });
        }
        Err(Self::no_noun(rest, verb))
    }

    fn delete(rest: &mut Parameters, verb: &Parameter) -> Result<Self, StatementError> {
        if let Some(primary) = rest.take(QUEUE)? {
            return Ok(Self::DeleteQueue { name: object_name(&primary)? });
        }
        if let Some(primary) = rest.take(STORAGE_CLASS)? {
            return Ok(Self::DeleteStorageClass { name: storage_class_name(&primary)? });
        }
        if let Some(primary) = rest.take(PAGE_SET)? {
            return Ok(Self::DeletePageSet { page_set: page_set(&primary)? });
        }
        Err(Self::no_noun(rest, verb))
    }

    fn display(rest: &mut Parameters, verb: &Parameter) -> Result<Self, StatementError> {
        let everything = || NamePattern::Prefix(String::new());
        // The noun comes first here: other nouns are names of attributes.
        let Some(noun) = rest.first() else {
            return Err(Self::no_noun(rest, verb));
        };
        let keyword = noun.keyword.as_str();
        if QUEUE_DISPLAYED.contains(&keyword) {
            let names = NamePattern::read(&noun)?;
            let request = DisplayRequest::read(names, rest, QueueAttributes::DISPLAYED)?;
            return Ok(Self::DisplayQueue(request));
        }
        if STORAGE_CLASS.contains(&keyword) {
            let names = NamePattern::read(&noun)?;
            return DisplayRequest::read(names, rest, STORAGE_CLASS_DISPLAYED).map(Self::DisplayStorageClass);
        }
        match keyword {
            "PSID" => {
                let page_set = page_set_or_all(&noun)?;
                let request = DisplayRequest::read(everything(), rest, PAGE_SET_DISPLAYED)?;
                let request = Self::all_by_default(request);
                Ok(Self::DisplayPageSet { page_set, request })
            }
            "USAGE" => noun.bare().and_then(|()| DisplayUsage::read(rest)).map(Self::DisplayUsage),
            "LOG" => noun.bare().map(|()| Self::DisplayLog),
            "QMGR" => {
                noun.bare()?;
                let request = DisplayRequest::read(everything(), rest, QUEUE_MANAGER_DISPLAYED)?;
                Ok(Self::DisplayQueueManager(Self::all_by_default(request)))
            }
            "CONN" => {
                let names = NamePattern::read(&noun)?;
                if let Some(kind) = rest.take(&["TYPE"])? {
                    let value = kind.value()?;
                    if !matches!(value.text.as_str(), "CONN" | "ALL") {
                        return Err(kind.unacceptable(value, "CONN or ALL"));
                    }
                }
                DisplayRequest::read(names, rest, CONNECTION_DISPLAYED).map(Self::DisplayConnection)
            }
            "THREAD" | "THD" => DisplayThread::read(&noun, rest).map(Self::DisplayThread),
            _ => Err(StatementError::invalid(&noun.keyword, noun.column)),
        }
    }

    fn all_by_default(mut request: DisplayRequest) -> DisplayRequest {
        request.all |= request.attributes.is_empty() && request.filter.is_none();
        request
    }

    fn noun(rest: &mut Parameters, verb: &Parameter, noun: &str) -> Result<(), StatementError> {
        match rest.first() {
            Some(parameter) if parameter.keyword == noun => parameter.bare(),
            Some(parameter) => Err(StatementError::invalid(&parameter.keyword, parameter.column)),
            None => Err(StatementError::unknown_command(&verb.keyword, verb.column)),
        }
    }

    fn no_noun(rest: &Parameters, verb: &Parameter) -> StatementError {
        match rest.keywords().next() {
            Some(parameter) => StatementError::invalid(&parameter.keyword, parameter.column),
            None => StatementError::unknown_command(&verb.keyword, verb.column),
        }
    }
}
