//! LISTCAT, against values written down by hand, and what our own LISTCAT writes.

use format_listing::{
    CatalogDate, CatalogEntry, CatalogListing, Completeness, DeviceType, EntryKind, IdcamsOutcome,
    IdcamsPrint, LinearDataSet, Listcat, RbaExtent, Report, Space, Text, VolumePlace, listcat, read,
};
use format_types::{Lrsn, Timestamp};

const LISTCAT: &str = include_str!("../../../testdata/listings/listcat.txt");

fn prints(text: &str) -> Vec<IdcamsPrint> {
    let text = Text::decode("listcat", text.as_bytes()).unwrap();
    let sections = read(&[text]).unwrap_or_else(|error| panic!("{error}"));
    let print = |report| match report {
        Report::Idcams(print) => *print,
        other => panic!("{other:?}"),
    };
    sections.into_iter().map(|section| print(section.report)).collect()
}

fn listings(text: &str) -> Vec<CatalogListing> {
    let functions = prints(text).into_iter().flat_map(|print| print.functions);
    let listing = |outcome| match outcome {
        IdcamsOutcome::Listed(listing) => *listing,
        other => panic!("{other:?}"),
    };
    functions.flat_map(|function| function.outcomes).map(listing).collect()
}

fn refused(text: &str) -> String {
    read(&[Text::decode("listcat", text.as_bytes()).unwrap()]).unwrap_err().to_string()
}

fn day(year: u16, day: u16) -> Option<CatalogDate> {
    Some(CatalogDate { year, day })
}

#[test]
fn a_listing_of_a_qualifier_and_one_of_a_name_that_is_not_there() {
    let print = &prints(LISTCAT)[0];
    assert_eq!(print.maximum, Some(4));
    let codes: Vec<_> = print.functions.iter().map(|function| function.code).collect();
    assert_eq!(codes, [Some(0), Some(4)]);
    assert_eq!(print.functions[0].statements, ["LISTCAT LEVEL(CSQARC1) ALL"]);

    let listings = listings(LISTCAT);
    let listing = &listings[0];
    assert_eq!(listing.completeness(), Completeness::Complete);
    assert_eq!(listing.catalogs, ["CATALOG.MQ.USER"]);
    let names: Vec<_> = listing.entries.iter().map(|entry| (entry.kind, entry.name.as_str())).collect();
    assert_eq!(
        names,
        [
            (EntryKind::NonVsam, "CSQARC1.ARCHLOG1.A0000001"),
            (EntryKind::NonVsam, "CSQARC1.ARCHLOG1.A0000002"),
            (EntryKind::GenerationGroup, "CSQARC1.BACKUP.PSID01"),
            (EntryKind::NonVsam, "CSQARC1.BACKUP.PSID01.G0011V00"),
            (EntryKind::NonVsam, "CSQARC1.BACKUP.PSID01.G0012V00"),
            (EntryKind::Cluster, "CSQARC1.PSID02"),
            (EntryKind::Data, "CSQARC1.PSID02.DATA"),
        ]
    );
    let [tape, migrated, group, old, new, cluster, data] = listing.entries.as_slice() else { panic!() };
    assert_eq!((tape.created, tape.expires), (day(2026, 323), day(2027, 1)));
    let volumes = |entry: &CatalogEntry| -> Vec<(VolumePlace, Option<DeviceType>, Option<u32>)> {
        entry
            .volumes
            .iter()
            .map(|volume| (volume.place.clone(), volume.device, volume.file_sequence))
            .collect()
    };
    let cartridge = Some(DeviceType(0x7804_8081));
    assert_eq!(
        volumes(tape),
        [
            (VolumePlace::On("TAPE01".into()), cartridge, Some(1)),
            (VolumePlace::On("TAPE02".into()), cartridge, Some(1)),
        ]
    );
    assert!(!tape.is_migrated() && migrated.is_migrated());
    assert_eq!(volumes(migrated), [(VolumePlace::Migrated, Some(DeviceType(0)), Some(0))]);
    assert_eq!(migrated.expires, day(1999, 366));
    assert_eq!((group.limit, group.altered), (Some(5), day(2026, 329)));
    assert_eq!(group.attributes, ["SCRATCH", "NOEMPTY", "LIFO", "NOPURGE", "NOEXTENDED"]);
    let generations: Vec<_> = group.associations.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(generations, ["CSQARC1.BACKUP.PSID01.G0011V00", "CSQARC1.BACKUP.PSID01.G0012V00"]);
    assert_eq!(
        (old.generation(), new.generation(), group.generation()),
        (Some((11, 0)), Some((12, 0)), None)
    );
    assert_eq!((old.status.as_deref(), new.status.as_deref()), (Some("ACTIVE"), Some("DEFERRED")));
    assert_eq!(volumes(new), [(VolumePlace::SystemResidence, Some(DeviceType(0)), Some(0))]);
    assert_eq!(old.associations, [(EntryKind::GenerationGroup, group.name.clone())]);
    assert_eq!(cluster.associations, [(EntryKind::Data, data.name.clone())]);
    assert_eq!((data.allocated, data.used), (Some(3_686_400), Some(737_280)));
    assert_eq!(data.system_timestamp, Some(Lrsn(0xE2D8_0C5B_88B2_4000)));
    assert!(data.attributes.iter().any(|word| word == "LINEAR"));
    assert_eq!(volumes(data), [(VolumePlace::On("MQ0002".into()), Some(DeviceType(0x3010_200F)), None)]);

    let missing = &listings[1];
    assert_eq!((missing.entries.len(), missing.completeness()), (0, Completeness::Complete));
    assert_eq!(missing.not_listed.len(), 1);
    assert_eq!(missing.not_listed[0].name, "CSQARC1.ARCHLOG1.A0000009");
    assert!(missing.not_listed[0].not_found);
}

#[test]
fn a_listing_says_when_it_is_not_complete() {
    let without = |start: &str, lines: usize| -> String {
        let at = LISTCAT.lines().position(|line| line.contains(start)).unwrap();
        let kept = LISTCAT.lines().enumerate().filter(|(n, _)| !(at..at + lines).contains(n));
        kept.map(|(_, line)| format!("{line}\n")).collect()
    };
    let lost = listings(&without("0NONVSAM ------- CSQARC1.ARCHLOG1.A0000001", 11));
    assert_eq!(lost[0].completeness(), Completeness::Disagrees { kind: "NONVSAM", printed: 4, read: 3 });
    let hidden = LISTCAT.replacen("SUPPRESSED WAS 0", "SUPPRESSED WAS 2", 1);
    assert_eq!(listings(&hidden)[0].completeness(), Completeness::Suppressed(2));
    let end = LISTCAT.find("0         THE NUMBER OF ENTRIES").unwrap();
    let cut = &prints(&LISTCAT[..end])[0];
    assert_eq!((cut.maximum, cut.functions[0].code), (None, None));
    let IdcamsOutcome::Listed(listing) = &cut.functions[0].outcomes[0] else { panic!() };
    assert_eq!((listing.entries.len(), listing.completeness()), (7, Completeness::NoTotals));
    let short = listings(&without("TOTAL ------", 1));
    assert_eq!(short[0].completeness(), Completeness::NoTotals);
    let wrong = LISTCAT.replacen("AIX -------------------0", "AIX -------------------1", 1);
    assert_eq!(
        listings(&wrong)[0].completeness(),
        Completeness::Disagrees { kind: "AIX", printed: 1, read: 0 }
    );
}

#[test]
fn a_listing_without_headings_is_read() {
    let text = "\
NONVSAM ------- CSQARC1.ARCHLOG1.A0000001
     IN-CAT --- CATALOG.MQ
NONVSAM ------- CSQARC1.ARCHLOG1.A0000002
     IN-CAT --- CATALOG.MQ
CSQI024I QM1 CSQIDUSE Restart RBA for system as configured=0000008BE034
";
    let sections = read(&[Text::decode("x", text.as_bytes()).unwrap()]).unwrap();
    assert_eq!(sections.len(), 2);
    let Report::Idcams(print) = &sections[0].report else { panic!() };
    let IdcamsOutcome::Listed(listing) = &print.functions[0].outcomes[0] else { panic!() };
    assert_eq!((listing.entries.len(), listing.completeness()), (2, Completeness::NoTotals));
}

#[test]
fn what_looks_like_an_entry_and_is_none_is_refused() {
    for (from, to, why) in [
        (
            "NONVSAM ------- CSQARC1.ARCHLOG1.A0000002",
            "NONVSAN ------- CSQARC1.ARCHLOG1.A0000002",
            "no known kind",
        ),
        (
            "NONVSAM ------- CSQARC1.ARCHLOG1.A0000002",
            "NONVSAM ------- CSQARC1.ARCHLOG1.A000000299",
            "name of an entry",
        ),
        ("VOLSER------------MIGRAT", "VOLSEQ------------MIGRAT", "looks like a field"),
        ("VOLSER------------TAPE01", "VOLSER-----------TAPE'1", "volume serial"),
        ("CREATION--------2026.323", "CREATION--------2026.32A", "a date"),
        ("DEVTYPE------X'78048081'", "DEVTYPE------X'7804808G'", "8 digits"),
        ("HI-U-RBA----------737280", "HI-U-RBA----------73728O", "a number"),
        ("NONVSAM--CSQARC1.BACKUP.PSID01.G0012V00", "NONVSAX--CSQARC1.BACKUP.PSID01.G0012V00", "associated"),
        ("IN-CAT --- CATALOG.MQ.USER", "IN-CAT --- catalog", "name of a catalog"),
        ("GDG -------------------1", "GDX -------------------1", "one of the totals"),
    ] {
        assert!(LISTCAT.contains(from), "{from}");
        let found = refused(&LISTCAT.replacen(from, to, 1));
        assert!(found.contains(why), "{to}: {found}");
    }
    let without_catalog: String =
        LISTCAT.lines().enumerate().filter(|(n, _)| *n != 7).map(|(_, line)| format!("{line}\n")).collect();
    assert!(refused(&without_catalog).contains("IN-CAT does not follow"), "{without_catalog}");
    assert!(refused("     IN-CAT --- CATALOG.MQ\n").contains("heading of its entry"));
}

#[test]
fn what_our_own_listcat_writes_is_read() {
    let data_set = |name: &str, volume: &str, allocated, used| LinearDataSet {
        name: name.into(),
        created: Some(Timestamp(1_661_904_000_000_000)),
        volume: volume.into(),
        allocated,
        used,
        space: Space::of_bytes(allocated, 737_280),
        extents: vec![RbaExtent { low: 0, high: allocated }],
        system_timestamp: 0xDC08_8DC1_0ACE_6842,
    };
    let asked = [data_set("PSID01", "QM1", 3_686_400, 737_280), data_set("A.PSID02", "LOCAL", 8192, 0)];
    for all in [true, false] {
        let (lines, _) = listcat(&Listcat {
            all,
            catalog: "QM1".into(),
            at: Timestamp(1_662_046_604_000_000),
            command: "   LISTCAT ENTRIES(PSID01 A.PSID02 PSID99) ALL".into(),
            entries: asked.to_vec(),
            missing: vec!["PSID99".into()],
        });
        let listing = &listings(&lines.join("\n"))[0];
        assert_eq!(listing.completeness(), Completeness::Complete);
        assert_eq!(listing.catalogs, ["QM1"]);
        let missing: Vec<_> =
            listing.not_listed.iter().map(|one| (one.name.as_str(), one.not_found)).collect();
        assert_eq!(missing, [("PSID99", true)]);
        let data: Vec<_> = listing.entries.iter().filter(|entry| entry.kind == EntryKind::Data).collect();
        for (read, wanted) in data.iter().zip(&asked) {
            assert_eq!(read.name.as_str(), format!("{}.DATA", wanted.name));
            assert_eq!((read.allocated, read.used), (Some(wanted.allocated), Some(wanted.used)));
            assert_eq!(read.volumes[0].place, VolumePlace::On(wanted.volume.clone()));
            assert_eq!(read.system_timestamp, all.then_some(Lrsn(wanted.system_timestamp)));
            assert_eq!(read.created, if all { day(2022, 243) } else { None });
        }
        assert_eq!((data.len(), listing.entries.len()), (2, 4));
    }
}
