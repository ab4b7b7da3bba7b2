//! The expected outcome of a cell: `fails(Timeout).unknown().attempts(3).takes(90.0..=90.0)`.

use deploykit::{Effect, ErrorKind};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Two backoffs with full jitter: at most 0.5 s and 1 s.
pub const TWO_BACKOFFS: RangeInclusive<f64> = 0.0..=1.5;
pub const ONE_BACKOFF: RangeInclusive<f64> = 0.0..=0.5;

/// The outcome of one kind of operation under one fault.
#[derive(Clone, Debug)]
pub struct Expected {
    /// `None` for success.
    pub failure: Option<(ErrorKind, Effect)>,
    pub attempts: u32,
    /// Number of connections, and of requests of which the server read at least the head.
    pub connections: usize,
    pub requests: usize,
    /// Duration on tokio's clock, in seconds.
    pub takes: RangeInclusive<f64>,
    pub retry_after: Option<Duration>,
}

/// One attempt fails at once, without effect.
pub fn fails(kind: ErrorKind) -> Expected {
    Expected {
        failure: Some((kind, Effect::None)),
        ..succeeds()
    }
}

/// One attempt succeeds at once.
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
    /// The effect is unknown.
    pub fn unknown(mut self) -> Self {
        self.failure = self.failure.map(|(kind, _)| (kind, Effect::Unknown));
        self
    }

    /// The effect is applied.
    pub fn applied(mut self) -> Self {
        self.failure = self.failure.map(|(kind, _)| (kind, Effect::Applied));
        self
    }

    /// Number of attempts, each with a connection and a request.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self.connections = attempts as usize;
        self.requests = self.connections;
        self
    }

    /// Number of attempts that reach the server.
    pub fn arrivals(mut self, connections: usize) -> Self {
        self.connections = connections;
        self.requests = connections;
        self
    }

    /// The server reads no request.
    pub fn unread(mut self) -> Self {
        self.requests = 0;
        self
    }

    /// Duration, in seconds.
    pub fn takes(mut self, seconds: RangeInclusive<f64>) -> Self {
        self.takes = seconds;
        self
    }

    /// Exact duration, in seconds.
    pub fn after(self, seconds: u32) -> Self {
        self.takes(f64::from(seconds)..=f64::from(seconds))
    }

    /// `retry_after` of the error, in seconds.
    pub fn retry_after(mut self, seconds: u64) -> Self {
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
