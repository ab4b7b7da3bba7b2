//! From a request on the wire to the state machine, and back.

use std::pin::pin;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::{Body, Bytes, Frame, Incoming};

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
    let (mut request, body) = Request::from_http(request);
    let limit = match port.platform {
        Platform::Nexlayer => BODY_LIMIT,
        _ => JSON_LIMIT,
    };
    let body = match read(body, limit).await {
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
            // On a clock that stands still nobody would move it any more.
            () = ended(port.ends.clone()) => return Err(Broken::Closed),
            () = port.shared.until(now.saturating_add(delay)) => {}
        }
    }
    match delivery {
        Delivery::Whole => Ok(reply.into_http()),
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

async fn read(body: impl Body<Data = Bytes>, limit: usize) -> Result<Vec<u8>, Reply> {
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    let refuse = |status, words: &str| Err(Reply::new(status, "text/plain", words));
    match tokio::time::timeout(BODY_TIME, collect(body, limit)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(words)) => refuse(413, &words),
        Err(_) => refuse(408, "the body did not come in time"),
    }
}

/// What is too much is read and not kept: all connections together could send more than the machine has.
async fn collect(body: impl Body<Data = Bytes>, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = pin!(body);
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map(Frame::into_data) else {
            return Err("the body broke off".to_owned());
        };
        // Trailers are none of the body.
        let data = data.unwrap_or_default();
        length = length.saturating_add(data.len());
        if length > READ_LIMIT {
            return Err("the sandbox does not read a body of that size".to_owned());
        }
        if length > limit {
            kept = Vec::new();
        } else {
            kept.extend_from_slice(&data);
        }
    }
    if length > limit {
        let limit = limit >> 10;
        return Err(format!("the sandbox takes bodies up to {limit} KiB here"));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use super::*;

    /// A piece of a body that can be told from all others as long as somebody has it.
    struct Piece(Vec<u8>, #[expect(dead_code, reason = "counted")] Arc<()>);

    impl AsRef<[u8]> for Piece {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    /// So many pieces, and how many were held at a time.
    struct Flood {
        left: usize,
        held: Arc<()>,
        most: usize,
    }

    impl Body for &mut Flood {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.most = self.most.max(Arc::strong_count(&self.held));
            if self.left == 0 {
                return Poll::Ready(None);
            }
            self.left -= 1;
            let piece = Piece(vec![0; JSON_LIMIT], Arc::clone(&self.held));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
        }
    }

    #[tokio::test]
    async fn what_is_refused_is_read_and_not_kept() {
        for (pieces, read_of_them, status) in [
            (1, 1, None),
            (2, 2, Some(413)),
            (256, 256, Some(413)),
            (300, 257, Some(413)),
        ] {
            let mut flood = Flood {
                left: pieces,
                held: Arc::default(),
                most: 0,
            };
            let answer = read(&mut flood, JSON_LIMIT).await;
            assert_eq!(
                answer.err().map(|reply| reply.status.as_u16()),
                status,
                "{pieces}"
            );
            assert_eq!(pieces - flood.left, read_of_them);
            assert!(flood.most <= 2, "{pieces}: {} held", flood.most);
        }
    }
}
