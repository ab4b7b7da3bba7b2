//! From a method and a path to the operation.

use super::Operation;
use crate::model::decode_segment;

/// A segment of a path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Parameter(String),
}

/// The segments of a template such as `/v1/services/{id}`.
pub(super) fn template(path: &str) -> Vec<Segment> {
    split(path)
        .map(|segment| {
            let name = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) => Segment::Parameter(name.to_owned()),
                None => Segment::Literal(segment.to_owned()),
            }
        })
        .collect()
}

/// A route of dployr's control plane that is in no spec, and has the form of one that is: `/v1/domains/{domain}`.
const OTHER: &str = "/v1/domains/verify";

pub(super) fn find<'a>(
    operations: &'a [Operation],
    method: &str,
    path: &str,
) -> Option<&'a Operation> {
    let sent: Vec<String> = decoded(path).collect();
    if method == "GET" && path == OTHER {
        return None;
    }
    operations
        .iter()
        .filter(|operation| operation.method == method && matches(&operation.segments, &sent))
        .min_by_key(|operation| parameters(&operation.segments))
}

/// The values of the parameters, for a path that belongs to the template.
pub(super) fn values<'a>(
    template: &'a [Segment],
    path: &str,
) -> impl Iterator<Item = (&'a str, String)> {
    let sent: Vec<String> = decoded(path).collect();
    template
        .iter()
        .zip(sent)
        .filter_map(|(segment, value)| match segment {
            Segment::Literal(_) => None,
            Segment::Parameter(name) => Some((name.as_str(), value)),
        })
}

/// Which segments of a template hold no secret.
pub(super) fn open(template: &[Segment], secrets: &[String]) -> Vec<bool> {
    let is_secret = |name: &str| {
        let mut names = secrets
            .iter()
            .filter_map(|place| place.strip_prefix("path."));
        names.any(|secret| secret == name)
    };
    template
        .iter()
        .map(|segment| match segment {
            Segment::Literal(_) => true,
            Segment::Parameter(name) => !is_secret(name),
        })
        .collect()
}

/// The segments of a path as they are compared.
pub(super) fn decoded(path: &str) -> impl Iterator<Item = String> {
    split(path).map(decode_segment)
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

fn matches(template: &[Segment], sent: &[String]) -> bool {
    template.len() == sent.len()
        && template
            .iter()
            .zip(sent)
            .all(|(segment, sent)| match segment {
                Segment::Literal(literal) => literal == sent,
                // An empty one is a trailing or doubled slash, which no server takes for an id.
                Segment::Parameter(_) => !sent.is_empty(),
            })
}

/// Where the parameters are. In this order the first literal decides.
fn parameters(template: &[Segment]) -> Vec<bool> {
    template
        .iter()
        .map(|segment| matches!(segment, Segment::Parameter(_)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Contract;
    use super::*;
    use crate::model::Platform;

    #[test]
    fn literals_win_and_segments_are_decoded() {
        let id = |method: &str, path: &str| {
            let found = Contract::of(Platform::Dployr).operation(method, path);
            found.map(Operation::id)
        };
        assert_eq!(
            id("GET", "/v1/services/metrics/web"),
            Some("get_service_metrics")
        );
        assert_eq!(
            id("GET", "/v1/services/metrics/status"),
            Some("get_service_metrics")
        );
        assert_eq!(id("GET", "/v1/services/x%2Fy"), Some("get_service"));
        assert_eq!(id("GET", "/v1/%73ervices/x"), Some("get_service"));
        for nowhere in ["/v1/services/", "/v1/services//status", "/v1", "/"] {
            assert_eq!(id("GET", nowhere), None, "{nowhere}");
        }
        assert_eq!(id("get", "/v1/services"), None);
    }

    #[test]
    fn values_have_names() {
        let template = template("/v1/services/{id}/env/{key}");
        let values: Vec<_> = values(&template, "/v1/services/a%20b/env/K").collect();
        assert_eq!(values, [("id", "a b".to_owned()), ("key", "K".to_owned())]);
    }
}
