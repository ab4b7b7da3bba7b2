//! The ports of a deployment, and where they are reached.

use super::{Deployment, DeploymentSummary, Port, Ports};
use crate::error::{Effect, Error, ErrorKind, Result};

impl Deployment {
    /// The port of this name, or with this number for one without a name; `None` before the
    /// deployment has it.
    pub fn port(&self, name: &str) -> Option<&Port> {
        port(self.ports.as_ref(), name)
    }

    /// Where the port of this name is reached, as `host:port`.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such port, which names those that there
    /// are. There are none before the deployment is ready.
    pub fn endpoint(&self, name: &str) -> Result<String> {
        endpoint(self.ports.as_ref(), self.fqdn.as_deref(), name)
    }
}

impl DeploymentSummary {
    /// The port of this name, or with this number for one without a name; `None` before the
    /// deployment has it.
    pub fn port(&self, name: &str) -> Option<&Port> {
        port(self.ports.as_ref(), name)
    }

    /// Where the port of this name is reached, as `host:port`.
    ///
    /// # Errors
    /// As [`Deployment::endpoint`].
    pub fn endpoint(&self, name: &str) -> Result<String> {
        endpoint(self.ports.as_ref(), self.fqdn.as_deref(), name)
    }
}

fn port<'a>(ports: Option<&'a Ports>, name: &str) -> Option<&'a Port> {
    let ports = ports?;
    let named = |port: &&Port| port.name.as_deref() == Some(name);
    ports.get(name).or_else(|| ports.values().find(named))
}

fn endpoint(ports: Option<&Ports>, host: Option<&str>, name: &str) -> Result<String> {
    let none = |why: String| Error::new(ErrorKind::NotFound, why).with_effect(Effect::None);
    let Some(port) = port(ports, name) else {
        let known: Vec<&str> = ports
            .into_iter()
            .flat_map(|ports| ports.keys().map(String::as_str))
            .collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(none(format!("there is no port {name:?}; known: {known}"))
            .with_advice("ports are known when the deployment is ready"));
    };
    // `host:port` for some protocols, and a URL for others.
    if let Some(link) = port.link.as_deref().filter(|link| !link.trim().is_empty()) {
        let address = link.split_once("://").map_or(link, |(_, address)| address);
        return Ok(address.trim_end_matches('/').trim().to_owned());
    }
    match (host, port.external) {
        (Some(host), Some(number)) => Ok(format!("{host}:{number}")),
        _ => Err(none(format!("the port {name:?} has no address yet"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_port_is_found_by_name_and_by_number() {
        let deployment: Deployment = serde_json::from_value(json!({
            "request_id": "a",
            "current_status": "Status.READY",
            "fqdn": "a.example",
            "ports": {
                "gameport": { "name": "gameport", "link": "a.example:1", "external": 1 },
                "7777": { "name": "query", "link": "https://a.example:2/", "external": 2 },
                "bare": { "external": 3 },
                "empty": { "link": "" },
            },
        }))
        .unwrap();
        for (name, endpoint) in [
            ("gameport", "a.example:1"),
            ("7777", "a.example:2"),
            ("query", "a.example:2"),
            ("bare", "a.example:3"),
        ] {
            assert_eq!(deployment.endpoint(name).unwrap(), endpoint, "{name}");
            assert!(deployment.port(name).is_some());
        }
        let error = deployment.endpoint("empty").unwrap_err();
        assert!(error.to_string().contains("no address yet"), "{error}");
        let error = deployment.endpoint("other").unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::NotFound, Effect::None)
        );
        assert!(
            error.to_string().contains("7777, bare, empty, gameport"),
            "{error}"
        );

        let sought: DeploymentSummary =
            serde_json::from_value(json!({ "request_id": "a" })).unwrap();
        assert!(sought.port("gameport").is_none());
        let error = sought.endpoint("gameport").unwrap_err();
        assert!(error.to_string().contains("known: none"), "{error}");
    }
}
