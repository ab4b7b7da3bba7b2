//! Converts requests that a server received to the form of the recorder.

use super::examples;
use crate::operation::find_route;
use crate::preview::RequestPreview;
use crate::transport::platform::Platform;
use crate::transport::redact::RequestParts;
use http::{HeaderMap, header};
use reqwest::Url;

/// Headers that the HTTP client adds for the connection.
const CONNECTION_HEADERS: [http::HeaderName; 5] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

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
