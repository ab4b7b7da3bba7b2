//! A matchmaker: starts a server on Edgegap for each match, close to its players, and stops it afterwards.
//!
//! `tests/programs.rs` runs it against the sandbox.

use deploykit::Result;
use deploykit::edgegap::{Client, DeploymentHandle, NewDeployment, User};
use std::net::IpAddr;
use tokio::task::JoinSet;

/// A match. Its id must be unique: it identifies the server.
pub struct Match {
    pub id: String,
    pub players: Vec<IpAddr>,
}

/// The server of a match, to which players can connect.
pub struct Server {
    /// The address for the players, as `host:port`.
    pub endpoint: String,
    deployment: DeploymentHandle,
}

/// Starts the server of a match, and waits until it is ready. A server that does not become ready is stopped.
///
/// After an error with `Effect::Unknown`, call it again: it finds the server that the first call started.
pub async fn start(edgegap: &Client, game: &Match) -> Result<Server> {
    let players = game.players.iter().copied().map(User::ip);
    let new = NewDeployment::for_users("my-app", "25.05.30-16.45.19-04", players);
    let tag = format!("match-{}", game.id);
    let deployed = edgegap.deploy_once(tag, new.stop_if_rejected()).await?;
    let deployment = deployed.deployment();
    let ready = deployment.wait().await;
    match ready.and_then(|ready| ready.endpoint("gameport")) {
        Ok(endpoint) => Ok(Server {
            endpoint,
            deployment,
        }),
        Err(error) => {
            deployment.stop().await?;
            Err(error)
        }
    }
}

/// Starts the servers of several matches at once. Returns each match with its server, or with the error.
pub async fn start_all(edgegap: &Client, matches: Vec<Match>) -> Vec<(Match, Result<Server>)> {
    let mut tasks = JoinSet::new();
    for game in matches {
        let edgegap = edgegap.clone();
        tasks.spawn(async move {
            let server = start(&edgegap, &game).await;
            (game, server)
        });
    }
    tasks.join_all().await
}

/// Stops the server of a match that is over.
pub async fn stop(server: Server) -> Result<()> {
    server.deployment.stop().await?;
    Ok(())
}
