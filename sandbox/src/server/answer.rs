//! From a request on the wire to the state machine, and back.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::broken::Broken;
use super::listen::{Port, ended};
use crate::fault::{Delivery, Outcome};
use crate::model::{Platform, Reply, Request};
use crate::page;

/// A manifest beyond this is refused. No platform documents a limit, and no honest request comes near.
const BODY_LIMIT: usize = 1 << 20;
/// Any other body. Names and variables are kept as they were sent, so that this bounds what a thousand of them take.
const JSON_LIMIT: usize = 64 << 10;
/// A body between the two is still read: to close the connection on a client that is sending would take away the reply.
const READ_LIMIT: usize = 16 << 20;
/// To send a body.
const BODY_TIME: Duration = Duration::from_secs(30);

pub(super) async fn answer(
    port: &Port,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let (parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut request = Request::new(parts.method.as_str(), target);
    request.headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let limit = match port.platform {
        Platform::Nexlayer => BODY_LIMIT,
        _ => JSON_LIMIT,
    };
    let body = match read(body, limit).await {
        Ok(body) => body,
        Err(reply) => {
            let mut inner = port.shared.lock();
            let now = inner.clock.tick();
            inner
                .state
                .record(port.platform, &request, reply.status, now);
            drop(inner);
            port.shared.tell();
            return Ok(respond(reply));
        }
    };
    request.body = body;
    let (outcome, now) = {
        let mut inner = port.shared.lock();
        if page::is_wanted(&request) {
            return Ok(respond(page::reply(&inner, &request)));
        }
        let now = inner.clock.tick();
        (inner.state.outcome(port.platform, &request, now), now)
    };
    port.shared.tell();
    let Outcome {
        reply,
        delay,
        delivery,
    } = outcome;
    if !delay.is_zero() {
        port.shared.until(now.saturating_add(delay)).await;
    }
    match delivery {
        Delivery::Whole => Ok(respond(reply)),
        Delivery::Reset => Err(Broken::Reset),
        Delivery::Truncated(bytes) => Err(Broken::Truncated { reply, bytes }),
        Delivery::Dribbled { interval, piece } => Err(Broken::Dribbled {
            reply,
            interval,
            piece,
        }),
        Delivery::Never => {
            ended(port.ends.clone()).await;
            Err(Broken::Closed)
        }
    }
}

async fn read(body: Incoming, limit: usize) -> Result<Vec<u8>, Reply> {
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    let refuse = |status, words: &str| Err(Reply::text(status, "text/plain", words));
    let whole = Limited::new(body, READ_LIMIT).collect();
    match tokio::time::timeout(BODY_TIME, whole).await {
        Ok(Ok(body)) => {
            let body = body.to_bytes();
            if body.len() > limit {
                let limit = limit >> 10;
                return refuse(
                    413,
                    &format!("the sandbox takes bodies up to {limit} KiB here"),
                );
            }
            Ok(body.to_vec())
        }
        Ok(Err(_)) => refuse(413, "the sandbox does not read a body of that size"),
        Err(_) => refuse(408, "the body did not come in time"),
    }
}

fn respond(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
