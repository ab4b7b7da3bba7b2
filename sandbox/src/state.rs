//! The four platforms together, with a memory of what they were asked.

use std::collections::VecDeque;
use std::time::Duration;

use crate::contract::{Check, Contract};
use crate::dployr::{Dialect, Dployr};
use crate::edgegap::Edgegap;
use crate::model::{Platform, Recorded, Reply, Request};
use crate::nexlayer::{Nexlayer, Plan};
use crate::nodion::Nodion;
use crate::time::Timing;
use crate::webhook::Webhook;

// What is remembered has an end, in number and in size: the server may run for days.
const MOST_RECORDED: usize = 1_000;
const MOST_RECORDED_BYTES: usize = 16 << 20;

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

    /// How long a deployment takes on every platform: a third of it in the queue, the rest at work. 1.2 s by default.
    #[must_use]
    pub fn ready_after(mut self, time: Duration) -> Self {
        self.ready_after = time;
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

    /// The state machine alone, without a server.
    pub fn state(&self) -> State {
        let timing = Timing {
            ready_after: self.ready_after,
            fails: self.fails,
        };
        // A generator each, so that what one platform is asked does not change the ids of another.
        let seed = |platform: u64| self.seed.wrapping_mul(31).wrapping_add(platform);
        State {
            nexlayer: Nexlayer::new(self.plan, self.pods_status, timing, seed(1)),
            dployr: Dployr::new(self.dialect, self.build_node, timing, seed(2)),
            nodion: Nodion::new(timing, seed(3)),
            edgegap: Edgegap::new(self.capacity, timing, seed(4)),
            recorded: VecDeque::new(),
            recorded_bytes: 0,
        }
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
#[derive(Clone, Debug)]
pub struct State {
    nexlayer: Nexlayer,
    dployr: Dployr,
    nodion: Nodion,
    edgegap: Edgegap,
    recorded: VecDeque<Recorded>,
    recorded_bytes: usize,
}

impl State {
    /// Answers one request at `now`, the time since the Unix epoch, and remembers it.
    pub fn handle(&mut self, platform: Platform, request: &Request, now: Duration) -> Reply {
        let operation = Contract::of(platform).operation(&request.method, &request.path);
        let problems = operation.map(|operation| operation.request_problems(request));
        let problems = problems.unwrap_or_default();
        let check = Check::new(operation, &problems, request, now);
        let reply = match platform {
            Platform::Nexlayer => check.ask(&mut self.nexlayer),
            Platform::Dployr => check.ask(&mut self.dployr),
            Platform::Nodion => check.ask(&mut self.nodion),
            Platform::Edgegap => check.ask(&mut self.edgegap),
        };
        let mut recorded = Recorded::new(platform, request, reply.status);
        if let Some(operation) = operation {
            recorded.operation = Some(operation.id());
            recorded.reply_problems = operation.reply_problems(&reply);
        }
        recorded.request_problems = problems;
        self.remember(recorded);
        reply
    }

    /// What the platforms call by now, the oldest first: Edgegap the addresses of a deployment, dployr's control plane
    /// the webhook of the cluster. Each is handed out once. The server makes these calls; who uses the state machine
    /// alone may do so.
    pub fn webhooks_due(&mut self, now: Duration) -> Vec<Webhook> {
        let mut due = self.edgegap.webhooks_due(now);
        due.extend(self.dployr.webhooks_due(now));
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, webhook)| webhook).collect()
    }

    /// When the next of them is due, if it is known by now that there will be one.
    pub fn next_webhook(&self, now: Duration) -> Option<Duration> {
        let next = [self.edgegap.next_webhook(), self.dployr.next_webhook(now)];
        next.into_iter().flatten().min()
    }

    /// Remembers a request that was answered without asking the platform.
    pub(crate) fn record(&mut self, platform: Platform, request: &Request, status: u16) {
        self.remember(Recorded::new(platform, request, status));
    }

    fn remember(&mut self, recorded: Recorded) {
        self.recorded_bytes += recorded.body.len();
        self.recorded.push_back(recorded);
        while self.recorded.len() > MOST_RECORDED || self.recorded_bytes > MOST_RECORDED_BYTES {
            let Some(oldest) = self.recorded.pop_front() else {
                break;
            };
            self.recorded_bytes -= oldest.body.len();
        }
    }

    /// The latest requests to all platforms, oldest first; at most 1000, and 16 MiB of bodies.
    pub fn requests(&self) -> Vec<Recorded> {
        self.recorded.iter().cloned().collect()
    }

    /// The latest requests to one platform, oldest first.
    pub fn requests_to(&self, platform: Platform) -> Vec<Recorded> {
        self.recorded
            .iter()
            .filter(|recorded| recorded.platform == platform)
            .cloned()
            .collect()
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
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut state = Builder::default().state();
        let now = Duration::from_secs(1_800_000_000);
        for number in 0..MOST_RECORDED + 5 {
            state.handle(
                Platform::Nodion,
                &Request::new("GET", &format!("/{number}")),
                now,
            );
        }
        let requests = state.requests();
        assert_eq!(requests.len(), MOST_RECORDED);
        assert_eq!(requests[0].path, "/5");

        let large = Request::new("POST", "/large").with_body("text/plain", vec![0; 1 << 20]);
        for _ in 0..20 {
            state.handle(Platform::Nodion, &large, now);
        }
        assert_eq!(state.requests().len(), 16);
        assert_eq!(state.requests_to(Platform::Edgegap), []);
    }

    #[test]
    fn one_seed_one_world() {
        let access = |seed| Builder::default().seed(seed).state().edgegap().access("");
        assert_eq!(access(1), access(1));
        assert_ne!(access(1), access(2));
    }
}
