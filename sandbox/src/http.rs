//! The state machine behind the types of the `http` crate, which most of Rust shares.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::model::{Platform, Reply, Request};
use crate::state::State;

impl State {
    /// As [`handle`](Self::handle), for a request and a reply of the `http` crate: what clients that take a function in
    /// the place of the network hand over, and what servers are built of.
    ///
    /// ```
    /// use std::time::Duration;
    /// use deploykit_sandbox::{Platform, Sandbox};
    ///
    /// let mut state = Sandbox::builder().state();
    /// let request = http::Request::get("/v1/health").body(Vec::new()).unwrap();
    /// let reply = state.handle_http(Platform::Dployr, request, Duration::from_secs(1_800_000_000));
    /// assert_eq!(reply.status(), 404); // the published reference has no such route
    /// ```
    pub fn handle_http(
        &mut self,
        platform: Platform,
        request: http::Request<Vec<u8>>,
        now: Duration,
    ) -> http::Response<Vec<u8>> {
        into_http(self.handle(platform, &from_http(request), now))
    }
}

pub(crate) fn from_http(request: http::Request<Vec<u8>>) -> Request {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query();
    let target = target.map_or("/", |target| target.as_str());
    let mut read = Request::new(parts.method.as_str(), target);
    read.body = body;
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        read.headers.push((name.as_str().to_owned(), value));
    }
    // A client that never opens a connection has no reason to write it down.
    if let Some(authority) = parts.uri.authority()
        && read.header(header::HOST.as_str()).is_none()
    {
        let host = authority.as_str().to_owned();
        read.headers.push((header::HOST.as_str().to_owned(), host));
    }
    read
}

pub(crate) fn into_http(reply: Reply) -> http::Response<Vec<u8>> {
    let mut written = http::Response::new(reply.body);
    *written.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            written.headers_mut().append(name, value);
        }
    }
    written
}
