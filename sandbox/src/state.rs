//! The state machine: four platforms, faults and recorded requests.

use std::collections::VecDeque;
use std::time::Duration;

use crate::builder::SandboxBuilder;
use crate::clock::END;
use crate::dployr::Dployr;
use crate::edgegap::Edgegap;
use crate::faults::{Fault, FaultError, FaultList, InjectedFault, Outcome};
use crate::nexlayer::Nexlayer;
use crate::nodion::Nodion;
use crate::platform::{Call, Platform, PlatformState, ResourceSummary, answer};
use crate::reply::Reply;
use crate::request::{RecordedRequest, Request};
use crate::spec::Spec;
use crate::time::Timing;
use crate::webhooks::Webhook;

/// Maximum number of recorded requests.
const MAX_RECORDED: usize = 1_000;

/// The four platforms without I/O: takes a request and the time, returns a reply.
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
    /// Number of requests so far.
    count: u64,
    faults: FaultList,
    /// Why the first invalid fault of the builder was rejected.
    refused: Option<FaultError>,
}

impl State {
    pub(crate) fn new(builder: &SandboxBuilder) -> Self {
        let timing = Timing {
            ready_after: builder.ready_after,
            fails: builder.fails,
        };
        // Separate seeds, so that requests to one platform do not change the ids of another.
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

    /// Responds to one request and records it.
    ///
    /// `now` is the time since the Unix epoch, at most 9999-01-01. The delay and delivery of a fault are not
    /// part of the [`Reply`]: use [`State::outcome`] to get them.
    pub fn handle(&mut self, platform: Platform, request: &Request, now: Duration) -> Reply {
        self.outcome(platform, request, now).reply
    }

    /// Like [`handle`](Self::handle), and also returns how the reply is delivered.
    pub fn outcome(&mut self, platform: Platform, request: &Request, now: Duration) -> Outcome {
        if let Some(refused) = &self.refused {
            return Outcome::complete(Reply::new(500, "text/plain", refused.to_string()));
        }
        let call = Call::new(Spec::of(platform), request, now);
        let operation = call.operation;
        let id = operation.map(|operation| operation.id());
        let fault = self.faults.apply(platform, id);
        let is_processed = fault.as_ref().is_none_or(Fault::is_processed);
        let platform_reply = is_processed.then(|| self.answer(platform, &call));
        // Only the platform's reply is validated, because a fault may break the spec.
        let reply_violations = match (operation, &platform_reply) {
            (Some(operation), Some(reply)) => operation.reply_violations(reply),
            _ => Vec::new(),
        };
        let outcome = match (&fault, platform_reply) {
            (None, Some(reply)) => Outcome::complete(reply),
            // Unreachable: without a fault, the platform always responds.
            (None, None) => Outcome::complete(Reply::empty(500)),
            (Some(fault), reply) => fault.outcome(reply, platform, operation),
        };
        self.push_recorded(RecordedRequest {
            number: 0,
            at: call.now,
            platform,
            request: request.clone(),
            status: outcome.reply.status.as_u16(),
            refusal: outcome.reply.refusal(),
            operation: id,
            request_violations: call.violations,
            reply_violations,
            fault,
        });
        outcome
    }

    fn answer(&mut self, platform: Platform, call: &Call) -> Reply {
        match platform {
            Platform::Nexlayer => answer(&mut self.nexlayer, call),
            Platform::Dployr => answer(&mut self.dployr, call),
            Platform::Nodion => answer(&mut self.nodion, call),
            Platform::Edgegap => answer(&mut self.edgegap, call),
        }
    }

    /// Injects a fault.
    ///
    /// # Errors
    ///
    /// If the fault can never apply: an unknown operation, request number 0, or a webhook fault with an
    /// operation.
    pub fn inject(&mut self, fault: Fault) -> Result<(), FaultError> {
        self.faults.inject(fault)
    }

    /// Why the first invalid fault of the builder was rejected.
    pub(crate) fn refused(&self) -> Option<FaultError> {
        self.refused.clone()
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// All injected faults with their counters, in the order of injection.
    pub fn faults(&self) -> &[InjectedFault] {
        self.faults.all()
    }

    /// Faults that were not applied yet.
    pub(crate) fn pending_faults(&self) -> Vec<Fault> {
        let pending = self.faults().iter().filter(|fault| fault.is_pending());
        pending.map(|pending| pending.fault.clone()).collect()
    }

    /// Takes the webhook calls that are due, oldest first. Each call is returned once.
    ///
    /// Edgegap calls the URLs of a deployment; dployr's control plane calls the URL of the cluster. A
    /// [`Sandbox`](crate::Sandbox) sends these calls itself. Without a server, the caller of this method
    /// sends them.
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

    /// When the next webhook call is due, as far as known at `now`.
    pub fn next_webhook_at(&self, now: Duration) -> Option<Duration> {
        let now = now.min(END);
        let next = [
            self.edgegap.next_webhook_at(),
            self.dployr.next_webhook_at(now),
        ];
        next.into_iter().flatten().min()
    }

    /// Records a request that did not reach the platform.
    pub(crate) fn record(
        &mut self,
        platform: Platform,
        request: Request,
        reply: &Reply,
        at: Duration,
    ) {
        self.push_recorded(RecordedRequest {
            number: 0,
            at,
            platform,
            request,
            status: reply.status.as_u16(),
            refusal: reply.refusal(),
            operation: None,
            request_violations: Vec::new(),
            reply_violations: Vec::new(),
            fault: None,
        });
    }

    fn push_recorded(&mut self, mut recorded: RecordedRequest) {
        self.count += 1;
        recorded.number = self.count;
        self.recorded.push_back(recorded);
        if self.recorded.len() > MAX_RECORDED {
            self.recorded.pop_front();
        }
    }

    /// The latest 1,000 requests to all platforms, oldest first.
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

    /// Clears the recorded requests. Their numbers continue.
    pub fn clear_requests(&mut self) {
        self.recorded.clear();
    }

    /// The recorded requests, oldest first.
    pub(crate) fn recorded(&self) -> &VecDeque<RecordedRequest> {
        &self.recorded
    }

    /// The resources of a platform, for the status page.
    pub(crate) fn resources(&self, platform: Platform, now: Duration) -> Vec<ResourceSummary> {
        match platform {
            Platform::Nexlayer => self.nexlayer.resources(now),
            Platform::Dployr => self.dployr.resources(now),
            Platform::Nodion => self.nodion.resources(now),
            Platform::Edgegap => self.edgegap.resources(now),
        }
    }

    /// Serves Nexlayer's sites below this base URL.
    pub(crate) fn serve_nexlayer_sites(&mut self, base_url: &str) {
        self.nexlayer.serve_sites(base_url);
    }

    /// The state of Nexlayer.
    pub fn nexlayer(&self) -> &Nexlayer {
        &self.nexlayer
    }

    /// The state of dployr.
    pub fn dployr(&self) -> &Dployr {
        &self.dployr
    }

    /// Connects or disconnects the instance of dployr's control plane. It is connected at the start.
    ///
    /// While it is disconnected, requests that need it get 503; an update of a service is saved nevertheless.
    pub fn connect_dployr_node(&mut self, connected: bool) {
        self.dployr.connect_node(connected);
    }

    /// The state of Nodion.
    pub fn nodion(&self) -> &Nodion {
        &self.nodion
    }

    /// The state of Edgegap.
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
    fn the_latest_1000_requests_are_kept() {
        let mut state = SandboxBuilder::default().state();
        for number in 0..MAX_RECORDED + 5 {
            let request = Request::new("GET", &format!("/{number}"));
            state.handle(Platform::Nodion, &request, Duration::ZERO);
        }
        let requests = state.requests();
        assert_eq!((requests.len(), &*requests[0].path), (MAX_RECORDED, "/5"));
        assert_eq!(state.requests_to(Platform::Edgegap), []);
    }

    /// Uses the webhook of the control plane, which stores and returns any events without validation.
    #[test]
    fn violations_of_request_and_reply_are_recorded() {
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
    fn the_same_seed_gives_the_same_credentials() {
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
