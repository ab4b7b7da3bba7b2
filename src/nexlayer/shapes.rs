//! Types that decode the response bodies of all server versions (`x-rust-type` in the spec).
//!
//! - Fields with an older name are renamed, unless the field with the current name has a value.
//! - Fields of the wrong type are dropped. The response to a deploy has the only copy of the session
//!   token, so an invalid field must not make the response fail to decode.
//! - Durations, counts and URLs are parsed from the platform's messages, whose whitespace and wording
//!   differ between server versions. An unknown message is not an error: callers also get its text.

use super::{ApplicationState, failures};
use crate::lenient;
use regex_lite::Regex;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

type Object = Map<String, Value>;

/// Pairs of older field name and current name.
const ALIASES: [(&str, &str); 4] = [
    ("namespace", "environment"),
    ("claimURL", "claimUrl"),
    ("deploymentUrl", "url"),
    ("reservations", "reservedDeployments"),
];
/// Objects that older servers send as a string, each with the field that gets the string.
const STRING_FORMS: [(&str, &str); 3] = [
    ("status", "state"),
    ("extend", "message"),
    ("claim", "message"),
];

/// A JSON object in the format of any server version. `T` is the current format.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<T>(pub(super) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Reply<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = match success_body(deserializer)? {
            Value::Object(map) => Value::Object(rename_older_keys(map)),
            // Only the list of reservations is ever sent as a bare list.
            list @ Value::Array(_) => Value::Object(rename_older_keys(Map::from_iter([(
                "reservedDeployments".to_owned(),
                list,
            )]))),
            other => other,
        };
        lenient::from_value(body, true)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// A message: a JSON string, plain text, or `{message}`.
///
/// The transport converts plain text to a JSON string. Any other success decodes to an empty message,
/// because an error would hide that the call used up an extension. A web page is an error, because it does
/// not come from the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match success_body(deserializer)? {
            Value::String(text) => text,
            body => body["message"].as_str().unwrap_or_default().to_owned(),
        };
        if is_web_page(&text) {
            return Err(D::Error::custom("a web page instead of a message"));
        }
        Ok(Self(text))
    }
}

/// The JSON Schema of a manifest, with or without the envelope `{schema, version}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(pub(super) Value);

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match success_body(deserializer)? {
            Value::Object(mut map) if !is_schema(&map) => {
                let schema = map.remove("schema").filter(Value::is_object);
                Ok(Self(schema.unwrap_or(Value::Object(map))))
            }
            schema @ Value::Object(_) => Ok(Self(schema)),
            _ => Err(D::Error::custom("not a JSON Schema")),
        }
    }
}

/// Removes the envelope `{success, data}` from the body of a success.
fn success_body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let body = Value::deserialize(deserializer)?;
    if failures::failed_success(&body).is_some() {
        return Err(D::Error::custom("a failure with a success status"));
    }
    let Value::Object(mut map) = body else {
        return Ok(body);
    };
    let is_envelope = !is_schema(&map);
    Ok(match map.get_mut("data").filter(|_| is_envelope) {
        Some(Value::Object(data)) => {
            let mut data = std::mem::take(data);
            // The format `{message, data}` is from the source of one client.
            if let Some(message) = map.remove("message").filter(|_| !is_schema(&data)) {
                data.entry("message").or_insert(message);
            }
            Value::Object(data)
        }
        Some(data @ (Value::Array(_) | Value::String(_))) => data.take(),
        _ => Value::Object(map),
    })
}

/// Whether an object is a JSON Schema.
pub(super) fn is_schema(map: &Object) -> bool {
    let is_object_schema = map.get("properties").is_some_and(Value::is_object)
        && map.get("type").is_some_and(|kind| kind == "object");
    let has_schema_url = map.get("$schema").is_some_and(Value::is_string);
    !map.contains_key("sessionToken") && (is_object_schema || has_schema_url)
}

/// Renames older keys. Normalizes the objects at the top level and in the list of reservations.
fn rename_older_keys(mut map: Object) -> Object {
    for (alias, name) in ALIASES {
        if let Some(value) = map.remove(alias)
            && map.get(name).is_none_or(Value::is_null)
        {
            map.insert(name.to_owned(), value);
        }
    }
    normalize_object(&mut map);
    let reservations = map.get_mut("reservedDeployments");
    let reservations = reservations.and_then(Value::as_array_mut);
    let reservations = reservations.into_iter().flatten();
    reservations
        .filter_map(Value::as_object_mut)
        .for_each(normalize_object);
    map
}

fn normalize_object(map: &mut Object) {
    for (key, name) in STRING_FORMS {
        if let Some(part @ Value::String(_)) = map.get_mut(key) {
            *part = json!({ name: part.take() });
        }
    }
    // Some servers capitalize states. Unknown states are kept unchanged.
    if let Some(Value::String(state)) = map
        .get_mut("status")
        .and_then(|status| status.get_mut("state"))
    {
        let lower = state.to_lowercase();
        if !matches!(
            ApplicationState::from(lower.as_str()),
            ApplicationState::Unknown(_)
        ) {
            *state = lower;
        }
    }
}

/// Parses the time left: `… will expire in 30 minutes …`
pub(super) fn expires_in(text: &str) -> Option<Duration> {
    minutes(text, r"will expire in (\d+) minute")
}

/// Parses the length of an extension: `… for another 120 minutes …`
pub(super) fn extension_length(text: &str) -> Option<Duration> {
    minutes(text, r"another (\d+) minute")
}

/// Parses the number of extensions left: `You have 1 extensions remaining.` or
/// `You can extend it up to 3 times.`
pub(super) fn extensions_remaining(text: &str) -> Option<u32> {
    number(text, r"(\d+) extension").or_else(|| number(text, r"extend it up to (\d+)"))
}

/// Parses the time until a site is removed: `… removed within the next 10 minutes.`
pub(super) fn removed_within(text: &str) -> Option<Duration> {
    minutes(text, r"removed within (?:the next )?(\d+) minute")
}

/// The text after `Application {name} has been`, because the name may look like the parsed text.
pub(super) fn after_name(text: &str) -> &str {
    text.rsplit_once(" has been ")
        .map_or(text, |(_, rest)| rest)
}

/// The first URL in a text.
pub(super) fn first_url(text: &str) -> Option<&str> {
    let url = captured(text, r"(https?://\S+)")?;
    Some(url.trim_end_matches(['.', ',', ')', '"']))
}

/// Whether a text is a web page.
pub(super) fn is_web_page(text: &str) -> bool {
    captured(text, r"(?i)^\s*<(!doctype html|html|head|body)").is_some()
}

/// Collapses whitespace, and removes the quotes of a JSON string inside a string.
pub(super) fn normalize(text: &str) -> String {
    let unquoted: Option<String> = serde_json::from_str(text.trim()).ok();
    let text = unquoted.as_deref().unwrap_or(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn captured<'a>(text: &'a str, regex: &str) -> Option<&'a str> {
    let captures = Regex::new(regex).ok()?.captures(text)?;
    captures.get(1).map(|group| group.as_str())
}

fn number(text: &str, regex: &str) -> Option<u32> {
    captured(text, regex)?.parse().ok()
}

fn minutes(text: &str, regex: &str) -> Option<Duration> {
    number(text, regex).map(|minutes| Duration::from_secs(60) * minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::nexlayer::types::{
        ClaimReply, MessageReply, PodList, ReservationList, StartReply,
    };
    use std::fmt::Debug;

    /// Rows: body => the same response in the current format.
    fn assert_decoded<T: DeserializeOwned + PartialEq + Debug>(rows: &str) {
        for row in rows.trim().lines() {
            let (body, current) = row.split_once(" => ").unwrap();
            let Reply(reply) = serde_json::from_str::<Reply<T>>(body).unwrap();
            let expected: T = serde_json::from_str(current).unwrap();
            assert_eq!(reply, expected, "{body}");
        }
    }

    #[test]
    fn older_names_and_envelopes_are_decoded() {
        assert_decoded::<StartReply>(
            r#"
{"namespace":"n"} => {"environment":"n"}
{"namespace":"n","environment":"e"} => {"environment":"e"}
{"namespace":"n","environment":null} => {"environment":"n"}
{"deploymentUrl":"u"} => {"url":"u"}
{"success":true,"data":{"url":"u"}} => {"url":"u"}
{"message":"m","data":{"namespace":"n"}} => {"message":"m","environment":"n"}
{"message":"m","data":{"message":"n"}} => {"message":"n"}
{"success":true,"data":null,"message":"m"} => {"message":"m"}
{"status":"Running","extend":"words","claim":"words"} => {"status":{"state":"running"},"extend":{"message":"words"},"claim":{"message":"words"}}
{"error":"","url":"u"} => {"url":"u"}
{"error":null} => {}
"#,
        );
        assert_decoded::<ClaimReply>(r#"{"claimURL":"u"} => {"claimUrl":"u"}"#);
        assert_decoded::<ReservationList>(
            r#"
{"reservations":[]} => {"reservedDeployments":[]}
[{"status":"Running"}] => {"reservedDeployments":[{"status":{"state":"running"}}]}
{"data":[{"url":"u"}]} => {"reservedDeployments":[{"url":"u"}]}
"#,
        );
        assert_decoded::<PodList>(r#"{"pods":null} => {"pods":null}"#);
    }

    #[test]
    fn fields_of_the_wrong_type_are_dropped() {
        assert_decoded::<StartReply>(
            r#"
{"status":7} => {}
{"sessionToken":"t","url":{},"info":["x"],"extend":true,"claim":null} => {"sessionToken":"t"}
{"sessionToken":"t","valid":false,"$schema":"s","schema":{},"url":7} => {"sessionToken":"t","url":"7"}
{"status":{"state":[],"progress":"x","pods":null}} => {"status":{}}
{"status":{"state":"Odd","pods":[7,{"name":7,"status":"Running"}]}} => {"status":{"state":"Odd"}}
{"extend":{"available":"yes","expiresAt":false,"message":[]}} => {"extend":{}}
{"claim":{"claimed":1,"message":[2],"claimURL":{},"claimToken":{}}} => {"claim":{}}
"#,
        );
    }

    #[test]
    fn bodies_of_the_wrong_type_and_failures_are_errors() {
        for body in [json!("text"), json!(null), json!(7)] {
            assert!(serde_json::from_value::<Reply<MessageReply>>(body.clone()).is_err());
            assert!(serde_json::from_value::<Schema>(body).is_err());
        }
        let failure = json!({ "success": false });
        assert!(serde_json::from_value::<Reply<MessageReply>>(failure.clone()).is_err());
        assert!(serde_json::from_value::<Text>(failure).is_err());
    }

    #[test]
    fn schemas_are_kept_unchanged() {
        const ROWS: &str = r#"
{"$schema":"s","data":{"url":7},"error":"x","url":7} => {"$schema":"s","data":{"url":7},"error":"x","url":7}
{"success":true,"message":"m","data":{"type":"object","properties":{},"status":7}} => {"type":"object","properties":{},"status":7}
{"success":true,"data":{"version":"1","schema":{"$schema":"s","status":7}}} => {"$schema":"s","status":7}
{"version":"1","schema":{"$schema":"s"}} => {"$schema":"s"}
"#;
        for row in ROWS.trim().lines() {
            let (body, expected) = row.split_once(" => ").unwrap();
            let Schema(schema) = serde_json::from_str(body).unwrap();
            let expected: Value = serde_json::from_str(expected).unwrap();
            assert_eq!(schema, expected, "{body}");
        }
    }

    #[test]
    fn messages_are_decoded_in_every_form() {
        for json in [
            r#""It  is done.""#,
            r#"{"message":"It is done."}"#,
            r#"{"success":true,"data":"It is done."}"#,
            r#""\"It is done.\"""#,
        ] {
            let Text(text) = serde_json::from_str(json).unwrap();
            assert_eq!(normalize(&text), "It is done.");
        }
        for json in ["null", "7", "[]", "{}", r#"{"message":7}"#] {
            assert_eq!(serde_json::from_str::<Text>(json).unwrap().0, "", "{json}");
        }
        for json in [r#"" <!DOCTYPE html><p>It is done.""#, r#""<HTML>""#] {
            assert!(serde_json::from_str::<Text>(json).is_err(), "{json}");
        }
    }

    fn minutes(n: u64) -> Option<Duration> {
        Some(Duration::from_secs(60 * n))
    }

    #[test]
    fn expiry_and_extensions_left_are_parsed() {
        for (text, expected) in [
            (
                "\"Application A has been extended.  Environment will expire in 150 minutes. 0 extension(s) remaining.\"",
                (minutes(150), Some(0)),
            ),
            (
                "Application a has been extended. b has been extended. Environment will expire in 1 minute. 1 extension remaining",
                (minutes(1), Some(1)),
            ),
            (
                "Application will expire in 5 minutes 7 extension has been extended. Environment will expire in 30 minutes. 2 extension(s) remaining.",
                (minutes(30), Some(2)),
            ),
            (
                "Application x has been extended. Environment will expire in 99999999999999 minutes. 99999999999 extension(s) remaining.",
                (None, None),
            ),
            ("will expire in 5 hours", (None, None)),
            ("ü extension", (None, None)),
        ] {
            let text = normalize(text);
            let rest = after_name(&text);
            assert_eq!(
                (expires_in(rest), extensions_remaining(rest)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn time_until_removal_is_parsed() {
        for (text, within) in [
            (
                "Application A reservation has been removed. Application site will be removed within the next 10 minutes.",
                minutes(10),
            ),
            (
                "Application removed within 7 minutes reservation has been removed. Application site will be removed within 10 minutes.",
                minutes(10),
            ),
            (
                "Application reservations have been removed. If deployments have reached their time limits, application sites will be removed within 10 minutes.",
                minutes(10),
            ),
            ("Application My App reservation has been removed.", None),
        ] {
            assert_eq!(removed_within(after_name(text)), within, "{text}");
        }
    }

    #[test]
    fn extension_offers_are_parsed() {
        let text = "To extend your environment for another 120 minutes, post the sessionToken and applicationName given in this response to the /extendDeployment endpoint. You have 1 extensions remaining.";
        assert_eq!(
            (extension_length(text), extensions_remaining(text)),
            (minutes(120), Some(1))
        );
        let text = "Your deployment will expire in 120 minutes. You can extend it up to 3 times.";
        assert_eq!(
            (expires_in(text), extensions_remaining(text)),
            (minutes(120), Some(3))
        );
    }

    #[test]
    fn first_url_in_a_message_is_parsed() {
        let text = "You're almost there! Visit https://app.nexlayer.io/claim/dCf0NdAQ64j6 to finalize your deployment.";
        assert_eq!(
            first_url(text),
            Some("https://app.nexlayer.io/claim/dCf0NdAQ64j6")
        );
        assert_eq!(
            first_url("Visit http://a.example/x."),
            Some("http://a.example/x")
        );
        assert_eq!(first_url("Visit the claim URL"), None);
    }
}
