//! Statements of JCL as card images.
//!
//! # Picture
//! ```text
//! //DELETE   EXEC PGM=IDCAMS
//! //SYSUT1   DD  DISP=SHR,
//! //             DSN=CSQARC1.A2345678.B2345678.C2345678.D2345678.BSDS01
//! //SYSIN    DD  *
//!   DELETE (CSQARC1.ARCHLOG1.A0000001)
//! /*
//! ```
//!
//! # Validity rule
//! What is written stands in columns 1 to 71: column 72 says that a comment goes on, 73 to 80 hold numbers. A statement that does not fit
//! is continued after a comma, at column 16, the last one where JCL looks for an operand. Data of a job begin with a blank, so that no
//! value can be taken for the end of the data or for a statement.

/// The last column that holds anything.
pub(crate) const LAST_COLUMN: usize = 71;

/// Where the operands of DD statements begin, and those that are continued: the last column where JCL looks for them.
const OPERANDS: usize = 16;

/// A statement: its name, its operation, its operands.
pub(crate) fn statement(name: &str, operation: &str, operands: &[String]) -> Vec<String> {
    let mut line = format!("//{name:8} {operation:3} ");
    let mut lines = Vec::new();
    for (index, operand) in operands.iter().enumerate() {
        let comma = if index + 1 < operands.len() { "," } else { "" };
        if line.ends_with(',') && line.len() + operand.len() + comma.len() > LAST_COLUMN {
            lines.push(line);
            line = format!("{:width$}", "//", width = OPERANDS - 1);
        }
        line.push_str(operand);
        line.push_str(comma);
    }
    lines.push(line);
    lines
}

/// A DD statement for a data set that others may read meanwhile.
pub(crate) fn shared(name: &str, data_set: &format_types::DataSetName) -> Vec<String> {
    statement(name, "DD", &["DISP=SHR".to_owned(), format!("DSN={data_set}")])
}

/// STEPLIB: `libraries`, in their order; nothing where there are none.
pub(crate) fn step_libraries(libraries: &[format_types::DataSetName]) -> Vec<String> {
    let names = (0..).zip(libraries);
    names.flat_map(|(at, library)| shared(if at == 0 { "STEPLIB" } else { "" }, library)).collect()
}

/// A comment, on as many lines as it takes.
pub(crate) fn remark(text: &str) -> Vec<String> {
    let mut lines = vec!["//*".to_owned()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= LAST_COLUMN => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("//* {word}")),
        }
    }
    lines
}

/// A DD statement with data behind it. The data begin with a blank each.
pub(crate) fn with_data(name: &str, data: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut lines = statement(name, "DD", &["*".to_owned()]);
    lines.extend(data);
    lines.push("/*".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_does_not_fit_is_continued_after_a_comma() {
        let name = |length: usize| {
            let mut name = "A2345678.".repeat(5);
            name.truncate(length);
            name.parse().unwrap()
        };
        let fits = shared("SYSUT1", &name(43));
        assert_eq!(fits, ["//SYSUT1   DD  DISP=SHR,DSN=A2345678.A2345678.A2345678.A2345678.A234567"]);
        assert_eq!(fits[0].len(), LAST_COLUMN);
        assert_eq!(
            shared("", &name(44)),
            ["//         DD  DISP=SHR,", "//             DSN=A2345678.A2345678.A2345678.A2345678.A2345678"]
        );
        assert_eq!(statement("DELETE", "EXEC", &["PGM=IDCAMS".into()]), ["//DELETE   EXEC PGM=IDCAMS"]);
    }
}
