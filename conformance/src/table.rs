//! What WireMock is to do, and what must come of it.

use crate::call::Kind;
use deploykit::{Effect, ErrorKind};
use serde_json::{Value, json};
use std::time::Duration;

/// The limit of an attempt where the server takes longer than that. On a machine that is busy with
/// other things the request must get to the server within it, or there is nothing to count.
const SHORT: Duration = Duration::from_millis(2_500);
/// What a server takes that takes too long.
const LONG_MS: u64 = 8_000;

/// What must come of a row, for a call that may be repeated (a list) and for one that may not (a
/// create, a login).
#[derive(Clone, Copy)]
pub enum Expected {
    /// Success at the first attempt.
    Success,
    /// A failure that passes: the list tries three times, the others once and cannot tell.
    Passing(ErrorKind),
    /// A failure that stays: one attempt. The effect is that of a call that changes something.
    Final(ErrorKind, Effect),
    /// A refusal that says when to come back: everybody does, and succeeds at the second attempt.
    ComesBack,
    /// Refused once with a word when to come back, then a failure that passes: a second attempt for
    /// everybody, and a third one for the list alone.
    ComesBackTo(ErrorKind),
    /// Success at the third attempt for the list, which may try so often; this failure for the rest.
    Recovers(ErrorKind),
}

/// Expectations in full.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    pub kind: Option<ErrorKind>,
    pub effect: Option<Effect>,
    pub attempts: u32,
}

impl Expected {
    pub fn of(self, kind: Kind) -> Wanted {
        let wanted = |kind, effect, attempts| Wanted {
            kind: Some(kind),
            effect: Some(effect),
            attempts,
        };
        let success = |attempts| Wanted {
            kind: None,
            effect: None,
            attempts,
        };
        match (self, kind) {
            (Self::Success, _) => success(1),
            (Self::ComesBack, _) => success(2),
            (Self::Passing(error), Kind::List) => wanted(error, Effect::None, 3),
            (Self::Passing(error), _) => wanted(error, Effect::Unknown, 1),
            // A plain read does nothing, whatever the server says.
            (Self::Final(error, _), Kind::List) => wanted(error, Effect::None, 1),
            (Self::Final(error, effect), _) => wanted(error, effect, 1),
            (Self::ComesBackTo(error), Kind::List) => wanted(error, Effect::None, 3),
            (Self::ComesBackTo(error), _) => wanted(error, Effect::Unknown, 2),
            (Self::Recovers(_), Kind::List) => success(3),
            (Self::Recovers(error), _) => wanted(error, Effect::Unknown, 1),
        }
    }
}

pub struct Row {
    pub name: &'static str,
    /// WireMock's response definitions, one per request; the last one stays. One without a status
    /// and without a fault of its own is a success with these properties.
    pub replies: Vec<Value>,
    pub timeout: Option<Duration>,
    pub expected: Expected,
    /// The hint that an error must carry.
    pub retry_after: Option<Duration>,
    /// What the excerpt of the body must contain.
    pub says: &'static str,
}

impl Row {
    fn new(name: &'static str, replies: Vec<Value>, expected: Expected) -> Self {
        Self {
            name,
            replies,
            timeout: None,
            expected,
            retry_after: None,
            says: "",
        }
    }

    fn within(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    fn hint(mut self, seconds: u64) -> Self {
        self.retry_after = Some(Duration::from_secs(seconds));
        self
    }

    fn says(mut self, words: &'static str) -> Self {
        self.says = words;
        self
    }

    /// WireMock's response definitions for this kind of call.
    pub fn replies_to(&self, kind: Kind) -> Vec<Value> {
        let (status, body) = kind.success();
        let whole = |reply: &Value| {
            let mut reply = reply.clone();
            if reply["status"].is_null() && reply["fault"].is_null() {
                reply["status"] = json!(status);
                reply["jsonBody"] = body.clone();
                reply["headers"] = json!({ "Content-Type": "application/json" });
            }
            reply
        };
        self.replies.iter().map(whole).collect()
    }
}

/// All rows.
pub fn rows() -> Vec<Row> {
    use Effect::{None as Nothing, Unknown};
    use ErrorKind::*;
    use Expected::*;
    let fault = |fault: &str| vec![json!({ "fault": fault })];
    let status = |status: u16| json!({ "status": status });
    let hinted = |status: u16, name: &str, value: &str| {
        // Templates, for the hints that are a moment.
        json!({ "status": status, "headers": { name: value }, "transformers": ["response-template"] })
    };
    let good = || json!({});
    vec![
        Row::new("a good reply", vec![good()], Success),
        Row::new(
            "reset",
            fault("CONNECTION_RESET_BY_PEER"),
            Passing(Interrupted),
        ),
        Row::new(
            "closed without a reply",
            fault("EMPTY_RESPONSE"),
            Passing(Interrupted),
        ),
        Row::new(
            "a broken chunk",
            fault("MALFORMED_RESPONSE_CHUNK"),
            Passing(Interrupted),
        ),
        Row::new(
            "random bytes, then closed",
            fault("RANDOM_DATA_THEN_CLOSE"),
            Passing(Interrupted),
        ),
        Row::new(
            "slower than the limit",
            vec![json!({ "fixedDelayMilliseconds": LONG_MS })],
            Passing(Timeout),
        )
        .within(SHORT),
        Row::new(
            "a dribble slower than the limit",
            vec![
                json!({ "chunkedDribbleDelay": { "numberOfChunks": 6, "totalDuration": LONG_MS } }),
            ],
            Passing(Timeout),
        )
        .within(SHORT),
        Row::new(
            "a dribble within the limit",
            vec![json!({ "chunkedDribbleDelay": { "numberOfChunks": 4, "totalDuration": 300 } })],
            Success,
        ),
        Row::new(
            "uniform delay within the limit",
            vec![json!({ "delayDistribution": { "type": "uniform", "lower": 50, "upper": 250 } })],
            Success,
        ),
        Row::new(
            "lognormal delay within the limit",
            vec![
                json!({ "delayDistribution": { "type": "lognormal", "median": 80, "sigma": 0.3, "maxValue": 500 } }),
            ],
            Success,
        ),
        Row::new("500", vec![status(500)], Passing(Server)),
        Row::new("501", vec![status(501)], Final(Unsupported, Unknown)),
        Row::new("503", vec![status(503)], Passing(Unavailable)),
        Row::new(
            "503 with Retry-After: 1",
            vec![hinted(503, "Retry-After", "1")],
            Passing(Unavailable),
        )
        .hint(1),
        Row::new("504", vec![status(504)], Passing(Timeout)),
        Row::new("408", vec![status(408)], Passing(Timeout)),
        Row::new(
            "429 with Retry-After: 1, then good",
            vec![hinted(429, "Retry-After", "1"), good()],
            ComesBack,
        ),
        Row::new(
            "429 with a date, then good",
            vec![
                hinted(
                    429,
                    "Retry-After",
                    "{{now offset='2 seconds' timezone='GMT' format='EEE, dd MMM yyyy HH:mm:ss z'}}",
                ),
                good(),
            ],
            ComesBack,
        ),
        Row::new(
            "429 with X-RateLimit-Reset, then good",
            vec![
                hinted(
                    429,
                    "X-RateLimit-Reset",
                    "{{now offset='2 seconds' format='unix'}}",
                ),
                good(),
            ],
            ComesBack,
        ),
        Row::new(
            "429 with Retry-After: 1, then 500",
            vec![hinted(429, "Retry-After", "1"), status(500)],
            ComesBackTo(Server),
        ),
        Row::new(
            "429 without a hint",
            vec![status(429), good()],
            Final(RateLimited, Nothing),
        ),
        Row::new(
            "429 with a hint of an hour",
            vec![hinted(429, "Retry-After", "3600")],
            Final(RateLimited, Nothing),
        )
        .hint(3600),
        Row::new(
            "503 twice, then good",
            vec![status(503), status(503), good()],
            Recovers(Unavailable),
        ),
        Row::new(
            "reset twice, then good",
            [
                fault("CONNECTION_RESET_BY_PEER"),
                fault("EMPTY_RESPONSE"),
                vec![good()],
            ]
            .concat(),
            Recovers(Interrupted),
        ),
        Row::new(
            "an HTML 502",
            vec![json!({
                "status": 502,
                "headers": { "Content-Type": "text/html" },
                "body": "<html><body><h1>502 Bad Gateway</h1></body></html>",
            })],
            Passing(Unavailable),
        )
        .says("502 Bad Gateway"),
        Row::new(
            "an empty 401",
            vec![status(401), good()],
            Final(Unauthenticated, Nothing),
        ),
        Row::new(
            "a redirect",
            vec![hinted(302, "Location", "elsewhere")],
            Final(Redirected, Unknown),
        ),
    ]
}
