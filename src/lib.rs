//! Clients for four small cloud platforms: [Nexlayer](nexlayer), [dployr], [Nodion](nodion) and
//! [Edgegap](edgegap).
//!
//! ```no_run
#![doc = include_str!("../docs/quickstart.rs")]
//! ```
//!
//! | platform | what it is | client |
//! |---|---|---|
//! | [Nexlayer](nexlayer) | apps from a `nexlayer.yaml`, without an account | [`nexlayer::Client`] |
//! | [dployr] | a PaaS on your own server | [`dployr::Client`] |
//! | [Nodion](nodion) | apps from a Git repository or an image | [`nodion::Client`] |
//! | [Edgegap](edgegap) | game servers near their players | [`edgegap::Client`] |
//!
//! # API grammar
//!
//! - `deploy` starts a deployment. Its result contains the id, if the platform returns one; the result's
//!   method `deployment` (on Nexlayer `application`) returns a handle.
//! - A method with a plural name returns a collection: `client.domains().list()`, `.create(new)`.
//! - A method with a singular name and an id returns a handle: `client.domain(id).get()`, `.delete()`.
//! - `wait`, `restart`, `logs` and `follow_logs` have the same meaning on every platform. Some platforms lack
//!   some of them. `stop` ends an Edgegap deployment for good; a dployr service and a Nodion process can be
//!   started again.
//!
//! Every operation is a method that returns a [`Call`]. A call sends nothing until awaited, and has the same
//! options everywhere: [`timeout`](Call::timeout), [`preview`](Call::preview),
//! [`with_response`](Call::with_response) and others. A list call returns one [`Page`];
//! [`all`](Call::all) and [`stream`](Call::stream) read all pages.
//!
//! An [`Error`] has a [kind](Error::kind), and an [effect](Error::effect), which shows whether the platform
//! may have acted.
//!
//! # Modules
//!
//! | module | content |
//! |---|---|
//! | [`watch`] | waiting for one deployment, watching many |
//! | [`logs`] | log lines, following a log |
//! | [`credentials`] | token sources and stores |
//! | [`pacing`] | client-side rate limits |
//! | [`webhook`] | receiving webhooks |
//! | [`call`] | options of a call, response headers, reports of calls |
//! | [`page`] | lists: one page, or a stream of all records |
//! | [`preview`] | requests without sending them, for snapshots |
//! | [`secret`] | redacted tokens, URLs and personal data |
//! | [`testing`] | snapshots of requests, canned responses |
//! | [`operation`] | the table of all operations, with evidence and behaviour |
//!
//! deploykit is not affiliated with these platforms.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Some shared code is unused if one of the platforms or the feature `testing` is disabled.
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
mod drift;
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

/// Tokens: fixed or renewed, and stores that keep them across processes.
pub mod credentials {
    pub use crate::error::BoxError;
    pub use crate::transport::credentials::{
        Credentials, FileStore, TokenSource, TokenStore, Tokens,
    };
}

/// Client-side rate limits, for one process or shared by several.
pub mod pacing {
    pub use crate::error::BoxError;
    #[cfg(feature = "redis")]
    pub use crate::transport::pacing::RedisBudget;
    pub use crate::transport::pacing::{
        BudgetBucket, BudgetReply, Fallback, PaceState, Pacing, SharedBudget,
    };
}

/// The crate `http`, whose types this crate's API uses.
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

/// Runs the examples of the README and of `docs/`.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/clients.md")]
    struct Clients;
    #[doc = include_str!("../docs/shared-rate-limits.md")]
    struct SharedRateLimits;
    #[doc = include_str!("../docs/publishing.md")]
    struct Publishing;
    #[doc = include_str!("../docs/unknown-outcomes.md")]
    struct UnknownOutcomes;
    #[doc = include_str!("../docs/waiting-and-logs.md")]
    struct WaitingAndLogs;
}
