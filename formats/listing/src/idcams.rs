//! Messages of IDCAMS, without carriage control.

use format_types::ConditionCode;

/// IDC0001I: the end of a function.
#[must_use]
pub fn function_completed(code: ConditionCode) -> String {
    function_ended(code.number())
}

/// IDC0001I with a code that another system gave.
pub(crate) fn function_ended(code: u8) -> String {
    format!("IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS {code}")
}

/// IDC0002I: the end of the run.
#[must_use]
pub fn processing_complete(code: ConditionCode) -> String {
    processing_ended(code.number())
}

/// IDC0002I with a code that another system gave.
pub(crate) fn processing_ended(code: u8) -> String {
    format!("IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS {code}")
}

/// IDC0005I: records (control intervals of a linear data set) copied.
#[must_use]
pub fn records_processed(count: u64) -> String {
    format!("IDC0005I NUMBER OF RECORDS PROCESSED WAS {count}")
}

/// IDC3012I, IDC3009I and IDC1566I: LISTCAT of a name that is not there.
#[must_use]
pub fn entry_not_found(name: &str) -> Vec<String> {
    vec![
        format!("IDC3012I ENTRY {name} NOT FOUND"),
        "IDC3009I ** VSAM CATALOG RETURN CODE IS 8 - REASON CODE IS IGG0CLEG-42".to_owned(),
        format!("IDC1566I ** {name} NOT LISTED"),
    ]
}

/// IDC3003I: the function ended before it began.
#[must_use]
pub fn function_terminated(code: ConditionCode) -> String {
    format!("IDC3003I FUNCTION TERMINATED. CONDITION CODE IS {code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_printed() {
        assert_eq!(
            function_completed(ConditionCode::Warning),
            "IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 4"
        );
        assert_eq!(
            processing_complete(ConditionCode::Done),
            "IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0"
        );
        assert_eq!(records_processed(180), "IDC0005I NUMBER OF RECORDS PROCESSED WAS 180");
        assert_eq!(
            function_terminated(ConditionCode::Refused),
            "IDC3003I FUNCTION TERMINATED. CONDITION CODE IS 12"
        );
        assert_eq!(entry_not_found("x")[2], "IDC1566I ** x NOT LISTED");
    }
}
