//! Checks the requests of the client and the replies of the sandbox with Prism as a validating proxy.

use super::documented_replies;
use super::lifecycles::{BaseUrls, Lifecycles};
use super::operation_order::OperationRun;
use super::process::Prism;
use super::support::Server;
use crate::Result;
use crate::report::Report;
use deploykit::http::Method;
use deploykit::{nodion, operation::OPERATIONS};
use deploykit_sandbox::{Dialect, Sandbox};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

pub async fn check(cli: &Path, report: &mut Report) -> Result<()> {
    lifecycle(cli, report).await?;
    let mut succeeded = BTreeSet::new();
    for dialect in [Dialect::ControlPlane, Dialect::Documented] {
        let sandbox = Sandbox::builder().dployr_dialect(dialect);
        let sandbox = sandbox.rate_limits(false).start().await?;
        for (api, prism) in &proxies(cli, &sandbox).await? {
            // Only dployr has two dialects.
            let documented = dialect == Dialect::Documented;
            if !documented || *api == "dployr" {
                let run = OperationRun::new(api, &prism.base_url, &sandbox);
                let name = format!("prism proxy: {api} ({dialect:?})");
                send_all(prism, &run, documented, &mut succeeded, report, &name).await;
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

/// Starts a Prism proxy in front of each platform.
async fn proxies(cli: &Path, sandbox: &Sandbox) -> Result<[(&'static str, Prism); 4]> {
    let start = async |api| {
        let upstream = match api {
            "nexlayer" => &sandbox.nexlayer().base_url,
            "dployr" => &sandbox.dployr().base_url,
            "nodion" => &sandbox.nodion().base_url,
            _ => &sandbox.edgegap().base_url,
        };
        Prism::proxy(cli, &documented_replies::path(api), upstream).await
    };
    Prism::start_each(start).await
}

/// Runs the lifecycle example through Prism, then sends one invalid request to each platform.
async fn lifecycle(cli: &Path, report: &mut Report) -> Result<()> {
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = sandbox.start().await?;
    let proxies = proxies(cli, &sandbox).await?;
    let [nexlayer, dployr, nodion, edgegap] =
        proxies.each_ref().map(|(_, prism)| prism.base_url.clone());
    let lifecycles = Lifecycles {
        sandbox: &sandbox,
        base_urls: BaseUrls {
            nexlayer,
            dployr,
            nodion,
            edgegap,
        },
        print: |_, _| {},
    };
    let results = lifecycles.all().await;
    let mut problems: Vec<String> = Vec::new();
    for (platform, result) in results {
        problems.extend(result.err().map(|error| format!("{platform}: {error}")));
    }
    for (api, prism) in &proxies {
        let violations = prism.take_violations().await.into_iter();
        problems.extend(violations.map(|violation| format!("{api}: {violation}")));
    }
    let name = "prism proxy: the lifecycle on four platforms, no violation";
    report.check(name, &problems);

    let mut problems = Vec::new();
    for (api, prism) in &proxies {
        let (path, body) = match *api {
            "nexlayer" => ("/extendDeployment", json!({})),
            "dployr" => ("/v1/auth/login", json!({ "email": 7 })),
            "nodion" => ("/v1/applications", json!({})),
            _ => ("/v2/deployments", json!({})),
        };
        let client = nodion::Client::builder().base_url(&prism.base_url);
        let call = client.token("secret").build()?.request(Method::POST, path);
        let result = call.json(&body).await;
        if !violated(prism, "request").await {
            problems.push(format!(
                "{api}: Prism does not report POST {path}; the client got {result:?}"
            ));
        }
    }
    report.check(
        "prism proxy: wrong requests are reported on four platforms",
        &problems,
    );
    Ok(())
}

/// Checks that Prism reports a reply that violates the spec.
async fn wrong_reply(cli: &Path, report: &mut Report) -> Result<()> {
    let json = ["content-type: application/json"];
    let server = Server::replies("200 OK", &json, r#"{"regions": "none"}"#).await;
    let prism = Prism::proxy(cli, &documented_replies::path("nodion"), &server.base_url).await?;
    let client = nodion::Client::builder().base_url(&prism.base_url);
    let result = client.token("secret").build()?.regions().list().await;
    let problem = format!("Prism does not report it; the client got {result:?}");
    let problems = (!violated(&prism, "response").await).then_some(problem);
    report.check(
        "prism proxy: a wrong reply is reported",
        problems.as_slice(),
    );
    Ok(())
}

/// Whether Prism reported a violation since the last call. `by` is `request` or `response`.
async fn violated(prism: &Prism, by: &str) -> bool {
    let violations = prism.take_violations().await;
    let violation = format!("Violation: {by}");
    violations.iter().any(|line| line.contains(&violation))
}

/// Sends each call once through one Prism. With `documented`, only operations that the vendor documents.
async fn send_all(
    prism: &Prism,
    run: &OperationRun,
    documented: bool,
    succeeded: &mut BTreeSet<String>,
    report: &mut Report,
    name: &str,
) {
    let (mut calls, mut successes, mut problems) = (0, 0, Vec::new());
    for row in &run.rows {
        let operation = row.operation;
        if documented && !operation.documented {
            continue;
        }
        for variant in &row.variants {
            calls += 1;
            let result = variant.call(&run.clients).send().await;
            let violations = prism.take_violations().await.into_iter();
            problems
                .extend(violations.map(|found| format!("{operation} {}: {found}", variant.name)));
            match result {
                Ok(success) => {
                    successes += 1;
                    succeeded.insert(operation.to_string());
                    run.store_id(row.id_in(&success));
                    problems.extend(success.failures.iter().map(ToString::to_string));
                }
                Err(error) if error.status().is_none() => problems.push(error.to_string()),
                Err(error) if std::env::var_os("PRISM_VERBOSE").is_some() => eprintln!("{error}"),
                Err(_) => {}
            }
        }
        run.wait_until_ready(row).await;
    }
    let name = format!("{name}, {calls} calls, {successes} succeed, no violation");
    report.check(name, &problems);
}
