//! The four platforms: their names, the trait they implement, and routed requests.

use std::fmt;
use std::time::Duration;

use crate::clock::END;
use crate::dployr::Dialect;
use crate::reply::Reply;
use crate::request::{Request, segments};
use crate::spec::{Operation, Spec, Violation, accepted_violations};

/// One of the four platforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Nexlayer: applications from a manifest.
    Nexlayer,
    /// dployr: the user's own servers.
    Dployr,
    /// Nodion: applications from git or an image.
    Nodion,
    /// Edgegap: game servers close to players.
    Edgegap,
}

impl Platform {
    /// All platforms, in the order of their ports.
    pub const ALL: [Platform; 4] = [
        Platform::Nexlayer,
        Platform::Dployr,
        Platform::Nodion,
        Platform::Edgegap,
    ];
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Platform::Nexlayer => "nexlayer",
            Platform::Dployr => "dployr",
            Platform::Nodion => "nodion",
            Platform::Edgegap => "edgegap",
        })
    }
}

/// A request, its operation in the spec, and the time of the request.
pub(crate) struct Call<'c, 'r> {
    pub(crate) request: &'r Request,
    pub(crate) operation: Option<&'c Operation>,
    pub(crate) now: Duration,
    /// Violations of the spec.
    pub(crate) violations: Vec<Violation>,
    parameters: Vec<(String, String)>,
    segments: Vec<String>,
}

impl<'c, 'r> Call<'c, 'r> {
    pub(crate) fn new(spec: &'c Spec, request: &'r Request, now: Duration) -> Self {
        let found = spec.route(&request.method, &request.path);
        let (operation, parameters) = found.unzip();
        let parameters: Vec<_> = parameters.unwrap_or_default();
        let violations =
            operation.map(|one: &Operation| one.request_violations(request, &parameters));
        Self {
            request,
            operation,
            now: now.min(END),
            violations: violations.unwrap_or_default(),
            parameters,
            segments: segments(&request.path).collect(),
        }
    }

    /// The `operationId`; empty for routes outside the spec.
    pub(crate) fn id(&self) -> &'c str {
        self.operation.map_or("", Operation::id)
    }

    pub(crate) fn method(&self) -> &'r str {
        self.request.method.as_str()
    }

    /// The decoded value of a path parameter.
    pub(crate) fn path(&self, name: &str) -> &str {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The decoded path segments, for routes outside the spec.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The spec's example of a success: the reply to operations that have no handler.
    pub(crate) fn example(&self) -> Option<Reply> {
        let operation = self.operation?;
        operation.status_reply(operation.statuses().next()?)
    }
}

/// The state and rules of one platform.
pub(crate) trait PlatformState: Clone {
    const PLATFORM: Platform;

    /// The dialect, for dployr only.
    fn dialect(&self) -> Option<Dialect> {
        None
    }

    fn handle(&mut self, call: &Call) -> Reply;

    /// A 400 in the platform's error format, for a request that violates the spec.
    fn violation_reply(&self, violation: &Violation) -> Reply;

    /// The platform's resources, for the status page.
    fn resources(&self, now: Duration) -> Vec<ResourceSummary>;
}

/// A resource on the status page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceSummary {
    /// `application`, `deployment` or `service`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// The number of its latest deployment, if the platform numbers deployments.
    pub(crate) deployment: Option<u64>,
    /// The state in the platform's spelling.
    pub(crate) state: String,
    /// Time of the deployment or of the last change.
    pub(crate) since: Duration,
    pub(crate) address: Option<String>,
}

/// Responds to a request.
///
/// The handler runs first, because its error messages are better than those of the spec validation. If it
/// accepts a request that violates the spec, the state is restored and the reply is a 400.
pub(crate) fn answer<P: PlatformState>(platform: &mut P, call: &Call) -> Reply {
    let Some(violation) = unaccepted_violation(platform, call) else {
        return platform.handle(call);
    };
    let before = platform.clone();
    let reply = platform.handle(call);
    if reply.status.as_u16() >= 400 {
        return reply;
    }
    *platform = before;
    platform.violation_reply(violation)
}

/// The first violation that is not in the list of [`accepted_violations`].
pub(crate) fn unaccepted_violation<'a, P: PlatformState>(
    platform: &P,
    call: &'a Call,
) -> Option<&'a Violation> {
    let operation = call.operation?;
    // Without a documented 400, the format of its body is unknown, so nothing is rejected.
    operation.statuses().find(|status| *status == 400)?;
    let accepted = |location: &str| {
        accepted_violations::contains(P::PLATFORM, platform.dialect(), operation.id(), location)
    };
    call.violations
        .iter()
        .find(|violation| !accepted(&violation.location))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::SandboxBuilder;

    /// The spec plus one operation that has no handler.
    fn extended(text: &str, documented: bool) -> Spec {
        let operation = format!(
            "paths:\n  /v1/brand-new/{{name}}:\n    post:\n      operationId: make_brand_new\n      \
             x-documented: {documented}\n      responses:\n        '200':\n          description: Made.\n          \
             content:\n            application/json:\n              schema: {{type: object}}\n              \
             example: {{brand: new}}\n"
        );
        Spec::read(&text.replacen("paths:\n", &operation, 1))
    }

    fn reply_to<P: PlatformState>(platform: &mut P, spec: &Spec, authorization: &str) -> Reply {
        let request = Request::new("POST", "/v1/brand-new/a%20b");
        let request = request.with_header("authorization", authorization);
        let call = Call::new(spec, &request, Duration::from_secs(1_800_000_000));
        assert_eq!((call.id(), call.path("name")), ("make_brand_new", "a b"));
        answer(platform, &call)
    }

    #[test]
    fn an_operation_without_handler_answers_the_example_of_the_spec() {
        let state = SandboxBuilder::default().state();
        let example = serde_json::json!({ "brand": "new" });
        let spec = extended(Spec::text(Platform::Nexlayer), true);
        let reply = reply_to(&mut state.nexlayer().clone(), &spec, "");
        assert_eq!(
            (reply.status.as_u16(), reply.json_body()),
            (200, example.clone())
        );

        let spec = extended(Spec::text(Platform::Nodion), true);
        let mut nodion = state.nodion().clone();
        let token = nodion.access("").token;
        assert_eq!(reply_to(&mut nodion, &spec, "").status, 401);
        let reply = reply_to(&mut nodion, &spec, &format!("Bearer {token}"));
        assert_eq!(reply.json_body(), example);

        let spec = extended(Spec::text(Platform::Edgegap), true);
        let mut edgegap = state.edgegap().clone();
        let token = edgegap.access("").token;
        assert_eq!(reply_to(&mut edgegap, &spec, "").status, 401);
        let reply = reply_to(&mut edgegap, &spec, &format!("token {token}"));
        assert_eq!(reply.json_body(), example);
    }

    #[test]
    fn dployr_answers_the_example_in_the_dialect_that_has_the_operation() {
        for dialect in [Dialect::Documented, Dialect::ControlPlane] {
            for documented in [true, false] {
                let state = SandboxBuilder::default().dployr_dialect(dialect).state();
                let mut dployr = state.dployr().clone();
                let token = dployr.access("").token;
                let spec = extended(Spec::text(Platform::Dployr), documented);
                let reply = reply_to(&mut dployr, &spec, &format!("Bearer {token}"));
                let is_available = documented == (dialect == Dialect::Documented);
                let status = if is_available { 200 } else { 404 };
                assert_eq!(reply.status, status, "{dialect:?} {documented}");
            }
        }
    }
}
