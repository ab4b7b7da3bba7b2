//! The page at `/` of each port: what is deployed, which faults there are, and the last requests.
//!
//! Credentials are not on it. It still tells of what runs here, so it is for this machine's user and not for a web site
//! that has its own name point at 127.0.0.1: who asks must have called the sandbox by an address or by `localhost`.

mod html;

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::deployed::Deployed;
use crate::model::{Platform, Recorded, Reply, Request};
use crate::server::Inner;
use crate::short::for_a_line;
use crate::time::{millis, rfc3339};

/// Requests on the page.
const MOST_REQUESTS: usize = 30;
/// Things of each platform on the page.
const MOST_DEPLOYED: usize = 50;

/// What the page shows.
struct View {
    now: Duration,
    driven: bool,
    platforms: Vec<OfPlatform>,
    faults: Vec<OfFault>,
    /// The newest first.
    requests: Vec<OfRequest>,
    refresh: Option<u64>,
}

struct OfPlatform {
    platform: Platform,
    url: String,
    deployed: Vec<Deployed>,
    /// How many more there are.
    more: usize,
}

struct OfFault {
    text: String,
    seen: u64,
    used: u64,
    left: bool,
}

struct OfRequest {
    number: u64,
    at: Duration,
    platform: Platform,
    method: String,
    path: String,
    operation: Option<&'static str>,
    status: u16,
    fault: Option<String>,
    problems: Vec<String>,
}

/// Whether a request is for the page, and not for a site of Nexlayer's, whose root is a path too.
pub(crate) fn is_wanted(request: &Request) -> bool {
    let host = request.header("host").unwrap_or_default();
    request.path == "/"
        && matches!(request.method.as_str(), "GET" | "HEAD")
        && !host_name(host).ends_with(".nexlayer.ai")
}

pub(crate) fn reply(inner: &Inner, request: &Request) -> Reply {
    if !request.header("host").is_none_or(is_ours) {
        let words =
            "the sandbox shows its page to those who call it by an address or by localhost\n";
        return Reply::text(421, "text/plain; charset=utf-8", words);
    }
    let mut view = View::of(inner);
    let reply = if wants_json(request) {
        Reply::json(200, &view.json())
    } else {
        let refresh = request.query_value("refresh");
        let seconds = refresh.and_then(|text| text.parse().ok());
        view.refresh = seconds.filter(|seconds| (1..=3_600).contains(seconds));
        Reply::text(200, "text/html; charset=utf-8", &view.html())
    };
    reply
        .with_header("cache-control", "no-store")
        .with_header(
            "content-security-policy",
            // The icon is an empty one in the page, so that no browser asks a platform for one.
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

/// The name of a `Host` header, without its port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

/// An address was typed and not looked up, and nobody else can own `localhost`.
fn is_ours(host: &str) -> bool {
    let name = host_name(host);
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost") || bare.unwrap_or(name).parse::<IpAddr>().is_ok()
}

impl View {
    fn of(inner: &Inner) -> Self {
        let now = inner.clock.now();
        let driven = inner.clock.is_driven();
        let platforms = Platform::ALL.into_iter().zip(&inner.urls);
        let platforms = platforms.map(|(platform, url)| {
            let mut deployed = inner.state.deployed(platform, now);
            let more = deployed.len().saturating_sub(MOST_DEPLOYED);
            deployed.truncate(MOST_DEPLOYED);
            OfPlatform {
                platform,
                url: url.clone(),
                deployed: deployed.into_iter().map(shortened).collect(),
                more,
            }
        });
        let faults = inner.state.faults().iter().map(|one| OfFault {
            text: for_a_line(&one.fault.to_string()),
            seen: one.seen,
            used: one.used,
            left: one.is_left(),
        });
        let newest = inner.state.recorded().iter().rev().take(MOST_REQUESTS);
        Self {
            now,
            driven,
            platforms: platforms.collect(),
            faults: faults.collect(),
            requests: newest.map(OfRequest::of).collect(),
            refresh: None,
        }
    }

    fn json(&self) -> Value {
        let platforms: Vec<Value> = self.platforms.iter().map(OfPlatform::json).collect();
        let faults = self.faults.iter().map(|one| {
            json!({ "fault": one.text, "seen": one.seen, "used": one.used, "left": one.left })
        });
        let requests = self.requests.iter().map(|one| {
            json!({
                "number": one.number,
                "at": millis(one.at),
                "platform": one.platform.to_string(),
                "method": one.method,
                "path": one.path,
                "operation": one.operation,
                "status": one.status,
                "fault": one.fault,
                "problems": one.problems,
            })
        });
        json!({
            "clock": { "now": millis(self.now), "written": rfc3339(self.now), "driven": self.driven },
            "platforms": platforms,
            "faults": faults.collect::<Vec<Value>>(),
            "requests": requests.collect::<Vec<Value>>(),
        })
    }
}

impl OfPlatform {
    fn json(&self) -> Value {
        let deployed = self.deployed.iter().map(|one| {
            json!({
                "kind": one.kind,
                "name": one.name,
                "deployment": one.deployment,
                "state": one.state,
                "since": millis(one.since),
                "address": one.address,
            })
        });
        json!({
            "platform": self.platform.to_string(),
            "base_url": self.url,
            "deployed": deployed.collect::<Vec<Value>>(),
            "more": self.more,
        })
    }
}

impl OfRequest {
    fn of(recorded: &Recorded) -> Self {
        let asked = recorded.request_problems.iter().map(ToString::to_string);
        let answered = recorded.reply_problems.iter();
        let answered = answered.map(|problem| format!("reply {problem}"));
        Self {
            number: recorded.number,
            at: recorded.at,
            platform: recorded.platform,
            method: for_a_line(&recorded.method),
            path: for_a_line(&recorded.open_path()),
            operation: recorded.operation,
            status: recorded.status,
            fault: recorded
                .fault
                .as_ref()
                .map(|fault| for_a_line(&fault.to_string())),
            problems: asked
                .chain(answered)
                .map(|text| for_a_line(&text))
                .collect(),
        }
    }
}

fn shortened(one: Deployed) -> Deployed {
    Deployed {
        name: for_a_line(&one.name),
        state: for_a_line(&one.state),
        address: one.address.as_deref().map(for_a_line),
        ..one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_for_those_who_call_it_by_address() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:4000",
            "[::1]:4000",
            "[::1]",
            "localhost",
            "LocalHost:1",
            "192.0.2.7:80",
        ] {
            assert!(is_ours(host), "{host}");
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
            assert!(!is_ours(host), "{host}");
        }
    }
}
