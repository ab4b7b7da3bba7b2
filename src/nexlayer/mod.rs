//! Nexlayer: applications from a `nexlayer.yaml`, without an account.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
//! # std::env::set_current_dir("examples").unwrap();
//! use deploykit::nexlayer::{Client, Manifest};
//! # let _ = || -> deploykit::Result<Client> {
//! let nexlayer = Client::new()?;
//! # Ok(nexlayer) };
//! # let nexlayer = deploykit_sandbox::Sandbox::builder().in_process().nexlayer()?;
//! let deployed = nexlayer.deploy(Manifest::from_path("nexlayer.yaml")?).await?;
//! println!("{} is at {:?}", deployed.application_name, deployed.url);
//!
//! let application = deployed.application();
//! application.wait().await?;
//! let extended = application.extend().await?;
//! println!("{:?} left, {:?} extensions", extended.expires_in, extended.extensions_remaining);
//!
//! // The session token is the credential: store it to use the session later.
//! let session = nexlayer.session(deployed.session().token()?.clone());
//! for reservation in session.reservations().list().await? {
//!     println!("{:?}", reservation.url);
//! }
//! # Ok(()) }
//! ```
//!
//! | step | call |
//! |---|---|
//! | deploy in a new session | [`Client::deploy`] |
//! | deploy or redeploy in a session | [`SessionHandle::deploy`], [`SessionHandle::update`] |
//! | wait until ready | [`ApplicationHandle::wait`] |
//! | read logs | not possible: the platform has no such operation |
//! | keep longer | [`ApplicationHandle::extend`], [`reserve`](ApplicationHandle::reserve), [`claim`](ApplicationHandle::claim) |
//! | delete | not possible: the platform removes the application after it expires |
//!
//! The platform removes an application after it expires ([`Deployed::expires_at`]), unless the
//! application is claimed or reserved. A reserved application that has expired is removed within minutes
//! after [`delete_reservation`](ApplicationHandle::delete_reservation). To wait for the removal, use
//! [`wait().until_gone()`](crate::watch::Wait::until_gone).
//!
//! - A deploy is not idempotent. The platform may change the name of an application: use the name in
//!   the response for later calls.
//! - The platform has no operation for the state of an application. [`ApplicationHandle::wait`]
//!   checks several signals instead, among them the site of the application.
//! - [`Client::validate`], [`Client::schema`], [`SessionHandle::send_feedback`] and [`Pods::list`] are
//!   not on the platform's documentation page. On a server without them, they fail with
//!   [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute).
//! - The client decodes the responses of all known server versions. It parses durations and counts from
//!   the platform's messages, because the responses have no fields for them.
//! - The platform responds to some invalid requests with status 500. The client recognizes the messages and
//!   returns errors of kind [`PlanLimit`](crate::ErrorKind::PlanLimit) or
//!   [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved).
//!
//! Source: <https://nexlayer.com/docs/api/deployments>

mod applications;
mod client;
mod deploy;
mod failures;
pub mod manifest;
pub(crate) mod operations;
mod readiness;
mod reservations;
mod sessions;
pub(crate) mod shapes;
mod validation;

#[doc(no_inline)]
pub use crate::page::Page;
#[doc(inline)]
pub use crate::raw::nexlayer::enums::ApplicationState;
#[doc(inline)]
pub use crate::raw::nexlayer::types::{PodStatus, Reservation, StatusDetail};
pub use applications::{ApplicationHandle, ApplicationName, Claim, Extended, Pods};
pub use client::{Client, Nexlayer};
pub use deploy::{ClaimOffer, Deployed};
pub use manifest::Manifest;
pub use readiness::{Readiness, Signal};
pub use reservations::{DeletedReservations, Reservations};
pub use sessions::SessionHandle;
pub use validation::{Finding, Validation};

/// Builds a Nexlayer [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Nexlayer>;
