//! What platforms take although their spec says otherwise: the specs tell a client what to send, and a server may be
//! content with less.

use crate::dployr::Dialect;
use crate::platform::Platform;

const PLANE: Option<Dialect> = Some(Dialect::ControlPlane);

/// The platform and its dialect, the operation, and the place of the problem. A star stands for all operations, and for
/// whatever begins so. The evidence stands above each entry.
const ACCEPTED: &[(Platform, Option<Dialect>, &str, &str)] = &[
    // Nexlayer/nexlayer-mcp:services/nexlayer-api.ts sends text/yaml; other labels the platform refuses.
    (Platform::Nexlayer, None, "*", "header.content-type"),
    // Seen: a deployment labelled text/plain was answered with 202.
    (Platform::Dployr, PLANE, "*", "header.content-type"),
    // Seen: pages of 0, of 1000 and of `abc` and an unknown status, each answered with 200; the other numbers and
    // switches have a fallback too (dployr-io/dployr-base:src/routes).
    (Platform::Dployr, PLANE, "*", "query.*"),
    // Seen: the text 3001 was taken for a number.
    (Platform::Dployr, PLANE, "create_deployment", "body.port"),
    // dployr-io/dployr-base:src/lib/tasks/types.ts takes numbers for texts.
    (Platform::Dployr, PLANE, "create_deployment", "body.version"),
    // Seen: {} was answered with 200, and nothing of a body is checked.
    (Platform::Dployr, PLANE, "set_up_webhook", "body*"),
    // Seen: a body without a cluster is as none, and the query's cluster counts.
    (Platform::Dployr, PLANE, "delete_deployment", "body*"),
    // https://www.nodion.com/en/docs/api/application-deployments has it as optional; what is no tag is refused by the
    // platform.
    (
        Platform::Nodion,
        None,
        "create_deployment",
        "body.image_tag",
    ),
    // edgegap/openapi-specification:edgegap-v2-openapi.yaml has it as [boolean, 'null']; others are refused by the
    // platform.
    (
        Platform::Edgegap,
        None,
        "create_deployment",
        "body.require_cached_locations",
    ),
    // edgegap/openapi-specification:edgegap-v1-openapi.yaml allows an empty list, and clients stop everything with it;
    // what is no list is refused by the platform.
    (Platform::Edgegap, None, "stop_deployments", "body.filters"),
];

/// Whether the platform takes a request with a problem at that place.
pub(crate) fn is(
    platform: Platform,
    dialect: Option<Dialect>,
    operation: &str,
    place: &str,
) -> bool {
    ACCEPTED.iter().any(|&(of, in_dialect, id, known)| {
        let at_place = match known.strip_suffix('*') {
            Some(begin) => place.starts_with(begin),
            None => place == known,
        };
        of == platform && in_dialect == dialect && (id == "*" || id == operation) && at_place
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    #[test]
    fn entries_name_operations() {
        for (platform, _, id, _) in ACCEPTED {
            assert!(
                *id == "*" || Spec::of(*platform).operation(id).is_some(),
                "{id}"
            );
        }
    }
}
