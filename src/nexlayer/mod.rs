//! Nexlayer: an app from a `nexlayer.yaml`, no account needed.
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! use deploykit::nexlayer::{Client, Manifest};
//! let nexlayer = Client::new()?;
//! let started = nexlayer.start(Manifest::from_path("nexlayer.yaml")?).await?;
//! println!("{} is at {:?}", started.application_name, started.url);
//!
//! let application = started.application();
//! application.wait().await?;
//! let extended = application.extend().await?;
//! println!("{:?} left, {:?} extensions", extended.expires_in, extended.extensions_remaining);
//!
//! // The session token is the credential: keep it to use the session later.
//! let session = nexlayer.session(started.session().token()?.clone());
//! for reservation in session.reservations().await? {
//!     println!("{:?}", reservation.url);
//! }
//! # Ok(()) }
//! ```
//!
//! A start without a session creates one. A start within a session adds an application to it, or
//! redeploys the application of that name. Neither is idempotent. The platform may change the name of an
//! application, so later calls need the name from the response.
//!
//! The platform's documented API does not tell whether an application is up: [`Application::wait`]
//! combines several signals, among them the application's own site. [`Client::validate`],
//! [`Client::schema`], [`Session::feedback`] and [`Application::pods`] come from the vendor's other
//! files; a server without them answers [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute).
//!
//! The responses of two server versions are decoded. Numbers in sentences are parsed where possible. The
//! platform answers 500 for business rules: these errors have the kinds
//! [`PlanLimit`](crate::ErrorKind::PlanLimit) and [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved).
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

pub use crate::page::Page;
pub use crate::raw::nexlayer::enums::ApplicationState;
pub use crate::raw::nexlayer::types::{PodStatus, Reservation, StatusDetail};
pub use applications::{Application, Claim, Extended};
pub use client::{Client, Nexlayer};
pub use deploy::{ClaimOffer, Started};
pub use manifest::Manifest;
pub use readiness::{Readiness, Signal};
pub use reservations::Removed;
pub use sessions::Session;
pub use validation::{Finding, Validation};

/// Sets up a Nexlayer [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Nexlayer>;
