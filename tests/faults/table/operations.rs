//! The kinds of operations, with an example of each.

use deploykit::dployr::{self, DeploymentUpdate};
use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::{Call, ClientBuilder, Error, Platform, Response, nodion, pacing::Pacing};

/// The value of every secret, which must only be sent and never be shown.
pub const CANARY: &str = "canary-5d1f";

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A GET that only reads: Nodion's list of deployments.
    List,
    /// A streaming GET: dployr's logs.
    Follow,
    /// An idempotent DELETE: dployr's deployment.
    Delete,
    /// A PUT that is not idempotent: dployr's deployment.
    Update,
    /// A create that costs money: Edgegap's deployment.
    Deploy,
    /// A create without a body: Nodion's deployment.
    Redeploy,
    /// A slow create: Nexlayer's deploy.
    Start,
    /// A POST that the spec marks as idempotent, but that is not retried: deletes Nexlayer's reservations.
    Unreserve,
    /// dployr's login.
    Login,
}

/// The number of attempts of a successful call, or its error.
pub type Outcome = Result<u32, Error>;

impl Kind {
    /// Whether the operation changes nothing on the server.
    pub fn only_reads(self) -> bool {
        matches!(self, Self::List | Self::Follow)
    }

    /// Whether the operation is retried even if the first request may have taken effect.
    pub fn may_be_retried(self) -> bool {
        self.only_reads() || self == Self::Delete
    }

    pub fn status(self) -> &'static str {
        match self {
            Self::Deploy => "202 Accepted",
            _ => "200 OK",
        }
    }

    /// The `content-type` header of a success.
    pub fn media(self) -> &'static str {
        match self {
            Self::Follow => "content-type: application/x-ndjson",
            Self::Unreserve => "content-type: text/html; charset=utf-8",
            _ => "content-type: application/json",
        }
    }

    /// The body of a success.
    pub fn body(self) -> &'static str {
        match self {
            Self::List => {
                r#"{"deployments":[{"id":"d-1","status":"available","deploy_number":1}]}"#
            }
            Self::Follow => "{\"message\":\"one\"}\n{\"message\":\"two\"}\n",
            Self::Delete => r#"{"success":true}"#,
            Self::Update => {
                r#"{"success":true,"data":{"id":"d-1","name":"web","status":"pending"}}"#
            }
            Self::Deploy => r#"{"request_id":"a69f8e3e0555"}"#,
            Self::Redeploy => r#"{"deployment":{"id":"d-2","status":"created","deploy_number":2}}"#,
            Self::Start => {
                r#"{"message":"ok","url":"https://a.example","sessionToken":"s-1","applicationName":"web"}"#
            }
            Self::Unreserve => "All reservations removed.",
            Self::Login => r#"{"success":true,"data":{"access_token":"a.b.c","expires_in":3600}}"#,
        }
    }

    /// The reply of an HTTP/2 server.
    pub fn reply(self) -> http::Response<&'static str> {
        let status = self.status().split(' ').next().unwrap();
        let (name, value) = self.media().split_once(": ").unwrap();
        let reply = http::Response::builder().status(status).header(name, value);
        reply.body(self.body()).unwrap()
    }

    /// Calls the operation on a new client. `large` adds 3 MiB to the request where possible.
    pub async fn call(self, server: &Address, large: bool) -> Outcome {
        let filler = || "x".repeat(if large { 3 << 20 } else { 1 });
        let dployr = || with_address(dployr::Client::builder(), server).build();
        let nexlayer = || with_address(nexlayer::Client::builder(), server).build();
        let nodion = || with_address(nodion::Client::builder(), server).build();
        match self {
            Self::List => attempts(nodion()?.application("app").deployments().list()).await,
            Self::Redeploy => attempts(nodion()?.application("app").deploy()).await,
            Self::Deploy => {
                let client = with_address(edgegap::Client::builder(), server).build()?;
                let new = NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()));
                attempts(client.deploy(new.env("FILLER", filler()))).await
            }
            Self::Start => {
                let text = format!("application:\n  name: web\n  pods: []\n# {}\n", filler());
                attempts(nexlayer()?.deploy(Manifest::parse(text)?)).await
            }
            Self::Unreserve => {
                attempts(
                    nexlayer()?
                        .session("token-1234")
                        .reservations()
                        .delete_all(),
                )
                .await
            }
            Self::Follow => {
                let call = dployr()?
                    .service("web")
                    .follow_logs(deploykit::dployr::LogOptions::new());
                let reply = call.with_response().await?;
                // Reconnects are tested in `tests/logs`.
                let mut lines = reply.value.without_reconnecting();
                let mut first = None;
                // Read to the end: the stream must end after an error.
                while let Some(line) = lines.next().await {
                    first = first.or(line.err());
                }
                first.map_or(Ok(reply.attempts), Err)
            }
            Self::Delete => attempts(dployr()?.deployment("d-1").delete()).await,
            Self::Update => {
                let update = DeploymentUpdate::new().env("FILLER", filler());
                attempts(dployr()?.deployment("d-1").update(update)).await
            }
            Self::Login => {
                let password = format!("{CANARY}{}", filler());
                attempts(dployr()?.login("user@example.com", password)).await
            }
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, Default)]
pub struct Address {
    pub base_url: String,
    /// As PEM; `None` without TLS.
    pub certificate: Option<String>,
}

fn with_address<P: Platform>(builder: ClientBuilder<P>, server: &Address) -> ClientBuilder<P> {
    let builder = builder
        .base_url(&server.base_url)
        .token(CANARY)
        .allow_plain_http()
        .no_proxy()
        .pacing(Pacing::off());
    match &server.certificate {
        Some(certificate) => builder.root_certificate(certificate.clone()),
        None => builder,
    }
}

/// The number of attempts of a call.
async fn attempts<T: Send + 'static>(call: Call<T>) -> Outcome {
    let reply: Response<T> = call.with_response().await?;
    Ok(reply.attempts)
}
