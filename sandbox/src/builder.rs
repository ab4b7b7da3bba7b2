//! The settings of a sandbox.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::dployr::Dialect;
use crate::faults::Fault;
use crate::nexlayer::NexlayerPlan;
use crate::state::State;

/// A hundred years, so that a time with this added to it is still one.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// What a sandbox is made of. Every setting has a default that lets the main job succeed within two seconds.
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    pub(crate) plan: NexlayerPlan,
    pub(crate) pods_status: bool,
    pub(crate) dialect: Dialect,
    pub(crate) build_node: bool,
    pub(crate) capacity: usize,
    pub(crate) ready_after: Duration,
    pub(crate) fails: bool,
    pub(crate) seed: u64,
    pub(crate) port: u16,
    pub(crate) bind: IpAddr,
    pub(crate) manual: bool,
    pub(crate) tick: Duration,
    pub(crate) limits: bool,
    pub(crate) faults: Vec<Fault>,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            plan: NexlayerPlan::default(),
            pods_status: true,
            dialect: Dialect::default(),
            build_node: true,
            capacity: usize::MAX,
            ready_after: Duration::from_millis(1_200),
            fails: false,
            seed: 0x5a4d_b0c5,
            port: 0,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            manual: false,
            tick: Duration::ZERO,
            limits: true,
            faults: Vec::new(),
        }
    }
}

impl SandboxBuilder {
    /// The plan of the Nexlayer user. Reservations need a paid one, which is the default.
    #[must_use]
    pub fn nexlayer_plan(mut self, plan: NexlayerPlan) -> Self {
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
    pub fn manual_clock(mut self) -> Self {
        self.manual = true;
        self
    }

    /// A driven clock that goes on by so much with each request, before that is answered: who asks often enough sees a
    /// deployment become ready, and the same requests always get the same replies.
    #[must_use]
    pub fn ticking_clock(mut self, tick: Duration) -> Self {
        self.manual = true;
        self.tick = tick;
        self
    }

    /// Whether the platforms limit how much they are asked. They do by default.
    #[must_use]
    pub fn rate_limits(mut self, limits: bool) -> Self {
        self.limits = limits;
        self
    }

    /// Something that goes wrong from the beginning. One that could never happen fails [`SandboxBuilder::start`]; the bare
    /// state machine answers every request with 500 and the reason instead.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The state machine alone, without a server.
    pub fn state(&self) -> State {
        State::new(self)
    }
}
