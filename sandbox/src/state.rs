//! The four platforms together, with a memory of what they were asked.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::call::{Call, Player, ask};
use crate::clock::END;
use crate::contract::Contract;
use crate::deployed::Deployed;
use crate::dployr::{Dialect, Dployr};
use crate::edgegap::Edgegap;
use crate::fault::{Book, Fault, FaultError, FaultUse, Outcome};
use crate::model::{Platform, Recorded, Reply, Request};
use crate::nexlayer::{Nexlayer, Plan};
use crate::nodion::Nodion;
use crate::time::Timing;
use crate::webhook::Webhook;

/// The number of requests that are kept.
const MOST_RECORDED: usize = 1_000;

/// A hundred years, so that a time with this added to it is still one.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// What a sandbox is made of. Every setting has a default that lets the main job succeed within two seconds.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(crate) plan: Plan,
    pub(crate) pods_status: bool,
    pub(crate) dialect: Dialect,
    pub(crate) build_node: bool,
    pub(crate) capacity: usize,
    pub(crate) ready_after: Duration,
    pub(crate) fails: bool,
    pub(crate) seed: u64,
    pub(crate) port: u16,
    pub(crate) bind: IpAddr,
    pub(crate) driven: bool,
    pub(crate) tick: Duration,
    pub(crate) limits: bool,
    pub(crate) faults: Vec<Fault>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            plan: Plan::default(),
            pods_status: true,
            dialect: Dialect::default(),
            build_node: true,
            capacity: usize::MAX,
            ready_after: Duration::from_millis(1_200),
            fails: false,
            seed: 0x5a4d_b0c5,
            port: 0,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            driven: false,
            tick: Duration::ZERO,
            limits: true,
            faults: Vec::new(),
        }
    }
}

impl Builder {
    /// The plan of the Nexlayer user. Reservations need a paid one, which is the default.
    #[must_use]
    pub fn nexlayer_plan(mut self, plan: Plan) -> Self {
        self.plan = plan;
        self
    }

    /// Whether Nexlayer has `getPodsStatus`, which newer files of the vendor lack. It has it by default.
    #[must_use]
    pub fn nexlayer_pods_status(mut self, there: bool) -> Self {
        self.pods_status = there;
        self
    }

    /// Which dployr is played. The published reference is the default.
    #[must_use]
    pub fn dployr_dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Whether dployr's control plane has a build node. Without one it answers 503 to a deployment from git. It has one
    /// by default.
    #[must_use]
    pub fn dployr_build_node(mut self, connected: bool) -> Self {
        self.build_node = connected;
        self
    }

    /// How many deployments Edgegap has room for at a time. One more is answered with 422, and left behind in error.
    /// No limit by default.
    #[must_use]
    pub fn edgegap_capacity(mut self, deployments: usize) -> Self {
        self.capacity = deployments;
        self
    }

    /// How long a deployment takes on every platform: a third of it in the queue, the rest at work. 1.2 s by default, and a
    /// hundred years at most.
    #[must_use]
    pub fn ready_after(mut self, time: Duration) -> Self {
        self.ready_after = time.min(LONGEST);
        self
    }

    /// Whether deployments end in failure instead. They end well by default.
    #[must_use]
    pub fn deployments_fail(mut self, fail: bool) -> Self {
        self.fails = fail;
        self
    }

    /// Where ids, names and credentials come from. One seed makes the same ones each time.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The first of four consecutive ports to listen on. 0, the default, takes four free ones.
    #[must_use]
    pub fn port(mut self, first: u16) -> Self {
        self.port = first;
        self
    }

    /// The address to listen on, 127.0.0.1 by default. Who can reach another one can do all that the printed
    /// credentials allow.
    #[must_use]
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.bind = address;
        self
    }

    /// Whether the clock of the server stands still, at 2026-11-24T02:24:00Z, until
    /// [`Sandbox::advance`](crate::Sandbox::advance) moves it. What waits for a time waits for that: states, webhooks,
    /// late and dribbled answers, windows of rate limits. By default it goes with that of the machine. The platforms in the
    /// process of a test (feature `client`) always have tokio's.
    #[must_use]
    pub fn driven_clock(mut self) -> Self {
        self.driven = true;
        self
    }

    /// A driven clock that goes on by so much with each request, before that is answered: who asks often enough sees a
    /// deployment become ready, and the same requests always get the same replies.
    #[must_use]
    pub fn ticking_clock(mut self, tick: Duration) -> Self {
        self.driven = true;
        self.tick = tick;
        self
    }

    /// Whether the platforms limit how much they are asked. They do by default.
    #[must_use]
    pub fn rate_limits(mut self, limits: bool) -> Self {
        self.limits = limits;
        self
    }

    /// Something that goes wrong from the beginning. One that could never happen fails [`Builder::start`]; the bare
    /// state machine answers every request with 500 and the reason instead.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The state machine alone, without a server.
    pub fn state(&self) -> State {
        let timing = Timing {
            ready_after: self.ready_after,
            fails: self.fails,
        };
        // A generator each, so that what one platform is asked does not change the ids of another.
        let seed = |platform: u64| self.seed.wrapping_mul(31).wrapping_add(platform);
        let mut state = State {
            nexlayer: Nexlayer::new(self, timing, seed(1)),
            dployr: Dployr::new(self, timing, seed(2)),
            nodion: Nodion::new(timing, seed(3)),
            edgegap: Edgegap::new(self, timing, seed(4)),
            recorded: VecDeque::new(),
            count: 0,
            faults: Book::default(),
            refused: None,
        };
        for fault in &self.faults {
            let refused = state.inject(fault.clone()).err();
            state.refused = state.refused.or(refused);
        }
        state
    }
}

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
    recorded: VecDeque<Recorded>,
    /// Requests so far.
    count: u64,
    faults: Book,
    /// A fault of the builder's that could never happen.
    refused: Option<FaultError>,
}

impl State {
    /// Answers one request at `now`, the time since the Unix epoch, and remembers it. 9999-01-01 stands for whatever is
    /// later. Faults show as far as a reply can show them; [`State::outcome`] tells the rest.
    pub fn handle(&mut self, platform: Platform, request: &Request, now: Duration) -> Reply {
        self.outcome(platform, request, now).reply
    }

    /// The same, with how the reply arrives.
    pub fn outcome(&mut self, platform: Platform, request: &Request, now: Duration) -> Outcome {
        if let Some(refused) = &self.refused {
            return Outcome::whole(Reply::new(500, "text/plain", refused.to_string()));
        }
        let call = Call::new(Contract::of(platform), request, now);
        let operation = call.operation;
        let id = operation.map(|operation| operation.id());
        let fault = self.faults.meet(platform, id);
        let acts = fault.as_ref().is_none_or(Fault::acts);
        let own = acts.then(|| self.ask(platform, &call));
        // What a fault says in its place is not the platform's.
        let reply_problems = match (operation, &own) {
            (Some(operation), Some(own)) => operation.reply_problems(own),
            _ => Vec::new(),
        };
        let outcome = match (&fault, own) {
            (None, Some(own)) => Outcome::whole(own),
            // Without a fault it acts.
            (None, None) => Outcome::whole(Reply::empty(500)),
            (Some(fault), own) => fault.outcome(own, platform, operation),
        };
        self.remember(Recorded {
            number: 0,
            at: call.now,
            platform,
            request: request.clone(),
            status: outcome.reply.status.as_u16(),
            operation: id,
            request_problems: call.problems,
            reply_problems,
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
    pub fn faults(&self) -> &[FaultUse] {
        self.faults.all()
    }

    /// Those that have not done yet what they were injected for.
    pub(crate) fn faults_left(&self) -> Vec<Fault> {
        let left = self.faults().iter().filter(|one| one.is_left());
        left.map(|one| one.fault.clone()).collect()
    }

    /// What the platforms call by now, the oldest first: Edgegap the addresses of a deployment, dployr's control plane
    /// the webhook of the cluster. Each is handed out once. The server makes these calls; who uses the state machine
    /// alone may do so.
    pub fn webhooks_due(&mut self, now: Duration) -> Vec<Webhook> {
        let now = now.min(END);
        let mut due = self.edgegap.webhooks_due(now);
        due.extend(self.dployr.webhooks_due(now));
        due.sort_by_key(|(at, _)| *at);
        let webhooks = due.into_iter().map(|(_, webhook)| webhook);
        webhooks
            .filter(|webhook| !self.faults.drops_webhook(webhook.platform))
            .collect()
    }

    /// When the next of them is due, if it is known by now that there will be one.
    pub fn next_webhook(&self, now: Duration) -> Option<Duration> {
        let now = now.min(END);
        let next = [self.edgegap.next_webhook(), self.dployr.next_webhook(now)];
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
        self.remember(Recorded {
            number: 0,
            at,
            platform,
            request,
            status: reply.status.as_u16(),
            operation: None,
            request_problems: Vec::new(),
            reply_problems: Vec::new(),
            fault: None,
        });
    }

    fn remember(&mut self, mut recorded: Recorded) {
        self.count += 1;
        recorded.number = self.count;
        self.recorded.push_back(recorded);
        if self.recorded.len() > MOST_RECORDED {
            self.recorded.pop_front();
        }
    }

    /// The latest requests to all platforms, oldest first; at most 1000.
    pub fn requests(&self) -> Vec<Recorded> {
        self.recorded.iter().cloned().collect()
    }

    /// The latest requests to one platform, oldest first.
    pub fn requests_to(&self, platform: Platform) -> Vec<Recorded> {
        let all = self.recorded.iter();
        all.filter(|one| one.platform == platform)
            .cloned()
            .collect()
    }

    /// Forgets the requests. Their numbers go on.
    pub fn clear(&mut self) {
        self.recorded.clear();
    }

    /// The requests that are remembered, oldest first.
    pub(crate) fn recorded(&self) -> &VecDeque<Recorded> {
        &self.recorded
    }

    /// What there is on a platform by now, for a person to look at.
    pub(crate) fn deployed(&self, platform: Platform, now: Duration) -> Vec<Deployed> {
        match platform {
            Platform::Nexlayer => self.nexlayer.deployed(now),
            Platform::Dployr => self.dployr.deployed(now),
            Platform::Nodion => self.nodion.deployed(now),
            Platform::Edgegap => self.edgegap.deployed(now),
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

    #[test]
    fn the_latest_requests_are_kept() {
        let mut state = Builder::default().state();
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
        let builder = Builder::default().dployr_dialect(Dialect::ControlPlane);
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
        let problems = [&recorded.request_problems, &recorded.reply_problems];
        let [sent, answered] = problems.map(|all| {
            let [one] = all.as_slice() else {
                panic!("{all:?}");
            };
            assert!(one.what.starts_with("it is not one of"), "{one}");
            one.place.as_str()
        });
        assert_eq!((sent, answered), ("body.events[0]", "body.data.events[0]"));
    }

    #[test]
    fn one_seed_one_world() {
        let access = |seed| Builder::default().seed(seed).state().edgegap().access("");
        assert_eq!(access(1), access(1));
        assert_ne!(access(1), access(2));
    }
}
