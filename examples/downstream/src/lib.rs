//! Deploys a game server from a CI job: exactly one server per run, even after lost responses. A server that
//! fails to start is stopped.

use deploykit::edgegap::{Client, NewDeployment, RequestId, User};
use deploykit::{Effect, Error, Secret};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// Time limit for a server to start.
const READY_WITHIN: Duration = Duration::from_secs(180);
/// Time between a create and its appearance in the list.
const LISTED_AFTER: Duration = Duration::from_secs(10);
/// Number of lookups after a create with an unknown outcome.
const LOOKUPS: u32 = 3;

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

/// A run of the CI job. If CI repeats a run, its id stays the same.
#[derive(Debug)]
pub struct Run {
    pub id: String,
    /// A time before the first attempt of the run. Servers that were created earlier are not its own.
    pub began: SystemTime,
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
    pub fn request(
        &self,
        run: &Run,
        read: impl Fn(&str) -> Option<String>,
    ) -> Result<NewDeployment, String> {
        let players = self.players.iter().copied().map(User::ip);
        let mut new = NewDeployment::for_users(&self.application, &self.version, players)
            .tag(run.tag())
            .tag("from-ci");
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

impl Run {
    /// A tag that is unique to this run.
    fn tag(&self) -> String {
        format!("run-{}", self.id)
    }
}

/// Deploys and waits until players can connect.
pub async fn deploy(edgegap: &Client, new: NewDeployment, run: &Run) -> Result<Live, Failed> {
    let id = started(edgegap, new, run).await?;
    let server = edgegap.deployment(&id);
    let ready = server.wait().deadline(READY_WITHIN).await;
    let ready = ready.and_then(|ready| ready.endpoint("gameport"));
    match ready {
        Ok(address) => Ok(Live { id, address }),
        Err(error) => Err(clean_up(edgegap, id, error).await),
    }
}

/// Starts a server, or finds the server that an earlier attempt of this run started.
async fn started(edgegap: &Client, new: NewDeployment, run: &Run) -> Result<RequestId, Failed> {
    if let Some(id) = found(edgegap, run).await? {
        return Ok(id);
    }
    let error = match edgegap.deploy(new).await {
        Ok(deployed) => return Ok(deployed.request_id),
        Err(error) => error,
    };
    match (error.effect(), error.resource_id()) {
        // The server exists but cannot be used.
        (Effect::Applied, Some(id)) => match RequestId::new(id) {
            Ok(id) => Err(clean_up(edgegap, id, error).await),
            Err(_) => Err(error.into()),
        },
        // The server may exist, and a second one would cost money: look it up.
        (Effect::Unknown, _) => {
            for _ in 0..LOOKUPS {
                tokio::time::sleep(LISTED_AFTER).await;
                if let Some(id) = found(edgegap, run).await? {
                    return Ok(id);
                }
            }
            Err(error.into())
        }
        _ => Err(error.into()),
    }
}

/// Looks up the server of this run in the list.
async fn found(edgegap: &Client, run: &Run) -> Result<Option<RequestId>, Error> {
    let listed = edgegap
        .deployments()
        .find_created(run.tag(), run.began)
        .await?;
    Ok(listed.into_iter().next().map(|found| found.request_id))
}

async fn clean_up(edgegap: &Client, id: RequestId, error: Error) -> Failed {
    let stopped = edgegap.deployment(&id).stop().await.is_ok();
    Failed {
        error,
        stopped: stopped.then(|| id.clone()),
        left_behind: (!stopped).then_some(id),
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self {
            error,
            stopped: None,
            left_behind: None,
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
