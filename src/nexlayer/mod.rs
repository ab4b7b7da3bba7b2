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
//! application.wait().await?; // until its site answers, or its reservation says that it runs
//! let extended = application.extend().await?;
//! println!("{:?} left, {:?} extensions", extended.expires_in, extended.extensions_remaining);
//!
//! // The session token is the credential: keep it, and take the session up again later.
//! let session = nexlayer.session(started.session().token()?.clone());
//! for reservation in session.reservations().await? {
//!     println!("{:?}", reservation.url);
//! }
//! # Ok(()) }
//! ```
//!
//! A start without a session makes one; a start within a session adds an application to it, or
//! deploys the one of that name again. None of this is idempotent. What an application is called is
//! up to the platform, so later calls need the name from the reply.
//!
//! No call of the page says whether an application is up: [`Application::wait`] looks at what can tell,
//! the application's own site among it, and says what it sends there. What the vendor's files have
//! beside the page ([`Client::validate`], [`Client::schema`], [`Session::feedback`],
//! [`Application::pods`]) a server may lack; it then answers
//! [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute).
//!
//! Two generations of replies are known, and both are read. Sentences are read into numbers where
//! that is possible, and are always there as text too. The platform answers 500 for rules of its
//! business: those errors have kinds of their own, [`PlanLimit`](crate::ErrorKind::PlanLimit) and
//! [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved).
//!
//! Source: <https://nexlayer.com/docs/api/deployments>

mod client;
mod failures;
pub mod manifest;
pub(crate) mod operations;
mod readiness;
mod redact;
mod sentences;
mod session;
pub(crate) mod shapes;
mod started;
mod validation;

pub use crate::page::Page;
pub use crate::raw::nexlayer::enums::ApplicationState;
pub use crate::raw::nexlayer::types::{PodStatus, Reservation, StatusDetail};
pub use client::{Client, Nexlayer};
pub use manifest::Manifest;
pub use readiness::{Readiness, Signal, Signals};
pub use session::{Application, Claim, ClaimUrl, Extended, Removed, Reserved, Session};
pub use started::{ClaimOffer, Sentence, Started};
pub use validation::{Finding, Validation};

/// Sets up a Nexlayer [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Nexlayer>;
