//! What to do where a server has no such route.

use crate::operation::{Evidence, Operation};

/// The advice to a call that no handler was found for.
pub(super) fn no_route(operation: Option<&Operation>) -> &'static str {
    let Some(operation) = operation else {
        return "this server has no such route";
    };
    match operation.id {
        "login" => {
            "this server has no login by password: make a personal access token there and use that, or log in with login_by_email"
        }
        "create_webhook" => {
            "dployr documents it, and a control plane has one webhook for each cluster instead: webhooks().set_up(..)"
        }
        "list_webhooks" => {
            "dployr documents it, and a control plane shows the webhook of a cluster in clusters().by_id(..).integrations() instead"
        }
        "list_routes" => {
            "dployr documents it, and a control plane has routes().services() and domains().list() instead"
        }
        "create_route" => {
            "dployr documents it, and a control plane has domains().create(..) instead"
        }
        "delete_route" => {
            "dployr documents it, and a control plane has domain(..).delete() instead"
        }
        "list_service_env" => {
            "dployr documents it, and a control plane has service(..).env().map() instead"
        }
        "get_deployment" | "set_service_env" | "delete_service_env" | "restart_service" => {
            "dployr documents it, and a client with fallbacks does the same in another way: see dployr::Via"
        }
        _ if matches!(operation.evidence, Evidence::Observed | Evidence::Source) => {
            "this server does not know that route, which dployr's control plane has: check the base URL"
        }
        _ => {
            "this server does not know that route: dployr documents it, no server was seen to have it"
        }
    }
}
