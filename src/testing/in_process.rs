//! A function that replaces the network.

use super::CannedReply;
use crate::error::{Error, Result};
use crate::transport::builder::ClientBuilder;
use crate::transport::platform::Platform;
use crate::transport::redact::RequestParts;
use crate::transport::send::{FakeNetwork, FakeResponse};
use std::sync::Arc;

struct InProcess<F>(F);

impl<F, R> FakeNetwork for InProcess<F>
where
    F: Fn(http::Request<Vec<u8>>) -> R + Send + Sync,
    R: Into<CannedReply>,
{
    fn answer(&self, sent: &RequestParts<'_>) -> Result<FakeResponse> {
        (self.0)(http_request(sent)?).into().into_fake_response()
    }
}

/// The request as sent, with credentials, whose headers are marked as sensitive.
pub(super) fn http_request(sent: &RequestParts<'_>) -> Result<http::Request<Vec<u8>>> {
    let mut request = http::Request::new(sent.body.unwrap_or_default().to_vec());
    *request.method_mut() = sent.method.clone();
    *request.uri_mut() = sent
        .url
        .as_str()
        .parse()
        .map_err(|error: http::uri::InvalidUri| {
            // Without the URL, which may contain a token.
            Error::invalid_request("the URL of the request is not a valid `http::Uri`")
                .with_source(error)
        })?;
    *request.headers_mut() = sent.headers.clone();
    Ok(request)
}

impl<P: Platform> ClientBuilder<P> {
    /// Passes all requests to a function instead of the network. Feature `testing`.
    ///
    /// The request has an absolute URL and the real credentials, whose headers are marked as sensitive.
    /// The function returns an `http::Response`, or a [`CannedReply`] to simulate a network failure. The
    /// client neither retries nor paces calls, unless [`retry`](Self::retry) or
    /// [`pacing`](Self::pacing) is set.
    ///
    /// ```
    /// # fn example<P: deploykit::Platform>(builder: deploykit::ClientBuilder<P>) -> deploykit::ClientBuilder<P> {
    /// use deploykit::http::{Request, Response};
    /// builder.in_process(|request: Request<Vec<u8>>| {
    ///     assert!(request.headers().contains_key("authorization"));
    ///     Response::builder().status(503).body(Vec::new()).unwrap()
    /// })
    /// # }
    /// ```
    pub fn in_process<R: Into<CannedReply> + 'static>(
        mut self,
        platform: impl Fn(http::Request<Vec<u8>>) -> R + Send + Sync + 'static,
    ) -> Self {
        self.fake_network = Some(Arc::new(InProcess(platform)));
        self
    }
}
