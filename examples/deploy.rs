//! One job on each of the four platforms, side by side.
//!
//! `cargo run --example deploy` runs on the sandbox. With credentials in the environment it does the
//! real thing on the platforms that have them, and that costs money:
//!
//! | platform | needs | and takes |
//! |---|---|---|
//! | Nexlayer | `NEXLAYER_BASE_URL` | `NEXLAYER_MANIFEST` |
//! | dployr | `DPLOYR_BASE_URL`, `DPLOYR_TOKEN` | `DPLOYR_CLUSTER_ID` |
//! | Nodion | `NODION_TOKEN`, `NODION_APPLICATION_ID` | `NODION_PROJECT` |
//! | Edgegap | `EDGEGAP_TOKEN`, `EDGEGAP_APPLICATION`, `EDGEGAP_VERSION` | |

use deploykit::edgegap::{self, NewDeployment as NewServer, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::{ErrorKind, Wait, dployr, nodion};
use deploykit_sandbox::Sandbox;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Deserialize;
use std::error::Error;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Between two looks at a deployment on the sandbox.
const LOOK_AGAIN: Duration = Duration::from_millis(400);

/// A deployment that came up, as the table shows it.
struct Deployed {
    deployment: String,
    state: String,
    url: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let sandbox = match start_sandbox_unless_there_are_credentials().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            eprintln!("the sandbox does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let bars = MultiProgress::new();
    let (nexlayer, dployr, nodion, edgegap) = tokio::join!(
        run(
            "nexlayer",
            &bars,
            nexlayer_job(sandbox.as_ref(), bar(&bars, "nexlayer"))
        ),
        run(
            "dployr",
            &bars,
            dployr_job(sandbox.as_ref(), bar(&bars, "dployr"))
        ),
        run(
            "nodion",
            &bars,
            nodion_job(sandbox.as_ref(), bar(&bars, "nodion"))
        ),
        run(
            "edgegap",
            &bars,
            edgegap_job(sandbox.as_ref(), bar(&bars, "edgegap"))
        ),
    );
    let rows: Vec<_> = [nexlayer, dployr, nodion, edgegap]
        .into_iter()
        .flatten()
        .collect();
    let deployed = report(&rows);
    println!("deployed {deployed} of {}", rows.len());
    if deployed == rows.len() && deployed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn start_sandbox_unless_there_are_credentials() -> Result<Option<Sandbox>> {
    if CREDENTIALS.iter().any(|name| variable(name).is_ok()) {
        return Ok(None);
    }
    println!("No credentials in the environment: this runs on the sandbox, on this machine.");
    println!("For the real thing set {}.\n", CREDENTIALS.join(", or "));
    Ok(Some(Sandbox::start().await?))
}

/// What switches a platform on.
const CREDENTIALS: [&str; 4] = [
    "NEXLAYER_BASE_URL",
    "DPLOYR_TOKEN",
    "NODION_TOKEN",
    "EDGEGAP_TOKEN",
];

/// A variable of the environment; the error names it.
fn variable(name: &str) -> Result<String> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value),
        _ => Err(format!("the environment variable {name} is missing or empty").into()),
    }
}

async fn nexlayer_job(sandbox: Option<&Sandbox>, bar: ProgressBar) -> Result<Deployed> {
    let client = match sandbox {
        Some(sandbox) => {
            let access = sandbox.nexlayer();
            nexlayer::Client::builder()
                .base_url(&access.base_url)
                .build()?
        }
        None => nexlayer::Client::from_env()?,
    };
    let path = match variable("NEXLAYER_MANIFEST") {
        Ok(path) => PathBuf::from(path),
        Err(_) => beside("nexlayer.yaml"),
    };
    bar.set_message("starting");
    let started = client.start(Manifest::from_path(path)?).await?;
    let application = started.application();
    bar.set_message("extending");
    let extended = application.extend().await?;
    bar.println(format!("nexlayer: {}", extended.text));
    // Only a reservation tells how the app is, and only some plans have reservations.
    match application.reserve().await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::PlanLimit => bar.println(format!("{error}")),
        Err(error) => return Err(error.into()),
    }
    let ready = shown(&bar, sandbox, application.wait()).await?;
    let state = Some(ready.raw_status).filter(|status| !status.is_empty());
    let state = state.unwrap_or_else(|| ready.phase.to_string());
    Ok(Deployed {
        deployment: started.application_name.clone(),
        state,
        url: started.url.clone().unwrap_or_default(),
    })
}

async fn dployr_job(sandbox: Option<&Sandbox>, bar: ProgressBar) -> Result<Deployed> {
    let client = match sandbox {
        Some(sandbox) => {
            let access = sandbox.dployr();
            bar.set_message("logging in");
            let anonymous = dployr::Client::builder()
                .base_url(&access.base_url)
                .build()?;
            let tokens = anonymous
                .login(&access.email, access.password.as_str())
                .await?;
            anonymous.with_token(tokens.access_token)?
        }
        None => dployr::Client::from_env()?,
    };
    let job = jobs()?.dployr;
    let mut new = dployr::NewDeployment::from_git(&job.name, job.repository)
        .runtime(job.runtime, job.version)
        .branch(job.branch)
        .build_cmd(job.build_cmd)
        .run_cmd(job.run_cmd)
        .port(job.port);
    // Control planes want to know the cluster and the type; the documented API knows neither.
    if variable("DPLOYR_CLUSTER_ID").is_ok() {
        new = new.kind(dployr::ServiceType::Web);
    }
    bar.set_message("creating");
    client.deployments().create(new).await?;
    // The reply need not name the deployment, so it is looked for by its name.
    let mut all = client.deployments().list().all().await?.into_iter();
    let made = all.find(|deployment| deployment.name == job.name);
    let made = client.deployment(made.ok_or("the deployment is not listed")?.id);
    let state = shown(&bar, sandbox, made.wait()).await?.status;
    let state = state.map_or_else(|| "made".to_owned(), |state| state.to_string());
    let services = client.services().list().all().await?;
    let mine = services
        .into_iter()
        .find(|service| service.name == job.name);
    if let Some(service) = mine {
        let handle = client.service(service.id.as_str());
        for line in handle.logs(Some(3)).await? {
            bar.println(format!("dployr: {}", line.message));
        }
        // Not every server has a status route; the deployment's own state then has to do.
        match handle.status().await {
            Ok(status) => bar.println(format!("dployr: the service is {}", status.status)),
            Err(error) if error.kind() == ErrorKind::NoSuchRoute => bar.println(format!("{error}")),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Deployed {
        url: format!("https://{}.dployr.run", job.name),
        deployment: job.name,
        state,
    })
}

async fn nodion_job(sandbox: Option<&Sandbox>, bar: ProgressBar) -> Result<Deployed> {
    let (client, id) = match sandbox {
        Some(sandbox) => {
            let access = sandbox.nodion();
            let builder = nodion::Client::builder().base_url(&access.base_url);
            (
                builder.token(access.token.as_str()).build()?,
                access.application_id.clone(),
            )
        }
        None => (
            nodion::Client::from_env()?,
            variable("NODION_APPLICATION_ID")?,
        ),
    };
    let application = client.application(id);
    bar.set_message("deploying");
    let deployment = application.deploy().await?;
    let made = application.deployment(deployment.id);
    let state = shown(&bar, sandbox, made.wait()).await?.status.to_string();
    Ok(Deployed {
        deployment: format!("number {}", deployment.deploy_number),
        state,
        url: "as configured at Nodion".to_owned(),
    })
}

async fn edgegap_job(sandbox: Option<&Sandbox>, bar: ProgressBar) -> Result<Deployed> {
    let job = jobs()?.edgegap;
    let (client, application, version) = match sandbox {
        Some(sandbox) => {
            let access = sandbox.edgegap();
            let builder = edgegap::Client::builder().base_url(&access.base_url);
            let client = builder.token(access.token.as_str()).build()?;
            (client, access.application.clone(), access.version.clone())
        }
        None => (
            edgegap::Client::from_env()?,
            variable("EDGEGAP_APPLICATION")?,
            variable("EDGEGAP_VERSION")?,
        ),
    };
    let players = job.players.into_iter().map(User::ip);
    let mut new = NewServer::for_users(application, version, players).tag(job.tag);
    for (key, value) in job.env {
        new = new.env(key, value);
    }
    bar.set_message("deploying");
    let accepted = client.deploy(new).await?;
    let server = client.deployment(&accepted.request_id);
    let ready = shown(&bar, sandbox, server.wait()).await?;
    let state = ready.current_status.to_string();
    let url = ready.endpoint("gameport")?;
    Ok(Deployed {
        deployment: accepted.request_id.to_string(),
        state,
        url,
    })
}

/// A wait whose phases are shown. On the sandbox nothing takes long, so it looks more often.
fn shown<T: Send + 'static>(
    bar: &ProgressBar,
    sandbox: Option<&Sandbox>,
    wait: Wait<T>,
) -> Wait<T> {
    let bar = bar.clone();
    let wait = wait.on_change(move |seen| bar.set_message(seen.phase.to_string()));
    match sandbox {
        Some(_) => wait.interval(LOOK_AGAIN, LOOK_AGAIN),
        None => wait,
    }
}

type Row = (&'static str, Result<Deployed>, Duration);

/// Runs one platform's job; `None` if it has no credentials and the others do.
async fn run(
    platform: &'static str,
    bars: &MultiProgress,
    job: impl Future<Output = Result<Deployed>>,
) -> Option<Row> {
    let on_sandbox = CREDENTIALS.iter().all(|name| variable(name).is_err());
    let switch = CREDENTIALS
        .iter()
        .find(|name| name.to_lowercase().starts_with(platform))?;
    if !on_sandbox && variable(switch).is_err() {
        bars.suspend(|| println!("{platform}: skipped, {switch} is not set"));
        return None;
    }
    let started = Instant::now();
    let result = job.await;
    Some((platform, result, started.elapsed()))
}

/// Prints the table, then what went wrong; how many came up.
fn report(rows: &[Row]) -> usize {
    println!(
        "{:<9} {:<22} {:<14} {:<52} {:>6}",
        "platform", "deployment", "state", "url", "time"
    );
    for (platform, result, time) in rows {
        let (deployment, state, url) = match result {
            Ok(up) => (up.deployment.as_str(), up.state.as_str(), up.url.as_str()),
            Err(_) => ("-", "failed", "-"),
        };
        println!(
            "{platform:<9} {deployment:<22} {state:<14} {url:<52} {:>5.1}s",
            time.as_secs_f64()
        );
    }
    println!();
    for (platform, result, _) in rows {
        if let Err(error) = result {
            println!("{platform} failed: {error}");
        }
    }
    rows.iter().filter(|(_, result, _)| result.is_ok()).count()
}

fn bar(bars: &MultiProgress, platform: &'static str) -> ProgressBar {
    let bar = bars.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:9} {elapsed:>4} {wide_msg}")
    {
        bar.set_style(style);
    }
    bar.set_prefix(platform);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

#[derive(Deserialize)]
struct Jobs {
    dployr: DployrJob,
    edgegap: EdgegapJob,
}

#[derive(Deserialize)]
struct DployrJob {
    name: String,
    repository: String,
    branch: String,
    runtime: String,
    version: String,
    build_cmd: String,
    run_cmd: String,
    port: u32,
}

#[derive(Deserialize)]
struct EdgegapJob {
    players: Vec<IpAddr>,
    env: std::collections::BTreeMap<String, String>,
    tag: String,
}

fn jobs() -> Result<Jobs> {
    Ok(serde_json::from_str(&std::fs::read_to_string(beside(
        "jobs.json",
    ))?)?)
}

/// A file beside this example.
fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}
