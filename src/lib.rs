//! Careful clients for four small cloud platforms.
//!
//! | platform | what it is | client |
//! |---|---|---|
//! | [Nexlayer](nexlayer) | an app from a `nexlayer.yaml`, no account needed | [`nexlayer::Client`] |
//! | [dployr] | a PaaS on your own server | [`dployr::Client`] |
//! | [Nodion](nodion) | git-connected apps | [`nodion::Client`] |
//! | [Edgegap](edgegap) | game servers at the edge | [`edgegap::Client`] |
//!
//! Every method that talks to a platform returns a [`Call`]: `.await` sends it,
//! [`preview`](Call::preview) shows it and sends nothing, and options such as
//! [`timeout`](Call::timeout) and [`with_response`](Call::with_response) are the same everywhere.
//! A list is a [`Page`] by `.await`, its records one by one by [`stream`](Call::stream), and all of
//! them by [`all`](Call::all).
//! Every failure is an [`Error`] that says what [kind](Error::kind) it is and whether the platform
//! [possibly acted](Error::effect).
//!
//! A game server near its players:
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! use deploykit::edgegap::{Client, NewDeployment, User};
//! let edgegap = Client::from_env()?; // EDGEGAP_TOKEN
//! let player = User::ip([75, 28, 35, 192].into());
//! let server = edgegap.deploy(NewDeployment::new("my-app", "25.05.30", player).env("MODE", "ranked")).await?;
//! println!("{}", server.request_id);
//! # Ok(()) }
//! ```
//!
//! An app from a file:
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! use deploykit::nexlayer::{Client, Manifest};
//! let nexlayer = Client::new()?;
//! let deployed = nexlayer.deploy(Manifest::from_path("nexlayer.yaml")?).await?;
//! let extended = deployed.application().extend().await?;
//! println!("{:?} left", extended.expires_in);
//! # Ok(()) }
//! ```
//!
//! Your own server:
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! use deploykit::dployr::{Client, NewDeployment};
//! let dployr = Client::from_env()?; // DPLOYR_BASE_URL, DPLOYR_TOKEN
//! let app = NewDeployment::from_git("my-app", "https://github.com/user/repo").runtime("nodejs", "20");
//! dployr.deploy(app).await?;
//! # Ok(()) }
//! ```
//!
//! A connected app once more:
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! let nodion = deploykit::nodion::Client::from_env()?; // NODION_TOKEN
//! let deployed = nodion.application("92955d4f-2e44-4e48-8cb6-9c6c434afebb").deploy().await?;
//! println!("{} {}", deployed.record.deploy_number, deployed.record.status);
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a platform or the feature `testing`, some shared code is unused.
#![cfg_attr(
    not(all(
        feature = "dployr",
        feature = "edgegap",
        feature = "nexlayer",
        feature = "nodion",
        feature = "testing"
    )),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        rustdoc::broken_intra_doc_links
    )
)]

#[cfg(not(any(
    feature = "dployr",
    feature = "edgegap",
    feature = "nexlayer",
    feature = "nodion"
)))]
compile_error!(
    "deploykit needs a platform: enable one of the features `dployr`, `edgegap`, `nexlayer`, `nodion`"
);

pub mod call;
mod check;
mod error;
mod id;
mod lenient;
pub mod logs;
mod open_enum;
pub mod operation;
pub mod page;
mod phase;
pub mod preview;
#[cfg(not(feature = "raw"))]
mod raw;
#[cfg(feature = "raw")]
pub mod raw;
pub mod secret;
mod time;
mod transport;
mod wait;
pub mod watch;
pub mod webhook;

#[cfg(feature = "dployr")]
pub mod dployr;
#[cfg(feature = "edgegap")]
pub mod edgegap;
#[cfg(feature = "nexlayer")]
pub mod nexlayer;
#[cfg(feature = "nodion")]
pub mod nodion;
#[cfg(feature = "testing")]
pub mod testing;

/// Tokens: fixed, from a source that renews them, and kept in a store.
pub mod credentials {
    pub use crate::error::BoxError;
    pub use crate::transport::credentials::{
        Credentials, FileStore, TokenSource, TokenStore, Tokens,
    };
}

/// Client-side rate limits: per process, for a fixed share, or shared by several processes.
pub mod pacing {
    pub use crate::error::BoxError;
    #[cfg(feature = "redis")]
    pub use crate::transport::pacing::RedisBudget;
    pub use crate::transport::pacing::{
        BudgetBucket, BudgetReply, Fallback, PaceState, Pacing, SharedBudget,
    };
}

/// The HTTP types of this crate's API.
pub use http;

#[doc(inline)]
pub use call::{Call, Response};
pub use error::{Effect, Error, ErrorKind, Result};
#[doc(inline)]
pub use page::Page;
#[doc(inline)]
pub use secret::Secret;
pub use time::Timestamp;
pub use transport::builder::ClientBuilder;
pub use transport::platform::Platform;
pub use transport::retry::Retry;

/// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
