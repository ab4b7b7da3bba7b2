//! Domains: <https://www.nodion.com/en/docs/api/application-domains>.

use std::time::Duration;

use serde_json::{Value, json};

use super::applications::Application;
use super::{Now, bad_request, body_of, deleted, envelope, list, position};
use crate::ids::Ids;
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::time::rfc3339_berlin;

#[derive(Clone, Debug)]
pub(super) struct Domain {
    id: String,
    name: String,
    /// `sub` for subdomains of `nodion.app`, `main` for others, as in the reference's example.
    kind: &'static str,
    code: String,
    verified: bool,
    connected_at: Option<Duration>,
    created_at: Duration,
    updated_at: Duration,
}

impl Domain {
    /// The domain that every application has from its creation.
    pub(super) fn default_for(ids: &mut Ids, application: &str, now: Duration) -> Self {
        let label = application.to_ascii_lowercase();
        let label = label.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let name = format!("{label}-{}.nodion.app", ids.hex(6));
        Self {
            verified: true,
            // Earlier than any deployment, so that the first deployment connects the domain.
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
    pub(super) fn list_domains(&self, clock: Now) -> HandlerResult {
        let all = self.domains.iter();
        list("domains", all.map(|one| self.describe_domain(one, clock)))
    }

    pub(super) fn create_domain(
        &mut self,
        call: &Call,
        ids: &mut Ids,
        clock: Now,
    ) -> HandlerResult {
        let body = body_of(call)?;
        let name = text_field(&body, "domain_name").unwrap_or_default();
        if !is_fqdn(name) {
            // The reference has two reasons for a 400: a missing name, and a name that is not an FQDN. The
            // message is made up.
            return Err(bad_request(
                "Domain name must be a fully qualified domain name",
            ));
        }
        if self.domains.iter().any(|one| one.name == name) {
            return Err(bad_request("Domain name has already been taken"));
        }
        let new = Domain::new(ids, name.to_owned(), "main", clock.now);
        let body = self.describe_domain(&new, clock);
        self.domains.push(new);
        envelope("domain", body)
    }

    pub(super) fn delete_domain(&mut self, call: &Call) -> HandlerResult {
        let at = self.domain_at(call)?;
        self.domains.remove(at);
        deleted()
    }

    /// Verifies or connects a domain. The sandbox assumes that all DNS records exist.
    pub(super) fn verify_or_connect_domain(&mut self, call: &Call, clock: Now) -> HandlerResult {
        let at = self.domain_at(call)?;
        let mut domain = self.domains.remove(at);
        let verified = domain.verified;
        if call.id() == "verify_domain" {
            domain.verified = true;
        } else if verified {
            domain.connected_at = domain.connected_at.or(Some(clock.now));
        }
        domain.updated_at = clock.now;
        let refused = call.id() == "connect_domain" && !verified;
        // The real reply is unknown; assumed to have the envelope of the create reply.
        let body = self.describe_domain(&domain, clock);
        self.domains.insert(at, domain);
        if refused {
            // The reference requires verification before connecting. The message is made up.
            return Err(bad_request("Domain is not verified"));
        }
        envelope("domain", body)
    }

    fn domain_at(&self, call: &Call) -> Result<usize, Reply> {
        position(&self.domains, |one| one.id == call.path("domain_id"))
    }

    fn describe_domain(&self, domain: &Domain, clock: Now) -> Value {
        // A domain is connected by the next deployment (dlyx-io/nodion-gateway:CLAUDE.md).
        let connected = domain.connected_at.is_some_and(|connected| {
            self.live(clock)
                .is_some_and(|live| live.created_at >= connected)
        });
        json!({
            "id": domain.id,
            // The reference shows `available`. Before it, dlyx-io/nodion-gateway offers to verify and to
            // connect; the status `created` is an assumption.
            "status": if connected { "available" } else { "created" },
            "domain_type": domain.kind,
            "domain_name": domain.name,
            "verification_code": domain.code,
            "created_at": rfc3339_berlin(domain.created_at),
            "updated_at": rfc3339_berlin(domain.updated_at),
        })
    }
}

fn is_fqdn(name: &str) -> bool {
    let label = |label: &str| {
        let letters = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        !label.is_empty() && letters
    };
    name.contains('.') && name.split('.').all(label)
}
