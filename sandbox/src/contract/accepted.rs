//! What platforms take although their spec says otherwise: the specs tell a client what to send, and a server may be
//! content with less.

use crate::dployr::Dialect;
use crate::model::Platform;

struct Accepted {
    platform: Platform,
    /// One of dployr's two, or nothing.
    dialect: Option<Dialect>,
    /// Nothing stands for all operations.
    operation: Option<&'static str>,
    /// The place of the problem. With a star at the end: whatever begins so.
    place: &'static str,
    /// Who says so.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers"))]
    evidence: &'static str,
}

const ACCEPTED: &[Accepted] = &[
    Accepted {
        platform: Platform::Nexlayer,
        dialect: None,
        operation: None,
        place: "header.content-type",
        evidence: "Nexlayer/nexlayer-mcp:services/nexlayer-api.ts sends text/yaml; other labels the platform refuses",
    },
    Accepted {
        platform: Platform::Dployr,
        dialect: CONTROL_PLANE,
        operation: None,
        place: "header.content-type",
        evidence: "seen: a deployment labelled text/plain was answered with 202",
    },
    Accepted {
        platform: Platform::Dployr,
        dialect: CONTROL_PLANE,
        operation: None,
        place: "query.*",
        evidence: "seen: pages of 0, of 1000 and of `abc` and an unknown status, each answered with 200; the other numbers \
                   and switches have a fallback too (dployr-io/dployr-base:src/routes)",
    },
    Accepted {
        platform: Platform::Dployr,
        dialect: CONTROL_PLANE,
        operation: Some("create_deployment"),
        place: "body.port",
        evidence: "seen: the text 3001 was taken for a number",
    },
    Accepted {
        platform: Platform::Dployr,
        dialect: CONTROL_PLANE,
        operation: Some("create_deployment"),
        place: "body.version",
        evidence: "dployr-io/dployr-base:src/lib/tasks/types.ts takes numbers for texts",
    },
    Accepted {
        platform: Platform::Dployr,
        dialect: CONTROL_PLANE,
        operation: Some("set_up_webhook"),
        place: "body*",
        evidence: "seen: {} was answered with 200, and nothing of a body is checked",
    },
    Accepted {
        platform: Platform::Dployr,
        dialect: CONTROL_PLANE,
        operation: Some("delete_deployment"),
        place: "body*",
        evidence: "seen: a body without a cluster is as none, and the query's cluster counts",
    },
    Accepted {
        platform: Platform::Nodion,
        dialect: None,
        operation: Some("create_deployment"),
        place: "body.image_tag",
        evidence: "https://www.nodion.com/en/docs/api/application-deployments has it as optional; what is no tag is refused \
                   by the platform",
    },
    Accepted {
        platform: Platform::Edgegap,
        dialect: None,
        operation: Some("create_deployment"),
        place: "body.require_cached_locations",
        evidence: "edgegap/openapi-specification:edgegap-v2-openapi.yaml has it as [boolean, 'null']; others are refused by \
                   the platform",
    },
    Accepted {
        platform: Platform::Edgegap,
        dialect: None,
        operation: Some("stop_deployments"),
        place: "body.filters",
        evidence: "edgegap/openapi-specification:edgegap-v1-openapi.yaml allows an empty list, and clients stop everything \
                   with it; what is no list is refused by the platform",
    },
];

const CONTROL_PLANE: Option<Dialect> = Some(Dialect::ControlPlane);

/// Whether the platform takes a request with a problem at that place.
pub(super) fn is(
    platform: Platform,
    dialect: Option<Dialect>,
    operation: &str,
    place: &str,
) -> bool {
    ACCEPTED.iter().any(|accepted| {
        accepted.platform == platform
            && accepted.dialect == dialect
            && accepted.operation.is_none_or(|id| id == operation)
            && match accepted.place.strip_suffix('*') {
                Some(begin) => place.starts_with(begin),
                None => place == accepted.place,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::super::Contract;
    use super::*;

    #[test]
    fn entries_name_operations_and_evidence() {
        for accepted in ACCEPTED {
            let contract = Contract::of(accepted.platform);
            if let Some(id) = accepted.operation {
                assert!(contract.by_id(id).is_some(), "{id}");
            }
            assert!(accepted.evidence.len() > 10, "{}", accepted.place);
        }
    }
}
