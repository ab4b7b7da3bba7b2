//! Real exchanges on a file, without their secrets, and that file in the place of the platform.

mod file;
mod record;
mod replay;

use super::names::Names;
use crate::error::{Error, Result};
use crate::preview::RequestPreview;
use crate::transport::config::{ClientBuilder, Platform};
use crate::transport::wire::Wire;
use record::Recorded;
pub(crate) use record::Recording;
use replay::{Player, Replayed};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Says whether [`Tape::auto`] records: `record`, `replay`, or nothing, for whatever fits.
const VARIABLE: &str = "DEPLOYKIT_TAPE";

type Map = Arc<dyn Fn(RequestPreview) -> RequestPreview + Send + Sync>;

/// A file of real exchanges: recorded once against a platform, replayed in its place ever after.
///
/// Clients get it by [`ClientBuilder::tape`]; several may share one. Clones are the same tape.
///
/// On the file every secret is replaced by a stable name (`<token>`, `<session-token>`): the
/// credential, what the spec marks as secret in requests, what its types hide in replies (tokens,
/// personal data, the query of a webhook's address), cookies, fields whose name speaks of a secret and
/// everything below them, and all of these wherever they occur once more, unless they are short: what
/// has fewer than 4 characters is looked for nowhere else, and in replies no number with fewer than 8
/// and no variable of a program whose name does not speak of a secret, for it would rewrite what a
/// program computes with. What a platform calls by no such name, such as a password that a program
/// prints to its log, nobody can know: read a tape before you check it in.
/// A client that replays gets the names as values, and what it sends of them fits the tape again.
///
/// ```no_run
/// # #[cfg(feature = "edgegap")] {
/// # async fn example() -> deploykit::Result<()> {
/// use deploykit::edgegap::Client;
/// use deploykit::testing::Tape;
/// let tape = Tape::auto("tests/tapes/stop.json")?; // DEPLOYKIT_TAPE=record records it anew
/// let token = if tape.is_replaying() { "none".into() } else { std::env::var("EDGEGAP_TOKEN").unwrap() };
/// let edgegap = Client::builder().token(token).tape(&tape).build()?;
/// edgegap.deployment("a69f8e3e0555").stop().await?;
/// tape.finish()?;
/// # Ok(()) }
/// # }
/// ```
#[derive(Clone)]
pub struct Tape(Arc<Inner>);

pub(super) struct Inner {
    path: PathBuf,
    mode: Mode,
    any_order: AtomicBool,
    compared: Mutex<Vec<Map>>,
    finished: AtomicBool,
}

enum Mode {
    Record(Recorded),
    Replay(Replayed),
}

impl Tape {
    /// Records to this file. It is written whole by [`finish`](Self::finish), or when the tape and its
    /// clients are dropped; not when a test panics.
    pub fn record(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Mode::Record(Recorded::default()))
    }

    /// Replays this file.
    ///
    /// A client is answered only as long as it sends what it sent then, in the same order. Anything
    /// else is an [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) that shows the
    /// difference, and nothing goes over the network. Calls are repeated as a client of the platform
    /// does, since failures are on the tape too; they are not paced.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the file is missing, is no
    /// tape, or is one of another version.
    pub fn replay(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let file = file::read(&path)?;
        Ok(Self::new(path, Mode::Replay(Replayed::new(file.exchanges))))
    }

    /// Replays this file if it is there, and records it otherwise.
    ///
    /// `DEPLOYKIT_TAPE=record` records it anew, `DEPLOYKIT_TAPE=replay` never records: for CI, where a
    /// forgotten tape must not become a deployment that costs money.
    ///
    /// # Errors
    /// As [`replay`](Self::replay); and when the variable says anything else.
    pub fn auto(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        match std::env::var(VARIABLE).unwrap_or_default().as_str() {
            "record" => Ok(Self::record(path)),
            "replay" => Self::replay(path),
            "" if path.exists() => Self::replay(path),
            "" => Ok(Self::record(path)),
            _ => Err(Error::configuration(format!(
                "{VARIABLE} is neither `record` nor `replay`"
            ))),
        }
    }

    fn new(path: PathBuf, mode: Mode) -> Self {
        Self(Arc::new(Inner {
            path,
            mode,
            any_order: AtomicBool::new(false),
            compared: Mutex::default(),
            finished: AtomicBool::new(false),
        }))
    }

    /// Whether requests are answered by the tape.
    pub fn is_replaying(&self) -> bool {
        matches!(self.0.mode, Mode::Replay(_))
    }

    /// Replays exchanges in whatever order they are asked for, each once: for a program that makes
    /// calls side by side.
    ///
    /// Credentials are numbered in the order in which they are first seen (`<token>`, `<token-2>`). With
    /// several on the tape, let each client make its first call in the order of the recording, or give
    /// it the name of its credential on the tape, as in `token("<token-2>")`. A request that is on
    /// the tape with several of them is refused, unless the client has that name.
    pub fn any_order(self) -> Self {
        self.0.any_order.store(true, Ordering::Relaxed);
        self
    }

    /// Compares requests after this change of both, for what is another one each time: a time in a
    /// query, a random tag.
    pub fn compare_by(
        self,
        change: impl Fn(RequestPreview) -> RequestPreview + Send + Sync + 'static,
    ) -> Self {
        let mut compared = self
            .0
            .compared
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        compared.push(Arc::new(change));
        drop(compared);
        self
    }

    /// Ends the tape: writes what was recorded, or checks that all of it was replayed.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the file cannot be written,
    /// and when there is something on it that nobody asked for.
    pub fn finish(&self) -> Result<()> {
        self.0.finished.store(true, Ordering::Relaxed);
        let path = self.0.path.display();
        match &self.0.mode {
            Mode::Record(recorded) => self.0.write(recorded).map_err(|error| {
                Error::configuration(format!("{path}: the tape cannot be written: {error}"))
                    .with_source(error)
            }),
            Mode::Replay(replayed) => {
                let left = replayed.left();
                match left.first() {
                    None => Ok(()),
                    Some(first) => Err(Error::configuration(format!(
                        "{path}: {} on the tape were not asked for, the first of them:\n{first}",
                        left.len()
                    ))),
                }
            }
        }
    }

    /// The wire with this tape between it and a client.
    pub(crate) fn around(self, wire: Wire) -> Wire {
        match &self.0.mode {
            Mode::Record(_) => Wire::Taped(Arc::new(wire), Recording(self.0)),
            Mode::Replay(_) => Wire::Function(Arc::new(Player(self.0))),
        }
    }
}

impl Inner {
    fn recorded(&self) -> Option<&Recorded> {
        match &self.mode {
            Mode::Record(recorded) => Some(recorded),
            Mode::Replay(_) => None,
        }
    }

    fn is_any_order(&self) -> bool {
        self.any_order.load(Ordering::Relaxed)
    }

    fn as_compared(&self, request: RequestPreview) -> RequestPreview {
        let changes = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
        changes
            .iter()
            .fold(request, |request, change| change(request))
    }

    fn write(&self, recorded: &Recorded) -> std::io::Result<()> {
        let mut names = Names::default();
        let entries = recorded
            .exchanges()
            .iter()
            .map(|exchange| (&names.exchange(exchange)).into())
            .collect();
        file::write(&self.path, entries)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let finished = self.finished.load(Ordering::Relaxed);
        if let (Mode::Record(recorded), false, false) =
            (&self.mode, finished, std::thread::panicking())
            && let Err(error) = self.write(recorded)
        {
            tracing::error!(path = %self.path.display(), %error, "the tape cannot be written");
        }
    }
}

impl fmt::Debug for Tape {
    /// The file, and whether it is replayed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("path", &self.0.path)
            .field("replaying", &self.is_replaying())
            .finish_non_exhaustive()
    }
}

impl<P: Platform> ClientBuilder<P> {
    /// Records everything that this client sends and gets to a tape, or is answered by it. Feature
    /// `testing`.
    ///
    /// A tape that is recorded stands in front of whatever else the client sends to: the platform, a
    /// [`recorder`](Self::recorder), a platform [in this process](Self::in_process).
    pub fn tape(mut self, tape: &Tape) -> Self {
        self.tape = Some(tape.clone());
        self
    }
}
