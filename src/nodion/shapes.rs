//! Types for response bodies that Nodion does not document.

use crate::error::{Effect, Error, ErrorKind, Result};
use crate::lenient;
use crate::raw::nodion::types::{Application, Domain, Process, ScalingEvent};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::marker::PhantomData;

/// The undocumented response to an update: the record, if the body has its envelope.
///
/// Any other body, including an empty one, decodes to `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionalRecord<T>(Option<T>);

/// The response to a deletion. `{"deleted": false}` is a failure, any other body is a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    denied: bool,
}

/// The JSON of a list of log lines, which are decoded one by one.
#[derive(Clone, Debug, Deserialize)]
pub struct LogLines<T> {
    pub(super) logs: Box<RawValue>,
    #[serde(skip)]
    line: PhantomData<T>,
}

/// A record that a response contains in an envelope.
pub trait Record {
    /// The key of the record in the envelope: `application` in `{"application": …}`.
    const KEY: &'static str;
}

macro_rules! records {
    ($($record:ident $key:literal,)*) => {$(
        impl Record for $record {
            const KEY: &'static str = $key;
        }
    )*};
}

records! {
    Application "application", Domain "domain", Process "process", ScalingEvent "scaling_event",
}

impl<T> OptionalRecord<T> {
    /// The record, if the response contains one.
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

impl Deletion {
    pub(super) fn check(self) -> Result<()> {
        if self.denied {
            let message = "the platform replied that nothing was deleted";
            return Err(Error::new(ErrorKind::Rejected, message).with_effect(Effect::Unknown));
        }
        Ok(())
    }
}

impl<'de, T: Record + DeserializeOwned> Deserialize<'de> for OptionalRecord<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut body = Value::deserialize(deserializer)?;
        let found = body.get_mut(T::KEY).map(Value::take);
        let record = lenient::from_value(found.unwrap_or_default(), true);
        record.map(Self).map_err(|error| {
            // The path of the record.
            D::Error::custom(error.replacen('$', &format!("$.{}", T::KEY), 1))
        })
    }
}

impl<'de> Deserialize<'de> for Deletion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let body = Value::deserialize(deserializer)?;
        Ok(Self {
            denied: body.get("deleted") == Some(&Value::Bool(false)),
        })
    }
}

crate::id::id! {
    /// Id of a Git integration, repository or branch.
    ///
    /// For [`Branch::new`](super::Branch::new).
    ExternalId, "external id", crate::id::check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_without_the_envelope_has_no_record() {
        let read = |text: &str| serde_json::from_str::<OptionalRecord<Domain>>(text);
        let one = r#"{"meta":[1],"domain":{"id":"d","domain_name":"a.example"}}"#;
        assert_eq!(read(one).unwrap().into_inner().unwrap().id.as_str(), "d");
        for other in [
            "null",
            "{}",
            r#"{"domain":null}"#,
            r#"{"updated":true}"#,
            "[1,{}]",
            "\"ok\"",
            "true",
            "1",
            "-1",
            "1.5",
        ] {
            assert_eq!(read(other).unwrap().into_inner(), None, "{other}");
        }
        assert!(read(r#"{"domain":{"id":"d"}}"#).is_err());
    }

    #[test]
    fn deletion_fails_only_if_deleted_is_false() {
        let read = |text: &str| serde_json::from_str::<Deletion>(text).unwrap().check();
        for success in [
            r#"{"deleted":true}"#,
            r#"{"deleted":null}"#,
            "{}",
            "null",
            "\"\"",
        ] {
            assert!(read(success).is_ok(), "{success}");
        }
        let error = read(r#"{"deleted":false}"#).unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Rejected, Effect::Unknown)
        );
    }

    #[test]
    fn external_id_is_text_or_a_number() {
        for (json, text) in [("\"a-1\"", "a-1"), ("7", "7"), ("-7", "-7")] {
            let id: ExternalId = lenient::from_slice(json.as_bytes(), false).unwrap();
            assert_eq!((id.as_str(), id.to_string()), (text, text.to_owned()));
        }
        assert!(serde_json::from_str::<ExternalId>("[]").is_err());
    }
}
