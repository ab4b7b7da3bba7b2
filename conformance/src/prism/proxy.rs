//! Prism between the client and the sandbox. It compares every request and every reply with the spec
//! and says in a header of the reply what is wrong with either.

use crate::life::{Addresses, Lives};
use crate::process::Prism;
use crate::report::Report;
use crate::tap::Head;
use crate::walk::{self, Caller};
use crate::{Result, spec};
use deploykit::{Call, LogStream, OPERATIONS};
use deploykit_sandbox::{Dialect, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A Prism in front of each platform of a sandbox.
struct Proxies {
    nexlayer: Prism,
    dployr: Prism,
    nodion: Prism,
    edgegap: Prism,
}

impl Proxies {
    async fn start(cli: &Path, sandbox: &Sandbox) -> Result<Self> {
        let start =
            async |api: &str, upstream: &str| Prism::proxy(cli, &spec::path(api), upstream).await;
        let (nexlayer, dployr, nodion, edgegap) = tokio::try_join!(
            start("nexlayer", &sandbox.nexlayer().base_url),
            start("dployr", &sandbox.dployr().base_url),
            start("nodion", &sandbox.nodion().base_url),
            start("edgegap", &sandbox.edgegap().base_url),
        )?;
        Ok(Self {
            nexlayer,
            dployr,
            nodion,
            edgegap,
        })
    }

    fn all(&self) -> [(&'static str, &Prism); 4] {
        [
            ("nexlayer", &self.nexlayer),
            ("dployr", &self.dployr),
            ("nodion", &self.nodion),
            ("edgegap", &self.edgegap),
        ]
    }
}

pub async fn check(cli: &Path, report: &mut Report) -> Result<()> {
    lifecycle(cli, report).await?;
    let mut walked = BTreeMap::new();
    for dialect in [Dialect::ControlPlane, Dialect::Documented] {
        let sandbox = Sandbox::builder().dployr_dialect(dialect).start().await?;
        let start =
            async |api: &str, upstream: &str| Prism::proxy(cli, &spec::path(api), upstream).await;
        let dployr = start("dployr", &sandbox.dployr().base_url).await?;
        let mut through = Through::new(&dployr, &mut walked);
        through.documented = dialect == Dialect::Documented;
        let url = &dployr.tap.base_url;
        walk::dployr(&mut through, url, sandbox.dployr()).await?;
        through.finish(report, &format!("dployr ({dialect:?})"));
        if dialect == Dialect::Documented {
            continue;
        }

        let (nexlayer, nodion, edgegap) = tokio::try_join!(
            start("nexlayer", &sandbox.nexlayer().base_url),
            start("nodion", &sandbox.nodion().base_url),
            start("edgegap", &sandbox.edgegap().base_url),
        )?;
        let mut through = Through::new(&nexlayer, &mut walked);
        let url = &nexlayer.tap.base_url;
        walk::nexlayer(&mut through, url, sandbox.nexlayer()).await?;
        through.finish(report, "nexlayer");
        let mut through = Through::new(&nodion, &mut walked);
        walk::nodion(&mut through, &nodion.tap.base_url, sandbox.nodion()).await?;
        through.finish(report, "nodion");
        let mut through = Through::new(&edgegap, &mut walked);
        let url = &edgegap.tap.base_url;
        walk::edgegap(&mut through, url, sandbox.edgegap()).await?;
        through.finish(report, "edgegap");
    }
    every_operation(report, &walked);
    wrong_reply(cli, report).await
}

/// The example of the whole lifecycle, then a wrong request to each Prism that stood in its way.
async fn lifecycle(cli: &Path, report: &mut Report) -> Result<()> {
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = sandbox.start().await?;
    let proxies = Proxies::start(cli, &sandbox).await?;
    let lives = Lives {
        sandbox: &sandbox,
        at: Addresses {
            nexlayer: proxies.nexlayer.tap.base_url.clone(),
            dployr: proxies.dployr.tap.base_url.clone(),
            nodion: proxies.nodion.tap.base_url.clone(),
            edgegap: proxies.edgegap.tap.base_url.clone(),
        },
        tell: |_, _| {},
    };
    let ends = lives.all().await;
    let mut problems: Vec<String> = Vec::new();
    for (platform, end) in ends {
        problems.extend(end.err().map(|error| format!("{platform}: {error}")));
    }
    let mut replies = 0;
    for (api, prism) in proxies.all() {
        let heads = prism.tap.take();
        if heads.is_empty() {
            problems.push(format!("{api}: nothing went through Prism"));
        }
        replies += heads.len();
        problems.extend(said(prism, heads).map(|found| format!("{api}: {found}")));
    }
    let name =
        format!("prism proxy: the lifecycle on four platforms, {replies} replies, no violation");
    report.check(name, &problems);

    let mut problems = Vec::new();
    for (api, prism) in proxies.all() {
        let (path, body) = match api {
            "nexlayer" => ("/extendDeployment", "{}"),
            "dployr" => ("/v1/auth/login", r#"{"email": 7}"#),
            "nodion" => ("/v1/applications", "{}"),
            _ => ("/v2/deployments", "{}"),
        };
        raw(prism, path, body).await?;
        let heads = prism.tap.take();
        let said = heads.iter().filter_map(|head| head.violations.as_deref());
        if !said.into_iter().any(|said| said.contains("\"request\"")) {
            problems.push(format!("{api}: POST {path} with {body} is no violation"));
        }
    }
    report.check(
        "prism proxy: a wrong request is seen on four platforms",
        &problems,
    );
    Ok(())
}

/// What Prism has to say about these replies and their requests. Its log repeats the headers, and is
/// the only one to tell that it answered itself.
fn said(prism: &Prism, heads: Vec<Head>) -> impl Iterator<Item = String> + use<> {
    let in_heads = heads.into_iter().filter_map(|head| head.violations);
    let in_heads: Vec<_> = in_heads.collect();
    let repeated = !in_heads.is_empty();
    let mut in_log = prism.take_complaints();
    in_log.retain(|line| !(repeated && line.contains("Violation")));
    in_heads.into_iter().chain(in_log)
}

/// Sends a request that no wrapper would send.
async fn raw(prism: &Prism, path: &str, body: &str) -> Result<()> {
    let host = prism.tap.base_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await?;
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

/// A platform whose reply is not what the spec says.
async fn wrong_reply(cli: &Path, report: &mut Report) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let upstream = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let body = r#"{"regions": "none"}"#;
            let length = body.len();
            let reply = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    let prism = Prism::proxy(cli, &spec::path("nodion"), &upstream).await?;
    let client = deploykit::nodion::Client::builder().base_url(&prism.tap.base_url);
    let answer = client.token("secret").build()?.regions().await;
    let heads = prism.tap.take();
    let said = heads.iter().filter_map(|head| head.violations.as_deref());
    let mut problems = Vec::new();
    if !said.into_iter().any(|said| said.contains("\"response\"")) {
        problems.push(format!("the client says {answer:?}, and Prism {heads:?}"));
    }
    report.check("prism proxy: a wrong reply is seen", &problems);
    Ok(())
}

/// Which operations were called, and whether one of the calls was a success.
type Walked = BTreeMap<(&'static str, &'static str), bool>;

fn every_operation(report: &mut Report, walked: &Walked) {
    let all: BTreeSet<_> = OPERATIONS.iter().map(|one| (one.api, one.id)).collect();
    let succeeded = walked.values().filter(|succeeded| **succeeded).count();
    let problems: Vec<_> = all
        .iter()
        .filter_map(|of| match walked.get(of) {
            Some(true) => None,
            Some(false) => Some(format!("{of:?} never succeeds")),
            None => Some(format!("{of:?} was not called")),
        })
        .collect();
    let count = all.len();
    let name = format!("prism proxy: {count} operations, {succeeded} of them with success");
    report.check(name, &problems);
}

/// Sends each call once through a Prism.
struct Through<'a> {
    prism: &'a Prism,
    /// Whether what the vendor's page does not have is left out: that dialect of dployr has no more.
    documented: bool,
    walked: &'a mut Walked,
    calls: usize,
    succeeded: usize,
    problems: Vec<String>,
}

impl<'a> Through<'a> {
    fn new(prism: &'a Prism, walked: &'a mut Walked) -> Self {
        Self {
            prism,
            documented: false,
            walked,
            calls: 0,
            succeeded: 0,
            problems: Vec::new(),
        }
    }

    async fn send<T: Send + 'static>(&mut self, make: impl Fn() -> Call<T>) -> Option<T> {
        let operation = make().operation()?;
        if self.documented && !operation.documented {
            return None;
        }
        self.calls += 1;
        let result = make().await;
        let heads = self.prism.tap.take();
        if heads.is_empty() {
            self.problems.push(format!("{operation}: nothing was sent"));
        }
        let found = said(self.prism, heads);
        self.problems
            .extend(found.map(|found| format!("{operation}: {found}")));
        let succeeded = self
            .walked
            .entry((operation.api, operation.id))
            .or_default();
        *succeeded |= result.is_ok();
        self.succeeded += usize::from(result.is_ok());
        if let Err(error) = &result
            && std::env::var_os("PRISM_VERBOSE").is_some()
        {
            eprintln!("{error}");
        }
        result.ok()
    }

    fn finish(self, report: &mut Report, name: &str) {
        let (calls, succeeded) = (self.calls, self.succeeded);
        let name = format!("prism proxy: {name}, {calls} calls, {succeeded} succeed, no violation");
        report.check(name, &self.problems);
    }
}

impl Caller for Through<'_> {
    async fn call<T: Send + 'static>(&mut self, make: impl Fn() -> Call<T>) -> Option<T> {
        self.send(make).await
    }

    async fn stream<L: Send + 'static>(&mut self, make: impl Fn() -> Call<LogStream<L>>) {
        let Some(lines) = self.send(make).await else {
            return;
        };
        let mut lines = lines.without_reconnecting();
        while let Some(line) = lines.next().await {
            if let Err(error) = line {
                self.problems.push(error.to_string());
            }
        }
    }
}
