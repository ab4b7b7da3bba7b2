//! The status page at `/`: resources, faults and the latest requests.
//!
//! It shows no credentials. To protect against DNS rebinding, it responds only if the `Host` header is an IP
//! address or `localhost`.

mod html;

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::faults::InjectedFault;
use crate::platform::{Platform, ResourceSummary};
use crate::redaction::truncate_value;
use crate::reply::Reply;
use crate::request::{RecordedRequest, Request};
use crate::server::Inner;
use crate::time::{millis, rfc3339};

/// Maximum number of requests on the page.
const MAX_REQUESTS: usize = 30;
/// Maximum number of resources per platform on the page.
const MAX_RESOURCES: usize = 50;

/// Whether the request is for the status page, and not for the root of a Nexlayer site.
pub(crate) fn is_page_request(request: &Request) -> bool {
    let host = request.header("host").unwrap_or_default();
    request.path == "/"
        && matches!(request.method.as_str(), "GET" | "HEAD")
        && !host_name(host).ends_with(".nexlayer.ai")
}

pub(crate) fn reply(inner: &Inner, request: &Request) -> Reply {
    if !request.header("host").is_none_or(is_allowed_host) {
        let words = "the status page needs a Host header with an IP address or localhost\n";
        return Reply::new(421, "text/plain; charset=utf-8", words);
    }
    let view = view(inner);
    let reply = if wants_json(request) {
        Reply::json(200, &view)
    } else {
        let refresh = request.query_value("refresh");
        let seconds = refresh.and_then(|text| text.parse().ok());
        let seconds = seconds.filter(|seconds| (1..=3_600).contains(seconds));
        Reply::new(200, "text/html; charset=utf-8", html::page(&view, seconds))
    };
    reply
        .with_header("cache-control", "no-store")
        .with_header(
            "content-security-policy",
            // An empty icon keeps browsers from requesting one.
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        )
        .with_header("x-content-type-options", "nosniff")
        .with_header("referrer-policy", "no-referrer")
        .with_header("cross-origin-resource-policy", "same-origin")
        .with_header("vary", "accept")
}

fn wants_json(request: &Request) -> bool {
    match request.query_value("format") {
        Some(format) => format == "json",
        None => {
            let accept = request.header("accept").unwrap_or_default();
            accept.contains("application/json") && !accept.contains("text/html")
        }
    }
}

/// The host of a `Host` header, without the port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

/// Whether the host is an IP address or `localhost`. Others are rejected because of DNS rebinding.
fn is_allowed_host(host: &str) -> bool {
    let name = host_name(host);
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost") || bare.unwrap_or(name).parse::<IpAddr>().is_ok()
}

/// The page's data as JSON; the HTML is rendered from it.
fn view(inner: &Inner) -> Value {
    let now = inner.clock.now();
    let platforms = Platform::ALL.into_iter().zip(&inner.urls);
    let platforms = platforms.map(|(platform, url)| {
        let resources = inner.state.resources(platform, now);
        let more = resources.len().saturating_sub(MAX_RESOURCES);
        let resources = resources.iter().take(MAX_RESOURCES).map(resource_json);
        json!({
            "platform": platform.to_string(),
            "base_url": url,
            "resources": resources.collect::<Vec<Value>>(),
            "more": more,
        })
    });
    let faults = inner.state.faults().iter().map(fault_json);
    let newest = inner.state.recorded().iter().rev().take(MAX_REQUESTS);
    json!({
        "clock": { "now": millis(now), "written": rfc3339(now), "manual": inner.clock.is_manual() },
        "platforms": platforms.collect::<Vec<Value>>(),
        "faults": faults.collect::<Vec<Value>>(),
        "requests": newest.map(request_json).collect::<Vec<Value>>(),
    })
}

fn resource_json(resource: &ResourceSummary) -> Value {
    json!({
        "kind": resource.kind,
        "name": truncate_value(&resource.name),
        "deployment": resource.deployment,
        "state": truncate_value(&resource.state),
        "since": millis(resource.since),
        "address": resource.address.as_deref().map(truncate_value),
    })
}

fn fault_json(injected: &InjectedFault) -> Value {
    json!({
        "fault": truncate_value(&injected.fault.to_string()),
        "matched": injected.matched,
        "applied": injected.applied,
        "pending": injected.is_pending(),
    })
}

fn request_json(recorded: &RecordedRequest) -> Value {
    let in_request = recorded.request_violations.iter().map(ToString::to_string);
    let in_reply = recorded.reply_violations.iter();
    let in_reply = in_reply.map(|problem| format!("reply {problem}"));
    let problems = in_request.chain(in_reply).map(|text| truncate_value(&text));
    let fault = recorded.fault.as_ref().map(ToString::to_string);
    json!({
        "number": recorded.number,
        "at": millis(recorded.at),
        "platform": recorded.platform.to_string(),
        "method": truncate_value(recorded.method.as_str()),
        "path": truncate_value(&recorded.redacted_path()),
        "operation": recorded.operation,
        "status": recorded.status,
        "refusal": recorded.redacted_refusal().map(|reason| truncate_value(&reason)),
        "fault": fault.map(|fault| truncate_value(&fault)),
        "problems": problems.collect::<Vec<String>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ip_addresses_and_localhost_are_allowed_hosts() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:4000",
            "[::1]:4000",
            "[::1]",
            "localhost",
            "LocalHost:1",
            "192.0.2.7:80",
        ] {
            assert!(is_allowed_host(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "127.0.0.1.example.com:4000",
            "localhost.example.com",
            "x",
            "::1]",
            "local",
        ] {
            assert!(!is_allowed_host(host), "{host}");
        }
    }
}
