//! Deploys one job to each of the four platforms at the same time.
//!
//! `cargo run --example deploy` runs against the sandbox. If `NEXLAYER_BASE_URL`, `DPLOYR_TOKEN`,
//! `NODION_TOKEN` or `EDGEGAP_TOKEN` is set, it deploys on these real platforms instead, which costs
//! money, and skips the others. Variables:
//!
//! | platform | required | optional |
//! |---|---|---|
//! | Nexlayer | `NEXLAYER_BASE_URL` | `NEXLAYER_MANIFEST` |
//! | dployr | `DPLOYR_BASE_URL`, `DPLOYR_TOKEN` | `DPLOYR_CLUSTER_ID` |
//! | Nodion | `NODION_TOKEN`, `NODION_APPLICATION_ID` | `NODION_PROJECT` |
//! | Edgegap | `EDGEGAP_TOKEN`, `EDGEGAP_APPLICATION`, `EDGEGAP_VERSION` | |

use deploykit::edgegap::{self, NewDeployment as NewServer, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::{ErrorKind, dployr, nodion, watch::Wait};
use deploykit_sandbox::Sandbox;
use std::error::Error;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Variables that select the real platforms to run on.
const CREDENTIALS: [&str; 4] = [
    "NEXLAYER_BASE_URL",
    "DPLOYR_TOKEN",
    "NODION_TOKEN",
    "EDGEGAP_TOKEN",
];

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/nexlayer.yaml");

/// A deployment that is ready.
struct Deployed {
    id: String,
    state: String,
    url: String,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let sandbox = if CREDENTIALS.iter().any(|name| variable(name).is_ok()) {
        None
    } else {
        print_line("No credentials in the environment: running on the sandbox.\n");
        Some(Sandbox::start().await?)
    };
    let sandbox = sandbox.as_ref();
    let (nexlayer, dployr, nodion, edgegap) = tokio::join!(
        run("nexlayer", sandbox, nexlayer_job(sandbox)),
        run("dployr", sandbox, dployr_job(sandbox)),
        run("nodion", sandbox, nodion_job(sandbox)),
        run("edgegap", sandbox, edgegap_job(sandbox)),
    );
    let results = [nexlayer, dployr, nodion, edgegap];
    let total = results.iter().flatten().count();
    let deployed = results.into_iter().flatten().filter(|ready| *ready).count();
    print_line(&format!("deployed {deployed} of {total}"));
    Ok(if deployed == total && total > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs a job and prints its result. Returns whether it succeeded; `None` when it was skipped.
async fn run(
    platform: &str,
    sandbox: Option<&Sandbox>,
    job: impl Future<Output = Result<Deployed>>,
) -> Option<bool> {
    let mut credentials = CREDENTIALS.iter();
    let credential = credentials.find(|name| name.to_lowercase().starts_with(platform))?;
    if sandbox.is_none() && variable(credential).is_err() {
        report(platform, format!("skipped, {credential} is not set"));
        return None;
    }
    let started = Instant::now();
    let result = job.await;
    let seconds = started.elapsed().as_secs_f64();
    match &result {
        Ok(Deployed { id, state, url }) => {
            // Two lines, because both together are longer than a terminal of 80 columns.
            report(platform, format!("{id} is {state} after {seconds:.1} s"));
            report(platform, format!("at {url}"));
        }
        Err(error) => report(platform, format!("failed after {seconds:.1} s: {error}")),
    }
    Some(result.is_ok())
}

async fn nexlayer_job(sandbox: Option<&Sandbox>) -> Result<Deployed> {
    let client = match sandbox {
        Some(sandbox) => sandbox.nexlayer().client()?,
        None => nexlayer::Client::from_env()?,
    };
    let path = variable("NEXLAYER_MANIFEST").unwrap_or_else(|_| MANIFEST.to_owned());
    let deployed = client.deploy(Manifest::from_path(path)?).await?;
    let application = deployed.application();
    report(
        "nexlayer",
        format!("{} is starting", deployed.application_name),
    );
    let left = application.extend().await?.expires_in;
    let minutes = left.map_or(0, |left| left.as_secs() / 60);
    report("nexlayer", format!("extended, expires in {minutes} min"));
    // Only reservations report the state of the app, and only some plans have reservations.
    match application.reserve().await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::PlanLimit => report("nexlayer", error),
        Err(error) => return Err(error.into()),
    }
    let ready = watched("nexlayer", sandbox, application.wait()).await?;
    Ok(Deployed {
        id: deployed.application_name.to_string(),
        state: ready.phase.to_string(),
        url: deployed.url.clone().unwrap_or_default(),
    })
}

async fn dployr_job(sandbox: Option<&Sandbox>) -> Result<Deployed> {
    let client = match sandbox {
        Some(sandbox) => sandbox.dployr().client()?,
        None => dployr::Client::from_env()?,
    };
    let name = "guestbook";
    let mut new = dployr::NewDeployment::from_git(name, "https://github.com/example/guestbook")
        .runtime("nodejs", "20")
        .branch("main")
        .build_cmd("npm install")
        .run_cmd("npm start")
        .port(3000);
    // Control planes require the cluster and the type; the documented API has neither.
    if variable("DPLOYR_CLUSTER_ID").is_ok() {
        new = new.kind(dployr::ServiceType::Web);
    }
    let deployed = client.deploy(new).await?;
    report("dployr", format!("{name} is starting"));
    let ready = watched("dployr", sandbox, deployed.deployment().wait()).await?;
    let service = client.services().find(name).await?;
    let last = dployr::LogOptions::new().tail(3);
    for line in client.service(service.id).logs(last).await? {
        report("dployr", format!("log: {}", line.message));
    }
    let state = ready.status.map(|status| status.to_string());
    Ok(Deployed {
        id: name.to_owned(),
        state: state.unwrap_or_else(|| "finished".to_owned()),
        url: format!("https://{name}.dployr.run"),
    })
}

async fn nodion_job(sandbox: Option<&Sandbox>) -> Result<Deployed> {
    let (client, id) = match sandbox {
        Some(sandbox) => {
            let access = sandbox.nodion();
            (access.client()?, access.application_id.clone())
        }
        None => (
            nodion::Client::from_env()?,
            variable("NODION_APPLICATION_ID")?,
        ),
    };
    let application = client.application(id);
    let deployed = application.deploy().await?;
    report("nodion", format!("{} is starting", deployed.id));
    let wait = deployed.deployment().wait();
    let ready = watched("nodion", sandbox, wait).await?;
    Ok(Deployed {
        id: format!("deployment {}", ready.deploy_number),
        state: ready.status.to_string(),
        url: "the domain configured at Nodion".to_owned(),
    })
}

async fn edgegap_job(sandbox: Option<&Sandbox>) -> Result<Deployed> {
    let (client, application, version) = match sandbox {
        Some(sandbox) => {
            let access = sandbox.edgegap();
            let (application, version) = (access.application.clone(), access.version.clone());
            (access.client()?, application, version)
        }
        None => (
            edgegap::Client::from_env()?,
            variable("EDGEGAP_APPLICATION")?,
            variable("EDGEGAP_VERSION")?,
        ),
    };
    let player = User::ip([75, 28, 35, 192].into());
    let new = NewServer::new(application, version, player)
        .env("MODE", "ranked")
        .tag("deploykit-example");
    let deployed = client.deploy(new).await?;
    // Printed at once: after Ctrl-C, the id is needed to stop the server.
    report("edgegap", format!("{} is starting", deployed.request_id));
    let ready = watched("edgegap", sandbox, deployed.deployment().wait()).await?;
    Ok(Deployed {
        url: ready.endpoint("gameport")?,
        id: ready.request_id.to_string(),
        state: ready.current_status.to_string(),
    })
}

/// Prints each change of phase or status. Polls the sandbox more often, because its deployments are fast.
fn watched<T: Send + 'static>(
    platform: &'static str,
    sandbox: Option<&Sandbox>,
    wait: Wait<T>,
) -> Wait<T> {
    let wait = wait.on_change(move |seen| report(platform, seen.phase));
    match sandbox {
        Some(_) => wait.interval(Duration::from_millis(400), Duration::from_millis(400)),
        None => wait,
    }
}

fn report(platform: &str, text: impl Display) {
    print_line(&format!("{platform:<9} {text}"));
}

/// Prints a line. A closed pipe does not end the program, because deployments are in progress.
fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn variable(name: &str) -> Result<String> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value),
        _ => Err(format!("the environment variable {name} is missing or empty").into()),
    }
}
