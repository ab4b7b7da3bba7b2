//! The four lifecycles. They go by addresses of their own, so that something may stand between the client
//! and the sandbox.

use deploykit::edgegap::{NewDeployment as NewServer, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::nodion::LogOptions;
use deploykit::{ErrorKind, dployr, watch::Wait};
use deploykit_sandbox::Sandbox;
use std::error::Error;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const MANIFEST: &str = include_str!("../nexlayer.yaml");

/// The lifetime of a Nexlayer preview with its one extension.
const PREVIEW: Duration = Duration::from_secs(150 * 60);

/// Where each platform is called.
pub struct Addresses {
    pub nexlayer: String,
    pub dployr: String,
    pub nodion: String,
    pub edgegap: String,
}

impl Addresses {
    /// Those of the sandbox itself.
    #[allow(dead_code)] // Whoever puts something in between has others.
    pub fn of(sandbox: &Sandbox) -> Self {
        Self {
            nexlayer: sandbox.nexlayer().base_url.clone(),
            dployr: sandbox.dployr().base_url.clone(),
            nodion: sandbox.nodion().base_url.clone(),
            edgegap: sandbox.edgegap().base_url.clone(),
        }
    }
}

/// What the lifecycles need.
pub struct Lifecycles<'a> {
    /// What stands behind the addresses: a dployr control plane is among it.
    pub sandbox: &'a Sandbox,
    pub at: Addresses,
    /// Told what happens on which platform.
    pub tell: fn(&str, &str),
}

impl Lifecycles<'_> {
    /// Each life, and how it ended.
    pub async fn all(&self) -> [(&'static str, Result<()>); 4] {
        // Nexlayer comes last: its end is a matter of time, and the clock of the sandbox is one for all.
        [
            ("edgegap", self.edgegap().await),
            ("nodion", self.nodion().await),
            ("dployr", self.dployr().await),
            ("nexlayer", self.nexlayer().await),
        ]
    }

    async fn edgegap(&self) -> Result<()> {
        let access = self.sandbox.edgegap();
        let client = access.builder().base_url(&self.at.edgegap).build()?;
        let player = User::ip([75, 28, 35, 192].into());
        let new = NewServer::new(&access.application, &access.version, player).tag("lifecycle");
        let server = client.deploy(new).await?.deployment();
        let ready = self.told("edgegap", server.wait()).await?;
        (self.tell)("edgegap", &format!("at {}", ready.endpoint("gameport")?));
        for line in server.logs().await?.tail(2) {
            (self.tell)("edgegap", &format!("log: {line}"));
        }
        let stopped = server.stop().await?;
        (self.tell)("edgegap", &format!("stop: {:?}", stopped.outcome));
        self.told("edgegap", server.wait().until_gone()).await?;
        let left = client
            .deployments()
            .tagged("lifecycle")
            .list()
            .all()
            .await?;
        match left.iter().find(|left| left.request_id == ready.request_id) {
            Some(_) => Err("it is still listed".into()),
            None => {
                (self.tell)("edgegap", "gone");
                Ok(())
            }
        }
    }

    async fn nodion(&self) -> Result<()> {
        let access = self.sandbox.nodion();
        let client = access.builder().base_url(&self.at.nodion).build()?;
        let application = client.application(&access.application_id);
        let deployed = application.deploy().await?;
        let made = self.told("nodion", deployed.deployment().wait()).await?;
        (self.tell)("nodion", &format!("number {}", made.deploy_number));
        let lines = application.logs(LogOptions::new().tail(3)).await?;
        (self.tell)("nodion", &format!("the last {} log lines", lines.len()));
        // Nodion has no request that ends a deployment, so this deletes the application.
        application.delete().await?;
        self.gone("nodion", application.get().await)
    }

    async fn dployr(&self) -> Result<()> {
        let access = self.sandbox.dployr();
        let builder = access.builder().base_url(&self.at.dployr);
        let client = builder.cluster(access.cluster_id.as_str()).build()?;
        let new =
            dployr::NewDeployment::from_git("lifecycle", "https://github.com/example/guestbook")
                .kind(dployr::ServiceType::Web)
                .runtime("nodejs", "20")
                .run_cmd("npm start")
                .port(3000);
        let deployed = client.deploy(new).await?;
        let ready = deployed.deployment().wait();
        let ready = self.told("dployr", ready).await?;
        (self.tell)("dployr", &format!("deployment {}", ready.id));
        let services = client.services().list().all().await?;
        let service = services.into_iter().find(|one| one.name == "lifecycle");
        let service = client.service(service.ok_or("there is no service")?.id);
        self.told("dployr", service.wait()).await?;
        for line in service.logs(dployr::LogOptions::new().tail(2)).await? {
            (self.tell)("dployr", &format!("log: {}", line.message));
        }
        let mut lines = service.follow_logs(dployr::LogOptions::new()).await?;
        if let Some(line) = lines.next().await {
            (self.tell)("dployr", &format!("follows: {}", line?.message));
        }
        drop(lines);
        // It sleeps, and the next visitor would wake it. That it is asleep no call of this server tells.
        service.stop().await?;
        service.delete().await?;
        self.told("dployr", service.wait().until_gone()).await?;
        self.gone("dployr", service.get().await)
    }

    async fn nexlayer(&self) -> Result<()> {
        let client = nexlayer::Client::builder().base_url(&self.at.nexlayer);
        let client = client.build()?;
        let deployed = client.deploy(Manifest::parse(MANIFEST)?).await?;
        let application = deployed.application();
        let ready = self.told("nexlayer", application.wait()).await?;
        let site = ready
            .url
            .as_deref()
            .unwrap_or("an address that was not told");
        (self.tell)("nexlayer", &format!("{site}, says its {}", ready.signal));
        (self.tell)("nexlayer", &application.extend().await?.message);
        // No call ends an application: its time does.
        self.sandbox.advance(PREVIEW + Duration::from_secs(11 * 60));
        self.told("nexlayer", application.wait().until_gone())
            .await?;
        (self.tell)("nexlayer", "gone");
        Ok(())
    }

    /// A wait that tells of each change.
    fn told<T: Send + 'static>(&self, platform: &'static str, wait: Wait<T>) -> Wait<T> {
        let tell = self.tell;
        wait.interval(Duration::from_millis(100), Duration::from_millis(400))
            .deadline(Duration::from_secs(60))
            .on_change(move |seen| {
                tell(
                    platform,
                    &format!("{} ({})", seen.phase, blank(&seen.raw_status)),
                );
            })
    }

    /// What is gone is not found any more.
    fn gone<T>(&self, platform: &str, look: deploykit::Result<T>) -> Result<()> {
        match look {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (self.tell)(platform, "gone");
                Ok(())
            }
            Err(error) => Err(error.into()),
            Ok(_) => Err("it is still there".into()),
        }
    }
}

fn blank(status: &str) -> &str {
    if status.is_empty() {
        "says nothing"
    } else {
        status
    }
}
