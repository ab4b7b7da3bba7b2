//! The generated clients, one per enabled platform. Private; public under the feature `raw`.
//!
//! Nothing here is edited: change `specs/<platform>.yaml` and build.

mod client;
pub(crate) use client::client;

macro_rules! generated {
    ($($feature:literal $name:ident $file:literal $op:literal)*) => {$(
        /// The generated client of this platform.
        #[cfg(feature = $feature)]
        #[allow(missing_docs, unused, clippy::all, clippy::pedantic, rustdoc::all)]
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), $file));
            include!(concat!(env!("OUT_DIR"), $op));
        }
    )*};
}

generated! {
    "nexlayer" nexlayer "/nexlayer.rs" "/nexlayer_op.rs"
    "dployr" dployr "/dployr.rs" "/dployr_op.rs"
    "nodion" nodion "/nodion.rs" "/nodion_op.rs"
    "edgegap" edgegap "/edgegap.rs" "/edgegap_op.rs"
}

/// Lets a call of a generated client write its secrets into the request.
///
/// Outside of this, a secret is written as `<redacted>`, and the transport refuses to send that.
///
/// ```no_run
/// # #[cfg(feature = "dployr")]
/// # async fn example(dployr: deploykit::dployr::Client, body: deploykit::raw::dployr::types::LoginRequest) {
/// let raw = dployr.raw();
/// let reply = deploykit::raw::sending(raw.login(&body)).await;
/// # }
/// ```
#[cfg(feature = "raw")]
pub fn sending<'a, T>(
    call: impl Future<Output = T> + Send + 'a,
) -> impl Future<Output = T> + Send + 'a
where
    T: 'a,
{
    crate::secret::Exposed::new(Box::pin(call))
}
