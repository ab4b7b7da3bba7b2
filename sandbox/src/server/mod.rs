//! The loopback server around the state machine.

mod connections;
mod faulty_reply;
mod handler;
mod shared_state;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::builder::SandboxBuilder;
use crate::clock::Clock;
use crate::credentials::{DployrAccess, EdgegapAccess, NexlayerAccess, NodionAccess};
use crate::dployr::NodeTask;
use crate::faults::{Fault, FaultError, InjectedFault};
use crate::platform::Platform;
use crate::request::RecordedRequest;
use crate::webhooks::WebhookSender;
use connections::PlatformListener;
pub(crate) use shared_state::{Inner, SharedState};

/// The four platforms on four ports of 127.0.0.1. Dropping it stops the server.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use deploykit_sandbox::Sandbox;
///
/// let sandbox = Sandbox::start().await?;
/// let (url, token) = (&sandbox.edgegap().base_url, &sandbox.edgegap().token);
/// # Ok(())
/// # }
/// ```
pub struct Sandbox {
    shared: Arc<SharedState>,
    nexlayer: NexlayerAccess,
    dployr: DployrAccess,
    nodion: NodionAccess,
    edgegap: EdgegapAccess,
    /// Dropping it stops the listeners, after the replies in progress.
    _running: watch::Sender<()>,
    _webhook_sender: WebhookSender,
}

impl Sandbox {
    /// Starts a sandbox with the defaults, on free ports.
    ///
    /// # Errors
    ///
    /// If no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Base URL of Nexlayer.
    pub fn nexlayer(&self) -> &NexlayerAccess {
        &self.nexlayer
    }

    /// Base URL and credentials of dployr.
    pub fn dployr(&self) -> &DployrAccess {
        &self.dployr
    }

    /// The latest task that dployr's control plane sent to the node for the service of this name.
    pub fn dployr_task(&self, service: &str) -> Option<NodeTask> {
        self.shared.lock().state.dployr().task(service).cloned()
    }

    /// Connects or disconnects the instance of dployr's control plane. It is connected at the start.
    ///
    /// While it is disconnected, requests that need it get 503; an update of a service is saved nevertheless.
    pub fn connect_dployr_node(&self, connected: bool) {
        self.shared.lock().state.connect_dployr_node(connected);
    }

    /// Base URL, credentials and initial ids of Nodion.
    pub fn nodion(&self) -> &NodionAccess {
        &self.nodion
    }

    /// Base URL and credentials of Edgegap.
    pub fn edgegap(&self) -> &EdgegapAccess {
        &self.edgegap
    }

    /// The latest 1,000 requests to all platforms, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.lock().state.requests()
    }

    /// The latest requests to one platform, oldest first.
    pub fn requests_to(&self, platform: Platform) -> Vec<RecordedRequest> {
        self.shared.lock().state.requests_to(platform)
    }

    /// Returns the oldest recorded request that matches; waits up to `timeout` for one.
    ///
    /// ```
    /// # async fn example(sandbox: deploykit_sandbox::Sandbox) {
    /// # use std::time::Duration;
    /// let stop = sandbox.wait_for_request(|request| request.method == "DELETE", Duration::from_secs(5)).await;
    /// assert_eq!(stop.map(|request| request.status), Some(200));
    /// # }
    /// ```
    pub async fn wait_for_request(
        &self,
        matches: impl Fn(&RecordedRequest) -> bool,
        timeout: Duration,
    ) -> Option<RecordedRequest> {
        let seen = self.shared.wait_for_request(matches);
        tokio::time::timeout(timeout, seen).await.ok()
    }

    /// Clears the recorded requests. [Numbers](RecordedRequest::number) continue.
    pub fn clear_requests(&self) {
        self.shared.lock().state.clear_requests();
    }

    /// Injects a fault.
    ///
    /// # Errors
    ///
    /// If the fault can never apply: an unknown operation, request number 0, or a webhook fault with an
    /// operation.
    pub fn inject(&self, fault: Fault) -> Result<(), FaultError> {
        self.shared.lock().state.inject(fault)
    }

    /// Removes all faults. Replies in progress keep their fault.
    pub fn clear_faults(&self) {
        self.shared.lock().state.clear_faults();
    }

    /// All injected faults with their counters, in the order of injection.
    pub fn faults(&self) -> Vec<InjectedFault> {
        self.shared.lock().state.faults().to_vec()
    }

    /// Faults that were not applied yet. A test should end with none.
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.shared.lock().state.pending_faults()
    }

    /// The platforms' clock, as time since the Unix epoch.
    pub fn now(&self) -> Duration {
        self.shared.lock().clock.now()
    }

    /// Moves the platforms' clock forward.
    pub fn advance(&self, by: Duration) {
        self.shared.advance(by);
    }
}

/// Shows the base URLs only.
impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("nexlayer", &self.nexlayer.base_url)
            .field("dployr", &self.dployr.base_url)
            .field("nodion", &self.nodion.base_url)
            .field("edgegap", &self.edgegap.base_url)
            .finish_non_exhaustive()
    }
}

impl SandboxBuilder {
    /// Starts the server.
    ///
    /// # Errors
    ///
    /// If a port cannot be bound, or a fault can never apply.
    pub async fn start(self) -> io::Result<Sandbox> {
        let mut state = self.state();
        if let Some(refused) = state.refused() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, refused));
        }
        let mut listeners = Vec::new();
        let mut urls = [const { String::new() }; 4];
        for (offset, (platform, url)) in (0..).zip(Platform::ALL.into_iter().zip(&mut urls)) {
            let port = if self.port == 0 {
                Some(0)
            } else {
                self.port.checked_add(offset)
            };
            let port = port.ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "the fourth port would be above 65535",
                )
            })?;
            let address = SocketAddr::from((self.bind, port));
            let listener = TcpListener::bind(address).await.map_err(|error| {
                io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
            })?;
            let mut public_address = listener.local_addr()?;
            // Clients cannot connect to the unspecified address.
            match public_address.ip() {
                IpAddr::V4(any) if any.is_unspecified() => {
                    public_address.set_ip(Ipv4Addr::LOCALHOST.into());
                }
                IpAddr::V6(any) if any.is_unspecified() => {
                    public_address.set_ip(Ipv6Addr::LOCALHOST.into());
                }
                _ => {}
            }
            *url = format!("http://{public_address}");
            listeners.push((platform, listener));
        }
        let [nexlayer, dployr, nodion, edgegap] = &urls;
        state.serve_nexlayer_sites(nexlayer);
        let (running, shutdown) = watch::channel(());
        let (nexlayer, dployr) = (
            state.nexlayer().access(nexlayer),
            state.dployr().access(dployr),
        );
        let (nodion, edgegap) = (
            state.nodion().access(nodion),
            state.edgegap().access(edgegap),
        );
        let clock = if self.manual {
            Clock::manual(self.tick)
        } else {
            Clock::real()
        };
        let shared = Arc::new(SharedState::new(state, clock, urls));
        let sandbox = Sandbox {
            nexlayer,
            dployr,
            nodion,
            edgegap,
            _webhook_sender: WebhookSender::start(Arc::clone(&shared))?,
            shared,
            _running: running,
        };
        let permits = connections::connection_permits();
        for (platform, listener) in listeners {
            let listening = PlatformListener {
                platform,
                shared: Arc::clone(&sandbox.shared),
                shutdown: shutdown.clone(),
                permits: Arc::clone(&permits),
            };
            tokio::spawn(listening.listen(listener));
        }
        Ok(sandbox)
    }
}
