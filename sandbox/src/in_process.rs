//! The platforms inside a test's process: no sockets, and tokio's clock. Feature `client`.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deploykit::testing::CannedReply;
use deploykit::{
    ClientBuilder, Result, dployr, edgegap, nexlayer, nodion, preview::RequestPreview,
};
use tokio::time::Instant;

use crate::builder::SandboxBuilder;
use crate::clock::END;
use crate::credentials::{DployrAccess, EdgegapAccess, NexlayerAccess, NodionAccess};
use crate::faults::{Delivery, Fault, FaultError, InjectedFault};
use crate::platform::Platform;
use crate::request::{RecordedRequest, Request};
use crate::state::State;
use crate::webhooks::Webhook;

/// The start of the clock: the same for every sandbox, so that tests are deterministic.
const BEGIN: Duration = Duration::from_secs(1_800_000_000);

/// The platforms inside a test's process. Clones share their state. Feature `client`.
///
/// The clock is tokio's: under `#[tokio::test(start_paused = true)]` waits take no time and are
/// deterministic. [`advance`](Self::advance) moves the clock forward. Webhooks are not sent;
/// [`take_due_webhooks`](Self::take_due_webhooks) returns them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> deploykit::Result<()> {
/// # tokio::time::pause();
/// use deploykit_sandbox::Sandbox;
///
/// let sandbox = Sandbox::builder().in_process();
/// let nodion = sandbox.nodion()?;
/// let application = nodion.application(sandbox.nodion_access().application_id);
/// let deployed = application.deploy().await?;
/// deployed.deployment().wait().await?;
/// assert_eq!(sandbox.request_previews()[0].operation, Some("create_deployment"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct InProcessSandbox {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    state: State,
    began: Instant,
    ahead: Duration,
}

impl Inner {
    fn now(&self) -> Duration {
        BEGIN
            .saturating_add(self.began.elapsed())
            .saturating_add(self.ahead)
            .min(END)
    }
}

impl SandboxBuilder {
    /// Runs the platforms in this process, for clients without a network. Feature `client`.
    ///
    /// The clock is tokio's; [`manual_clock`](Self::manual_clock) and [`ticking_clock`](Self::ticking_clock)
    /// are ignored. If a fault of the builder can never apply, every request gets 500 with the reason.
    pub fn in_process(&self) -> InProcessSandbox {
        InProcessSandbox {
            inner: Arc::new(Mutex::new(Inner {
                state: self.state(),
                began: Instant::now(),
                ahead: Duration::ZERO,
            })),
        }
    }
}

macro_rules! clients {
    ($($platform:ident, $builder:ident, $access:ident, $of:ty, $variant:ident, $name:literal, $url:literal;)*) => {
        impl InProcessSandbox {
            $(
                #[doc = concat!("Builds a client for ", $name, ", with its credentials.")]
                /// # Errors
                ///
                /// If the client cannot be built, for example without usable system certificates.
                pub fn $platform(&self) -> Result<$platform::Client> {
                    self.$builder().build()
                }

                #[doc = concat!("The builder of [`", stringify!($platform), "`](Self::", stringify!($platform), "), with URL and credentials set.")]
                pub fn $builder(&self) -> $platform::ClientBuilder {
                    self.connect(Platform::$variant, self.$access().builder())
                }

                #[doc = concat!("Credentials and initial resources of ", $name, ".")]
                pub fn $access(&self) -> $of {
                    self.lock().state.$platform().access($url)
                }
            )*
        }
    };
}

clients! {
    nexlayer, nexlayer_builder, nexlayer_access, NexlayerAccess, Nexlayer, "Nexlayer", "https://nexlayer.sandbox.test";
    dployr, dployr_builder, dployr_access, DployrAccess, Dployr, "dployr", "https://dployr.sandbox.test";
    nodion, nodion_builder, nodion_access, NodionAccess, Nodion, "Nodion", "https://nodion.sandbox.test";
    edgegap, edgegap_builder, edgegap_access, EdgegapAccess, Edgegap, "Edgegap", "https://edgegap.sandbox.test";
}

impl InProcessSandbox {
    /// Connects a client builder to one of the platforms.
    pub fn connect<P: deploykit::Platform>(
        &self,
        platform: Platform,
        builder: ClientBuilder<P>,
    ) -> ClientBuilder<P> {
        let sandbox = self.clone();
        builder.in_process(move |request| sandbox.handle(platform, request))
    }

    /// Responds to one request at the current time.
    pub fn handle(&self, platform: Platform, request: http::Request<Vec<u8>>) -> CannedReply {
        let mut inner = self.lock();
        let now = inner.now();
        let (mut read, body) = Request::from_http(request);
        read.body = body;
        let mut outcome = inner.state.outcome(platform, &read, now);
        drop(inner);
        outcome.reply = outcome.reply.with_date(now);
        let length = outcome.reply.body.len();
        let mut reply: http::Response<Vec<u8>> = outcome.reply.into_http();
        let reply = match outcome.delivery {
            Delivery::Complete => CannedReply::from(reply),
            Delivery::Reset => CannedReply::reset(),
            // A later line cannot end the wait, so a client gets it when it connects again.
            Delivery::NoReply | Delivery::Silent => CannedReply::timeout(),
            Delivery::Truncated(bytes) => {
                reply.body_mut().truncate(bytes);
                CannedReply::from(reply).truncated()
            }
            // The whole reply arrives when the last piece would arrive.
            Delivery::Dribbled { interval, piece } => {
                let pieces = u32::try_from(length.div_ceil(piece.max(1))).unwrap_or(u32::MAX);
                let delay = outcome
                    .delay
                    .saturating_add(interval.saturating_mul(pieces));
                return CannedReply::from(reply).delay(delay);
            }
        };
        reply.delay(outcome.delay)
    }

    /// Connects or disconnects the instance of dployr's control plane. It is connected at the start.
    ///
    /// While it is disconnected, requests that need it get 503; an update of a service is saved nevertheless.
    pub fn connect_dployr_node(&self, connected: bool) {
        self.lock().state.connect_dployr_node(connected);
    }

    /// Injects a fault.
    ///
    /// # Errors
    ///
    /// If the fault can never apply.
    pub fn inject(&self, fault: Fault) -> std::result::Result<(), FaultError> {
        self.lock().state.inject(fault)
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.lock().state.clear_faults();
    }

    /// All injected faults with their counters, in the order of injection.
    pub fn faults(&self) -> Vec<InjectedFault> {
        self.lock().state.faults().to_vec()
    }

    /// Faults that were not applied yet. A test should end with none.
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.lock().state.pending_faults()
    }

    /// The platforms' clock, as time since the Unix epoch.
    pub fn now(&self) -> Duration {
        self.lock().now()
    }

    /// Moves the platforms' clock forward.
    pub fn advance(&self, by: Duration) {
        let mut inner = self.lock();
        inner.ahead = inner.ahead.saturating_add(by).min(END);
    }

    /// Takes the webhook calls that are due, each once.
    pub fn take_due_webhooks(&self) -> Vec<Webhook> {
        let mut inner = self.lock();
        let now = inner.now();
        inner.state.take_due_webhooks(now)
    }

    /// The latest 1,000 requests to all platforms, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().state.requests()
    }

    /// Clears the recorded requests. [Numbers](RecordedRequest::number) continue.
    pub fn clear_requests(&self) {
        self.lock().state.clear_requests();
    }

    /// Previews of the recorded requests, in the type of deploykit's recorder.
    pub fn request_previews(&self) -> Vec<RequestPreview> {
        self.requests()
            .iter()
            .map(RecordedRequest::preview)
            .collect()
    }

    /// Ignores poisoning: only a test's own thread can panic here, and the state is consistent between
    /// requests.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InProcessSandbox {
    /// Shows the number of requests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessSandbox")
            .field("requests", &self.requests().len())
            .finish_non_exhaustive()
    }
}
