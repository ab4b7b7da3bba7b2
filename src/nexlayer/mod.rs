//! Nexlayer: deploys an application from a `nexlayer.yaml`, without an account.
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! use deploykit::nexlayer::{Client, Manifest};
//! let nexlayer = Client::new()?;
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
//! | read logs | not possible: the platform has no operation for it |
//! | keep longer | [`ApplicationHandle::extend`], [`reserve`](ApplicationHandle::reserve), [`claim`](ApplicationHandle::claim) |
//! | remove | not possible before the application expires: the platform has no operation for it |
//!
//! An application is removed after it expires ([`Deployed::expires_at`]), unless it is reserved or
//! claimed. If it is reserved, it is removed within minutes after
//! [`delete_reservation`](ApplicationHandle::delete_reservation). Wait for the removal with
//! [`wait().until_gone()`](crate::watch::Wait::until_gone).
//!
//! - A deploy is not idempotent. The platform may change the name of an application: use the name in
//!   the response for later calls.
//! - The platform has no operation for the state of an application. [`ApplicationHandle::wait`]
//!   combines several signals, among them the application's site.
//! - [`Client::validate`], [`Client::schema`], [`SessionHandle::send_feedback`] and [`Pods::list`] are
//!   not on the platform's documentation page. On a server without them, they fail with
//!   [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute).
//! - Responses of older and newer servers are decoded. Durations and counts are parsed from the
//!   platform's messages where possible.
//! - The platform rejects some requests with status 500. The error kinds are
//!   [`PlanLimit`](crate::ErrorKind::PlanLimit) and
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
