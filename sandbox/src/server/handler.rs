//! From a request on the wire to the state machine, and back.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Response;
use hyper::body::{Bytes, Incoming};

use super::connections::{Port, ended};
use super::faulty_reply::Broken;
use crate::faults::{Delivery, Outcome};
use crate::page;
use crate::reply::Reply;
use crate::request::Request;

/// The largest body that is read.
const BODY_LIMIT: usize = 1 << 20;
/// The time that a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

pub(super) async fn answer(
    port: &Port,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let (mut request, body) = Request::from_http(request);
    let body = match read(body).await {
        Ok(body) => body,
        Err(reply) => {
            let mut inner = port.shared.lock();
            let now = inner.clock.tick();
            inner.state.record(port.platform, request, &reply, now);
            drop(inner);
            port.shared.tell();
            return Ok(reply.into_http());
        }
    };
    request.body = body;
    let (outcome, now) = {
        let mut inner = port.shared.lock();
        if page::is_wanted(&request) {
            return Ok(page::reply(&inner, &request).into_http());
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
        tokio::select! {
            // Nobody moves a driven clock after the end of the server.
            () = ended(port.ends.clone()) => {
                let delivery = Delivery::Never;
                return Err(Broken { reply, delivery });
            }
            () = port.shared.until(now.saturating_add(delay)) => {}
        }
    }
    match delivery {
        Delivery::Whole => return Ok(reply.into_http()),
        Delivery::Never => ended(port.ends.clone()).await,
        Delivery::Reset | Delivery::Truncated(_) | Delivery::Dribbled { .. } => {}
    }
    Err(Broken { reply, delivery })
}

async fn read(body: Incoming) -> Result<Vec<u8>, Reply> {
    let refuse = |status, words| Err(Reply::new(status, "text/plain", words));
    let body = Limited::new(body, BODY_LIMIT).collect();
    match tokio::time::timeout(BODY_TIME, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(_)) => refuse(413, "the body ended early or has more than 1 MiB"),
        Err(_) => refuse(408, "the body did not arrive in time"),
    }
}
