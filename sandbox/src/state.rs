//! The four platforms together, with a memory of what they were asked.

use std::collections::VecDeque;
use std::time::Duration;

use crate::builder::SandboxBuilder;
use crate::clock::END;
use crate::dployr::Dployr;
use crate::edgegap::Edgegap;
use crate::faults::{Fault, FaultError, FaultList, InjectedFault, Outcome};
use crate::nexlayer::Nexlayer;
use crate::nodion::Nodion;
use crate::platform::{Call, Platform, PlatformState, ResourceSummary, ask};
use crate::reply::Reply;
use crate::request::{RecordedRequest, Request};
use crate::spec::Spec;
use crate::time::Timing;
use crate::webhooks::Webhook;

/// The number of requests that are kept.
const MOST_RECORDED: usize = 1_000;

/// The four platforms, without I/O: a request and the time go in, a reply comes out.
///
/// ```
/// use std::time::Duration;
/// use deploykit_sandbox::{Platform, Request, Sandbox};
///
/// let mut state = Sandbox::builder().state();
/// let manifest = "application: {name: demo, pods: [{name: web, image: 'nginx:1.27', servicePorts: [80]}]}";
/// let request = Request::new("POST", "/startUserDeployment").with_body("text/x-yaml", manifest);
/// let reply = state.handle(Platform::Nexlayer, &request, Duration::from_secs(1_800_000_000));
/// assert_eq!(reply.status, 200);
/// assert_eq!(reply.json_body()["status"]["state"], "deploying");
/// ```
#[derive(Clone)]
pub struct State {
    nexlayer: Nexlayer,
    dployr: Dployr,
    nodion: Nodion,
    edgegap: Edgegap,
    recorded: VecDeque<RecordedRequest>,
    /// Requests so far.
    count: u64,
    faults: FaultList,
    /// A fault of the builder's that could never happen.
    refused: Option<FaultError>,
}

impl State {
    pub(crate) fn new(builder: &SandboxBuilder) -> Self {
        let timing = Timing {
            ready_after: builder.ready_after,
            fails: builder.fails,
        };
        // A generator each, so that what one platform is asked does not change the ids of another.
        let seed = |platform: u64| builder.seed.wrapping_mul(31).wrapping_add(platform);
        let mut state = Self {
            nexlayer: Nexlayer::new(builder, timing, seed(1)),
            dployr: Dployr::new(builder, timing, seed(2)),
            nodion: Nodion::new(timing, seed(3)),
            edgegap: Edgegap::new(builder, timing, seed(4)),
            recorded: VecDeque::new(),
            count: 0,
            faults: FaultList::default(),
            refused: None,
        };
        for fault in &builder.faults {
            let refused = state.inject(fault.clone()).err();
            state.refused = state.refused.or(refused);
        }
        state
    }

    /// Answers one request at `now`, the time since the Unix epoch, and remembers it. 9999-01-01 stands for whatever is
    /// later. Faults show as far as a reply can show them; [`State::outcome`] tells the rest.
    pub fn handle(&mut self, platform: Platform, request: &Request, now: Duration) -> Reply {
        self.outcome(platform, request, now).reply
    }

    /// The same, with how the reply arrives.
    pub fn outcome(&mut self, platform: Platform, request: &Request, now: Duration) -> Outcome {
        if let Some(refused) = &self.refused {
            return Outcome::complete(Reply::new(500, "text/plain", refused.to_string()));
        }
        let call = Call::new(Spec::of(platform), request, now);
        let operation = call.operation;
        let id = operation.map(|operation| operation.id());
        let fault = self.faults.meet(platform, id);
        let acts = fault.as_ref().is_none_or(Fault::acts);
        let own = acts.then(|| self.ask(platform, &call));
        // What a fault says in its place is not the platform's.
        let reply_violations = match (operation, &own) {
            (Some(operation), Some(own)) => operation.reply_violations(own),
            _ => Vec::new(),
        };
        let outcome = match (&fault, own) {
            (None, Some(own)) => Outcome::complete(own),
            // Without a fault it acts.
            (None, None) => Outcome::complete(Reply::empty(500)),
            (Some(fault), own) => fault.outcome(own, platform, operation),
        };
        self.remember(RecordedRequest {
            number: 0,
            at: call.now,
            platform,
            request: request.clone(),
            status: outcome.reply.status.as_u16(),
            operation: id,
            request_violations: call.problems,
            reply_violations,
            fault,
        });
        outcome
    }

    fn ask(&mut self, platform: Platform, call: &Call) -> Reply {
        match platform {
            Platform::Nexlayer => ask(&mut self.nexlayer, call),
            Platform::Dployr => ask(&mut self.dployr, call),
            Platform::Nodion => ask(&mut self.nodion, call),
            Platform::Edgegap => ask(&mut self.edgegap, call),
        }
    }

    /// Lets something go wrong from now on.
    ///
    /// # Errors
    /// When it could never happen: an operation that the platform has not, a 0th call, a webhook of an operation.
    pub fn inject(&mut self, fault: Fault) -> Result<(), FaultError> {
        self.faults.inject(fault)
    }

    /// The fault of the builder's that could never happen.
    pub(crate) fn refused(&self) -> Option<FaultError> {
        self.refused.clone()
    }

    /// Ends all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The faults that are injected, and what each has met, in the order in which they were injected.
    pub fn faults(&self) -> &[InjectedFault] {
        self.faults.all()
    }

    /// Those that have not done yet what they were injected for.
    pub(crate) fn pending_faults(&self) -> Vec<Fault> {
        let left = self.faults().iter().filter(|one| one.is_pending());
        left.map(|one| one.fault.clone()).collect()
    }

    /// What the platforms call by now, the oldest first: Edgegap the addresses of a deployment, dployr's control plane
    /// the webhook of the cluster. Each is handed out once. The server makes these calls; who uses the state machine
    /// alone may do so.
    pub fn take_due_webhooks(&mut self, now: Duration) -> Vec<Webhook> {
        let now = now.min(END);
        let mut due = self.edgegap.take_due_webhooks(now);
        due.extend(self.dployr.take_due_webhooks(now));
        due.sort_by_key(|(at, _)| *at);
        let webhooks = due.into_iter().map(|(_, webhook)| webhook);
        webhooks
            .filter(|webhook| !self.faults.drops_webhook(webhook.platform))
            .collect()
    }

    /// When the next of them is due, if it is known by now that there will be one.
    pub fn next_webhook_at(&self, now: Duration) -> Option<Duration> {
        let now = now.min(END);
        let next = [
            self.edgegap.next_webhook_at(),
            self.dployr.next_webhook_at(now),
        ];
        next.into_iter().flatten().min()
    }

    /// Remembers a request that was answered without asking the platform.
    pub(crate) fn record(
        &mut self,
        platform: Platform,
        request: Request,
        reply: &Reply,
        at: Duration,
    ) {
        self.remember(RecordedRequest {
            number: 0,
            at,
            platform,
            request,
            status: reply.status.as_u16(),
            operation: None,
            request_violations: Vec::new(),
            reply_violations: Vec::new(),
            fault: None,
        });
    }

    fn remember(&mut self, mut recorded: RecordedRequest) {
        self.count += 1;
        recorded.number = self.count;
        self.recorded.push_back(recorded);
        if self.recorded.len() > MOST_RECORDED {
            self.recorded.pop_front();
        }
    }

    /// The latest requests to all platforms, oldest first; at most 1000.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.recorded.iter().cloned().collect()
    }

    /// The latest requests to one platform, oldest first.
    pub fn requests_to(&self, platform: Platform) -> Vec<RecordedRequest> {
        let all = self.recorded.iter();
        all.filter(|one| one.platform == platform)
            .cloned()
            .collect()
    }

    /// Forgets the requests. Their numbers go on.
    pub fn clear_requests(&mut self) {
        self.recorded.clear();
    }

    /// The requests that are remembered, oldest first.
    pub(crate) fn recorded(&self) -> &VecDeque<RecordedRequest> {
        &self.recorded
    }

    /// What there is on a platform by now, for a person to look at.
    pub(crate) fn resources(&self, platform: Platform, now: Duration) -> Vec<ResourceSummary> {
        match platform {
            Platform::Nexlayer => self.nexlayer.resources(now),
            Platform::Dployr => self.dployr.resources(now),
            Platform::Nodion => self.nodion.resources(now),
            Platform::Edgegap => self.edgegap.resources(now),
        }
    }

    /// Lets Nexlayer's sites be paths of a server.
    pub(crate) fn nexlayer_at(&mut self, base_url: &str) {
        self.nexlayer.listen_at(base_url);
    }

    /// Nexlayer.
    pub fn nexlayer(&self) -> &Nexlayer {
        &self.nexlayer
    }

    /// dployr.
    pub fn dployr(&self) -> &Dployr {
        &self.dployr
    }

    /// Nodion.
    pub fn nodion(&self) -> &Nodion {
        &self.nodion
    }

    /// Edgegap.
    pub fn edgegap(&self) -> &Edgegap {
        &self.edgegap
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dployr::Dialect;

    #[test]
    fn the_latest_requests_are_kept() {
        let mut state = SandboxBuilder::default().state();
        for number in 0..MOST_RECORDED + 5 {
            let request = Request::new("GET", &format!("/{number}"));
            state.handle(Platform::Nodion, &request, Duration::ZERO);
        }
        let requests = state.requests();
        assert_eq!((requests.len(), &*requests[0].path), (MOST_RECORDED, "/5"));
        assert_eq!(state.requests_to(Platform::Edgegap), []);
    }

    /// The control plane stores the events of a webhook unchecked and returns them.
    #[test]
    fn problems_of_a_request_and_of_its_reply_are_recorded() {
        let builder = SandboxBuilder::default().dployr_dialect(Dialect::ControlPlane);
        let mut state = builder.state();
        let access = state.dployr().access("");
        let target = format!(
            "/v1/notifications/webhook/setup?clusterId={}",
            access.cluster_id
        );
        let request = Request::new("POST", &target)
            .with_header("authorization", &format!("Bearer {}", access.token))
            .with_json(&json!({
                "webhookUrl": "http://127.0.0.1:9/hook", "enabled": true, "events": ["no event"],
            }));
        let reply = state.handle(Platform::Dployr, &request, Duration::ZERO);
        assert_eq!(reply.status, 200);
        let recorded = &state.requests()[0];
        let problems = [&recorded.request_violations, &recorded.reply_violations];
        let [sent, answered] = problems.map(|all| {
            let [one] = all.as_slice() else {
                panic!("{all:?}");
            };
            assert!(one.message.starts_with("it is not one of"), "{one}");
            one.location.as_str()
        });
        assert_eq!((sent, answered), ("body.events[0]", "body.data.events[0]"));
    }

    #[test]
    fn one_seed_one_world() {
        let access = |seed| {
            SandboxBuilder::default()
                .seed(seed)
                .state()
                .edgegap()
                .access("")
        };
        assert_eq!(access(1), access(1));
        assert_ne!(access(1), access(2));
    }
}
