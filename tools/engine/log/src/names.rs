//! Names of the files of the log.

/// The two copies of the BSDS.
pub const BSDS_NAMES: [&str; 2] = ["BSDS01", "BSDS02"];

/// The active log `number` of `copy`, both from 1: `LOGCOPY1.DS01`.
#[must_use]
pub fn active_name(copy: u8, number: u32) -> String {
    format!("LOGCOPY{copy}.DS{number:02}")
}

/// The archive log `number` of `copy`: `ARCHLOG1.A0000001`.
#[must_use]
pub fn archive_name(copy: u8, number: u32) -> String {
    format!("ARCHLOG{copy}.A{number:07}")
}

/// The copy of the BSDS written with that archive: `ARCHLOG1.B0000001`.
#[must_use]
pub fn archive_bsds_name(copy: u8, number: u32) -> String {
    format!("ARCHLOG{copy}.B{number:07}")
}

/// The name of the copy of the BSDS beside the archive of that name; none when it is not an archive's.
#[must_use]
pub fn bsds_name_beside(archive: &str) -> Option<String> {
    let (before, number) = archive.rsplit_once(".A")?;
    Some(format!("{before}.B{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_data_set_names() {
        for name in
            [active_name(1, 1), active_name(2, 310), archive_name(1, 9_999_999), archive_bsds_name(2, 1)]
        {
            assert!(name.parse::<format_types::DataSetName>().is_ok(), "{name}");
        }
    }

    #[test]
    fn the_copy_of_the_bsds_has_the_number_of_its_archive() {
        let beside = bsds_name_beside(&archive_name(2, 47));
        assert_eq!(beside, Some(archive_bsds_name(2, 47)));
        assert_eq!(bsds_name_beside("LOGCOPY1.DS01"), None);
    }
}
