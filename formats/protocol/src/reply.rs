//! What a queue manager answers.

use format_types::{
    ConditionCode, HistoryId, PageSetId, QueueManagerId, QueueManagerName, Rba, Timestamp, UnitUsage,
    UsageReport,
};

use crate::MESSAGE_ID_SIZE;
use crate::field::frames;

frames! {
    /// The answer to one [`Request`](crate::Request).
    Reply, "reply" {
        /// To `Hello`.
        1 => Hello {
            /// Name of the queue manager.
            name: QueueManagerName,
            /// Its identity.
            id: QueueManagerId,
            /// Version of the protocol that it speaks.
            version: u16,
        },
        /// To `Put`.
        2 => Put {
            /// The message's identifier.
            message_id: [u8; MESSAGE_ID_SIZE],
            /// Its key: unique and rising.
            key: u64,
            /// RBA of the record that committed it; zero under syncpoint.
            commit: Rba,
        },
        /// To `Get` and `Browse`.
        3 => Message {
            /// The message's identifier.
            message_id: [u8; MESSAGE_ID_SIZE],
            /// Its key.
            key: u64,
            /// 0 to 9.
            priority: u8,
            /// Whether it survives a restart.
            persistent: bool,
            /// When it was put.
            put_time: Timestamp,
            /// RBA of the record that committed the get; zero under syncpoint and for a browse.
            commit: Rba,
            /// The message.
            body: Vec<u8>,
        },
        /// To `Get` and `Browse`: there is none.
        4 => NoMessage,
        /// To `Commit`.
        5 => Committed {
            /// RBA of the record that committed; zero when there was nothing to commit.
            rba: Rba,
        },
        /// To `Backout`.
        6 => BackedOut,
        /// To `Prepare`.
        7 => Prepared,
        /// To `Mqsc`.
        8 => Lines {
            /// Condition code of the command.
            code: ConditionCode,
            /// What it printed.
            lines: Vec<String>,
        },
        /// To `Usage`.
        9 => Usage[report: UsageReport],
        /// To `Definitions`: DEFINE statements.
        10 => Definitions[statements: Vec<String>],
        /// To `RegisterBackup`.
        11 => Backup {
            /// Usage at that moment, with the system recovery RBA.
            usage: UsageReport,
            /// End of the log at that moment.
            start: Rba,
            /// The history of the log.
            history: HistoryId,
            /// The page sets to be copied.
            page_sets: Vec<PageSetId>,
        },
        /// To `FinishBackup`.
        12 => BackupFinished {
            /// Image of the BSDS with the point in it.
            bsds: Vec<u8>,
        },
        /// To `ArchiveLog`.
        13 => LogArchived {
            /// End of the log that was truncated.
            end: Rba,
            /// What the command printed.
            lines: Vec<String>,
        },
        /// To `Status`.
        14 => Status {
            /// Name of the queue manager.
            name: QueueManagerName,
            /// RUNNING, QUIESCING, WAITING FOR LOG ...
            state: String,
            /// Its process.
            pid: u32,
            /// End of the log.
            log_end: Rba,
            /// Open connections, the asking one included.
            connections: u32,
            /// Active units of recovery.
            units: u32,
            /// When it was started.
            started: Timestamp,
        },
        /// To `Stop`: it will be down soon.
        15 => Stopping {
            /// What the command printed.
            lines: Vec<String>,
        },
        /// To anything: it was not done.
        16 => Error {
            /// How bad it is.
            code: ConditionCode,
            /// Message identifier, `CSQJ319I` or `HWT410E`.
            id: String,
            /// What, where, why and what to do, without the identifier.
            text: String,
        },
        /// To `AbandonBackup`.
        17 => Abandoned,
        /// To `Applications`, and to `StopWhenAlone` when it was not stopped.
        18 => Applications {
            /// Names of the other connections.
            connected: Vec<String>,
            /// Units of recovery that no connection ends: in doubt, or waiting for a page set.
            unresolved: Vec<UnitUsage>,
        },
        /// To `HoldPoint`, `ReleasePoint`, `ForgetPoint`, `NotePoint`, `MarkArchives`, `SettleArchives`: both copies of the BSDS say it.
        19 => BsdsChanged {
            /// Sequence of the BSDS.
            sequence: u64,
            /// Digest of its facts, see `MarkArchives`.
            facts: u64,
            /// What was changed.
            lines: Vec<String>,
        },
    }
}

#[cfg(test)]
mod tests {
    use format_types::{
        BufferPoolUsage, DataSetUsage, Expand, PageSetUsage, RecoveryPart, SystemRecovery, UnitState, Urid,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{FRAME_HEADER, ProtocolError, Request};

    fn usage() -> UsageReport {
        UsageReport {
            page_sets: vec![PageSetUsage {
                page_set: PageSetId::ZERO,
                buffer_pool: 0,
                online: true,
                total_pages: 1078,
                unused_pages: 1045,
                persistent_pages: 33,
                nonpersistent_pages: 0,
                expand: Expand::System,
                expansions: 2,
                recovery_rba: Rba(0x4000),
            }],
            buffer_pools: vec![BufferPoolUsage { buffer_pool: 0, available: 50_000, stealable: 49_998 }],
            oldest_unit: Some(DataSetUsage { rba: Rba(0x5000), data_set: Some("LOGCOPY1.DS01".into()) }),
            oldest_page_set: DataSetUsage { rba: Rba(0x4000), data_set: None },
            units: vec![UnitUsage {
                urid: Urid(Rba(0x5000)),
                state: UnitState::InDoubt,
                connection: "LOAD-1".into(),
            }],
            system_recovery: SystemRecovery {
                page_sets: RecoveryPart { rba: Rba(0x4000), holder: "page set 00".into() },
                structures: Some(RecoveryPart { rba: Rba(0x4800), holder: "structure S1".into() }),
                units: Some(RecoveryPart { rba: Rba(0x5000), holder: "unit".into() }),
                page_sets_online: Rba(0x4000),
            },
            log_end: Rba(0x6000),
        }
    }

    fn samples() -> Vec<Reply> {
        let name: QueueManagerName = "QM1".parse().unwrap();
        let history = HistoryId { number: 1, random: u64::MAX };
        vec![
            Reply::Hello { name: name.clone(), id: QueueManagerId(5), version: 1 },
            Reply::Put { message_id: [1; 24], key: 77, commit: Rba::ZERO },
            Reply::Message {
                message_id: [2; 24],
                key: 78,
                priority: 9,
                persistent: true,
                put_time: Timestamp(3),
                commit: Rba(0x99),
                body: vec![1, 2, 3],
            },
            Reply::NoMessage,
            Reply::Committed { rba: Rba(0x1234) },
            Reply::BackedOut,
            Reply::Prepared,
            Reply::Lines { code: ConditionCode::Partial, lines: vec!["CSQ9022I".into(), String::new()] },
            Reply::Usage(usage()),
            Reply::Definitions(vec!["DEFINE QLOCAL(A)".into()]),
            Reply::Backup { usage: usage(), start: Rba(1), history, page_sets: vec![PageSetId::ZERO] },
            Reply::BackupFinished { bsds: vec![9; 100] },
            Reply::LogArchived { end: Rba(0x1000), lines: vec![] },
            Reply::Status {
                name,
                state: "RUNNING".into(),
                pid: 4,
                log_end: Rba(2),
                connections: 3,
                units: 1,
                started: Timestamp(8),
            },
            Reply::Stopping { lines: vec!["CSQI024I".into()] },
            Reply::Error { code: ConditionCode::Refused, id: "CSQJ319I".into(), text: "no".into() },
            Reply::Abandoned,
            Reply::Applications {
                connected: vec!["PAYROLL".into(), String::new()],
                unresolved: usage().units,
            },
            Reply::BsdsChanged { sequence: 77, facts: u64::MAX, lines: vec!["HWT451I".into()] },
        ]
    }

    #[test]
    fn every_reply_survives_the_wire_and_no_truncation_or_extension_does() {
        for reply in samples() {
            let frame = reply.encode().unwrap();
            let body = &frame[FRAME_HEADER..];
            assert_eq!(Reply::decode(body).as_ref(), Ok(&reply));
            for length in 0..body.len() {
                assert!(Reply::decode(&body[..length]).is_err(), "{reply:?} cut to {length}");
            }
            let mut longer = body.to_vec();
            longer.push(0);
            assert!(matches!(Reply::decode(&longer), Err(ProtocolError::Trailing { .. })), "{reply:?}");
        }
    }

    #[test]
    fn tags_are_pinned() {
        let tags: Vec<u8> = samples().iter().map(|reply| reply.encode().unwrap()[FRAME_HEADER]).collect();
        assert_eq!(tags, (1..=19).collect::<Vec<u8>>());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_what_is_read_is_written_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(reply) = Reply::decode(&bytes) {
                prop_assert_eq!(&reply.encode().unwrap()[FRAME_HEADER..], &bytes[..]);
            }
            if let Ok(request) = Request::decode(&bytes) {
                prop_assert_eq!(&request.encode().unwrap()[FRAME_HEADER..], &bytes[..]);
            }
        }
    }
}
