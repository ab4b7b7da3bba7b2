//! The three kinds of calls, and what one came to.

use crate::Result;
use deploykit::edgegap::{NewDeployment, User};
use deploykit::{
    Call, ClientBuilder, Effect, ErrorKind, Pacing, Page, Platform, Retry, dployr, edgegap, nodion,
};
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// Longer than any server here takes that is to answer, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);

/// A kind of operation, by one that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nodion's list of deployments: a GET that may be repeated.
    List,
    /// Edgegap's deploy: a POST that costs money each time.
    Create,
    /// dployr's login: a POST that hands out tokens each time.
    Login,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::List, Self::Create, Self::Login];

    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Create => "create",
            Self::Login => "login",
        }
    }

    /// A status and a body that this call understands.
    pub fn success(self) -> (u16, Value) {
        match self {
            Self::List => (200, json!({ "deployments": [] })),
            Self::Create => (202, json!({ "request_id": "r-1" })),
            Self::Login => (200, json!({ "access_token": "t-1", "expires_in": 3600 })),
        }
    }

    /// Calls the server at this base URL.
    pub async fn call(self, base_url: &str, options: &Options) -> Result<Outcome> {
        Ok(match self {
            Self::List => outcome(options.on(list(base_url)?)).await,
            Self::Create => outcome(options.on(create(base_url, "v")?)).await,
            Self::Login => {
                let client = tuned(dployr::Client::builder(), base_url).build()?;
                outcome(options.on(client.login("user@example.com", "password"))).await
            }
        })
    }
}

/// What a check sets on its call.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How long an attempt may take.
    pub timeout: Option<Duration>,
    /// A query parameter of this many bytes.
    pub long_query: Option<usize>,
    /// A header of this many bytes.
    pub long_header: Option<usize>,
}

impl Options {
    /// The call with all of this on it.
    pub fn on<T: Send + 'static>(&self, mut call: Call<T>) -> Call<T> {
        if let Some(limit) = self.timeout {
            call = call.timeout(limit);
        }
        if let Some(length) = self.long_query {
            call = call.query("long", &"q".repeat(length));
        }
        if let Some(length) = self.long_header {
            call = call.header("x-long", &"h".repeat(length));
        }
        call
    }
}

/// A call of the list, not sent yet.
pub fn list(base_url: &str) -> Result<Call<Page<nodion::Deployment>>> {
    let client = tuned(nodion::Client::builder().token("secret"), base_url).build()?;
    Ok(client.application("a-1").deployments())
}

/// A call of the create with this variable in its body, not sent yet.
pub fn create(base_url: &str, variable: &str) -> Result<Call<edgegap::Accepted>> {
    let client = tuned(edgegap::Client::builder().token("secret"), base_url).build()?;
    let new = NewDeployment::new("app", "1", User::ip([192, 0, 2, 1].into()));
    Ok(client.deploy(new.env("MODE", variable)))
}

fn tuned<P: Platform>(builder: ClientBuilder<P>, base_url: &str) -> ClientBuilder<P> {
    builder
        .base_url(base_url)
        .timeout(PATIENCE)
        .deadline(3 * PATIENCE)
        // Every request here is one that the server must see.
        .pacing(Pacing::off())
        // As often as by default, and sooner.
        .retry(Retry::default().initial_backoff(Duration::from_millis(50)))
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `None` for a success.
    pub kind: Option<ErrorKind>,
    /// `None` for a success, which needs no answer to this.
    pub effect: Option<Effect>,
    pub status: Option<u16>,
    pub attempts: u32,
    pub retry_after: Option<Duration>,
    pub body: String,
    pub message: String,
}

/// Sends the call.
pub async fn outcome<T: Send + 'static>(call: Call<T>) -> Outcome {
    match call.with_response().await {
        Ok(reply) => Outcome {
            kind: None,
            effect: None,
            status: Some(reply.status),
            attempts: reply.attempts,
            retry_after: None,
            body: String::new(),
            message: String::new(),
        },
        Err(error) => Outcome {
            kind: Some(error.kind()),
            effect: Some(error.effect()),
            status: error.status(),
            attempts: error.attempts(),
            retry_after: error.retry_after(),
            body: error.body_excerpt().unwrap_or_default().to_owned(),
            message: error.to_string(),
        },
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            None => f.write_str("Ok")?,
            Some(kind) => write!(f, "{kind:?}")?,
        }
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if let Some(effect) = self.effect {
            write!(f, ", effect {effect:?}")?;
        }
        write!(f, ", attempts {}", self.attempts)
    }
}
