//! A request that a server received, in the shape of the recorder.

use super::examples;
use crate::operation::{OPERATIONS, Operation};
use crate::preview::RequestPreview;
use crate::secret::resolved;
use crate::transport::config::Platform;
use crate::transport::describe::{Parts, pairs};
use http::{HeaderMap, header};
use reqwest::Url;

/// What the connection adds on its way, and says nothing about the meaning of a request.
const OF_THE_WAY: [http::HeaderName; 5] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Brings a request that a server received into the shape in which a [`Recorder`](super::Recorder)
/// shows it, secrets left out: to compare the two, or to show what a stand-in for a platform was
/// asked.
///
/// The operation is found by method and path, whatever path a base URL has in front of it. What no
/// operation has is shown as a request without a wrapper. A query parameter that the operation does not
/// have was added by hand, as is all of the query without a wrapper, and its value is left out.
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
        // `OPTIONS *`, which no operation is.
        return nothing(profile.api, request.method());
    };
    let (operation, base) = operation_of(profile.api, request.method().as_str(), url.path());
    let known = operation.and_then(examples::known);
    // Without a wrapper, all of a query was added by hand.
    let mut by_hand = pairs(&url);
    by_hand.retain(|(name, _)| known.is_none_or(|known| !known.query.contains(&name.as_str())));
    let mut headers: HeaderMap = request.headers().clone();
    for name in OF_THE_WAY {
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

/// The operation of a request, and the path in front of it that belongs to the base URL.
pub(super) fn operation_of<'a>(
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
    // The longest template says most, and in it a literal more than a parameter.
    let best = candidates.max_by_key(|(_, fit)| (fit.segments, fit.literals));
    match best {
        Some((operation, fit)) => (Some(operation), path.get(..fit.base).unwrap_or_default()),
        None => (None, ""),
    }
}

struct Fit {
    segments: usize,
    literals: usize,
    /// Where the template begins in the path.
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
        } else if step == segment || resolved(segment).as_deref() == Some(step) {
            // A server routes by what an escape stands for, and so a secret behind it is one.
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
    fn literals_win_and_bases_are_cut_off() {
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
