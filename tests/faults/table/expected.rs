//! What a cell of the table says, in words: `fails(Timeout).unknown().tries(3).takes(90.0..=90.0)`.

use deploykit::{Effect, ErrorKind};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Two waits of full jitter: none at best, half a second and a whole one at most.
pub const TWO_BACK_OFFS: RangeInclusive<f64> = 0.0..=1.5;
pub const ONE_BACK_OFF: RangeInclusive<f64> = 0.0..=0.5;

/// How one kind of operation comes out of one fault.
#[derive(Clone, Debug)]
pub struct Expected {
    /// `None` if it goes well all the same.
    pub failure: Option<(ErrorKind, Effect)>,
    pub attempts: u32,
    /// How many connections the server saw, and how many requests, at least their heads.
    pub connections: usize,
    pub requests: usize,
    /// On tokio's clock, in seconds.
    pub takes: RangeInclusive<f64>,
    pub retry_after: Option<Duration>,
}

/// It fails, once, at once, and nothing was done.
pub fn fails(kind: ErrorKind) -> Expected {
    Expected {
        failure: Some((kind, Effect::None)),
        ..succeeds()
    }
}

/// It goes well, with one attempt and at once.
pub fn succeeds() -> Expected {
    Expected {
        failure: None,
        attempts: 1,
        connections: 1,
        requests: 1,
        takes: 0.0..=0.0,
        retry_after: None,
    }
}

impl Expected {
    /// Nobody can tell whether the platform acted.
    pub fn unknown(mut self) -> Self {
        self.failure = self.failure.map(|(kind, _)| (kind, Effect::Unknown));
        self
    }

    /// The platform did act.
    pub fn applied(mut self) -> Self {
        self.failure = self.failure.map(|(kind, _)| (kind, Effect::Applied));
        self
    }

    /// So many attempts, each a connection and a request.
    pub fn tries(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self.connections = attempts as usize;
        self.requests = self.connections;
        self
    }

    /// So many of the attempts reach the server, and the others no one.
    pub fn of_which_arrive(mut self, connections: usize) -> Self {
        self.connections = connections;
        self.requests = connections;
        self
    }

    /// The server takes the connections and reads no request.
    pub fn none_is_read(mut self) -> Self {
        self.requests = 0;
        self
    }

    /// So long, in seconds.
    pub fn takes(mut self, seconds: RangeInclusive<f64>) -> Self {
        self.takes = seconds;
        self
    }

    /// Exactly so long, in seconds.
    pub fn after(self, seconds: u32) -> Self {
        self.takes(f64::from(seconds)..=f64::from(seconds))
    }

    /// The error says to come back in so many seconds.
    pub fn again_in(mut self, seconds: u64) -> Self {
        self.retry_after = Some(Duration::from_secs(seconds));
        self
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.failure {
            None => "Ok".to_owned(),
            Some((kind, effect)) => format!("{kind:?} {effect:?}"),
        };
        let (attempts, requests) = (self.attempts, self.requests);
        let time = format!("{:?} s", self.takes);
        write!(
            f,
            "{outcome:<24}{attempts} tried, {requests} arrived   {time:<14}"
        )
    }
}
