//! Records what all crates log with `tracing` and `log`, at all levels.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::{Mutex, Once, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static TARGETS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());
static ONCE: Once = Once::new();

/// Starts recording for the whole process.
pub fn start() {
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Capture);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log::set_logger(&Capture).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// Takes the lines since the last call.
pub fn take() -> Vec<String> {
    std::mem::take(&mut *LINES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The number of lines per crate.
pub fn lines_per_crate() -> BTreeMap<String, usize> {
    let targets = TARGETS.lock().unwrap_or_else(PoisonError::into_inner);
    targets.clone()
}

fn keep(target: &str, line: String) {
    let name = target.split("::").next().unwrap_or(target).to_owned();
    let mut targets = TARGETS.lock().unwrap_or_else(PoisonError::into_inner);
    *targets.entry(name).or_default() += 1;
    LINES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(line);
}

struct Capture;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut line = head("span", attributes.metadata());
        attributes.record(&mut Fields(&mut line));
        keep(attributes.metadata().target(), line);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut line = String::from("record");
        values.record(&mut Fields(&mut line));
        let target = context.metadata(id).map_or("?", Metadata::target);
        keep(target, line);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = head("event", event.metadata());
        event.record(&mut Fields(&mut line));
        keep(event.metadata().target(), line);
    }
}

fn head(kind: &str, metadata: &Metadata<'_>) -> String {
    format!("{kind} {} {}", metadata.target(), metadata.name())
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?} {value:#?}", field.name());
    }
}

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("log {} {}", record.target(), record.args());
        keep(&format!("{} (log)", record.target()), line);
    }

    fn flush(&self) {}
}
