//! Reads numbers and lists in the forms that servers have for them.
//!
//! The build script points the fields of replies here. A number comes as a string or with a `.0`, an
//! empty list or map as null: no reason to lose the whole reply. What is no number fails as before,
//! with its path and without its value. Requests are not read this way.

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A whole number.
pub(crate) fn whole<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    deserializer.deserialize_any(Whole(PhantomData))
}

/// A whole number or null.
pub(crate) fn whole_or_null<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    deserializer.deserialize_option(OrNull(Whole(PhantomData)))
}

/// A number with or without a fraction.
#[allow(dead_code)] // For required fields, which no spec has today.
pub(crate) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(Decimal)
}

/// A number with or without a fraction, or null.
pub(crate) fn decimal_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    deserializer.deserialize_option(OrNull(Decimal))
}

/// A list or a map; null is an empty one.
pub(crate) fn empty_if_null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<i128>> Whole<T> {
    fn fit<E: de::Error>(number: i128) -> Result<T, E> {
        T::try_from(number).map_err(|_| {
            let found = Unexpected::Other("number");
            E::invalid_value(found, &"one that fits its field")
        })
    }
}

impl<T: TryFrom<i128>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        Self::fit(number.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Self::fit(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        match whole_of(number) {
            Some(number) => Self::fit(number),
            None => Err(E::invalid_value(Unexpected::Other("fraction"), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        let text = text.trim();
        let number = text.parse().ok();
        match number.or_else(|| whole_of(number_in(text)?)) {
            Some(number) => Self::fit(number),
            None => Err(E::invalid_type(Unexpected::Str(""), &self)),
        }
    }
}

/// Beyond 2^53 a float no longer tells one whole number from the next.
fn whole_of(number: f64) -> Option<i128> {
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    exact.then_some(number as i128)
}

struct Decimal;

impl Visitor<'_> for Decimal {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        number_in(text.trim()).ok_or_else(|| E::invalid_type(Unexpected::Str(""), &self))
    }
}

/// The number that is the whole text. Rust also takes words, such as `nan` and `infinity`.
pub(crate) fn number_in(text: &str) -> Option<f64> {
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if !text.chars().all(digits) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// What a visitor reads, or null.
struct OrNull<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for OrNull<V> {
    type Value = Option<V::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self.0).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::transport::decode::misfit;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Reply {
        #[serde(deserialize_with = "super::whole")]
        port: i64,
        #[serde(default, deserialize_with = "super::whole_or_null")]
        expires_in: Option<i64>,
        #[serde(default, deserialize_with = "super::decimal_or_null")]
        load: Option<f64>,
        #[serde(default, deserialize_with = "super::empty_if_null")]
        list: Vec<Item>,
        #[serde(default, deserialize_with = "super::empty_if_null")]
        map: BTreeMap<String, String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        #[serde(deserialize_with = "super::decimal")]
        size: f64,
    }

    fn read(text: &str) -> Result<Reply, String> {
        serde_json::from_str(text).map_err(|error| misfit(text.as_bytes(), &error))
    }

    #[test]
    fn numbers_come_in_many_forms() {
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
    fn null_and_nothing_are_none_or_empty() {
        let nothing = read(r#"{"port":1}"#).unwrap();
        let null = read(r#"{"port":1,"expires_in":null,"load":null,"list":null,"map":null}"#);
        assert_eq!(null.unwrap(), nothing);
        assert_eq!((nothing.expires_in, nothing.list.len()), (None, 0));
    }

    #[test]
    fn what_is_no_number_fails_with_its_path_and_without_its_value() {
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
                "$.port: found number, expected one that fits its field",
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
