//! Requests that a server received, in the form of the recorder.

use super::examples;
use crate::operation::{OPERATIONS, Operation};
use crate::preview::RequestPreview;
use crate::transport::config::Platform;
use crate::transport::describe::Parts;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// Headers that the connection adds.
const CONNECTION_HEADERS: [http::HeaderName; 5] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Describes a request that a server received as a [`Recorder`](super::Recorder) does, redacted.
///
/// Use it to compare the two, or to log what a stub of a platform received. The operation is looked up
/// by method and path; the path of a base URL in front is ignored. Query parameters that the operation
/// does not have count as added by the caller, and their values are redacted.
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
    let Ok(url) = Url::parse(&format!("http://server{target}")) else {
        // `OPTIONS *`
        return nothing(profile.api, request.method());
    };
    let (operation, base) = operation_of(profile.api, request.method().as_str(), url.path());
    let known = operation.and_then(examples::known);
    let mut by_hand: Vec<_> = url.query_pairs().into_owned().collect();
    by_hand.retain(|(name, _)| known.is_none_or(|known| !known.query.contains(&name.as_str())));
    let mut headers: HeaderMap = request.headers().clone();
    for name in CONNECTION_HEADERS {
        headers.remove(name);
    }
    let body = request.body().as_ref();
    Parts {
        profile,
        base_url: &format!("http://server{base}"),
        operation,
        method: request.method(),
        url: &url,
        headers: &headers,
        body: Some(body).filter(|body| !body.is_empty()),
        by_hand: &by_hand,
        probe: false,
    }
    .describe()
}

fn nothing(api: &'static str, method: &http::Method) -> RequestPreview {
    RequestPreview {
        version: crate::CANONICAL_VERSION,
        api,
        operation: None,
        method: method.to_string(),
        base_url: String::new(),
        path: String::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body: crate::PreviewBody::None,
    }
}

/// Looks up the operation of a request, and the path of the base URL in front of it.
fn operation_of<'a>(
    api: &str,
    method: &str,
    path: &'a str,
) -> (Option<&'static Operation>, &'a str) {
    let candidates = OPERATIONS
        .iter()
        .filter(|operation| operation.api == api && operation.method == method)
        .filter_map(|operation| {
            let fit = fit(operation.path, path)?;
            Some((operation, fit))
        });
    // Prefer the longest template, then the one with the most literals.
    let best = candidates.max_by_key(|(_, fit)| (fit.segments, fit.literals));
    match best {
        Some((operation, fit)) => (Some(operation), path.get(..fit.base).unwrap_or_default()),
        None => (None, ""),
    }
}

struct Fit {
    segments: usize,
    literals: usize,
    /// The length of the path in front of the template.
    base: usize,
}

fn fit(template: &str, path: &str) -> Option<Fit> {
    let mut rest = path;
    let mut fit = Fit {
        segments: 0,
        literals: 0,
        base: 0,
    };
    for step in template.rsplit('/').filter(|step| !step.is_empty()) {
        let (before, segment) = rest.rsplit_once('/')?;
        rest = before;
        fit.segments += 1;
        if step.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
        } else if percent_decode_str(segment).decode_utf8_lossy() == step {
            // Servers route by the decoded segment.
            fit.literals += 1;
        } else {
            return None;
        }
    }
    fit.base = rest.len();
    Some(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_win_and_base_paths_are_cut_off() {
        let fits = |template, path: &'static str| fit(template, path).map(|fit| &path[..fit.base]);
        assert_eq!(fits("/v1/a/{id}", "/v1/a/x"), Some(""));
        assert_eq!(fits("/v1/a/{id}", "/sub/v1/a/x"), Some("/sub"));
        assert_eq!(fits("/v1/a/{id}", "/v1/a/"), None);
        assert_eq!(fits("/v1/a/{id}", "/v1/b/x"), None);
        assert_eq!(fits("/v1/ab/{id}", "/sub/v1/a%62/x"), Some("/sub"));
        for operation in OPERATIONS {
            let (found, base) = operation_of(operation.api, operation.method, operation.path);
            assert_eq!(found.map(|found| found.id), Some(operation.id));
            assert_eq!(base, "");
        }
    }
}
