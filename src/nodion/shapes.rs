//! Types for response bodies that Nodion does not document.

use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::nodion::types::{Application, Domain, Process, ScalingEvent};
use serde::de::{DeserializeOwned, Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt;

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

/// A record that a response contains in an envelope.
pub trait Record {
    /// The key of the record in the envelope: `application` in `{"application": …}`.
    const KEY: &'static str;
}

impl Record for Application {
    const KEY: &'static str = "application";
}

impl Record for Domain {
    const KEY: &'static str = "domain";
}

impl Record for Process {
    const KEY: &'static str = "process";
}

impl Record for ScalingEvent {
    const KEY: &'static str = "scaling_event";
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
        let record = serde_json::from_value(found.unwrap_or_default());
        record.map(Self).map_err(D::Error::custom)
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

/// Id of a Git integration, repository or branch.
///
/// For [`Branch::new`](super::Branch::new). Deserializes from a string or a number, because ids that the
/// Git host assigns may be numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ExternalId(String);

impl ExternalId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ExternalId> for String {
    fn from(id: ExternalId) -> Self {
        id.0
    }
}

impl<'de> Deserialize<'de> for ExternalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(id) => Ok(Self(id)),
            Value::Number(id) if id.is_i64() || id.is_u64() => Ok(Self(id.to_string())),
            _ => Err(D::Error::invalid_type(
                Unexpected::Other("another value"),
                &"an id: text or a number",
            )),
        }
    }
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
            let id: ExternalId = serde_json::from_str(json).unwrap();
            assert_eq!((id.as_str(), id.to_string()), (text, text.to_owned()));
        }
        assert!(serde_json::from_str::<ExternalId>("[]").is_err());
    }
}
