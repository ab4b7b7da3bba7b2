//! A function that replaces the network, and the form of the requests that such a function receives.

use super::{CannedReply, examples};
use crate::error::{Error, Result};
use crate::operation::find_route;
use crate::preview::RequestPreview;
use crate::transport::builder::ClientBuilder;
use crate::transport::platform::Platform;
use crate::transport::redact::RequestParts;
use crate::transport::send::{FakeNetwork, FakeResponse};
use http::{HeaderMap, header};
use reqwest::Url;
use std::sync::Arc;

/// Headers that the HTTP client adds for the connection.
const CONNECTION_HEADERS: [http::HeaderName; 5] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

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

/// Converts a received request to the redacted form of the recorder.
///
/// Use it to compare a request with one of a [`Recorder`](super::Recorder), or to log the requests of your
/// own stub server. The operation is looked up by method and path, after any base path. Unknown query
/// parameters count as added by the caller, so their values are redacted.
///
/// ```
/// # #[cfg(feature = "edgegap")] {
/// use deploykit::{edgegap::Edgegap, http::Request, testing::describe};
/// let received = Request::get("/v1/status/a69f8e3e0555").header("authorization", "token hush").body("").unwrap();
/// let shown = describe::<Edgegap>(&received);
/// assert_eq!(shown.operation, Some("get_deployment"));
/// assert_eq!(shown.to_string(), "GET /v1/status/a69f8e3e0555\nauthorization: <redacted>");
/// # }
/// ```
pub fn describe<P: Platform>(request: &http::Request<impl AsRef<[u8]>>) -> RequestPreview {
    let profile = P::profile();
    let target = request.uri().path_and_query();
    let target = target.map_or("/", |target| target.as_str());
    let url = Url::parse(&format!("http://server{target}")).expect("any path is part of a URL");
    let (operation, base) = find_route(profile.api, request.method().as_str(), url.path());
    let known = operation.and_then(examples::of_operation);
    let mut added: Vec<_> = url.query_pairs().into_owned().collect();
    added.retain(|(name, _)| known.is_none_or(|known| !known.query.contains(&name.as_str())));
    let mut headers: HeaderMap = request.headers().clone();
    for name in CONNECTION_HEADERS {
        headers.remove(name);
    }
    let body = request.body().as_ref();
    RequestParts {
        profile,
        base_url: &format!("http://server{base}"),
        operation,
        method: request.method(),
        url: &url,
        headers: &headers,
        body: Some(body).filter(|body| !body.is_empty()),
        added_query: &added,
        added_fields: &[],
        is_probe: false,
    }
    .describe()
}
