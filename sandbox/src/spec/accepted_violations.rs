//! Requests that a platform accepts although its spec forbids them.
//!
//! The specs describe the requests of a correct client; servers often accept more.

use crate::dployr::Dialect;
use crate::platform::Platform;

const CONTROL_PLANE: Option<Dialect> = Some(Dialect::ControlPlane);

/// Platform, dialect, operation, and location of the violation.
///
/// The operation `*` means all operations; a `*` at the end of a location matches any suffix. The comment
/// above an entry is its evidence.
const ACCEPTED: &[(Platform, Option<Dialect>, &str, &str)] = &[
    // Nexlayer/nexlayer-mcp:services/nexlayer-api.ts sends text/yaml; the handler rejects other types.
    (Platform::Nexlayer, None, "*", "header.content-type"),
    // Observed: a deployment as text/plain got 202.
    (Platform::Dployr, CONTROL_PLANE, "*", "header.content-type"),
    // Observed: page 0, 1000 and `abc`, and an unknown status, got 200. Other numbers and
    // flags have defaults too (dployr-io/dployr-base:src/routes).
    (Platform::Dployr, CONTROL_PLANE, "*", "query.*"),
    // Observed: the string 3001 was accepted as a number.
    (
        Platform::Dployr,
        CONTROL_PLANE,
        "create_deployment",
        "body.port",
    ),
    // dployr-io/dployr-base:src/lib/tasks/types.ts accepts numbers as strings.
    (
        Platform::Dployr,
        CONTROL_PLANE,
        "create_deployment",
        "body.version",
    ),
    // Observed: {} got 200; the body is not validated.
    (Platform::Dployr, CONTROL_PLANE, "set_up_webhook", "body*"),
    // Observed: a body without a cluster is ignored, and the query's cluster is used.
    (
        Platform::Dployr,
        CONTROL_PLANE,
        "delete_deployment",
        "body*",
    ),
    // Optional in https://www.nodion.com/en/docs/api/application-deployments; the handler rejects other
    // types.
    (
        Platform::Nodion,
        None,
        "create_deployment",
        "body.image_tag",
    ),
    // edgegap/openapi-specification:edgegap-v1-openapi.yaml allows an empty list, which stops all
    // deployments; the handler rejects other types.
    (Platform::Edgegap, None, "stop_deployments", "body.filters"),
];

/// Whether the platform accepts a violation at this location.
pub(crate) fn contains(
    platform: Platform,
    dialect: Option<Dialect>,
    operation: &str,
    location: &str,
) -> bool {
    ACCEPTED
        .iter()
        .any(|&(on_platform, in_dialect, id, pattern)| {
            let location_matches = match pattern.strip_suffix('*') {
                Some(prefix) => location.starts_with(prefix),
                None => location == pattern,
            };
            on_platform == platform
                && in_dialect == dialect
                && (id == "*" || id == operation)
                && location_matches
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    #[test]
    fn entries_refer_to_existing_operations() {
        for (platform, _, id, _) in ACCEPTED {
            assert!(
                *id == "*" || Spec::of(*platform).operation(id).is_some(),
                "{id}"
            );
        }
    }
}
