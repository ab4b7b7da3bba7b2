//! Webhook calls, and the thread that sends them.
//!
//! The sender uses blocking sockets instead of the server's runtime, because tests may pause tokio's clock.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Uri;
use http::uri::Scheme;
use serde_json::Value;

use crate::platform::Platform;
use crate::server::SharedState;

/// A webhook call: a POST with a JSON body, sent once.
///
/// `Debug` redacts the URL and the body.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Webhook {
    /// The calling platform.
    pub platform: Platform,
    /// The URL, unchanged from the request that set it.
    pub url: String,
    /// The JSON body.
    pub body: Value,
}

impl Webhook {
    pub(crate) fn new(platform: Platform, url: &str, body: Value) -> Self {
        Self {
            platform,
            url: url.to_owned(),
            body,
        }
    }
}

/// How long a connection stays open for the response.
///
/// Edgegap's timeout is 10 s (the vendor's page on webhooks); dployr's code has none.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout for connecting and for writing the request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum number of open connections. A further connection closes the oldest.
const MAX_OPEN: usize = 64;

/// The thread that sends webhook calls. Dropping this value ends the thread without waiting for it.
#[derive(Debug)]
pub(crate) struct WebhookSender(Arc<SharedState>);

impl WebhookSender {
    pub(crate) fn start(shared: Arc<SharedState>) -> io::Result<Self> {
        let for_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("sandbox-webhooks".to_owned())
            .spawn(move || run(&for_thread))?;
        Ok(Self(shared))
    }
}

impl Drop for WebhookSender {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn run(shared: &SharedState) {
    let mut open = OpenConnections::default();
    while let Some(due) = shared.next_webhooks(open.next_end()) {
        open.close_expired();
        for webhook in due {
            // Failed calls are not retried: the platforms do not retry either.
            if let Ok(stream) = send(&webhook) {
                open.keep(stream);
            }
        }
    }
}

/// Connections that stay open for the receiver's response. The response is not read.
#[derive(Default)]
struct OpenConnections(VecDeque<(Instant, TcpStream)>);

impl OpenConnections {
    fn keep(&mut self, stream: TcpStream) {
        self.0
            .push_back((Instant::now() + RESPONSE_TIMEOUT, stream));
        if self.0.len() > MAX_OPEN {
            self.0.pop_front();
        }
    }

    fn close_expired(&mut self) {
        let now = Instant::now();
        self.0.retain(|(end, _)| *end > now);
    }

    fn next_end(&self) -> Option<Instant> {
        self.0.front().map(|(end, _)| *end)
    }
}

fn send(webhook: &Webhook) -> io::Result<TcpStream> {
    let target = Target::of(&webhook.url).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "webhook URLs must be http on a loopback address",
        )
    })?;
    let mut stream = target.connect()?;
    stream.set_write_timeout(Some(CONNECT_TIMEOUT))?;
    let body = webhook.body.to_string();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        target.path,
        target.authority,
        body.len(),
    );
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

/// The receiver of a call. Only loopback addresses are allowed: the sandbox makes no other connections.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    hosts: Vec<IpAddr>,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    fn of(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        let authority = url.authority()?;
        if url.scheme() != Some(&Scheme::HTTP) || authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let hosts = match host {
            "localhost" => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            _ => vec![bare.unwrap_or(host).parse().ok()?],
        };
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            // The authority has a port that is not a valid number.
            None if authority.as_str().len() > host.len() => return None,
            None => 80,
        };
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let slash = if path.starts_with('/') { "" } else { "/" };
        hosts.iter().all(IpAddr::is_loopback).then(|| Self {
            hosts,
            port,
            authority: authority.to_string(),
            path: format!("{slash}{path}"),
        })
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for host in &self.hosts {
            let address = SocketAddr::new(*host, self.port);
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_called() {
        for (url, host, port, path) in [
            (
                "http://127.0.0.1:3000/hook?a=b",
                "127.0.0.1",
                3000,
                "/hook?a=b",
            ),
            ("http://127.0.0.2/x#y", "127.0.0.2", 80, "/x"),
            ("http://127.0.0.1?a=b", "127.0.0.1", 80, "/?a=b"),
            ("http://[::1]:81", "::1", 81, "/"),
            ("http://[::1]", "::1", 80, "/"),
            ("http://localhost:82/", "127.0.0.1", 82, "/"),
        ] {
            let target = Target::of(url).unwrap();
            let host: IpAddr = host.parse().unwrap();
            assert_eq!(target.hosts[0], host, "{url}");
            assert_eq!((target.port, target.path.as_str()), (port, path), "{url}");
        }
        for url in [
            "https://127.0.0.1/",
            "http://example.com/",
            "http://198.51.100.7/",
            "http://0.0.0.0/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            "http://user@127.0.0.1/",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1/a b",
            "http://127.0.0.1/\r\nx: y",
            "http://localhost.example.com/",
            "http:///",
            "127.0.0.1",
            "",
        ] {
            assert_eq!(Target::of(url), None, "{url}");
        }
    }
}
