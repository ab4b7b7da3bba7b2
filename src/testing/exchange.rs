//! What was sent and what came of it, as recorder and tape keep it: with its secrets, in memory.

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
}

impl Came {
    /// In words, for people and for a file.
    pub fn failure(&self) -> Option<&'static str> {
        match self {
            Self::Reply { .. } => None,
            Self::NoConnection => Some("no connection"),
            Self::Silence => Some("no answer"),
            Self::Broken => Some("connection broken"),
        }
    }

    pub fn from_failure(words: &str) -> Option<Self> {
        let all = [Self::NoConnection, Self::Silence, Self::Broken];
        all.into_iter().find(|came| came.failure() == Some(words))
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
