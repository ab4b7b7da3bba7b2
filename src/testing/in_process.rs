//! A function in the place of the network.

use super::CannedReply;
use crate::error::{Error, Result};
use crate::transport::builder::ClientBuilder;
use crate::transport::platform::Platform;
use crate::transport::redact::Parts;
use crate::transport::send::{Answer, Reaction};
use std::sync::Arc;

struct InProcess<F>(F);

impl<F, R> Answer for InProcess<F>
where
    F: Fn(http::Request<Vec<u8>>) -> R + Send + Sync,
    R: Into<CannedReply>,
{
    fn answer(&self, sent: &Parts<'_>) -> Result<Reaction> {
        (self.0)(whole(sent)?).into().into_reaction()
    }
}

/// The request as it goes over the wire, with credentials, which are marked as sensitive.
pub(super) fn whole(sent: &Parts<'_>) -> Result<http::Request<Vec<u8>>> {
    let mut request = http::Request::new(sent.body.unwrap_or_default().to_vec());
    *request.method_mut() = sent.method.clone();
    *request.uri_mut() = sent
        .url
        .as_str()
        .parse()
        .map_err(|error: http::uri::InvalidUri| {
            // Without the address, which may hold a token.
            Error::invalid_request("the address of the request is not a URI").with_source(error)
        })?;
    *request.headers_mut() = sent.headers.clone();
    Ok(request)
}

impl<P: Platform> ClientBuilder<P> {
    /// Passes every request to a function in the place of the network. Feature `testing`.
    ///
    /// The function gets the whole request with the absolute address and the credentials, which are
    /// marked as sensitive. It returns an `http::Response`, or a [`CannedReply`] for a failure of the
    /// network. As with a [`recorder`](Self::recorder), the client does not retry and does not pace
    /// calls, unless [`retry`](Self::retry) and [`pacing`](Self::pacing) are set.
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
        self.wire = Some(Arc::new(InProcess(platform)));
        self
    }
}
