//! Accepts and serves the connections of one platform, with limits against misbehaving clients.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::faulty_reply::FaultyReply;
use super::handler::answer;
use super::shared_state::SharedState;
use crate::platform::Platform;

/// Maximum number of connections to all ports together. Further connections wait.
const MAX_CONNECTIONS: usize = 512;
/// Timeout for receiving the head of each request on a connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum bytes of a request head.
const HEAD_LIMIT: usize = 64 << 10;
/// Pause after a failed accept, usually for lack of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// The listener of one platform.
#[derive(Clone)]
pub(super) struct PlatformListener {
    pub(super) platform: Platform,
    pub(super) shared: Arc<SharedState>,
    pub(super) shutdown: watch::Receiver<()>,
    pub(super) permits: Arc<Semaphore>,
}

pub(super) fn connection_permits() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MAX_CONNECTIONS))
}

/// Completes when the sandbox is dropped.
pub(super) async fn shut_down(mut shutdown: watch::Receiver<()>) {
    // No value is ever sent. An error means that the sender was dropped.
    while shutdown.changed().await.is_ok() {}
}

impl PlatformListener {
    pub(super) async fn listen(self, listener: TcpListener) {
        let mut end = pin!(shut_down(self.shutdown.clone()));
        loop {
            let next = async {
                let accepted = listener.accept().await;
                (accepted, Arc::clone(&self.permits).acquire_owned().await)
            };
            let (accepted, permit) = tokio::select! {
                () = &mut end => return,
                next = next => next,
            };
            match accepted {
                Ok((stream, _)) => {
                    let platform = self.clone();
                    tokio::spawn(async move {
                        platform.serve(stream).await;
                        drop(permit);
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
            }
        }
    }

    async fn serve(self, stream: TcpStream) {
        // Without Nagle's algorithm, which delays small replies.
        let _ = stream.set_nodelay(true);
        // A faulty reply is written to the socket after hyper has released it.
        let faulty_reply: Arc<Mutex<Option<FaultyReply>>> = Arc::default();
        let service = service_fn(|request| {
            let (platform, faulty_reply) = (self.clone(), Arc::clone(&faulty_reply));
            Box::pin(async move {
                answer(&platform, request).await.map_err(|reply| {
                    *faulty_reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
                    NoReply
                })
            })
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        let mut end = pin!(shut_down(self.shutdown.clone()));
        let mut ending = false;
        let serve = poll_fn(|cx| {
            if !ending && end.as_mut().poll(cx).is_ready() {
                ending = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            connection.poll_without_shutdown(cx)
        });
        // The connection ends after a success and after an error.
        let _ = serve.await;
        let mut stream = connection.into_parts().io.into_inner();
        let reply = faulty_reply
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match reply {
            Some(reply) => {
                let send = reply.send(stream, &self.shared);
                tokio::select! {
                    () = shut_down(self.shutdown.clone()) => {}
                    () = send => {}
                }
            }
            None => {
                let _ = stream.shutdown().await;
            }
        }
    }
}

/// An error that makes hyper write no reply.
#[derive(Debug)]
struct NoReply;

impl std::fmt::Display for NoReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no reply")
    }
}

impl std::error::Error for NoReply {}
