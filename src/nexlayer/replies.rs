//! The parts of replies that come in several forms, as the spec's components name them.

use crate::raw::nexlayer::types;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A sentence: a JSON string, bare text (which the transport turns into one), or `{message}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = match &value {
            Value::String(text) => Some(text.as_str()),
            // A success without words is one all the same.
            Value::Null => Some(""),
            Value::Object(map) => map.get("message").and_then(Value::as_str),
            _ => None,
        };
        text.map(|text| Self(super::texts::normal(text)))
            .ok_or_else(|| serde::de::Error::custom("a text or a message is needed"))
    }
}

impl From<types::MessageReply> for Text {
    fn from(reply: types::MessageReply) -> Self {
        Self(super::texts::normal(&reply.message.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_every_form() {
        for json in [
            r#""It  is done.""#,
            r#"{"message":"It is done."}"#,
            r#""\"It is done.\"""#,
        ] {
            assert_eq!(serde_json::from_str::<Text>(json).unwrap().0, "It is done.");
        }
        assert_eq!(serde_json::from_str::<Text>("null").unwrap().0, "");
        assert!(serde_json::from_str::<Text>("7").is_err());
        assert!(serde_json::from_str::<Text>("{}").is_err());
    }
}
