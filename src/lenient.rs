//! Lenient deserializers for response fields, attached by the build script.
//!
//! Servers send numbers as strings or with a `.0`, and empty lists and maps as null. Other values are
//! errors with the path of the field and without its value. Requests are not deserialized leniently.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde_json::{Number, Value};
use std::fmt;

const INTEGER: &str = "a whole number in the range of its type";
const FLOAT: &str = "a number";

/// Deserializes an integer.
pub(crate) fn integer<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    deserializer.deserialize_any(ScalarVisitor {
        expected: INTEGER,
        read: as_integer,
    })
}

/// Deserializes an integer or null.
pub(crate) fn optional_integer<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    deserializer.deserialize_any(ScalarVisitor {
        expected: INTEGER,
        read: |value| or_null(value, as_integer),
    })
}

/// Deserializes a floating-point number.
#[allow(dead_code)] // For required fields, which no spec has today.
pub(crate) fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(ScalarVisitor {
        expected: FLOAT,
        read: as_float,
    })
}

/// Deserializes a floating-point number or null.
pub(crate) fn optional_float<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    deserializer.deserialize_any(ScalarVisitor {
        expected: FLOAT,
        read: |value| or_null(value, as_float),
    })
}

/// Deserializes a list or a map; null becomes an empty one.
pub(crate) fn null_as_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A visitor for null, numbers and strings. Its errors do not contain the value.
pub(crate) struct ScalarVisitor<F> {
    pub expected: &'static str,
    pub read: F,
}

impl<F> ScalarVisitor<F> {
    fn visit<T, E: Error>(self, value: Value) -> Result<T, E>
    where
        F: FnOnce(Value) -> Option<T>,
    {
        let found = match &value {
            Value::Null => Unexpected::Unit,
            Value::Number(number) if number.is_f64() => Unexpected::Other("fraction"),
            Value::Number(_) => Unexpected::Other("number"),
            _ => Unexpected::Other("string"),
        };
        (self.read)(value).ok_or_else(|| E::invalid_type(found, &self.expected))
    }
}

impl<'de, T, F: FnOnce(Value) -> Option<T>> Visitor<'de> for ScalarVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        self.visit(Value::Null)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit(number.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        self.visit(text.into())
    }

    /// A number, if another crate enables `arbitrary_precision` of serde_json.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let number = Number::deserialize(MapAccessDeserializer::new(map))
            .map_err(|_| A::Error::invalid_type(Unexpected::Map, &self.expected))?;
        self.visit(number.into())
    }
}

fn or_null<T>(value: Value, read: fn(Value) -> Option<T>) -> Option<Option<T>> {
    match value {
        Value::Null => Some(None),
        value => read(value).map(Some),
    }
}

fn as_integer<T: TryFrom<i128>>(value: Value) -> Option<T> {
    let number: Option<i128> = match &value {
        Value::Number(number) => number.as_i128(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.or_else(|| {
        // Above 2^53, a float no longer represents every integer.
        let number = as_float(value)?;
        let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
        exact.then_some(number as i128)
    });
    T::try_from(number?).ok()
}

fn as_float(value: Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            let text = text.trim();
            // Rust also parses words such as `nan` and `infinity`.
            let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
            let number: f64 = text.parse().ok()?;
            (text.chars().all(digits) && number.is_finite()).then_some(number)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::transport::decode::path_and_reason;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Reply {
        #[serde(deserialize_with = "super::integer")]
        port: i64,
        #[serde(default, deserialize_with = "super::optional_integer")]
        expires_in: Option<i64>,
        #[serde(default, deserialize_with = "super::optional_float")]
        load: Option<f64>,
        #[serde(default, deserialize_with = "super::null_as_empty")]
        list: Vec<Item>,
        #[serde(default, deserialize_with = "super::null_as_empty")]
        map: BTreeMap<String, String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        #[serde(deserialize_with = "super::float")]
        size: f64,
    }

    fn read(text: &str) -> Result<Reply, String> {
        serde_json::from_str(text).map_err(|error| path_and_reason(text.as_bytes(), &error))
    }

    #[test]
    fn numbers_are_decoded_in_every_known_form() {
        for (port, expected) in [
            ("80", 80),
            ("\"80\"", 80),
            ("80.0", 80),
            ("\"80.0\"", 80),
            ("\" 80 \"", 80),
            ("8e1", 80),
            ("-1", -1),
            ("\"-1\"", -1),
            ("9223372036854775807", i64::MAX),
            ("\"9223372036854775807\"", i64::MAX),
        ] {
            let reply = read(&format!(r#"{{"port":{port},"expires_in":{port}}}"#)).unwrap();
            assert_eq!(
                (reply.port, reply.expires_in),
                (expected, Some(expected)),
                "{port}"
            );
        }
        for (load, expected) in [
            ("0.5", Some(0.5)),
            ("\"0.5\"", Some(0.5)),
            ("1", Some(1.0)),
            ("\"1\"", Some(1.0)),
            ("null", None),
        ] {
            let reply = read(&format!(r#"{{"port":1,"load":{load}}}"#)).unwrap();
            assert_eq!(reply.load, expected, "{load}");
        }
    }

    #[test]
    fn null_and_absent_fields_are_none_or_empty() {
        let nothing = read(r#"{"port":1}"#).unwrap();
        let null = read(r#"{"port":1,"expires_in":null,"load":null,"list":null,"map":null}"#);
        assert_eq!(null.unwrap(), nothing);
        assert_eq!((nothing.expires_in, nothing.list.len()), (None, 0));
    }

    #[test]
    fn other_values_fail_with_their_path_and_without_their_value() {
        for (body, message) in [
            (
                r#"{"port":"hush"}"#,
                "$.port: found string, expected a whole number",
            ),
            (
                r#"{"port":""}"#,
                "$.port: found string, expected a whole number",
            ),
            (
                r#"{"port":"0x50"}"#,
                "$.port: found string, expected a whole number",
            ),
            (
                r#"{"port":"80.5"}"#,
                "$.port: found string, expected a whole number",
            ),
            (
                r#"{"port":80.5}"#,
                "$.port: found fraction, expected a whole number",
            ),
            (
                r#"{"port":null}"#,
                "$.port: found null, expected a whole number",
            ),
            (
                r#"{"port":[80]}"#,
                "$.port: found sequence, expected a whole number",
            ),
            (
                r#"{"port":18446744073709551615}"#,
                "$.port: found number, expected a whole number in the range of its type",
            ),
            (
                r#"{"port":1e300}"#,
                "$.port: found fraction, expected a whole number",
            ),
            (
                r#"{"port":1,"expires_in":"hush"}"#,
                "$.expires_in: found string, expected a whole number",
            ),
            (
                r#"{"port":1,"load":"nan"}"#,
                "$.load: found string, expected a number",
            ),
            (
                r#"{"port":1,"load":true}"#,
                "$.load: found boolean, expected a number",
            ),
            (
                r#"{"port":1,"list":[{"size":"1"},{"size":"hush"}]}"#,
                "$.list[1].size: found string, expected a number",
            ),
            (
                r#"{"port":1,"list":{}}"#,
                "$.list: found map, expected a sequence",
            ),
            (r#"{}"#, "missing field `port`"),
        ] {
            let error = read(body).unwrap_err().to_string();
            assert!(error.contains(message), "{body}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
