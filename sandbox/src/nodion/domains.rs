//! Domains: <https://www.nodion.com/en/docs/api/application-domains>.

use std::time::Duration;

use serde_json::{Value, json};

use super::applications::Application;
use super::{Clock, body_of, deleted, errors, not_found};
use crate::ids::Ids;
use crate::model::{Reply, Request, text_field};
use crate::time::rfc3339_berlin;

#[derive(Clone, Debug)]
pub(super) struct Domain {
    id: String,
    name: String,
    /// `sub` for the platform's own, `main` for another: the two of the example.
    kind: &'static str,
    code: String,
    verified: bool,
    connected_at: Option<Duration>,
    created_at: Duration,
    updated_at: Duration,
}

impl Domain {
    /// The one that every application is given.
    pub(super) fn given(ids: &mut Ids, application: &str, now: Duration) -> Self {
        let label: String = application
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .collect();
        let name = format!("{label}-{}.nodion.app", ids.hex(6));
        Self {
            verified: true,
            // Before any deployment, so that the first one connects it.
            connected_at: Some(Duration::ZERO),
            ..Self::new(ids, name, "sub", now)
        }
    }

    pub(super) fn address(&self) -> String {
        format!("https://{}", self.name)
    }

    fn new(ids: &mut Ids, name: String, kind: &'static str, now: Duration) -> Self {
        Self {
            id: ids.uuid(),
            name,
            kind,
            code: format!("nodion={}", ids.hex(20)),
            verified: false,
            connected_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}

impl Application {
    pub(super) fn domains_route(
        &mut self,
        request: &Request,
        rest: &[&str],
        ids: &mut Ids,
        clock: Clock,
    ) -> Result<Reply, Reply> {
        match (request.method.as_str(), rest) {
            ("GET", []) => {
                let all = self.domains.iter();
                let all: Vec<Value> = all.map(|one| self.describe_domain(one, clock)).collect();
                Ok(Reply::json(200, &json!({ "domains": all })))
            }
            (_, []) => {
                let body = body_of(request)?;
                let name = text_field(&body, "domain_name").unwrap_or_default();
                if !is_full(name) {
                    // The page has two reasons for a 400: no name, and one that is no fqdn. The words were not seen.
                    return Err(errors("Domain name must be a fully qualified domain name"));
                }
                if self.domains.iter().any(|one| one.name == name) {
                    return Err(errors("Domain name has already been taken"));
                }
                let new = Domain::new(ids, name.to_owned(), "main", clock.now);
                let body = json!({ "domain": self.describe_domain(&new, clock) });
                self.domains.push(new);
                Ok(Reply::json(200, &body))
            }
            (method, [id, rest @ ..]) => {
                let known = self.domains.iter().position(|one| one.id == *id);
                let index = known.ok_or_else(not_found)?;
                if method == "DELETE" {
                    self.domains.remove(index);
                    return Ok(deleted());
                }
                self.advance(index, rest, clock)
            }
        }
    }

    /// The DNS of the sandbox has every code.
    fn advance(&mut self, index: usize, rest: &[&str], clock: Clock) -> Result<Reply, Reply> {
        let domain = self.domains.get_mut(index).ok_or_else(not_found)?;
        match rest {
            ["verify"] => domain.verified = true,
            // First verified, then connected, says the page. The words were not seen.
            _ if !domain.verified => return Err(errors("Domain is not verified")),
            _ => domain.connected_at = domain.connected_at.or(Some(clock.now)),
        }
        domain.updated_at = clock.now;
        let domain = self.domains.get(index).ok_or_else(not_found)?;
        // In the envelope of a new one: the reply is not known.
        let body = json!({ "domain": self.describe_domain(domain, clock) });
        Ok(Reply::json(200, &body))
    }

    fn describe_domain(&self, domain: &Domain, clock: Clock) -> Value {
        // Connecting takes a deployment, says dlyx-io/nodion-gateway:CLAUDE.md.
        let connected = domain.connected_at.is_some_and(|connected| {
            self.live(clock)
                .is_some_and(|live| live.created_at >= connected)
        });
        json!({
            "id": domain.id,
            // The page shows `available`; dlyx-io/nodion-gateway offers to verify and to connect before that.
            "status": if connected { "available" } else { "created" },
            "domain_type": domain.kind,
            "domain_name": domain.name,
            "verification_code": domain.code,
            "created_at": rfc3339_berlin(domain.created_at),
            "updated_at": rfc3339_berlin(domain.updated_at),
        })
    }
}

fn is_full(name: &str) -> bool {
    let label = |label: &str| {
        let letters = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        !label.is_empty() && letters
    };
    name.contains('.') && name.split('.').all(label)
}
