//! Captures the events of the target `deploykit::drift` on the current thread.

#[path = "log.rs"]
mod log;

use log::Log;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;

pub struct DriftLog {
    text: Log,
    _guard: DefaultGuard,
}

impl DriftLog {
    pub fn start() -> Self {
        let text = Log::default();
        let writer = text.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_max_level(LevelFilter::WARN)
            .with_writer(move || writer.clone())
            .finish();
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The events so far, one per line.
    pub fn lines(&self) -> Vec<String> {
        let text = self.text.text();
        let lines = text
            .lines()
            .filter(|line| line.contains("deploykit::drift"));
        lines.map(|line| line.trim().to_owned()).collect()
    }
}
