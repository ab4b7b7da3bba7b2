//! The four platforms in the process of a test: no sockets, and a clock that the test drives. Feature `client`.

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

/// When the clock begins: the same day for every test.
const BEGIN: Duration = Duration::from_secs(1_800_000_000);

/// The four platforms in the process of a test. Clones are the same platforms. Feature `client`.
///
/// Their clock is tokio's, so that under `#[tokio::test(start_paused = true)]` waits take no time and are the same each
/// time; [`advance`](Self::advance) moves it on top of that. No webhook is called: [`take_due_webhooks`](Self::take_due_webhooks)
/// hands them out.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> deploykit::Result<()> {
/// # tokio::time::pause();
/// use deploykit_sandbox::Sandbox;
///
/// let world = Sandbox::builder().in_process();
/// let nodion = world.nodion()?;
/// let application = nodion.application(world.nodion_access().application_id);
/// let deployment = application.deploy().await?;
/// application.deployment(deployment.id).wait().await?;
/// assert_eq!(world.request_previews()[0].operation, Some("create_deployment"));
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
    /// The platforms in this process, for clients without a network. Feature `client`.
    ///
    /// Their clock is always tokio's: [`manual_clock`](Self::manual_clock) changes nothing here, as no client would see
    /// the end of a wait on a clock that stands still. A fault that could never happen answers every request with 500
    /// and the reason. There is no address to listen on.
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
                #[doc = concat!("A client for ", $name, ", with its credentials. It sends every call once.")]
                ///
                /// # Errors
                /// When the client cannot be built: when the system's certificates cannot be used.
                pub fn $platform(&self) -> Result<$platform::Client> {
                    self.$builder().build()
                }

                #[doc = concat!("The builder of [`", stringify!($platform), "`](Self::", stringify!($platform), "), for options of one's own.")]
                pub fn $builder(&self) -> $platform::ClientBuilder {
                    self.connect(Platform::$variant, self.$access().builder())
                }

                #[doc = concat!("What opens ", $name, ", and what there is.")]
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
    /// Lets a client of your own builder talk to one of the platforms.
    pub fn connect<P: deploykit::Platform>(
        &self,
        platform: Platform,
        builder: ClientBuilder<P>,
    ) -> ClientBuilder<P> {
        let world = self.clone();
        builder.in_process(move |request| world.handle(platform, request))
    }

    /// What becomes of one request, at the time that it is: a reply, or what a fault makes of it.
    pub fn handle(&self, platform: Platform, request: http::Request<Vec<u8>>) -> CannedReply {
        let mut inner = self.lock();
        let now = inner.now();
        let (mut read, body) = Request::from_http(request);
        read.body = body;
        let outcome = inner.state.outcome(platform, &read, now);
        drop(inner);
        let length = outcome.reply.body.len();
        let mut reply: http::Response<Vec<u8>> = outcome.reply.into_http();
        let reply = match outcome.delivery {
            Delivery::Complete => CannedReply::from(reply),
            Delivery::Reset => CannedReply::reset(),
            Delivery::NoReply => CannedReply::timeout(),
            Delivery::Truncated(bytes) => {
                reply.body_mut().truncate(bytes);
                CannedReply::from(reply).truncated()
            }
            // As a whole, when the last piece would be there.
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

    /// From now on, this goes wrong.
    ///
    /// # Errors
    /// When the fault can never happen.
    pub fn inject(&self, fault: Fault) -> std::result::Result<(), FaultError> {
        self.lock().state.inject(fault)
    }

    /// From now on, nothing goes wrong.
    pub fn clear_faults(&self) {
        self.lock().state.clear_faults();
    }

    /// The faults that are injected, and what each has met, in the order in which they were injected.
    pub fn faults(&self) -> Vec<InjectedFault> {
        self.lock().state.faults().to_vec()
    }

    /// The faults that have not done yet what they were injected for: a test that ends with one of them has not tested
    /// it.
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.lock().state.pending_faults()
    }

    /// The clock of the platforms, since the Unix epoch.
    pub fn now(&self) -> Duration {
        self.lock().now()
    }

    /// Moves the clock of the platforms forward.
    pub fn advance(&self, by: Duration) {
        let mut inner = self.lock();
        inner.ahead = inner.ahead.saturating_add(by).min(END);
    }

    /// What the platforms would call by now, each once.
    pub fn take_due_webhooks(&self) -> Vec<Webhook> {
        let mut inner = self.lock();
        let now = inner.now();
        inner.state.take_due_webhooks(now)
    }

    /// The latest requests to all platforms, oldest first; at most 1000.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().state.requests()
    }

    /// Forgets the requests so far. Their [numbers](RecordedRequest::number) go on.
    pub fn clear_requests(&self) {
        self.lock().state.clear_requests();
    }

    /// The latest requests in the shape of deploykit's recorder.
    pub fn request_previews(&self) -> Vec<RequestPreview> {
        self.requests()
            .iter()
            .map(RecordedRequest::preview)
            .collect()
    }

    /// A panic while the lock was held can only come from a test's thread; the state is whole between two requests.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InProcessSandbox {
    /// How much was asked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessSandbox")
            .field("requests", &self.requests().len())
            .finish_non_exhaustive()
    }
}
