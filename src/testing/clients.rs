//! Clients of a recorder, with placeholder credentials.

use super::Recorder;
use crate::error::Result;

macro_rules! clients {
    ($($feature:literal, $platform:ident, $builder:ident, $name:literal, |$new:ident| $with:expr;)*) => {
        impl Recorder {
            $(
                #[doc = concat!("A client for ", $name, " that sends to this recorder, with placeholder credentials.")]
                ///
                /// # Errors
                /// [`Configuration`](crate::ErrorKind::Configuration) when the system's certificates
                /// cannot be used.
                #[cfg(feature = $feature)]
                pub fn $platform(&self) -> Result<crate::$platform::Client> {
                    self.$builder().build()
                }

                #[doc = concat!("The builder of [`", stringify!($platform), "`](Self::", stringify!($platform), "), to set options.")]
                #[cfg(feature = $feature)]
                pub fn $builder(&self) -> crate::$platform::ClientBuilder {
                    let $new = crate::$platform::Client::builder();
                    $with.recorder(self)
                }
            )*
        }
    };
}

clients! {
    "nexlayer", nexlayer, nexlayer_builder, "Nexlayer", |new| new;
    "dployr", dployr, dployr_builder, "dployr", |new| new
        .base_url("https://dployr.example")
        .token("made-up-dployr-token");
    "nodion", nodion, nodion_builder, "Nodion", |new| new.token("made-up-nodion-key");
    "edgegap", edgegap, edgegap_builder, "Edgegap", |new| new.token("made-up-edgegap-token");
}
