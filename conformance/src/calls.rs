//! The calls that the checks send, and their outcomes.

use crate::Result;
use deploykit::edgegap::{NewDeployment, User};
use deploykit::{
    Call, ClientBuilder, Error, Page, Platform, Retry, dployr, edgegap, nodion, pacing::Pacing,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than any expected reply takes, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Above nginx's 8 KiB limit of a request line or header.
const TOO_LONG: usize = 9 << 10;
/// Above the 1 KiB body limit in `nginx.conf`.
const TOO_LARGE: usize = 300 << 10;

/// A kind of call, represented by one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nodion's list of deployments: a retryable GET.
    List,
    /// Edgegap's deploy: a POST that spends money each time.
    Create,
    /// dployr's login: a POST that returns new tokens each time.
    Login,
}

/// A modification of the call.
#[derive(Clone, Copy, Debug)]
pub enum Tweak {
    Nothing,
    /// Attempt timeout.
    Timeout(Duration),
    LongQuery,
    LongHeader,
    LargeBody,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::List, Self::Create, Self::Login];

    /// A successful status and body for this call.
    pub fn success(self) -> (u16, Value) {
        match self {
            Self::List => (200, json!({ "deployments": [] })),
            Self::Create => (202, json!({ "request_id": "r-1" })),
            Self::Login => (200, json!({ "access_token": "t-1", "expires_in": 3600 })),
        }
    }

    /// Sends the call to a base URL.
    pub async fn call(self, base_url: &str, tweak: Tweak) -> Result<Outcome> {
        Ok(match self {
            Self::List => outcome(tweak.on(list(base_url)?)).await,
            Self::Create => {
                let large = matches!(tweak, Tweak::LargeBody);
                let variable = "v".repeat(if large { TOO_LARGE } else { 1 });
                outcome(tweak.on(create(base_url, &variable)?)).await
            }
            Self::Login => {
                let client = configured(dployr::Client::builder(), base_url).build()?;
                outcome(tweak.on(client.login("user@example.com", "password"))).await
            }
        })
    }
}

impl Tweak {
    fn on<T: Send + 'static>(self, call: Call<T>) -> Call<T> {
        match self {
            Self::Nothing | Self::LargeBody => call,
            Self::Timeout(limit) => call.timeout(limit),
            Self::LongQuery => call.query("long", &"q".repeat(TOO_LONG)),
            Self::LongHeader => call.header("x-long", &"h".repeat(TOO_LONG)),
        }
    }
}

/// Builds the list call.
pub fn list(base_url: &str) -> Result<Call<Page<nodion::Deployment>>> {
    let client = configured(nodion::Client::builder().token("secret"), base_url).build()?;
    Ok(client.application("a-1").deployments().list())
}

/// Builds the create call with this variable in its body.
pub fn create(base_url: &str, variable: &str) -> Result<Call<edgegap::Deployed>> {
    let client = configured(edgegap::Client::builder().token("secret"), base_url).build()?;
    let new = NewDeployment::new("app", "1", User::ip([192, 0, 2, 1].into()));
    Ok(client.deploy(new.env("MODE", variable)))
}

fn configured<P: Platform>(builder: ClientBuilder<P>, base_url: &str) -> ClientBuilder<P> {
    builder
        .base_url(base_url)
        .timeout(TIMEOUT)
        .deadline(3 * TIMEOUT)
        // Without pacing, so that every request reaches the server.
        .pacing(Pacing::off())
        // The default number of retries, with a shorter backoff.
        .retry(Retry::default().initial_backoff(Duration::from_millis(50)))
}

/// The number of attempts of a successful call, or the error.
pub type Outcome = std::result::Result<u32, Error>;

pub async fn outcome<T: Send + 'static>(call: Call<T>) -> Outcome {
    Ok(call.with_response().await?.attempts)
}

/// The outcome in the form of `faults.yaml`: `KIND EFFECT ATTEMPTS`, or `Ok ATTEMPTS`.
pub fn summary(outcome: &Outcome) -> String {
    match outcome {
        Ok(attempts) => format!("Ok {attempts}"),
        Err(error) => format!(
            "{:?} {:?} {}",
            error.kind(),
            error.effect(),
            error.attempts()
        ),
    }
}

pub fn attempts(outcome: &Outcome) -> usize {
    outcome
        .as_ref()
        .map_or_else(Error::attempts, |attempts| *attempts) as usize
}
