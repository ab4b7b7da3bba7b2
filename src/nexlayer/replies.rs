//! The parts of replies that come in several forms, as the spec's components name them.

use crate::raw::nexlayer::types;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A sentence as it came: a JSON string, bare text (which the transport turns into one), or
/// `{message}`.
///
/// What else a success holds is no reason to call it a failure, for it may have used up an extension.
/// A web page is: it comes from something that is not the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = match &value {
            Value::String(text) => Some(text.as_str()),
            Value::Object(map) => map.get("message").and_then(Value::as_str),
            _ => None,
        };
        let text = text.unwrap_or_default().to_owned();
        if super::texts::is_page(text.trim_start()) {
            return Err(serde::de::Error::custom("a web page instead of a sentence"));
        }
        Ok(Self(text))
    }
}

impl From<types::MessageReply> for Text {
    fn from(reply: types::MessageReply) -> Self {
        Self(reply.message.unwrap_or_default())
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
            let text = serde_json::from_str::<Text>(json).unwrap().0;
            assert_eq!(crate::nexlayer::texts::normal(&text), "It is done.");
        }
        for json in ["null", "7", "[]", "{}", r#"{"message":7}"#] {
            assert_eq!(serde_json::from_str::<Text>(json).unwrap().0, "", "{json}");
        }
    }

    #[test]
    fn a_page_is_no_sentence() {
        for json in [r#"" <!DOCTYPE html><p>It is done.""#, r#""<HTML>""#] {
            assert!(serde_json::from_str::<Text>(json).is_err(), "{json}");
        }
    }
}
