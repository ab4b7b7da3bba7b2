//! The settings of a sandbox.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::dployr::Dialect;
use crate::faults::Fault;
use crate::nexlayer::NexlayerPlan;
use crate::state::State;

/// 100 years: adding it to a timestamp cannot overflow.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// Settings of a sandbox.
///
/// With the defaults, a deployment succeeds within two seconds.
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    pub(crate) plan: NexlayerPlan,
    pub(crate) pods_status: bool,
    pub(crate) dialect: Dialect,
    pub(crate) build_node: bool,
    pub(crate) deletes_record: bool,
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
            deletes_record: false,
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
    /// Sets the plan of the Nexlayer user.
    ///
    /// Reservations need a paid plan. Default: [`NexlayerPlan::Scale`].
    #[must_use]
    pub fn nexlayer_plan(mut self, plan: NexlayerPlan) -> Self {
        self.plan = plan;
        self
    }

    /// Sets whether Nexlayer has the operation `getPodsStatus`.
    ///
    /// The vendor's newer API descriptions omit it. Default: true.
    #[must_use]
    pub fn nexlayer_pods_status(mut self, available: bool) -> Self {
        self.pods_status = available;
        self
    }

    /// Sets the dialect of dployr. Default: [`Dialect::Documented`].
    #[must_use]
    pub fn dployr_dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Sets whether dployr's control plane has a build node.
    ///
    /// Without one, deployments from git get 503. Default: true.
    #[must_use]
    pub fn dployr_build_node(mut self, connected: bool) -> Self {
        self.build_node = connected;
        self
    }

    /// Sets whether another client of dployr's control plane deletes the record of a deployment during each
    /// update of its service.
    ///
    /// The update then gets 400, after its variables and secrets were saved. Default: false.
    #[must_use]
    pub fn dployr_deletes_record_during_update(mut self, deletes: bool) -> Self {
        self.deletes_record = deletes;
        self
    }

    /// Limits how many deployments Edgegap runs at a time.
    ///
    /// A create above the limit gets 422 and leaves a deployment in status ERROR. Default: no limit.
    #[must_use]
    pub fn edgegap_capacity(mut self, deployments: usize) -> Self {
        self.capacity = deployments;
        self
    }

    /// Sets how long a deployment takes, on every platform.
    ///
    /// The deployment is queued for the first third of this time. Default: 1.2 s; maximum: 100 years.
    #[must_use]
    pub fn ready_after(mut self, time: Duration) -> Self {
        self.ready_after = time.min(LONGEST);
        self
    }

    /// Sets whether deployments fail. Default: false.
    #[must_use]
    pub fn deployments_fail(mut self, fail: bool) -> Self {
        self.fails = fail;
        self
    }

    /// Sets the seed of ids, names and credentials.
    ///
    /// The same seed gives the same values. The default is a fixed seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the first of four consecutive ports.
    ///
    /// Default: 0, which picks four free ports.
    #[must_use]
    pub fn port(mut self, first: u16) -> Self {
        self.port = first;
        self
    }

    /// Sets the address to listen on. Default: 127.0.0.1.
    ///
    /// At any other address, everyone who can reach it can use the sandbox.
    #[must_use]
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.bind = address;
        self
    }

    /// Freezes the server's clock until [`Sandbox::advance`](crate::Sandbox::advance) moves it.
    ///
    /// It starts at 2026-11-24T02:24:00Z. Deployment states, webhooks, delayed and dribbled replies and
    /// rate-limit windows follow this clock. Default: real time. `in_process` ignores this and always uses
    /// tokio's clock.
    #[must_use]
    pub fn manual_clock(mut self) -> Self {
        self.manual = true;
        self
    }

    /// Freezes the server's clock and moves it by `tick` before each request.
    ///
    /// Polling makes a deployment ready, and the same requests always get the same replies.
    #[must_use]
    pub fn ticking_clock(mut self, tick: Duration) -> Self {
        self.manual = true;
        self.tick = tick;
        self
    }

    /// Sets whether the platforms enforce their rate limits. Default: true.
    #[must_use]
    pub fn rate_limits(mut self, limits: bool) -> Self {
        self.limits = limits;
        self
    }

    /// Injects a fault from the start.
    ///
    /// If the fault can never apply, [`start`](Self::start) fails, and a state machine without a server
    /// responds to every request with 500 and the reason.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Builds the state machine without a server.
    pub fn state(&self) -> State {
        State::new(self)
    }
}
