//! Open enums, which keep unknown values.

/// Declares an open enum. The build script calls it for each string enum of a spec.
#[doc(hidden)]
#[macro_export]
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $value:literal $(| $bare:literal)?,)* }) => {
        $(#[$doc])*
        ///
        /// `Unknown` keeps values that this version does not know.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $value, "`")]
                $variant,
            )*
            /// A value that is not in the spec, unchanged.
            Unknown(String),
        }

        impl $name {
            /// The value that the platform uses.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    // Some endpoints omit the common prefix and use another case.
                    $($(other if [$value, $bare].iter().any(|known| known.eq_ignore_ascii_case(other)) => {
                        Self::$variant
                    })?)*
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self::from(value.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
                match <String as serde::Deserialize>::deserialize(d)?.into() {
                    Self::Unknown(_) if $crate::drift::note() => Err(serde::de::Error::invalid_type(
                        serde::de::Unexpected::Other("string"),
                        &concat!("a known ", stringify!($name)),
                    )),
                    value => Ok(value),
                }
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "examples": [$($value),*] })
            }
        }
    };
}
