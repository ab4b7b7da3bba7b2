//! Prism between the client and the sandbox. It compares every request and every reply with the spec
//! and says in a header of the reply what is wrong with either.

use super::life::{Addresses, Lives};
use super::process::Prism;
use super::spec;
use super::tap::Head;
use super::walk::Walk;
use crate::Result;
use crate::report::Report;
use deploykit::OPERATIONS;
use deploykit_sandbox::{Dialect, Sandbox};
use std::collections::BTreeSet;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub async fn check(cli: &Path, report: &mut Report) -> Result<()> {
    lifecycle(cli, report).await?;
    let mut succeeded = BTreeSet::new();
    for dialect in [Dialect::ControlPlane, Dialect::Documented] {
        let sandbox = Sandbox::builder().dployr_dialect(dialect);
        let sandbox = sandbox.rate_limits(false).start().await?;
        for (api, prism) in &proxies(cli, &sandbox).await? {
            // The dialect is that of dployr alone.
            let documented = dialect == Dialect::Documented;
            if !documented || *api == "dployr" {
                let walk = Walk::new(api, &prism.tap.base_url, &sandbox);
                let name = format!("prism proxy: {api} ({dialect:?})");
                through(prism, &walk, documented, &mut succeeded, (report, &name)).await;
            }
        }
    }
    let all = OPERATIONS.iter().map(ToString::to_string);
    let missing: Vec<_> = all
        .filter(|operation| !succeeded.contains(operation))
        .collect();
    let name = format!("prism proxy: {} operations succeed", OPERATIONS.len());
    report.check(name, &missing);
    wrong_reply(cli, report).await
}

/// A Prism in front of each platform of a sandbox.
async fn proxies(cli: &Path, sandbox: &Sandbox) -> Result<[(&'static str, Prism); 4]> {
    let start = async |api| {
        let upstream = match api {
            "nexlayer" => &sandbox.nexlayer().base_url,
            "dployr" => &sandbox.dployr().base_url,
            "nodion" => &sandbox.nodion().base_url,
            _ => &sandbox.edgegap().base_url,
        };
        Prism::proxy(cli, &spec::path(api), upstream).await
    };
    Prism::of_each_platform(start).await
}

/// The example of the whole lifecycle, then a wrong request to each Prism that stood in its way.
async fn lifecycle(cli: &Path, report: &mut Report) -> Result<()> {
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = sandbox.start().await?;
    let proxies = proxies(cli, &sandbox).await?;
    let [nexlayer, dployr, nodion, edgegap] = proxies
        .each_ref()
        .map(|(_, prism)| prism.tap.base_url.clone());
    let lives = Lives {
        sandbox: &sandbox,
        at: Addresses {
            nexlayer,
            dployr,
            nodion,
            edgegap,
        },
        tell: |_, _| {},
    };
    let ends = lives.all().await;
    let mut problems: Vec<String> = Vec::new();
    for (platform, end) in ends {
        problems.extend(end.err().map(|error| format!("{platform}: {error}")));
    }
    let mut replies = 0;
    for (api, prism) in &proxies {
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
    for (api, prism) in &proxies {
        let (path, body) = match *api {
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

/// Sends each call once through a Prism. `documented` leaves out what the vendor's page does not have.
async fn through(
    prism: &Prism,
    walk: &Walk,
    documented: bool,
    succeeded: &mut BTreeSet<String>,
    (report, name): (&mut Report, &str),
) {
    let (mut calls, mut successes, mut problems) = (0, 0, Vec::new());
    for row in &walk.rows {
        let operation = row.operation;
        if documented && !operation.documented {
            continue;
        }
        for variant in &row.variants {
            calls += 1;
            let result = variant.call(&walk.clients).send().await;
            let heads = prism.tap.take();
            if heads.is_empty() {
                problems.push(format!("{operation}: nothing was sent"));
            }
            let found = said(prism, heads);
            problems.extend(found.map(|found| format!("{operation} {}: {found}", variant.name)));
            match result {
                Ok(success) => {
                    successes += 1;
                    succeeded.insert(operation.to_string());
                    walk.keep(row.id_in(&success));
                    problems.extend(success.failures.iter().map(ToString::to_string));
                }
                Err(error) if std::env::var_os("PRISM_VERBOSE").is_some() => eprintln!("{error}"),
                Err(_) => {}
            }
        }
        walk.settle(row).await;
    }
    let name = format!("{name}, {calls} calls, {successes} succeed, no violation");
    report.check(name, &problems);
}
