//! Lines for the console.
//!
//! The texts of CSQJ001I to CSQJ005I, CSQJ030E and CSQJ114I are the published ones; those of CSQJ099I, CSQJ110E, CSQJ111A, CSQJ126E,
//! CSQJ128E, CSQJ139I follow the same products' books as remembered.

use format_bsds::ArchiveLog;
use format_types::{Lrsn, Rba, RbaRange};

pub(crate) fn current(copy: u8, name: &str, range: RbaRange) -> String {
    format!(
        "CSQJ001I CURRENT COPY {copy} ACTIVE LOG DATA SET IS DSNAME={name}, STARTRBA={} ENDRBA={}",
        range.start,
        range.last()
    )
}

pub(crate) fn ended(name: &str, range: RbaRange) -> String {
    format!(
        "CSQJ002I END OF ACTIVE LOG DATA SET DSNAME={name}, STARTRBA={} ENDRBA={}",
        range.start,
        range.last()
    )
}

pub(crate) fn archived(log: &ArchiveLog) -> String {
    format!(
        "CSQJ003I FULL ARCHIVE LOG VOLUME DSNAME={}, STARTRBA={} ENDRBA={}, STARTTIME={} ENDTIME={}, UNIT={}, COPY{}VOL={} \
         VOLSPAN=NO CATLG=YES",
        log.name,
        log.range.start,
        log.range.last(),
        time(log.start_lrsn),
        time(log.end_lrsn),
        log.unit,
        log.copy,
        log.volume
    )
}

/// yyyydddhhmmsst, UTC, as the statements of the modelled system write times.
fn time(lrsn: Lrsn) -> String {
    let micros = i64::try_from(lrsn.timestamp().0).unwrap_or(i64::MAX);
    let tenths = micros / 100_000 % 10;
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(at) => format!("{}{tenths}", at.strftime("%Y%j%H%M%S")),
        Err(_) => "00000000000000".to_owned(),
    }
}

pub(crate) fn copy_stopped(copy: u8, stopped: Rba) -> String {
    format!("CSQJ004I ACTIVE LOG COPY {copy} INACTIVE, LOG IN SINGLE MODE, ENDRBA={}", stopped.minus(1))
}

pub(crate) fn copy_failed(copy: u8, why: &str) -> String {
    format!("HWT231W active log copy {copy} is given up until the next switch of data sets or start: {why}")
}

pub(crate) fn copy_completed(copy: u8) -> String {
    format!("HWT232I active log copy {copy} is complete again")
}

pub(crate) fn dual_again(copy: u8, start: Rba) -> String {
    format!("CSQJ005I ACTIVE LOG COPY {copy} IS ACTIVE, LOG IN DUAL MODE, STARTRBA={start}")
}

pub(crate) fn recreated(name: &str, why: &str) -> String {
    format!("HWT233W active log data set {name} was made anew: {why}")
}

pub(crate) fn commencing(rba: Rba) -> String {
    format!("CSQJ099I LOG RECORDING TO COMMENCE WITH STARTRBA={rba}")
}

pub(crate) fn filling(percent: u64) -> String {
    format!("CSQJ110E LAST COPY1 ACTIVE LOG DATA SET IS {percent} PERCENT FULL")
}

pub(crate) fn out_of_space() -> String {
    "CSQJ111A OUT OF SPACE IN ACTIVE LOG DATA SETS".to_owned()
}

pub(crate) fn single_bsds(name: &str, why: &str) -> String {
    format!("CSQJ126E BSDS ERROR FORCED SINGLE BSDS MODE, DSNAME={name}: {why}")
}

pub(crate) fn bsds_repaired(fault: &str) -> String {
    format!("HWT234W the BSDS was repaired from its other copy: {fault}")
}

pub(crate) fn offload_failed(name: &str, why: &str) -> String {
    format!("CSQJ128E LOG OFFLOAD TASK FAILED FOR ACTIVE LOG {name}: {why}")
}

pub(crate) fn archive_copy_failed(copy: u8, why: &str) -> String {
    format!(
        "CSQJ114I ERROR ON ARCHIVE DATA SET, OFFLOAD CONTINUING WITH ONLY ONE ARCHIVE DATA SET BEING GENERATED: copy {copy}: {why}"
    )
}

pub(crate) fn goes_on_single(name: &str) -> String {
    format!(
        "HWT260W no active log data set that could be switched to is REUSABLE: the log goes on in {name} alone; \
         see that it can be offloaded"
    )
}

pub(crate) fn still_failing(copy: u8, why: &str) -> String {
    format!("HWT261W active log copy {copy} still cannot be written, log in single mode: {why}")
}

pub(crate) fn written_again(copy: u8, from: Rba) -> String {
    format!(
        "HWT262I active log copy {copy} is written again from RBA {from}; what it lacks below is completed before it counts as whole"
    )
}

pub(crate) fn damaged_in_one_copy(name: &str, rba: Rba, why: &str) -> String {
    format!(
        "HWT263W RBA {rba} cannot be used in {name}: {why}; the archive has it from the other copy; check the device"
    )
}

pub(crate) fn copies_differ(rba: Rba, name: &str, other: &str) -> String {
    format!(
        "HWT264W RBA {rba} is valid in {name} and in {other}, and differs: the archive has that of {name}; keep both and find out why"
    )
}

pub(crate) fn more_findings(count: u64) -> String {
    format!("HWT263W {count} more control intervals like these")
}

pub(crate) fn unreadable(name: &str, why: &str) -> String {
    format!(
        "HWT265E {name} cannot be offloaded, for neither copy has all of it: {why}. \
         Nothing was archived and nothing is reused: restore one of them; offload tries again"
    )
}

pub(crate) fn not_completed(name: &str, why: &str) -> String {
    format!("HWT266W {name} lacks log that could not be written to it: {why}; its other copy has it")
}

pub(crate) fn completed(name: &str) -> String {
    format!("HWT267I {name} was completed from its other copy and compared")
}

pub(crate) fn offload_cancelled(name: &str) -> String {
    format!("HWT268I the offload of {name} was cancelled; it begins anew")
}

pub(crate) fn bsds_copy_failed(name: &str, why: &str) -> String {
    format!("CSQJ125E ERROR COPYING BSDS, OFFLOAD CONTINUES, DSNAME={name}: {why}")
}

pub(crate) fn bsds_copy_not_written(error: &crate::LogError) -> String {
    format!("CSQJ125E ERROR COPYING BSDS: {error}")
}

pub(crate) fn offload_ended() -> String {
    "CSQJ139I LOG OFFLOAD TASK ENDED".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use format_types::Timestamp;

    #[test]
    fn times_are_year_day_and_tenths() {
        let lrsn = Lrsn(Timestamp(1_553_543_587_314_336).store_clock());
        assert_eq!(time(lrsn), "20190841953073");
    }
}
