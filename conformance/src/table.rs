//! What WireMock does, and how a call ends.

use crate::call::{End, Kind, Tweak};
use deploykit::{Effect, ErrorKind};
use serde_json::{Value, json};
use std::time::Duration;

/// The limit of an attempt where the server takes longer than that. On a machine that is busy with
/// other things the request must get to the server within it, or there is nothing to count.
const SHORT: Duration = Duration::from_millis(2_500);
/// What a server takes that takes too long.
const LONG_MS: u64 = 8_000;

/// The end of a call that may be repeated (a list) and of one that may not (a create, a login).
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

impl Expected {
    pub fn of(self, kind: Kind) -> End {
        let list = kind == Kind::List;
        let (failure, attempts) = match self {
            Self::Success => (None, 1),
            Self::ComesBack => (None, 2),
            Self::Recovers(_) if list => (None, 3),
            Self::Recovers(error) => (Some((error, Effect::Unknown)), 1),
            Self::Passing(error) => (Some((error, Effect::Unknown)), if list { 3 } else { 1 }),
            Self::ComesBackTo(error) => (Some((error, Effect::Unknown)), if list { 3 } else { 2 }),
            Self::Final(error, effect) => (Some((error, effect)), 1),
        };
        // A plain read does nothing, whatever the server says.
        let effect = |effect| if list { Effect::None } else { effect };
        End {
            failure: failure.map(|(error, told)| (error, effect(told))),
            attempts,
        }
    }
}

pub struct Row {
    pub name: String,
    /// WireMock's response definitions, one per request; the last one stays. One without a status
    /// and without a fault of its own is a success with these properties.
    pub replies: Vec<Value>,
    pub tweak: Tweak,
    pub expected: Expected,
    /// The hint that an error must carry.
    pub retry_after: Option<Duration>,
}

impl Row {
    fn within(mut self, limit: Duration) -> Self {
        self.tweak = Tweak::Timeout(limit);
        self
    }

    fn hint(mut self, seconds: u64) -> Self {
        self.retry_after = Some(Duration::from_secs(seconds));
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

pub fn rows() -> Vec<Row> {
    use Effect::{None as Nothing, Unknown};
    use ErrorKind::*;
    use Expected::*;
    let row = |name: String, replies: &[&Value], expected| Row {
        name,
        replies: replies.iter().map(|reply| (*reply).clone()).collect(),
        tweak: Tweak::Nothing,
        expected,
        retry_after: None,
    };
    let named = |name: &str, replies: &[&Value], expected| row(name.to_owned(), replies, expected);
    let (good, busy) = (json!({}), json!({ "status": 503 }));
    let mut rows = vec![named("a good reply", &[&good], Success)];

    let broken = [
        "CONNECTION_RESET_BY_PEER",
        "EMPTY_RESPONSE",
        "MALFORMED_RESPONSE_CHUNK",
        "RANDOM_DATA_THEN_CLOSE",
    ];
    let broken = broken.map(|fault| json!({ "fault": fault }));
    rows.extend(
        broken
            .iter()
            .map(|fault| row(fault.to_string(), &[fault], Passing(Interrupted))),
    );
    let twice = [&broken[0], &broken[1], &good];
    rows.push(named(
        "broken twice, then good",
        &twice,
        Recovers(Interrupted),
    ));

    let dribble = |pieces, total| json!({ "chunkedDribbleDelay": { "numberOfChunks": pieces, "totalDuration": total } });
    let slow = json!({ "fixedDelayMilliseconds": LONG_MS });
    rows.extend([
        named("slower than the limit", &[&slow], Passing(Timeout)).within(SHORT),
        named("a slow dribble", &[&dribble(6, LONG_MS)], Passing(Timeout)).within(SHORT),
        named("a fast dribble", &[&dribble(4, 300)], Success),
    ]);

    let statuses = [
        (401, Final(Unauthenticated, Nothing)),
        (408, Passing(Timeout)),
        (429, Final(RateLimited, Nothing)),
        (500, Passing(Server)),
        (501, Final(Unsupported, Unknown)),
        (503, Passing(Unavailable)),
        (504, Passing(Timeout)),
    ];
    rows.extend(statuses.map(|(status, expected)| {
        row(
            format!("{status}, empty"),
            &[&json!({ "status": status })],
            expected,
        )
    }));
    let html = json!({ "Content-Type": "text/html" });
    let page = json!({ "status": 502, "headers": html, "body": "<h1>502 Bad Gateway</h1>" });
    rows.push(named("an HTML 502", &[&page], Passing(Unavailable)));
    let twice = [&busy, &busy, &good];
    rows.push(named("503 twice, then good", &twice, Recovers(Unavailable)));

    let hinted = |status: u16, name: &str, value: &str| {
        // Templates, for the hints that are a moment.
        json!({ "status": status, "headers": { name: value }, "transformers": ["response-template"] })
    };
    let date = "{{now offset='2 seconds' timezone='GMT' format='EEE, dd MMM yyyy HH:mm:ss z'}}";
    let reset = "{{now offset='2 seconds' format='unix'}}";
    for (name, value) in [
        ("Retry-After", "1"),
        ("Retry-After", date),
        ("X-RateLimit-Reset", reset),
    ] {
        let title = format!("429 with {name}: {value}, then good");
        let limited = hinted(429, name, value);
        rows.push(row(title, &[&limited, &good], ComesBack));
    }
    let (second, hour) = (
        hinted(429, "Retry-After", "1"),
        hinted(429, "Retry-After", "3600"),
    );
    let (error, later) = (json!({ "status": 500 }), hinted(503, "Retry-After", "1"));
    let moved = hinted(302, "Location", "elsewhere");
    rows.extend([
        named(
            "429 with a second, then 500",
            &[&second, &error],
            ComesBackTo(Server),
        ),
        named("429 with an hour", &[&hour], Final(RateLimited, Nothing)).hint(3600),
        named("503 with a second", &[&later], Passing(Unavailable)).hint(1),
        named("a redirect", &[&moved], Final(Redirected, Unknown)),
    ]);
    rows
}
