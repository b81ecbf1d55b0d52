//! What a program asks of a queue manager.

use format_types::{ArchiveReference, ObjectName, Timestamp};

use crate::MESSAGE_ID_SIZE;
use crate::field::frames;
use crate::{PointRegistration, PointState};

frames! {
    /// A request. Each is answered by one [`Reply`](crate::Reply).
    Request, "request" {
        /// First of a connection.
        1 => Hello {
            /// Version of the protocol that the program speaks.
            version: u16,
            /// Name of the connection, shown by DISPLAY CONN and as a holder.
            application: String,
        },
        /// Puts a message.
        2 => Put {
            /// The queue.
            queue: ObjectName,
            /// 0 to 9; none for the queue's DEFPRTY.
            priority: Option<u8>,
            /// Whether it survives a restart; none for the queue's DEFPSIST.
            persistent: Option<bool>,
            /// Inside the connection's unit of recovery, or committed by itself.
            syncpoint: bool,
            /// The message.
            body: Vec<u8>,
        },
        /// Gets and removes the first message, or the one named.
        3 => Get {
            /// The queue.
            queue: ObjectName,
            /// Inside the connection's unit of recovery, or committed by itself.
            syncpoint: bool,
            /// The message wanted; none for the first.
            message_id: Option<[u8; MESSAGE_ID_SIZE]>,
        },
        /// Reads the first message behind a place in the queue's order.
        4 => Browse {
            /// The queue.
            queue: ObjectName,
            /// Priority and key of the message browsed last; none for the first.
            after: Option<(u8, u64)>,
        },
        /// Commits the connection's unit of recovery.
        5 => Commit,
        /// Backs the connection's unit of recovery out.
        6 => Backout,
        /// Prepares the connection's unit of recovery: from now on it is in doubt.
        7 => Prepare {
            /// The coordinator's name of it.
            xid: Vec<u8>,
        },
        /// Runs one MQSC command.
        8 => Mqsc {
            /// Its text.
            text: String,
        },
        /// Asks for the usage of page sets, and the system recovery RBA.
        9 => Usage,
        /// Asks for DEFINE statements of all objects.
        10 => Definitions,
        /// Registers the start of a backup in the BSDS and reads the system recovery RBA, as one step.
        11 => RegisterBackup {
            /// Name of the recovery point in the making.
            name: String,
        },
        /// Registers a finished backup; it ceases to be in progress.
        12 => FinishBackup {
            /// What the BSDS is to keep.
            entry: PointRegistration,
        },
        /// Gives up the backup that this connection registered.
        13 => AbandonBackup,
        /// Truncates the current active log, switches and offloads.
        14 => ArchiveLog {
            /// MODE(QUIESCE): wait at most this many seconds for all units of recovery to end.
            quiesce: Option<u16>,
            /// Reply only when the log is archived.
            wait_offload: bool,
            /// Cancel and restart the offload instead.
            cancel_offload: bool,
        },
        /// Asks how the queue manager is.
        15 => Status,
        /// Stops the queue manager.
        16 => Stop {
            /// Back out what is under way instead of waiting for it.
            force: bool,
        },
        /// Asks who uses the queue manager beside the asking connection.
        17 => Applications,
        /// Stops the queue manager if nobody but the asking connection uses it, as one step; else nothing changes.
        18 => StopWhenAlone {
            /// Stop over units of recovery that are in doubt or wait for a page set.
            allow_unresolved: bool,
        },
        /// Holds a recovery point: it must not be given up.
        19 => HoldPoint {
            /// Name of the point.
            point: String,
            /// Why; a point may be held for several reasons, and the same reason once more changes the time.
            reason: String,
            /// Until when; none for ever.
            until: Option<Timestamp>,
        },
        /// Ends all holds on a recovery point.
        20 => ReleasePoint {
            /// Name of the point.
            point: String,
        },
        /// Forgets a recovery point, unless something needs it; its files stay.
        21 => ForgetPoint {
            /// Name of the point.
            point: String,
            /// The other point that has the newest DEFINE statements; none when no point has any.
            definitions: Option<String>,
        },
        /// Notes what looking at a recovery point came to.
        22 => NotePoint {
            /// Name of the point.
            point: String,
            /// When it was made: its name may have been given again.
            made: Timestamp,
            /// What is known of it now; verified when its pages and the log that it needs are whole.
            state: PointState,
            /// When that was found.
            at: Timestamp,
        },
        /// Marks archives as being deleted, before the first of their files is removed. Several on the same facts are one deletion.
        23 => MarkArchives {
            /// The archives.
            archives: Vec<ArchiveReference>,
            /// Digest of the facts that the plan was evaluated on; refused when they are others now.
            facts: u64,
        },
        /// Ends the deletion of marked archives: entries of files that are gone are dropped, holes noted; others are unmarked.
        24 => SettleArchives {
            /// Archives whose files are removed, durably.
            gone: Vec<ArchiveReference>,
            /// Archives that stay.
            kept: Vec<ArchiveReference>,
        },
    }
}

#[cfg(test)]
mod tests {
    use format_types::{HistoryId, PageSetId, Rba, RbaRange, RecoveryPart, SystemRecovery};

    use super::*;
    use crate::{FRAME_HEADER, MAXIMUM_FRAME, PointMethod, ProtocolError};

    fn archive(copy: u8) -> ArchiveReference {
        ArchiveReference {
            copy,
            name: format!("ARCHLOG{copy}.A0000001"),
            history: HistoryId { number: 1, random: 7 },
            range: RbaRange::new(Rba(0x1000), Rba(0x9000)),
        }
    }

    #[test]
    fn a_hundred_thousand_archives_fit_into_a_frame() {
        let archives =
            (0..100_000).map(|n| ArchiveReference { name: format!("ARCHLOG1.A{n:07}"), ..archive(1) });
        let request = Request::MarkArchives { archives: archives.collect(), facts: 1 };
        let frame = request.encode().unwrap();
        assert_eq!(Request::decode(&frame[FRAME_HEADER..]), Ok(request));
    }

    pub(crate) fn samples() -> Vec<Request> {
        let queue: ObjectName = "APP.ORDERS".parse().unwrap();
        let part = |rba, holder: &str| RecoveryPart { rba: Rba(rba), holder: holder.to_owned() };
        vec![
            Request::Hello { version: 1, application: "LOAD-3".into() },
            Request::Put {
                queue: queue.clone(),
                priority: Some(9),
                persistent: Some(true),
                syncpoint: true,
                body: b"abc".to_vec(),
            },
            Request::Put {
                queue: queue.clone(),
                priority: None,
                persistent: None,
                syncpoint: false,
                body: vec![],
            },
            Request::Get { queue: queue.clone(), syncpoint: true, message_id: Some([7; 24]) },
            Request::Get { queue: queue.clone(), syncpoint: false, message_id: None },
            Request::Browse { queue: queue.clone(), after: Some((4, 0x1_0000_0001)) },
            Request::Browse { queue, after: None },
            Request::Commit,
            Request::Backout,
            Request::Prepare { xid: vec![1, 2, 3] },
            Request::Mqsc { text: "DISPLAY QLOCAL(*)".into() },
            Request::Usage,
            Request::Definitions,
            Request::RegisterBackup { name: "P1".into() },
            Request::FinishBackup {
                entry: PointRegistration {
                    name: "P1".into(),
                    directory: "/backups/P1".into(),
                    method: PointMethod::Fuzzy,
                    state: PointState::Verified,
                    at: Timestamp(5),
                    history: HistoryId { number: 2, random: 9 },
                    start: Rba(0x1000),
                    end: Rba(0x2000),
                    page_sets: vec![(PageSetId::ZERO, Rba(0x800)), (PageSetId::new(3).unwrap(), Rba(0x900))],
                    system_recovery: SystemRecovery {
                        page_sets: part(0x800, "page set 00"),
                        structures: None,
                        units: Some(part(0x700, "unit of recovery")),
                        page_sets_online: Rba(0x800),
                    },
                },
            },
            Request::AbandonBackup,
            Request::ArchiveLog { quiesce: Some(5), wait_offload: true, cancel_offload: false },
            Request::Status,
            Request::Stop { force: true },
            Request::Applications,
            Request::StopWhenAlone { allow_unresolved: true },
            Request::HoldPoint { point: "P1".into(), reason: "audit".into(), until: Some(Timestamp(9)) },
            Request::HoldPoint { point: "P1".into(), reason: "year end".into(), until: None },
            Request::ReleasePoint { point: "P1".into() },
            Request::ForgetPoint { point: "P1".into(), definitions: Some("P2".into()) },
            Request::NotePoint {
                point: "P1".into(),
                made: Timestamp(5),
                state: PointState::Damaged,
                at: Timestamp(6),
            },
            Request::MarkArchives { archives: vec![archive(1), archive(2)], facts: 0x1234_5678_9ABC_DEF0 },
            Request::SettleArchives { gone: vec![archive(1)], kept: vec![archive(2)] },
        ]
    }

    #[test]
    fn every_request_survives_the_wire_and_no_truncation_or_extension_does() {
        for request in samples() {
            let frame = request.encode().unwrap();
            let body = &frame[FRAME_HEADER..];
            assert_eq!(Request::decode(body).as_ref(), Ok(&request));
            for length in 0..body.len() {
                assert!(Request::decode(&body[..length]).is_err(), "{request:?} cut to {length}");
            }
            let mut longer = body.to_vec();
            longer.push(0);
            assert!(matches!(Request::decode(&longer), Err(ProtocolError::Trailing { .. })), "{request:?}");
        }
    }

    #[test]
    fn tags_and_fields_are_pinned() {
        let put = Request::Put {
            queue: "Q".parse().unwrap(),
            priority: Some(4),
            persistent: None,
            syncpoint: true,
            body: vec![0xAA],
        };
        let bytes = [0, 0, 0, 15, 2, 0, 0, 0, 1, b'Q', 1, 4, 0, 1, 0, 0, 0, 1, 0xAA];
        assert_eq!(put.encode().unwrap(), bytes);
        assert_eq!(Request::Stop { force: false }.encode().unwrap(), [0, 0, 0, 2, 16, 0]);
    }

    #[test]
    fn lies_are_refused() {
        assert!(matches!(Request::decode(&[99]), Err(ProtocolError::Tag { tag: 99, .. })));
        assert!(matches!(Request::decode(&[16, 2]), Err(ProtocolError::Value { offset: 1, .. })));
        // A count of 4 GiB with one byte behind it.
        assert!(matches!(Request::decode(&[7, 255, 255, 255, 255, 1]), Err(ProtocolError::Short(_))));
        // A name with a blank.
        assert!(matches!(Request::decode(&[4, 0, 0, 0, 1, b' ', 0]), Err(ProtocolError::Value { .. })));
        // A range that ends before it begins.
        let mut backwards = archive(1);
        backwards.range = RbaRange::new(Rba(0x2000), Rba(0x1000));
        let mark = Request::MarkArchives { archives: vec![backwards], facts: 0 }.encode().unwrap();
        assert!(matches!(Request::decode(&mark[FRAME_HEADER..]), Err(ProtocolError::Value { .. })));
        // Text that is no UTF-8.
        assert!(matches!(Request::decode(&[8, 0, 0, 0, 1, 0xFF]), Err(ProtocolError::Value { .. })));
    }

    #[test]
    fn a_message_of_four_mebibytes_fits_and_one_above_the_limit_does_not() {
        let put = |size| Request::Put {
            queue: "Q".parse().unwrap(),
            priority: None,
            persistent: None,
            syncpoint: false,
            body: vec![0; size],
        };
        assert!(put(4 << 20).encode().is_ok());
        assert!(matches!(put(MAXIMUM_FRAME).encode(), Err(ProtocolError::Length { .. })));
    }
}
