//! The names of operations, and what a platform answers with a status that a fault asks for.

use http::StatusCode;
use serde_json::json;

use crate::contract::{Contract, Operation};
use crate::fault::Known;
use crate::model::{Platform, Reply};

/// The ids of the specs.
pub(crate) struct Specs;

impl Known for Specs {
    fn has(&self, platform: Platform, operation: &str) -> bool {
        Contract::of(platform).by_id(operation).is_some()
    }

    fn ids(&self, platform: Platform) -> Vec<&'static str> {
        let operations = Contract::of(platform).operations();
        operations.iter().map(Operation::id).collect()
    }
}

/// What the spec has for that status; where it has none, a body in the form of the platform's errors.
pub(crate) fn status_reply(
    platform: Platform,
    operation: Option<&Operation>,
    status: u16,
) -> Reply {
    let documented = operation.and_then(|operation| operation.status_reply(status));
    if let Some(reply) = documented {
        return reply;
    }
    if matches!(status, 204 | 205 | 304) {
        return Reply::empty(status);
    }
    let known = StatusCode::from_u16(status).ok();
    let words = known.and_then(|status| status.canonical_reason());
    let words = words.unwrap_or("Unknown");
    let body = match platform {
        Platform::Nexlayer => json!({ "error": words }),
        Platform::Dployr => {
            let code = words.to_ascii_lowercase().replace([' ', '-'], "_");
            json!({ "error": { "code": code, "message": words, "details": {} } })
        }
        Platform::Nodion => json!({ "status": status, "error": words }),
        Platform::Edgegap => json!({ "message": words }),
    };
    Reply::json(status, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_the_body_of_the_spec() {
        let create = Contract::of(Platform::Edgegap).by_id("create_deployment");
        let reply = status_reply(Platform::Edgegap, create, 422);
        let example = create.unwrap().example(422).unwrap();
        assert_eq!(
            (reply.header("content-type"), reply.body.as_slice()),
            (Some(example.0), example.1.as_slice())
        );
        let reply = status_reply(Platform::Edgegap, create, 503);
        assert_eq!(
            reply.json_body(),
            json!({ "message": "Service Unavailable" })
        );
        assert_eq!(status_reply(Platform::Nodion, None, 204), Reply::empty(204));
        let reply = status_reply(Platform::Dployr, None, 502);
        assert_eq!(reply.json_body()["error"]["code"], "bad_gateway");
    }
}
