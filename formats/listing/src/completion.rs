//! The last message of every command.

/// `CSQ9022I QM1 CSQIDUSE ' DISPLAY USAGE' NORMAL COMPLETION`; `prefix` is the command prefix (the queue manager's name).
#[must_use]
pub fn normal_completion(prefix: &str, csect: &str, command: &str) -> String {
    format!("CSQ9022I {prefix} {csect} ' {command}' NORMAL COMPLETION")
}

/// `CSQ9023E QM1 CSQMAQLC ' DEFINE QLOCAL' ABNORMAL COMPLETION`.
#[must_use]
pub fn abnormal_completion(prefix: &str, csect: &str, command: &str) -> String {
    format!("CSQ9023E {prefix} {csect} ' {command}' ABNORMAL COMPLETION")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_printed() {
        assert_eq!(
            normal_completion("QML1", "CSQJC001", "DISPLAY LOG"),
            "CSQ9022I QML1 CSQJC001 ' DISPLAY LOG' NORMAL COMPLETION"
        );
        assert_eq!(
            abnormal_completion("QM1", "CSQMAQLC", "DEFINE QLOCAL"),
            "CSQ9023E QM1 CSQMAQLC ' DEFINE QLOCAL' ABNORMAL COMPLETION"
        );
    }
}
