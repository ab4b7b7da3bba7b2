//! Passes HTTP requests to the state machine and sends its replies.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Response;
use hyper::body::{Bytes, Incoming};

use super::connections::{PlatformListener, shut_down};
use super::faulty_reply::FaultyReply;
use crate::faults::{Delivery, Outcome};
use crate::page;
use crate::reply::Reply;
use crate::request::Request;

/// Maximum bytes of a request body.
const BODY_LIMIT: usize = 1 << 20;
/// How often a silent stream looks for its first line. The real server does it every two seconds.
const STREAM_INTERVAL: Duration = Duration::from_millis(100);
/// A stream without a line begins and ends after this time, because other tools give up after ten seconds.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);
/// Timeout for receiving a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Responds to one request and records it. The error is a reply that the connection must send with its fault.
pub(super) async fn answer(
    listener: &PlatformListener,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, FaultyReply> {
    let (mut request, body) = Request::from_http(request);
    let body = match read(body).await {
        Ok(body) => body,
        Err(reply) => {
            let mut inner = listener.shared.lock();
            let now = inner.clock.tick();
            inner.state.record(listener.platform, request, &reply, now);
            drop(inner);
            listener.shared.notify_request();
            return Ok(reply.into_http());
        }
    };
    request.body = body;
    let (mut outcome, now) = {
        let mut inner = listener.shared.lock();
        if page::is_page_request(&request) {
            return Ok(page::reply(&inner, &request).into_http());
        }
        let now = inner.clock.tick();
        (inner.state.outcome(listener.platform, &request, now), now)
    };
    listener.shared.notify_request();
    let silent_until = tokio::time::Instant::now() + LONGEST_SILENCE;
    while outcome.delivery == Delivery::Silent {
        if tokio::time::Instant::now() >= silent_until {
            outcome.delivery = Delivery::Complete;
            break;
        }
        tokio::select! {
            () = shut_down(listener.shutdown.clone()) => break,
            () = tokio::time::sleep(STREAM_INTERVAL) => {}
        }
        let inner = listener.shared.lock();
        // A copy, because the request is recorded and counted once.
        let mut state = inner.state.clone();
        outcome = state.outcome(listener.platform, &request, inner.clock.now());
    }
    let Outcome {
        reply,
        delay,
        delivery,
    } = outcome;
    if !delay.is_zero() {
        tokio::select! {
            // After the sandbox is dropped, a manual clock no longer moves.
            () = shut_down(listener.shutdown.clone()) => {
                let delivery = Delivery::NoReply;
                return Err(FaultyReply { reply, delivery });
            }
            () = listener.shared.sleep_until(now.saturating_add(delay)) => {}
        }
    }
    let reply = reply.with_date(listener.shared.lock().clock.now());
    match delivery {
        Delivery::Complete => return Ok(reply.into_http()),
        Delivery::NoReply => shut_down(listener.shutdown.clone()).await,
        Delivery::Silent | Delivery::Reset | Delivery::Truncated(_) | Delivery::Dribbled { .. } => {
        }
    }
    Err(FaultyReply { reply, delivery })
}

async fn read(body: Incoming) -> Result<Vec<u8>, Reply> {
    let refuse = |status, words| Err(Reply::new(status, "text/plain", words));
    let body = Limited::new(body, BODY_LIMIT).collect();
    match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(_)) => refuse(413, "the body is incomplete or larger than 1 MiB"),
        Err(_) => refuse(408, "the body did not arrive within 30 seconds"),
    }
}
