//! Converts requests that a server received to the form of the recorder.

use super::examples;
use crate::operation::{OPERATIONS, Operation};
use crate::preview::RequestPreview;
use crate::transport::platform::Platform;
use crate::transport::redact::RequestParts;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
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
    let (operation, base) = operation_of(profile.api, request.method().as_str(), url.path());
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

/// Looks up the operation of a request. Also returns the base path in front of it.
fn operation_of<'a>(
    api: &str,
    method: &str,
    path: &'a str,
) -> (Option<&'static Operation>, &'a str) {
    let candidates = OPERATIONS
        .iter()
        .filter(|operation| operation.api == api && operation.method == method)
        .filter_map(|operation| Some((match_end(operation.path, path)?, operation)));
    // Prefer the longest template, then the one with the most literals.
    let best = candidates.max_by_key(|((segments, literals, _), _)| (*segments, *literals));
    best.map_or((None, ""), |((_, _, base), operation)| {
        (Some(operation), base)
    })
}

/// Matches a path template with the end of a path. Returns the number of segments, the number of
/// literal segments, and the base path in front.
fn match_end<'a>(template: &str, path: &'a str) -> Option<(usize, usize, &'a str)> {
    let (mut segments, mut literals, mut base) = (0, 0, path);
    for step in template.rsplit('/').filter(|step| !step.is_empty()) {
        let (before, segment) = base.rsplit_once('/')?;
        // Servers route by the decoded segment.
        let is_literal = percent_decode_str(segment).decode_utf8_lossy() == step;
        if !is_literal && (segment.is_empty() || !step.starts_with('{')) {
            return None;
        }
        (segments, literals, base) = (segments + 1, literals + usize::from(is_literal), before);
    }
    Some((segments, literals, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_segments_have_precedence_and_base_paths_are_split_off() {
        let base = |template, path| match_end(template, path).map(|(_, _, base)| base);
        assert_eq!(base("/v1/a/{id}", "/v1/a/x"), Some(""));
        assert_eq!(base("/v1/a/{id}", "/sub/v1/a/x"), Some("/sub"));
        assert_eq!(base("/v1/a/{id}", "/v1/a/"), None);
        assert_eq!(base("/v1/a/{id}", "/v1/b/x"), None);
        assert_eq!(base("/v1/ab/{id}", "/sub/v1/a%62/x"), Some("/sub"));
        for operation in OPERATIONS {
            let (found, base) = operation_of(operation.api, operation.method, operation.path);
            assert_eq!(found.map(|found| found.id), Some(operation.id));
            assert_eq!(base, "");
        }
    }
}
