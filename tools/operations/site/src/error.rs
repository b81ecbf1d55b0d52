//! Why listings are refused.

/// Listings, or a ledger, that cannot be answered from. It is shown as `ID TEXT`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{id} {text}")]
pub struct SiteError {
    /// Message identifier.
    pub id: &'static str,
    /// What, where and why.
    pub text: String,
    /// What to do next.
    pub hint: &'static str,
}

impl SiteError {
    pub(crate) fn new(id: &'static str, text: impl Into<String>, hint: &'static str) -> Self {
        Self { id, text: text.into(), hint }
    }
}
