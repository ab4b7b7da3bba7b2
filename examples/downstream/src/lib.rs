//! Deploys a game server from a CI job: exactly one server per run, even after lost responses. A server that
//! fails to start is stopped.

use deploykit::edgegap::{Client, NewDeployment, RequestId, User};
use deploykit::{Effect, Error, Secret};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Time limit for a server to start.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// The configuration file.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub application: String,
    pub version: String,
    /// Addresses of the players; the server starts near them.
    pub players: Vec<IpAddr>,
    /// Environment variables of the server.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Names of CI variables that are passed on as secrets.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// A server that players can connect to.
#[derive(Debug, PartialEq)]
pub struct Live {
    pub id: RequestId,
    /// `c0653765de3b.pr.edgegap.net:30345`
    pub address: String,
}

/// A failed deployment.
#[derive(Debug)]
pub struct Failed {
    pub error: Error,
    /// A server that was started and stopped again.
    pub stopped: Option<RequestId>,
    /// A server that could not be stopped and costs money.
    pub left_behind: Option<RequestId>,
}

impl Config {
    /// Builds the request. `read` returns the value of a CI variable.
    pub fn request(&self, read: impl Fn(&str) -> Option<String>) -> Result<NewDeployment, String> {
        let players = self.players.iter().copied().map(User::ip);
        let mut new = NewDeployment::for_users(&self.application, &self.version, players)
            .tag("from-ci")
            .stop_if_rejected();
        for (name, value) in &self.env {
            new = new.env(name, value);
        }
        for name in &self.secrets {
            let value = read(name).ok_or_else(|| format!("the variable {name} is not set"))?;
            new = new.hidden_env(name, Secret::new(value));
        }
        Ok(new)
    }
}

/// Deploys and waits until players can connect.
///
/// If CI repeats a run, its id stays the same: the repetition finds the server of the first attempt.
pub async fn deploy(edgegap: &Client, run_id: &str, new: NewDeployment) -> Result<Live, Failed> {
    let tag = format!("run-{run_id}");
    let deployed = edgegap.deploy_once(tag, new).await?;
    let server = deployed.deployment();
    let ready = server.wait().deadline(READY_WITHIN).await;
    let ready = ready.and_then(|ready| ready.endpoint("gameport"));
    let id = deployed.request_id;
    match ready {
        Ok(address) => Ok(Live { id, address }),
        Err(error) => match server.stop().await {
            Ok(_) => Err(Failed::new(error, Some(id), None)),
            Err(_) => Err(Failed::new(error, None, Some(id))),
        },
    }
}

impl Failed {
    fn new(error: Error, stopped: Option<RequestId>, left_behind: Option<RequestId>) -> Self {
        Self {
            error,
            stopped,
            left_behind,
        }
    }
}

/// A failed create.
impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let id = error.resource_id().and_then(|id| RequestId::new(id).ok());
        match error.effect() {
            Effect::Applied => Self::new(error, None, id),
            _ => Self::new(error, id, None),
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        if let Some(id) = &self.stopped {
            write!(f, "; {id} was stopped")?;
        }
        if let Some(id) = &self.left_behind {
            write!(f, "; {id} still runs, stop it")?;
        }
        for line in self.error.log_tail() {
            write!(f, "\n| {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failed {}
