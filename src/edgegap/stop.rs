//! What a stop comes to, and what becomes of the logs.

use super::Deployment;
use crate::error::{Error, Result};
use progenitor_client::ResponseValue;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A stop that was accepted, or was not needed any more.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stopped {
    /// How far the stop is.
    pub outcome: StopOutcome,
    /// What the platform says to it.
    pub message: Option<String>,
    /// The deployment as it was then, if the platform tells.
    pub deployment: Option<Deployment>,
}

/// How far a stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopOutcome {
    /// It is being stopped (200).
    Stopping,
    /// The stop was accepted and will be done: one that still starts is stopped when it has started
    /// (202).
    Queued,
    /// It has stopped before this call (410).
    AlreadyStopped,
}

/// What becomes of the logs of a deployment that is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogStorage {
    /// They are kept in the storage that the application version has.
    Configured,
    /// They are not kept, even if the application version has a storage.
    Off,
    /// They are kept in the endpoint storage of this name.
    Named(String),
}

impl From<&str> for LogStorage {
    /// The endpoint storage of this name.
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl LogStorage {
    pub(super) fn into_raw(self) -> Result<String> {
        match self {
            Self::Configured => Ok("true".to_owned()),
            Self::Off => Ok("false".to_owned()),
            Self::Named(name) if name.trim().is_empty() => Err(Error::invalid_request(
                "the name of the log storage is empty",
            )),
            // These two words mean something else to the platform.
            Self::Named(name) if matches!(name.as_str(), "true" | "false") => Err(
                Error::invalid_request(format!("a log storage cannot be called {name:?}")),
            ),
            Self::Named(name) => Ok(name),
        }
    }
}

/// What the platform says to a stop. It never fails to be read: the stop was accepted, whatever the
/// words around it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StopReply {
    /// What it says, for people.
    pub message: Option<String>,
    /// The deployment as it was then.
    pub deployment: Option<Deployment>,
}

impl<'de> Deserialize<'de> for StopReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let bare = value.as_str().map(str::to_owned);
        let mut part = |key: &str| value.get_mut(key).map(Value::take);
        let message = part("message").and_then(|text| text.as_str().map(str::to_owned));
        let deployment = part("deployment_summary");
        Ok(Self {
            message: message.or(bare).filter(|text| !text.is_empty()),
            deployment: deployment.and_then(|summary| serde_json::from_value(summary).ok()),
        })
    }
}

impl Stopped {
    pub(super) fn of(reply: ResponseValue<StopReply>) -> Self {
        let outcome = match reply.status().as_u16() {
            202 => StopOutcome::Queued,
            _ => StopOutcome::Stopping,
        };
        let StopReply {
            message,
            deployment,
        } = reply.into_inner();
        Self {
            outcome,
            message,
            deployment,
        }
    }

    /// A 410 says that the deployment has stopped already.
    pub(super) fn of_failure(error: Error) -> Result<Self, Error> {
        match error.status() {
            Some(410) => Ok(Self {
                outcome: StopOutcome::AlreadyStopped,
                message: error.message().map(str::to_owned),
                deployment: None,
            }),
            _ => Err(error),
        }
    }
}
