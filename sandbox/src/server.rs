//! A loopback server around the state machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::access::{DployrAccess, EdgegapAccess, NexlayerAccess, NodionAccess};
use crate::courier::Courier;
use crate::model::{Platform, Recorded, Reply, Request};
use crate::state::{Builder, State};
use crate::webhook::Webhook;

/// A body beyond this is refused. No platform documents a limit, and no honest request comes near.
const BODY_LIMIT: usize = 1 << 20;
/// A body between the two is still read: to close the connection on a client that is sending would take away the reply.
const READ_LIMIT: usize = 16 << 20;

/// The four platforms on four ports of 127.0.0.1, until it is dropped.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use deploykit_sandbox::Sandbox;
///
/// let sandbox = Sandbox::start().await?;
/// let (url, token) = (&sandbox.edgegap().base_url, &sandbox.edgegap().token);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    nexlayer: NexlayerAccess,
    dployr: DployrAccess,
    nodion: NodionAccess,
    edgegap: EdgegapAccess,
    /// Its end tells the listeners to stop; a request that is being answered is answered first.
    _running: watch::Sender<()>,
    _courier: Courier,
}

#[derive(Debug)]
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    /// There may be a webhook to send, or an end.
    news: Condvar,
}

#[derive(Debug)]
struct Inner {
    state: State,
    ahead: Duration,
    ended: bool,
}

impl Sandbox {
    /// Starts a sandbox with the defaults, on free ports.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Sets up a sandbox first.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where Nexlayer listens.
    pub fn nexlayer(&self) -> &NexlayerAccess {
        &self.nexlayer
    }

    /// Where dployr listens and what opens it.
    pub fn dployr(&self) -> &DployrAccess {
        &self.dployr
    }

    /// Where Nodion listens and what opens it.
    pub fn nodion(&self) -> &NodionAccess {
        &self.nodion
    }

    /// Where Edgegap listens and what opens it.
    pub fn edgegap(&self) -> &EdgegapAccess {
        &self.edgegap
    }

    /// The latest requests to all platforms, oldest first; at most 1000, and 16 MiB of bodies.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().state.requests()
    }

    /// The latest requests to one platform, oldest first.
    pub fn requests_to(&self, platform: Platform) -> Vec<Recorded> {
        self.shared.lock().state.requests_to(platform)
    }

    /// Moves the clock of the platforms forward, for all requests from now on.
    pub fn advance(&self, by: Duration) {
        let mut inner = self.shared.lock();
        inner.ahead = inner.ahead.saturating_add(by);
        self.shared.news.notify_one();
    }
}

impl Builder {
    /// Starts the server.
    ///
    /// # Errors
    /// When a port is taken or no port can be had.
    pub async fn start(self) -> io::Result<Sandbox> {
        let mut state = self.state();
        let mut listeners = Vec::new();
        let mut urls = [const { String::new() }; 4];
        for (offset, (platform, url)) in (0..).zip(Platform::ALL.into_iter().zip(&mut urls)) {
            let port = if self.port == 0 {
                Some(0)
            } else {
                self.port.checked_add(offset)
            };
            let port = port.ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "the fourth port is beyond 65535",
                )
            })?;
            // Nobody else is to reach it: the credentials are printed, and the answers made up.
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let listener = TcpListener::bind(address).await.map_err(|error| {
                io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
            })?;
            *url = format!("http://{}", listener.local_addr()?);
            listeners.push((platform, listener));
        }
        let [nexlayer, dployr, nodion, edgegap] = &urls;
        state.nexlayer_at(nexlayer);
        let (running, ends) = watch::channel(());
        let (nexlayer, dployr) = (
            state.nexlayer().access(nexlayer),
            state.dployr().access(dployr),
        );
        let (nodion, edgegap) = (
            state.nodion().access(nodion),
            state.edgegap().access(edgegap),
        );
        let shared = Arc::new(Shared {
            inner: Mutex::new(Inner {
                state,
                ahead: Duration::ZERO,
                ended: false,
            }),
            news: Condvar::new(),
        });
        let sandbox = Sandbox {
            nexlayer,
            dployr,
            nodion,
            edgegap,
            _courier: Courier::start(Arc::clone(&shared))?,
            shared,
            _running: running,
        };
        for (platform, listener) in listeners {
            let shared = Arc::clone(&sandbox.shared);
            let router = Router::new().fallback(move |request: axum::extract::Request| {
                let shared = Arc::clone(&shared);
                async move { answer(&shared, platform, request).await }
            });
            let mut ends = ends.clone();
            let until = async move {
                // Nothing is ever sent: the error is the end of the sender.
                while ends.changed().await.is_ok() {}
            };
            tokio::spawn(async move {
                // It ends without an error only; accept errors are retried inside.
                let _ = axum::serve(listener, router)
                    .with_graceful_shutdown(until)
                    .await;
            });
        }
        Ok(sandbox)
    }
}

impl Shared {
    /// A panic while the lock was held can only come from a test's thread; the state is whole between two requests.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for webhooks that are due, or until that moment, when there may be none; nothing at the end.
    pub(crate) fn next_webhooks(&self, until: Option<Instant>) -> Option<Vec<Webhook>> {
        let mut inner = self.lock();
        while !inner.ended {
            let now = inner.now();
            let due = inner.state.webhooks_due(now);
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if !due.is_empty() || left.is_some_and(|left| left.is_zero()) {
                return Some(due);
            }
            let next = inner
                .state
                .next_webhook(now)
                .map(|at| at.saturating_sub(now));
            inner = match next.into_iter().chain(left).min() {
                None => self
                    .news
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let woken = self.news.wait_timeout(inner, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        None
    }

    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.news.notify_one();
    }
}

impl Inner {
    /// The clock of the platforms.
    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap_or_default().saturating_add(self.ahead)
    }
}

async fn answer(shared: &Shared, platform: Platform, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut request = Request::new(parts.method.as_str(), target);
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        request.headers.push((name.as_str().to_owned(), value));
    }
    let body = to_bytes(body, READ_LIMIT)
        .await
        .ok()
        .filter(|body| body.len() <= BODY_LIMIT);
    let mut inner = shared.lock();
    let reply = match body {
        Some(body) => {
            request.body = body.to_vec();
            let now = inner.now();
            let reply = inner.state.handle(platform, &request, now);
            shared.news.notify_one();
            reply
        }
        None => {
            inner.state.record(platform, &request, 413);
            Reply::text(413, "text/plain", "the sandbox takes bodies up to 1 MiB")
        }
    };
    respond(reply)
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        let name = axum::http::HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
