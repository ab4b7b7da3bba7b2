//! Receives webhooks about deployments instead of polling.
//!
//! `cargo run --example webhook` runs on the sandbox: it deploys two servers on Edgegap (one becomes ready
//! and is stopped, one fails) and an app on dployr. It ends after five webhooks, or after 30 s.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, Uri};
use deploykit::dployr;
use deploykit::edgegap::{self, User, WebhookKind};
use deploykit::webhook::{CallbackSecret, MAX_BODY_BYTES};
use deploykit_sandbox::{Dialect, Sandbox};
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Time limit for all webhooks.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Ready, terminated and error from Edgegap; created and finished from dployr.
const EXPECTED: usize = 5;

/// Path and body of a webhook.
type Webhook = (String, Bytes);

/// The state of the handler.
struct Receiver {
    secret: CallbackSecret,
    webhooks: UnboundedSender<Webhook>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(received) => {
            print_line(&format!("received {received} of {EXPECTED} webhooks"));
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
    // A real server stores this secret, so that it stays the same after a restart.
    let secret = CallbackSecret::generate()?;
    let (base_url, mut webhooks) = listen(secret.clone()).await?;
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = sandbox.start().await?;
    let failing = Sandbox::builder().deployments_fail(true).start().await?;

    let client = sandbox.edgegap().client()?;
    start_server(&sandbox, &secret, &base_url).await?;
    start_server(&failing, &secret, &base_url).await?;
    start_app(&sandbox, &secret, &base_url).await?;

    let (mut received, deadline) = (0, Instant::now() + TIME_LIMIT);
    while received < EXPECTED {
        let Ok(Some((path, body))) = timeout_at(deadline, webhooks.recv()).await else {
            break;
        };
        received += 1;
        if path == "/edgegap" {
            on_server(&client, &edgegap::WebhookEvent::from_bytes(&body)?).await?;
        } else {
            let event = dployr::WebhookEvent::from_bytes(&body)?;
            let name = event.data.service_name.unwrap_or_default();
            print_line(&format!("dployr   {:<20} {name}", event.event));
        }
    }
    Ok(received)
}

/// Starts an HTTP server on loopback. Returns its base URL and the received webhooks.
async fn listen(secret: CallbackSecret) -> Result<(String, UnboundedReceiver<Webhook>)> {
    let (webhooks, received) = unbounded_channel();
    let router = Router::new()
        .fallback(receive)
        // Limits the body before it is read into memory.
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(Receiver { secret, webhooks }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((base_url, received))
}

/// Checks the secret and responds at once: the platform waits for the response.
async fn receive(State(receiver): State<Arc<Receiver>>, uri: Uri, body: Bytes) -> StatusCode {
    if receiver.secret.verify(&uri.to_string()).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    match receiver.webhooks.send((uri.path().to_owned(), body)) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn start_server(sandbox: &Sandbox, secret: &CallbackSecret, base_url: &str) -> Result<()> {
    let access = sandbox.edgegap();
    let url = secret.attach(&format!("{base_url}/edgegap"))?;
    let player = User::ip([75, 28, 35, 192].into());
    let new = edgegap::NewDeployment::new(&access.application, &access.version, player)
        .webhook_on_ready(url.clone())
        .webhook_on_error(url.clone())
        .webhook_on_terminated(url);
    access.client()?.deploy(new).await?;
    Ok(())
}

/// Reads the deployment before acting on an event: events may be late or forged.
async fn on_server(client: &edgegap::Client, event: &edgegap::WebhookEvent) -> Result<()> {
    let id = &event.deployment.request_id;
    let status = &event.deployment.current_status;
    print_line(&format!("edgegap  {status:<20} {id}"));
    if event.kind() == WebhookKind::Ready {
        let server = client.deployment(id);
        let status = server.get().await?;
        if status.is_ready() {
            let endpoint = status.endpoint("gameport")?;
            print_line(&format!("         up at               {endpoint}"));
            server.stop().await?;
        }
    }
    Ok(())
}

async fn start_app(sandbox: &Sandbox, secret: &CallbackSecret, base_url: &str) -> Result<()> {
    use dployr::EventType::{DeploymentCreated, DeploymentFinished};
    let access = sandbox.dployr();
    let builder = access.builder().cluster(access.cluster_id.as_str());
    let client = builder.build()?;
    // The control plane has one webhook per cluster.
    let url = secret.attach(&format!("{base_url}/dployr"))?;
    let events = [DeploymentCreated, DeploymentFinished];
    let setup = dployr::WebhookSetup::new(url, events);
    client.webhooks().set_up(setup).await?;
    let new = dployr::NewDeployment::from_image("my-app", "nginx:1.27").kind("web");
    client.deploy(new).await?;
    Ok(())
}

/// Prints a line. A closed pipe does not end the program, because it has a server to stop.
fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
