//! The generated clients, one per enabled platform. Private; public under the feature `raw`.
//!
//! Nothing here is edited: change `specs/<platform>.yaml` and build.

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
