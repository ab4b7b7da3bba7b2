//! Waiting until something is as it should be.
//!
//! A platform plugs in with a [`Source`], which looks once; everything else is here, the same for all:
//!
//! | file | concern |
//! |---|---|
//! | `cursor` | going on in another process |
//! | `engine` | when to look, what comes of it, the error at the end |
//! | `policy` | what a phase and a failure mean |
//! | `source` | what a platform gives |
//! | `stream` | the looks one by one |
//! | `timeline` | what was seen |

mod cursor;
mod engine;
mod policy;
mod source;
mod stream;
mod timeline;

pub use cursor::WaitCursor;
pub(crate) use policy::{Fault, fault};
pub(crate) use source::{Schedule, Snapshot, Source, last_lines, short_status};
pub use stream::WaitStream;

use crate::call::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::watch::{Observation, Phase};
use engine::{Engine, Hook, Settings};
use source::Mapped;
use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// A wait for a deployment: `.await` looks at it until it is ready, and gives it.
///
/// It looks at once, and then at growing intervals, each cut by a random part of up to half, and never
/// faster than the platform's rate allows. Nothing runs beside it: dropped, it stops.
///
/// ```no_run
/// # async fn example(wait: impl Fn() -> deploykit::Wait<String>) -> deploykit::Result<()> {
/// use deploykit::ErrorKind;
/// use std::time::Duration;
///
/// let wait = wait().deadline(Duration::from_secs(300));
/// match wait.on_change(|seen| println!("{} {}", seen.phase, seen.raw_status)).await {
///     Ok(ready) => println!("{ready}"),
///     Err(error) if error.kind() == ErrorKind::WaitFailed => {
///         println!("{error}");
///         for line in error.log_tail() {
///             println!("  {line}");
///         }
///     }
///     Err(error) => return Err(error),
/// }
/// # Ok(()) }
/// ```
///
/// A status that this version does not know means that it is still under way. What passes (a platform
/// in trouble, a broken connection, a 429, a reply that cannot be read) is survived a few times in a
/// row, see [`tolerate`](Self::tolerate). A poll is sent once, whatever the client's
/// [`Retry`](crate::Retry) says: the next poll repeats it, not before the platform's `Retry-After`.
///
/// # Errors
/// - [`WaitFailed`](ErrorKind::WaitFailed): it came to a bad end. [`Error::reason`],
///   [`Error::raw_status`] and [`Error::log_tail`] say more.
/// - [`WaitTimedOut`](ErrorKind::WaitTimedOut): the deadline came first. It may still become ready.
/// - [`Gone`](ErrorKind::Gone): it is not there any more; or it was never there, and the
///   [`grace`](Self::grace) for one that was just made is over.
/// - The error of a poll itself, if another would fare no better
///   ([`Unauthenticated`](ErrorKind::Unauthenticated), [`Forbidden`](ErrorKind::Forbidden), ...) or if
///   too many failed in a row.
///
/// [`Error::timeline`] tells what was seen until then. The [effect](Error::effect) of each of these is
/// [`None`](crate::Effect::None): a wait only reads. What it waited for exists, so
/// [`Error::resource_id`] names it, except where it is gone.
#[must_use = "nothing is waited for until it is awaited"]
pub struct Wait<T> {
    source: Box<dyn Source<Value = T>>,
    settings: Settings<T>,
    hooks: Vec<Hook>,
    resumed: Option<WaitCursor>,
}

/// What one poll of a wait showed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// How far it is; if this poll failed, how far it was when it was last seen.
    pub phase: Phase,
    /// The platform's own word for that: `Status.DEPLOYING`. Empty if it says none.
    pub raw_status: String,
    /// What the platform says about why, for people.
    pub reason: Option<String>,
    /// Whether phase or status are others than before.
    pub changed: bool,
    /// How often the platform was asked so far.
    pub polls: u32,
    /// How long the wait took so far, earlier processes included.
    pub elapsed: Duration,
    /// How many polls failed in a row, this one included.
    pub faults: u32,
    /// Why this poll failed; `None` if it did not.
    pub fault: Option<ErrorKind>,
    cursor: WaitCursor,
}

impl Progress {
    /// Where the wait is now, for another process to go on with.
    pub fn cursor(&self) -> &WaitCursor {
        &self.cursor
    }
}

impl<T: Send + 'static> Wait<T> {
    pub(crate) fn new(source: impl Source<Value = T>) -> Self {
        let settings = Settings::new(source.schedule());
        Self {
            source: Box::new(source),
            settings,
            hooks: Vec::new(),
            resumed: None,
        }
    }

    /// How long to wait in all, the time between two processes included. The platform's default is
    /// with the method that made this.
    ///
    /// The last look is a little before it (a tenth of it, at most 2 s), so that the platform can
    /// answer in time. There is always one look, even for a deadline of nothing.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.settings.schedule.deadline = limit;
        self
    }

    /// The time between two looks: the first one, and what they grow to (by half each time). Less than
    /// 100 ms is as 100 ms. The platform's default is with the method that made this.
    pub fn interval(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.schedule.first = first;
        self.settings.schedule.longest = longest;
        self
    }

    /// Whether a random part of up to half is cut off each interval, so that many who wait do not all
    /// ask at once. Default: yes.
    pub fn jitter(mut self, on: bool) -> Self {
        self.settings.jitter = on;
        self
    }

    /// How many polls in a row may fail with what passes; the next one ends the wait with its error.
    /// Default: 5.
    pub fn tolerate(mut self, faults: u32) -> Self {
        self.settings.tolerate = faults;
        self
    }

    /// For how long something that was not seen yet may be missing: a platform may take a moment to
    /// know what it has just made. Default: 10 s. Once it was seen, missing is gone.
    pub fn grace(mut self, limit: Duration) -> Self {
        self.settings.schedule.grace = limit;
        self
    }

    /// Tells of every poll whose phase or status is another than before.
    pub fn on_change(mut self, mut tell: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.hooks.push(Box::new(move |progress| {
            if progress.changed {
                tell(progress);
            }
        }));
        self
    }

    /// Tells of every poll, of those that failed too.
    pub fn on_progress(mut self, tell: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.hooks.push(Box::new(tell));
        self
    }

    /// Waits for another phase than [`Ready`](Phase::Ready). One that lies behind counts: what is ready
    /// has been [`InProgress`](Phase::InProgress).
    ///
    /// A record that is deleted cannot be given: wait with [`until_gone`](Self::until_gone) for that.
    pub fn until(mut self, phase: Phase) -> Self {
        self.settings.target = phase;
        self
    }

    /// Waits until it has ended or is not there any more, and gives what is left of it: after a stop.
    /// An id that the platform never knew is gone, too.
    pub fn until_gone(self) -> Wait<Option<T>> {
        let settings = self.settings.until_gone();
        let source = Mapped {
            inner: self.source,
            convert: |seen: Snapshot<T>| {
                Snapshot::new(seen.phase, seen.raw_status, Some(seen.value)).reason(seen.reason)
            },
        };
        Wait {
            source: Box::new(source),
            settings,
            hooks: self.hooks,
            resumed: self.resumed,
        }
    }

    /// The same wait, with what was seen instead of the record.
    pub(crate) fn observed(self) -> Wait<Observation> {
        let settings = self.settings.observed();
        let source = Mapped {
            inner: self.source,
            convert: |seen: Snapshot<T>| {
                let value = seen.observation();
                Snapshot::new(seen.phase, seen.raw_status, value).reason(seen.reason)
            },
        };
        Wait {
            source: Box::new(source),
            settings,
            hooks: self.hooks,
            resumed: self.resumed,
        }
    }

    pub(crate) fn id(&self) -> Option<String> {
        self.source.id()
    }

    /// One look.
    pub(crate) fn look(&self) -> Call<Observation> {
        let look = self.source.look().map_with_secrets(Snapshot::shown);
        look.map(|seen| seen.observation())
    }

    /// The last lines of the log, if there is one.
    pub(crate) fn log_tail(&self) -> Option<Call<Vec<String>>> {
        self.source.log_tail().map(source::bounded)
    }

    /// Where the wait is before it begins. See [`Progress::cursor`] and [`WaitStream::cursor`] for
    /// later.
    pub fn cursor(&self) -> WaitCursor {
        match &self.resumed {
            Some(cursor) => cursor.clone(),
            None => WaitCursor::new(self.source.subject(), SystemTime::now()),
        }
    }

    /// Goes on with a wait that another process began. Settings and hooks are not in the cursor: give
    /// them again.
    ///
    /// The deadline went on meanwhile: it counts from the beginning, by the clocks of the two
    /// machines. There is one look in any case.
    ///
    /// ```no_run
    /// # async fn example(wait: impl Fn() -> deploykit::Wait<String>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut waiting = wait().stream();
    /// while let Some(progress) = waiting.next().await {
    ///     std::fs::write("wait.json", serde_json::to_string(progress?.cursor())?)?;
    /// }
    /// // In another process:
    /// let cursor = serde_json::from_str(&std::fs::read_to_string("wait.json")?)?;
    /// let ready = wait().resume(cursor).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When it is awaited: [`InvalidRequest`](ErrorKind::InvalidRequest) for a cursor of something
    /// else, or of a version of this crate that writes them in another form.
    pub fn resume(mut self, cursor: WaitCursor) -> Self {
        self.resumed = Some(cursor);
        self
    }

    /// The wait poll by poll, each one when it is asked for.
    pub fn stream(self) -> WaitStream<T> {
        let cursor = self.cursor();
        WaitStream::new(self.begin(), cursor)
    }

    fn begin(self) -> Engine<T> {
        Engine::new(self.source, self.settings, self.hooks, self.resumed)
    }
}

impl<T: Send + 'static> IntoFuture for Wait<T> {
    type Output = Result<T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut engine = self.begin();
            loop {
                if let Some(end) = engine.step().await.end {
                    return end;
                }
            }
        })
    }
}

impl<T: Send + 'static> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("subject", &self.source.subject())
            .field("until", &self.settings.target)
            .field("deadline", &self.settings.schedule.deadline)
            .finish_non_exhaustive()
    }
}

/// A phase that nothing can be waited for to be in.
fn check_target(target: Phase) -> Result<()> {
    match target {
        Phase::Unknown => Err(Error::invalid_request(
            "nothing can be waited for to be unknown",
        )),
        _ => Ok(()),
    }
}
