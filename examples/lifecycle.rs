//! The life of a deployment on each of the four platforms, on the sandbox: made, waited for, read,
//! looked at, ended, and seen to be gone.
//!
//! `cargo run --example lifecycle`. Times are those of the sandbox, so the intervals are short; leave
//! them out for the real platforms, whose own ones are the default.

use deploykit::edgegap::{self, NewDeployment as NewServer, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::nodion::{self, LogWindow};
use deploykit::watch::{Deployment, Observation};
use deploykit::{ErrorKind, Wait, dployr};
use deploykit_sandbox::{Dialect, Sandbox};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The lifetime of a Nexlayer preview with its one extension.
const PREVIEW: Duration = Duration::from_secs(150 * 60);

#[tokio::main]
async fn main() -> ExitCode {
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = match sandbox.start().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            eprintln!("the sandbox does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Nexlayer comes last: its end is a matter of time, and the clock of the sandbox is one for all.
    let ends = [
        ("edgegap", edgegap(&sandbox).await),
        ("nodion", nodion(&sandbox).await),
        ("dployr", dployr(&sandbox).await),
        ("nexlayer", nexlayer(&sandbox).await),
    ];
    let mut complete = 0;
    for (platform, end) in &ends {
        match end {
            Ok(()) => complete += 1,
            Err(error) => println!("{platform} failed: {error}"),
        }
    }
    println!("{complete} of {} lifecycles complete", ends.len());
    if complete == ends.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A wait that tells of each change.
fn told<T: Send + 'static>(platform: &'static str, wait: Wait<T>) -> Wait<T> {
    wait.interval(Duration::from_millis(100), Duration::from_millis(400))
        .deadline(Duration::from_secs(60))
        .on_change(move |seen| {
            tell(
                platform,
                &format!("{} ({})", seen.phase, blank(&seen.raw_status)),
            );
        })
}

fn tell(platform: &str, what: &str) {
    println!("{platform:<9} {what}");
}

fn blank(status: &str) -> &str {
    if status.is_empty() {
        "says nothing"
    } else {
        status
    }
}

/// What any platform's deployment can be asked for.
async fn look(deployment: &dyn Deployment) -> Result<Observation> {
    let (platform, seen) = (deployment.platform(), deployment.snapshot().await?);
    tell(platform, &format!("{} is {}", deployment.id(), seen.phase));
    match deployment.recent_logs().await {
        Ok(lines) => {
            for line in lines.iter().rev().take(2).rev() {
                tell(platform, &format!("log: {line}"));
            }
        }
        Err(error) if error.kind() == ErrorKind::Unsupported => tell(platform, "keeps no log"),
        Err(error) => return Err(error.into()),
    }
    Ok(seen)
}

/// What is gone is not found any more.
fn gone<T>(platform: &str, look: deploykit::Result<T>) -> Result<()> {
    match look {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tell(platform, "gone");
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err("it is still there".into()),
    }
}

async fn edgegap(sandbox: &Sandbox) -> Result<()> {
    let access = sandbox.edgegap();
    let client = edgegap::Client::builder().base_url(&access.base_url);
    let client = client.token(access.token.as_str()).build()?;
    let player = User::ip([75, 28, 35, 192].into());
    let new = NewServer::new(&access.application, &access.version, player).tag("lifecycle");
    let server = client.deployment(client.deploy(new).await?.request_id);
    let ready = told("edgegap", server.wait()).await?;
    tell("edgegap", &format!("at {}", ready.endpoint("gameport")?));
    look(&server).await?;
    let stopped = server.stop().await?;
    tell("edgegap", &format!("stop: {:?}", stopped.outcome));
    told("edgegap", server.wait().until_gone()).await?;
    let left = client
        .deployments()
        .tagged("lifecycle")
        .list()
        .all()
        .await?;
    match left.iter().find(|left| left.request_id == ready.request_id) {
        Some(_) => Err("it is still listed".into()),
        None => {
            tell("edgegap", "gone");
            Ok(())
        }
    }
}

async fn nodion(sandbox: &Sandbox) -> Result<()> {
    let access = sandbox.nodion();
    let client = nodion::Client::builder().base_url(&access.base_url);
    let client = client.token(access.token.as_str()).build()?;
    let application = client.application(&access.application_id);
    let deployment = application.deployment(application.deploy().await?.id);
    let made = told("nodion", deployment.wait()).await?;
    tell("nodion", &format!("number {}", made.deploy_number));
    look(&deployment).await?;
    let lines = application.logs(LogWindow::new().limit(3)).await?;
    tell("nodion", &format!("{} lines of the last hour", lines.len()));
    // A deployment is not ended, the application is.
    application.delete().await?;
    gone("nodion", application.get().await)
}

async fn dployr(sandbox: &Sandbox) -> Result<()> {
    let access = sandbox.dployr();
    let client = dployr::Client::builder()
        .base_url(&access.base_url)
        .token(access.token.as_str())
        .cluster(access.cluster_id.as_str())
        .build()?;
    let new = dployr::NewDeployment::from_git("lifecycle", "https://github.com/example/guestbook")
        .kind(dployr::ServiceType::Web)
        .runtime("nodejs", "20")
        .run_cmd("npm start")
        .port(3000);
    client.deployments().create(new).await?;
    // The reply names a task. What it makes is found by its name.
    let deployment = client.deployment("lifecycle").get().await?;
    tell(
        "dployr",
        &format!("{} by {:?}", deployment.id, deployment.via),
    );
    told("dployr", client.deployment(deployment.id.as_str()).wait()).await?;
    let services = client.services().list().all().await?;
    let service = services.into_iter().find(|one| one.name == "lifecycle");
    let service = client.service(service.ok_or("there is no service")?.id);
    told("dployr", service.wait()).await?;
    look(&service).await?;
    let mut lines = service.follow_logs().await?;
    if let Some(line) = lines.next().await {
        tell("dployr", &format!("follows: {}", line?.message));
    }
    drop(lines);
    // It sleeps, and the next visitor would wake it. That it is asleep no call of this server tells.
    service.stop().await?;
    service.delete().await?;
    told("dployr", service.wait().until_gone()).await?;
    gone("dployr", service.get().await)
}

async fn nexlayer(sandbox: &Sandbox) -> Result<()> {
    let access = sandbox.nexlayer();
    let client = nexlayer::Client::builder().base_url(&access.base_url);
    let client = client.build()?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nexlayer.yaml");
    let started = client.start(Manifest::from_path(manifest)?).await?;
    let application = started.application();
    let ready = told("nexlayer", application.wait()).await?;
    let site = ready
        .url
        .as_deref()
        .unwrap_or("an address that was not told");
    tell("nexlayer", &format!("{site}, says its {}", ready.signal));
    look(&application).await?;
    tell("nexlayer", &application.extend().await?.text);
    // No call ends an application: its time does.
    sandbox.advance(PREVIEW + Duration::from_secs(11 * 60));
    told("nexlayer", application.wait().until_gone()).await?;
    tell("nexlayer", "gone");
    Ok(())
}
