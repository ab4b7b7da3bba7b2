//! Deploys a game server from a CI job: once for each run, whatever breaks on the way, and nothing is
//! left behind when it does not come up.

use deploykit::edgegap::{Client, NewDeployment, RequestId, User};
use deploykit::{Effect, Error, Secret};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// How long a server may take to come up.
const READY_WITHIN: Duration = Duration::from_secs(180);
/// How long the platform may take to list what it started.
const LISTED_AFTER: Duration = Duration::from_secs(10);
const LOOKS: u32 = 3;

/// What to deploy: the configuration file.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub application: String,
    pub version: String,
    /// Where the players are; the server is started near them.
    pub players: Vec<IpAddr>,
    /// What the server finds in its environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The same for what must not be in a file: names of variables of the CI job.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// The run of the CI job that deploys. A second attempt of the same run has the same id.
#[derive(Debug)]
pub struct Run {
    pub id: String,
    /// Nothing of this run is older.
    pub began: SystemTime,
}

/// A server that players can connect to.
#[derive(Debug, PartialEq)]
pub struct Live {
    pub id: RequestId,
    /// `c0653765de3b.pr.edgegap.net:30345`
    pub address: String,
}

/// Why there is none.
#[derive(Debug)]
pub struct Failed {
    pub error: Error,
    /// What was started all the same, and was stopped.
    pub stopped: Option<RequestId>,
    /// What was started and could not be stopped: it costs money.
    pub left_behind: Option<RequestId>,
}

impl Config {
    /// Makes the request. `read` gives the value of a variable of the CI job.
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
    /// What no other run has.
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

/// Starts a server, unless this run did so already.
async fn started(edgegap: &Client, new: NewDeployment, run: &Run) -> Result<RequestId, Failed> {
    if let Some(id) = found(edgegap, run).await? {
        return Ok(id);
    }
    let error = match edgegap.deploy(new).await {
        Ok(accepted) => return Ok(accepted.request_id),
        Err(error) => error,
    };
    match (error.effect(), error.resource_id()) {
        // It was started, and is of no use.
        (Effect::Applied, Some(id)) => match RequestId::new(id) {
            Ok(id) => Err(clean_up(edgegap, id, error).await),
            Err(_) => Err(error.into()),
        },
        // Nobody knows. A second one would cost money, so it is looked for.
        (Effect::Unknown, _) => {
            for _ in 0..LOOKS {
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

/// What this run started, if it is listed.
async fn found(edgegap: &Client, run: &Run) -> Result<Option<RequestId>, Error> {
    let listed = edgegap
        .deployments()
        .find_created(run.tag(), run.began)
        .await?;
    let newest = listed.into_iter().next();
    newest
        .map(|found| RequestId::new(found.request_id))
        .transpose()
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
