//! The lifecycle of a deployment on each platform. The base URLs are parameters, so that the requests can
//! pass through a proxy.

use deploykit::edgegap::{NewDeployment as NewServer, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::nodion::LogOptions;
use deploykit::{ErrorKind, dployr, watch::Wait};
use deploykit_sandbox::Sandbox;
use std::error::Error;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const MANIFEST: &str = include_str!("../nexlayer.yaml");

/// The lifetime of a Nexlayer preview, with one extension.
const PREVIEW: Duration = Duration::from_secs(150 * 60);

/// The base URLs of the platforms.
pub struct BaseUrls {
    pub nexlayer: String,
    pub dployr: String,
    pub nodion: String,
    pub edgegap: String,
}

impl BaseUrls {
    /// The base URLs of the sandbox.
    #[allow(dead_code)] // `conformance/src/prism` uses the URLs of its proxies instead.
    pub fn of(sandbox: &Sandbox) -> Self {
        Self {
            nexlayer: sandbox.nexlayer().base_url.clone(),
            dployr: sandbox.dployr().base_url.clone(),
            nodion: sandbox.nodion().base_url.clone(),
            edgegap: sandbox.edgegap().base_url.clone(),
        }
    }
}

/// The lifecycles on one sandbox.
pub struct Lifecycles<'a> {
    /// The sandbox behind the base URLs, with a dployr control plane.
    pub sandbox: &'a Sandbox,
    pub base_urls: BaseUrls,
    /// Prints the platform and an event.
    pub print: fn(&str, &str),
}

impl Lifecycles<'_> {
    /// Runs all lifecycles and returns their results.
    pub async fn all(&self) -> [(&'static str, Result<()>); 4] {
        // Nexlayer is last, because it advances the clock that all platforms share.
        [
            ("edgegap", self.edgegap().await),
            ("nodion", self.nodion().await),
            ("dployr", self.dployr().await),
            ("nexlayer", self.nexlayer().await),
        ]
    }

    async fn edgegap(&self) -> Result<()> {
        let access = self.sandbox.edgegap();
        let client = access.builder().base_url(&self.base_urls.edgegap).build()?;
        let player = User::ip([75, 28, 35, 192].into());
        let new = NewServer::new(&access.application, &access.version, player).tag("lifecycle");
        let server = client.deploy(new).await?.deployment();
        let ready = self.watched("edgegap", server.wait()).await?;
        (self.print)("edgegap", &format!("at {}", ready.endpoint("gameport")?));
        for line in server.logs().await?.tail(2) {
            (self.print)("edgegap", &format!("log: {line}"));
        }
        let stopped = server.stop().await?;
        (self.print)("edgegap", &format!("stop: {:?}", stopped.outcome));
        self.watched("edgegap", server.wait().until_gone()).await?;
        let left = client
            .deployments()
            .tagged("lifecycle")
            .list()
            .all()
            .await?;
        match left.iter().find(|left| left.request_id == ready.request_id) {
            Some(_) => Err("the deployment is still listed".into()),
            None => {
                (self.print)("edgegap", "gone");
                Ok(())
            }
        }
    }

    async fn nodion(&self) -> Result<()> {
        let access = self.sandbox.nodion();
        let client = access.builder().base_url(&self.base_urls.nodion).build()?;
        let application = client.application(&access.application_id);
        let deployed = application.deploy().await?;
        let made = self.watched("nodion", deployed.deployment().wait()).await?;
        (self.print)("nodion", &format!("number {}", made.deploy_number));
        let lines = application.logs(LogOptions::new().tail(3)).await?;
        (self.print)("nodion", &format!("the last {} log lines", lines.len()));
        // Nodion has no request that ends a deployment, so this deletes the application.
        application.delete().await?;
        self.assert_gone("nodion", application.get().await)
    }

    async fn dployr(&self) -> Result<()> {
        let access = self.sandbox.dployr();
        let builder = access.builder().base_url(&self.base_urls.dployr);
        let client = builder.cluster(access.cluster_id.as_str()).build()?;
        let new =
            dployr::NewDeployment::from_git("lifecycle", "https://github.com/example/guestbook")
                .kind(dployr::ServiceType::Web)
                .runtime("nodejs", "20")
                .run_cmd("npm start")
                .port(3000);
        let deployed = client.deploy(new).await?;
        let ready = deployed.deployment().wait();
        let ready = self.watched("dployr", ready).await?;
        (self.print)("dployr", &format!("deployment {}", ready.id));
        let services = client.services().list().all().await?;
        let service = services.into_iter().find(|one| one.name == "lifecycle");
        let service = client.service(service.ok_or("the service is not listed")?.id);
        self.watched("dployr", service.wait()).await?;
        for line in service.logs(dployr::LogOptions::new().tail(2)).await? {
            (self.print)("dployr", &format!("log: {}", line.message));
        }
        let mut lines = service.follow_logs(dployr::LogOptions::new()).await?;
        if let Some(line) = lines.next().await {
            (self.print)("dployr", &format!("followed log: {}", line?.message));
        }
        drop(lines);
        // A stopped service sleeps until the next visitor.
        service.stop().await?;
        self.watched("dployr", service.wait().until_gone()).await?;
        service.delete().await?;
        self.watched("dployr", service.wait().until_gone()).await?;
        self.assert_gone("dployr", service.get().await)
    }

    async fn nexlayer(&self) -> Result<()> {
        let client = nexlayer::Client::builder().base_url(&self.base_urls.nexlayer);
        let client = client.build()?;
        let deployed = client.deploy(Manifest::parse(MANIFEST)?).await?;
        let application = deployed.application();
        let ready = self.watched("nexlayer", application.wait()).await?;
        let site = ready.url.as_deref().unwrap_or("an unknown URL");
        (self.print)(
            "nexlayer",
            &format!("ready at {site} (signal: {})", ready.signal),
        );
        (self.print)("nexlayer", &application.extend().await?.message);
        // No request removes an application: it expires.
        self.sandbox.advance(PREVIEW + Duration::from_secs(11 * 60));
        self.watched("nexlayer", application.wait().until_gone())
            .await?;
        (self.print)("nexlayer", "gone");
        Ok(())
    }

    /// Adds short intervals, a deadline and printed changes to a wait.
    fn watched<T: Send + 'static>(&self, platform: &'static str, wait: Wait<T>) -> Wait<T> {
        let print = self.print;
        wait.interval(Duration::from_millis(100), Duration::from_millis(400))
            .deadline(Duration::from_secs(60))
            .on_change(move |seen| {
                let status = match seen.raw_status.as_str() {
                    "" => "no status",
                    status => status,
                };
                print(platform, &format!("{} ({status})", seen.phase));
            })
    }

    /// Checks that reading the resource fails with `NotFound`.
    fn assert_gone<T>(&self, platform: &str, read: deploykit::Result<T>) -> Result<()> {
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (self.print)(platform, "gone");
                Ok(())
            }
            Err(error) => Err(error.into()),
            Ok(_) => Err("the resource still exists".into()),
        }
    }
}
