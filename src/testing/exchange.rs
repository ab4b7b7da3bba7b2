//! What was sent and what came of it, as the recorder keeps it: with its secrets, in memory.

use crate::transport::local::{Outcome, Reaction, Sent};
use http::HeaderMap;
use std::sync::Arc;

#[derive(Clone)]
pub(crate) struct Exchange {
    pub sent: Arc<Sent>,
    pub came: Came,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Came {
    Reply {
        status: u16,
        headers: HeaderMap,
        body: Vec<u8>,
        /// Whether the body broke off, or was not read to its end.
        cut_off: bool,
    },
    NoConnection,
    Silence,
    Broken,
    /// Nothing stood ready to answer this operation, or the request without one.
    Unprepared(&'static str),
}

impl Came {
    /// The failure in words.
    pub fn failure(&self) -> Option<String> {
        let words = match self {
            Self::Reply { .. } => return None,
            Self::NoConnection => "no connection",
            Self::Silence => "no answer",
            Self::Broken => "connection broken",
            Self::Unprepared("") => "no reply was prepared",
            Self::Unprepared(operation) => {
                return Some(format!("no reply was prepared for {operation}"));
            }
        };
        Some(words.to_owned())
    }
}

impl From<&Reaction> for Came {
    fn from(reaction: &Reaction) -> Self {
        let reply = |reply: &http::Response<Vec<u8>>, cut_off| Self::Reply {
            status: reply.status().as_u16(),
            headers: reply.headers().clone(),
            body: reply.body().clone(),
            cut_off,
        };
        match &reaction.outcome {
            Outcome::Reply(whole) => reply(whole, false),
            Outcome::CutOff(part) => reply(part, true),
            Outcome::NoConnection => Self::NoConnection,
            Outcome::Silence => Self::Silence,
            Outcome::Broken => Self::Broken,
        }
    }
}
