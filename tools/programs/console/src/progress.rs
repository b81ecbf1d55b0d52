//! Progress on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error that shows bytes done, rate and time left; nothing where standard error is no terminal.
#[derive(Debug, Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Progress towards `total` bytes.
    #[must_use]
    pub fn bytes(what: impl Into<String>, total: u64) -> Self {
        Self::styled(
            what,
            total,
            "{msg} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta} left",
        )
    }

    /// Progress towards `total` of something countable.
    #[must_use]
    pub fn count(what: impl Into<String>, total: u64) -> Self {
        Self::styled(what, total, "{msg} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta} left")
    }

    fn styled(what: impl Into<String>, total: u64, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what.into());
        Self(bar)
    }

    /// So much is done.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// So much more is done.
    pub fn add(&self, done: u64) {
        self.0.inc(done);
    }

    /// The total has become known, or has changed.
    pub fn set_total(&self, total: u64) {
        self.0.set_length(total);
    }

    /// What is being done has changed.
    pub fn describe(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
