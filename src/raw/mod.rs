//! Generated clients, one per enabled platform. Public with the feature `raw`.
//!
//! To change one, edit `specs/<platform>.yaml` and build.

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

/// Allows secrets in the request of a generated client.
///
/// Without it, secrets would be redacted, so the request is refused before it is sent.
///
/// ```no_run
/// # #[cfg(feature = "dployr")]
/// # async fn example(dployr: deploykit::dployr::Client, body: deploykit::raw::dployr::types::LoginRequest) {
/// let raw = dployr.raw();
/// let reply = deploykit::raw::with_secrets(raw.login(&body)).await;
/// # }
/// ```
#[cfg(feature = "raw")]
pub fn with_secrets<'a, T>(
    call: impl Future<Output = T> + Send + 'a,
) -> impl Future<Output = T> + Send + 'a
where
    T: 'a,
{
    crate::secret::ExposingFuture::new(Box::pin(call))
}
