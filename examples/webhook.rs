//! A server that is told what becomes of its deployments, in the place of asking again and again.
//!
//! `cargo run --example webhook` runs on the sandbox: two servers on Edgegap, of which one comes up and
//! is stopped then, and one fails, and an app on dployr. It ends when all has been told, or after half a
//! minute.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, Uri};
use axum::routing::post;
use deploykit::dployr;
use deploykit::edgegap::{self, User, WebhookKind};
use deploykit::webhook::{CallbackSecret, MAX_BYTES};
use deploykit_sandbox::{Dialect, Sandbox};
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long to wait for all of them.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is to come: ready, terminated, and an error from Edgegap; created and finished from dployr.
const EXPECTED: usize = 5;

/// What a call said.
enum News {
    Edgegap(Box<edgegap::WebhookEvent>),
    Dployr(Box<dployr::WebhookEvent>),
}

/// What the handlers share.
struct Desk {
    secret: CallbackSecret,
    news: UnboundedSender<News>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(received) => {
            println!("received {received} of {EXPECTED} webhooks");
            if received == EXPECTED {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<usize> {
    // Kept with the other secrets of a real server, so that it is the same after a restart.
    let secret = CallbackSecret::generate()?;
    let (base_url, mut news) = listen(secret.clone()).await?;
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = sandbox.start().await?;
    let failing = Sandbox::builder().deployments_fail(true).start().await?;

    let client = edgegap_client(&sandbox)?;
    start_server(&client, &sandbox, &secret, &base_url).await?;
    start_server(&edgegap_client(&failing)?, &failing, &secret, &base_url).await?;
    start_app(&sandbox, &secret, &base_url).await?;

    let (mut received, until) = (0, Instant::now() + PATIENCE);
    while received < EXPECTED {
        let Ok(Some(news)) = timeout_at(until, news.recv()).await else {
            break;
        };
        received += 1;
        match news {
            News::Edgegap(event) => on_server(&client, &event).await?,
            News::Dployr(event) => println!(
                "dployr   {:<20} {}",
                event.event,
                event.data.service_name.unwrap_or_default()
            ),
        }
    }
    Ok(received)
}

/// Takes calls on this machine. Gives its address, and what they say.
async fn listen(secret: CallbackSecret) -> Result<(String, UnboundedReceiver<News>)> {
    let (news, received) = unbounded_channel();
    let router = Router::new()
        .route("/edgegap", post(edgegap_calls))
        .route("/dployr", post(dployr_calls))
        // Before the body is in memory.
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(Arc::new(Desk { secret, news }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((base_url, received))
}

async fn edgegap_calls(State(desk): State<Arc<Desk>>, uri: Uri, body: Bytes) -> StatusCode {
    if desk.secret.verify(&uri.to_string()).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    match edgegap::WebhookEvent::from_bytes(&body) {
        // The platform waits for this answer, so the work is done elsewhere.
        Ok(event) => tell(&desk, News::Edgegap(Box::new(event))),
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn dployr_calls(State(desk): State<Arc<Desk>>, uri: Uri, body: Bytes) -> StatusCode {
    if desk.secret.verify(&uri.to_string()).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    match dployr::WebhookEvent::from_bytes(&body) {
        Ok(event) => tell(&desk, News::Dployr(Box::new(event))),
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

fn tell(desk: &Desk, news: News) -> StatusCode {
    match desk.news.send(news) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn edgegap_client(sandbox: &Sandbox) -> Result<edgegap::Client> {
    let access = sandbox.edgegap();
    let builder = edgegap::Client::builder().base_url(&access.base_url);
    Ok(builder.token(access.token.as_str()).build()?)
}

async fn start_server(
    client: &edgegap::Client,
    sandbox: &Sandbox,
    secret: &CallbackSecret,
    base_url: &str,
) -> Result<()> {
    let access = sandbox.edgegap();
    let url = secret.attach(&format!("{base_url}/edgegap"))?;
    let player = User::ip([75, 28, 35, 192].into());
    let new = edgegap::NewDeployment::new(&access.application, &access.version, player)
        .webhook_on_ready(url.clone())
        .webhook_on_error(url.clone())
        .webhook_on_terminated(url);
    client.deploy(new).await?;
    Ok(())
}

/// An event is a hint: what to do goes by what the platform says when it is asked.
async fn on_server(client: &edgegap::Client, event: &edgegap::WebhookEvent) -> Result<()> {
    let id = &event.deployment.request_id;
    println!("edgegap  {:<20} {id}", event.deployment.current_status);
    if event.kind() == WebhookKind::Ready {
        let server = client.deployment(id);
        let status = server.status().await?;
        if status.is_ready() {
            println!(
                "         up at               {}",
                status.endpoint("gameport")?
            );
            server.stop().await?;
        }
    }
    Ok(())
}

async fn start_app(sandbox: &Sandbox, secret: &CallbackSecret, base_url: &str) -> Result<()> {
    use dployr::EventType::{DeploymentCreated, DeploymentFinished};
    let access = sandbox.dployr();
    let client = dployr::Client::builder()
        .base_url(&access.base_url)
        .token(access.token.as_str())
        .cluster(access.cluster_id.as_str())
        .build()?;
    // The control plane has one webhook for a cluster.
    let url = secret.attach(&format!("{base_url}/dployr"))?;
    let events = [DeploymentCreated, DeploymentFinished];
    let setup = dployr::WebhookSetup::new(url, events);
    client.webhooks().set_up(setup).await?;
    let new = dployr::NewDeployment::from_image("my-app", "nginx:1.27").kind("web");
    client.deployments().create(new).await?;
    Ok(())
}
