//! Lenient decoding of response bodies.
//!
//! A body is first decoded by serde_json alone. If that fails, it is parsed as a [`Value`], in which the last of
//! duplicate keys wins, and decoded by [`Lenient`], which accepts the forms that servers send: numbers and
//! booleans as text, numbers for text, `8080.0` for an integer, null for an empty list, and null and `[]` for an
//! empty map. `{}` is not a list: it may be a failure, and whoever searches the list must not find it empty.
//! Null items are dropped. In a `loose` value, such as a record of a list, optional fields that cannot be read are
//! dropped instead, and an array with a null item is one of them: without the item, it could be taken for all.
//!
//! A body above 2 MiB is not parsed as a [`Value`]. Only the records of its [`List`]s are decoded leniently, one by
//! one.
//!
//! Errors contain the JSON path and no value.

use crate::drift;
use crate::secret::with_local;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::value::RawValue;
use serde_json::{Error, Map, Number, Value};
use serde_path_to_error::{Path, Segment};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

/// Selects the decoder for [`List`] in [`Lenient`].
const LIST: &str = "$deploykit::List";
/// What a [`List`] is decoded from, for errors.
const RECORDS: &str = "a list of records";
/// The name that serde_json uses for its `RawValue`.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
/// A longer body is decoded record by record: a [`Value`] needs many times the memory of its text.
const MAX_LENIENT_BYTES: usize = 2 << 20;
/// A list with more unreadable records cannot be read. Limits the time for hostile bodies.
const MAX_SKIPPED: usize = 10_000;
/// After this many repairs of one value, whole fields are dropped. Limits the time for hostile bodies.
const MAX_REPAIRS: usize = 16;

thread_local! {
    /// Set while serde_json decodes a long body.
    static BY_RECORD: Cell<bool> = const { Cell::new(false) };
    /// Names of fields, unlike keys of maps. Set while [`drift`] searches.
    static FIELDS: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Decodes JSON.
pub(crate) fn from_slice<T: DeserializeOwned>(json: &[u8], loose: bool) -> Result<T, Error> {
    // Only `Lenient` counts all differences.
    if !drift::is_searching()
        && let Ok(decoded) = serde_json::from_slice(json)
    {
        return Ok(decoded);
    }
    if json.len() > MAX_LENIENT_BYTES {
        return with_local(&BY_RECORD, true, || with_path(json));
    }
    let value = serde_json::from_slice(json).or_else(|_| with_path(json))?;
    from_value(value, loose).map_err(serde::de::Error::custom)
}

/// Decodes with serde_json. An error begins with the JSON path.
fn with_path<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let decoded = serde_path_to_error::deserialize(&mut json);
    let decoded = decoded.map_err(|error| serde::de::Error::custom(message(&error)))?;
    json.end().map(|()| decoded)
}

/// The JSON path and the reason. That of a handwritten decoder may begin with a path within its value.
fn message(error: &serde_path_to_error::Error<Error>) -> String {
    let reason = reason_without_value(error.inner());
    let within = reason.strip_prefix('$').map(str::to_owned);
    json_path(error.path()) + &within.unwrap_or_else(|| format!(": {reason}"))
}

/// Decodes a value. The error is the JSON path and the reason.
pub(crate) fn from_value<T: DeserializeOwned>(mut value: Value, loose: bool) -> Result<T, String> {
    let mut repairs = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize(Lenient(&value)) {
            Ok(decoded) => return Ok(decoded),
            Err(error) => error,
        };
        let reason = reason_without_value(error.inner());
        let mut path: Vec<_> = error.path().iter().collect();
        if repairs.len() >= MAX_REPAIRS {
            path.truncate(1);
        }
        let message = message(&error);
        let is_searched = !reason.starts_with("duplicate") && drift::note();
        if is_searched || repair(&mut value, &path, &reason, loose).is_none() {
            // A required field may be missing because its value was dropped.
            let is_missing = message.contains(": missing field");
            return Err(repairs.pop().filter(|_| is_missing).unwrap_or(message));
        }
        repairs.push(message);
    }
}

/// `$.data[1].id`; without indexes and keys of maps for [`drift`].
fn json_path(path: &Path) -> String {
    let searching = drift::is_searching();
    let is_field = |key: &str| FIELDS.with_borrow(|fields| fields.contains(key));
    path.iter().fold("$".to_owned(), |path, step| match step {
        Segment::Seq { .. } if searching => path + "[]",
        Segment::Seq { .. } => format!("{path}{step}"),
        Segment::Map { key } if searching && !is_field(key) => path + ".*",
        _ => format!("{path}.{step}"),
    })
}

/// Removes what cannot be decoded. `None` if nothing may be removed.
fn repair(value: &mut Value, path: &[&Segment], reason: &str, loose: bool) -> Option<()> {
    let target = follow(value, path)?;
    if let Some(name) = reason.strip_prefix("duplicate field `") {
        return drop_other_spellings(target.as_object_mut()?, name.trim_end_matches('`'));
    }
    let is_item = matches!(path.last(), Some(Segment::Seq { .. }));
    let may_be_null = is_item != loose || (!is_item && reason.contains("expected struct"));
    let is_null = may_be_null && target.is_null();
    if !is_null && (!loose || reason.ends_with(RECORDS)) {
        return None;
    }
    let (_, parents) = path.split_last()?;
    if is_null {
        // Removes all nulls at once, because one repair for each could exceed `MAX_REPAIRS`. An optional field
        // that is null has the same value as one that is missing.
        match follow(value, parents)? {
            Value::Array(items) => items.retain(|item| !item.is_null()),
            Value::Object(members) => members.retain(|_, member| !member.is_null()),
            _ => return None,
        }
        return Some(());
    }
    // An item that cannot be read makes its whole list unreadable: a shorter list could be taken for all.
    let at = path
        .iter()
        .rposition(|step| matches!(step, Segment::Map { .. }))?;
    let object = follow(value, &path[..at])?.as_object_mut()?;
    object.remove(&path[at].to_string()).map(drop)
}

fn follow<'v>(value: &'v mut Value, path: &[&Segment]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Segment::Seq { index } => value.get_mut(index),
        Segment::Map { key } => value.get_mut(key),
        _ => None,
    })
}

/// Removes the other spellings of a field, `created_at` beside `createdAt`, or the field itself if it is null.
fn drop_other_spellings(object: &mut Map<String, Value>, name: &str) -> Option<()> {
    let normalized = |name: &str| name.replace('_', "").to_lowercase();
    let before = object.len();
    let has_value = object.get(name).is_some_and(|own| !own.is_null());
    object.retain(|other, _| normalized(other) != normalized(name) || (other == name) == has_value);
    (object.len() < before).then_some(())
}

/// serde's message, without the quoted value, which may be a token.
pub(crate) fn reason_without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // At the last occurrence, because a quoted value may contain the same words.
    let text = match text.rsplit_once(" at line ") {
        Some((text, _)) if error.line() > 0 && error.is_data() => text,
        _ => &text,
    };
    let quoted = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix));
    match quoted {
        Some(rest) => {
            let found = rest.split([' ', '`', ',']).next().unwrap_or("a value");
            let found = found.replace("floating", "fraction");
            let expected = rest
                .rsplit_once(", expected ")
                .map_or("another", |(_, expected)| expected);
            format!("found {found}, expected {expected}")
        }
        None if text.starts_with("missing field")
            || text.starts_with('$')
            || text.starts_with("duplicate field")
            || error.is_syntax()
            || error.is_eof() =>
        {
            text.to_owned()
        }
        None => "unexpected value".to_owned(),
    }
}

/// The records of a list. Those that cannot be read are skipped and counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct List<T> {
    /// The records that were read.
    pub items: Vec<T>,
    /// Number of records that were not read.
    #[serde(skip)]
    pub skipped: usize,
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, skipped: 0 }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(LIST, ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RECORDS)
    }

    /// Called by other deserializers than [`Lenient`].
    fn visit_newtype_struct<D: Deserializer<'de>>(self, list: D) -> Result<List<T>, D::Error> {
        match BY_RECORD.get() {
            true => list.deserialize_seq(self),
            false => Vec::deserialize(list).map(List::from),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<List<T>, A::Error> {
        let mut list = List::from(Vec::new());
        while let Some(record) = records.next_element::<Box<RawValue>>()? {
            match from_slice(record.get().as_bytes(), true) {
                Ok(item) => list.items.push(item),
                Err(error) if drift::note() => {
                    let error = error.to_string().replacen('$', "$[]", 1);
                    return Err(serde::de::Error::custom(error));
                }
                Err(_) if list.skipped < MAX_SKIPPED => list.skipped += 1,
                Err(_) => return Err(serde::de::Error::invalid_value(Unexpected::Seq, &self)),
            }
        }
        Ok(list)
    }
}

/// Deserializes a value in any form that servers send.
#[derive(Clone, Copy)]
pub(crate) struct Lenient<'de>(pub &'de Value);

impl<'de> IntoDeserializer<'de, Error> for Lenient<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Implements methods of [`Deserializer`], each with the function that converts the value, if necessary.
macro_rules! converting {
    ($($method:ident $convert:ident,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            // Null for an empty list or map is documented on some platforms.
            match $convert(self.0).filter(|_| self.0.is_null() || !drift::note()) {
                Some(value) => IntoDeserializer::<Error>::into_deserializer(value).deserialize_any(visitor),
                None => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Lenient<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.iter().map(Lenient)))
            }
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| (key.as_str(), Lenient(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    converting! {
        deserialize_i8 as_integer, deserialize_i16 as_integer, deserialize_i32 as_integer,
        deserialize_i64 as_integer, deserialize_u8 as_integer, deserialize_u16 as_integer,
        deserialize_u32 as_integer, deserialize_u64 as_integer,
        deserialize_f32 as_float, deserialize_f64 as_float, deserialize_bool as_bool,
        deserialize_str as_text, deserialize_string as_text,
        deserialize_seq as_list, deserialize_map as_map,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            LIST => self.deserialize_seq(visitor),
            RAW_VALUE => self.0.deserialize_newtype_struct(name, visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if drift::is_searching() {
            FIELDS.with_borrow_mut(|known| known.extend(fields));
        }
        match self.0 {
            // serde would read an array as the fields in order.
            Value::Array(items) if !items.is_empty() || drift::note() => {
                Err(serde::de::Error::invalid_type(Unexpected::Seq, &visitor))
            }
            Value::Array(_) => Map::new().deserialize_any(visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier ignored_any
    }
}

fn as_integer(value: &Value) -> Option<i64> {
    let text = value.as_str().and_then(|text| text.trim().parse().ok());
    text.or_else(|| {
        // Above 2^53, a float no longer represents every integer.
        let fraction = value.as_number().filter(|number| number.is_f64());
        let number = fraction.map_or_else(|| as_float(value), Number::as_f64)?;
        let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
        exact.then_some(number as i64)
    })
}

fn as_float(value: &Value) -> Option<f64> {
    let text = value.as_str()?.trim();
    // Rust also parses words such as `nan` and `infinity`.
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let number: f64 = text.parse().ok()?;
    (text.chars().all(digits) && number.is_finite()).then_some(number)
}

fn as_bool(value: &Value) -> Option<bool> {
    value.as_str()?.to_lowercase().parse().ok()
}

fn as_text(value: &Value) -> Option<String> {
    value.as_number().map(ToString::to_string)
}

fn as_list(value: &Value) -> Option<Value> {
    value.is_null().then(|| Value::Array(Vec::new()))
}

fn as_map(value: &Value) -> Option<Value> {
    let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    is_empty.then(|| Value::Object(Map::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Record {
        port: u16,
        expires_in: Option<i64>,
        load: Option<f32>,
        on: Option<bool>,
        id: Option<Id>,
        at: Option<Timestamp>,
        list: Vec<i64>,
        texts: Vec<String>,
        map: BTreeMap<String, Port>,
        part: Option<Part>,
        raw: Option<Box<Raw>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(transparent)]
    struct Id(String);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Port {
        number: Option<i64>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Part {
        size: f64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(transparent)]
    struct Raw(Box<RawValue>);

    impl PartialEq for Raw {
        fn eq(&self, other: &Self) -> bool {
            self.0.get() == other.0.get()
        }
    }

    fn read<T: DeserializeOwned>(json: &str, loose: bool) -> Result<T, String> {
        from_slice(json.as_bytes(), loose).map_err(|error| error.to_string())
    }

    /// Rows: body => the same body as a strict decoder reads it.
    fn assert_decoded(rows: &str, loose: bool) {
        for row in rows.trim().lines() {
            let (body, expected) = row.split_once(" => ").unwrap();
            let expected: Record = serde_json::from_str(expected).unwrap();
            assert_eq!(read(body, loose), Ok(expected), "{body}");
        }
    }

    const FORMS: &str = r#"
{"port":"80"} => {"port":80}
{"port":80.0} => {"port":80}
{"port":"80.0"} => {"port":80}
{"port":" 80 "} => {"port":80}
{"port":8e1} => {"port":80}
{"expires_in":"-1"} => {"expires_in":-1}
{"expires_in":"9223372036854775807"} => {"expires_in":9223372036854775807}
{"load":"0.5"} => {"load":0.5}
{"load":1} => {"load":1.0}
{"on":"false"} => {"on":false}
{"on":"True"} => {"on":true}
{"id":12345} => {"id":"12345"}
{"id":1.5,"port":"1"} => {"id":"1.5","port":1}
{"at":1.5,"port":"1"} => {"at":1.5,"port":1}
{"list":null} => {}
{"list":["1",2.0,3]} => {"list":[1,2,3]}
{"map":null} => {}
{"map":[]} => {}
{"map":{"a":{"number":"3"},"b":null}} => {"map":{"a":{"number":3}}}
{"map":{"a":[]}} => {"map":{"a":{"number":null}}}
{"part":{"size":"1"}} => {"part":{"size":1}}
{"raw":[1, "a"],"port":"1"} => {"raw":[1,"a"],"port":1}
{"port":1,"port":2} => {"port":2}
{"list":[1],"port":"1","part":{"size":1,"size":"2"},"list":[2]} => {"list":[2],"port":1,"part":{"size":2}}
{} => {}
"#;

    #[test]
    fn values_are_decoded_in_every_known_form() {
        assert_decoded(FORMS, false);
        assert_decoded(FORMS, true);
    }

    #[test]
    fn null_items_are_dropped_or_make_the_array_of_a_loose_value_unreadable() {
        const ROWS: &str = r#"
{"list":["1",2.0,null,3]} => {"list":[1,2,3]}
{"texts":[null,7,"a",null]} => {"texts":["7","a"]}
"#;
        assert_decoded(ROWS, false);
        for row in ROWS.trim().lines() {
            let (body, _) = row.split_once(" => ").unwrap();
            assert_eq!(read(body, true), Ok(Record::default()), "{body}");
        }
    }

    #[test]
    fn any_number_of_null_entries_is_dropped_from_a_map() {
        let nulls: String = (0..1000).map(|n| format!(r#""n{n}":null,"#)).collect();
        let body = format!(r#"{{"id":"a","map":{{{nulls}"b":{{"number":"3"}}}}}}"#);
        for loose in [false, true] {
            let record = read::<Record>(&body, loose).unwrap();
            assert_eq!(record.id, Some(Id("a".to_owned())));
            assert!(record.map.keys().eq(["b"]));
        }
    }

    #[test]
    fn optional_fields_are_dropped_only_from_loose_values() {
        const ROWS: &str = r#"
{"id":"a","expires_in":0.5} => {"id":"a"}
{"id":"a","expires_in":1e300} => {"id":"a"}
{"id":"a","expires_in":18446744073709551615} => {"id":"a"}
{"id":"a","load":[],"on":7,"at":{},"part":{},"list":"hush"} => {"id":"a"}
{"list":[1,"hush",[],2]} => {}
{"list":{}} => {}
{"map":{"a":7,"b":{}},"id":"a"} => {"map":{"b":{}},"id":"a"}
{"map":{"a":{"number":"hush"}}} => {"map":{"a":{"number":null}}}
"#;
        assert_decoded(ROWS, true);
        for row in ROWS.trim().lines() {
            let (body, _) = row.split_once(" => ").unwrap();
            let error = read::<Record>(body, false).unwrap_err();
            assert!(error.starts_with("$."), "{body}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
        // Many repairs drop the whole field.
        let many = format!(r#"{{"list":[{}1],"id":"a"}}"#, r#""x","#.repeat(1000));
        let id = read::<Record>(&many, true).unwrap().id.unwrap();
        assert_eq!(id.0, "a");
    }

    #[test]
    fn other_values_fail_with_their_path_and_without_their_value() {
        for (body, message) in [
            (r#"{"port":"hush"}"#, "$.port: found string, expected u16"),
            (r#"{"port":""}"#, "$.port: found string, expected u16"),
            (r#"{"port":"0x50"}"#, "$.port: found string, expected u16"),
            (r#"{"port":"80.5"}"#, "$.port: found string, expected u16"),
            (r#"{"port":80.5}"#, "$.port: found fraction, expected u16"),
            (r#"{"port":65536}"#, "$.port: found integer, expected u16"),
            (r#"{"port":-1}"#, "$.port: found integer, expected u16"),
            (r#"{"port":null}"#, "$.port: found null, expected u16"),
            (r#"{"port":[80]}"#, "$.port: found sequence, expected u16"),
            (r#"{"load":"nan"}"#, "$.load: found string, expected f32"),
            (r#"{"on":1}"#, "$.on: found integer, expected a boolean"),
            (r#"{"id":{}}"#, "$.id: found map, expected a string"),
            (
                r#"{"list":[1,"hush"]}"#,
                "$.list[1]: found string, expected i64",
            ),
            (
                r#"{"list":{"a":1}}"#,
                "$.list: found map, expected a sequence",
            ),
            (r#"{"map":[1]}"#, "$.map: found sequence, expected a map"),
            (
                r#"{"map":{"a":{"number":"hush"}}}"#,
                "$.map.a.number: found string, expected i64",
            ),
            (r#"{"part":{}}"#, "$.part: missing field `size`"),
            (
                r#"{"part":"hush"}"#,
                "$.part: found string, expected struct Part",
            ),
            ("7", "$: found integer, expected struct Record"),
        ] {
            assert_eq!(read::<Record>(body, false).unwrap_err(), message, "{body}");
        }
        // The cause, not the field that is missing after the repair.
        let cause = read::<Part>(r#"{"size":"hush"}"#, true).unwrap_err();
        assert_eq!(cause, "$.size: found string, expected f64");
        let truncated = read::<Record>(r#"{"port":"1"#, false).unwrap_err();
        let eof = "$.port: EOF while parsing a string at line 1 column 10";
        assert_eq!(truncated, eof);
    }

    #[test]
    fn records_that_cannot_be_read_are_skipped_and_counted() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Named {
            id: Id,
            size: Option<i64>,
        }
        let ids = |json: &str| {
            let list: List<Named> = read(json, false)?;
            let ids: Vec<_> = list.items.into_iter().map(|item| item.id.0).collect();
            Ok::<_, String>((ids.join(" "), list.skipped))
        };
        for (json, expected, skipped) in [
            (r#"[{"id":"a"},{"id":"b","size":1}]"#, "a b", 0),
            (
                r#"[{"id":"a"},null,{"id":7},{"id":"b","size":"x"}]"#,
                "a 7 b",
                1,
            ),
            (r#"[{"id":"a"},{},{"id":[]},7,"hush",[{}]]"#, "a", 5),
            ("[null]", "", 1),
            ("null", "", 0),
            ("[]", "", 0),
        ] {
            assert_eq!(ids(json), Ok((expected.to_owned(), skipped)), "{json}");
        }
        for json in [r#"{"id":"a"}"#, "{}", "7", r#""hush""#] {
            let error = ids(json).unwrap_err();
            assert!(error.ends_with("expected a list of records"), "{error}");
        }
        let hostile = format!(r#"{{"list":[{}0]}}"#, "0,".repeat(MAX_SKIPPED));
        let error = read::<BTreeMap<String, List<Named>>>(&hostile, true).unwrap_err();
        assert_eq!(error, "$.list: found sequence, expected a list of records");
        // A list that cannot be read is not dropped: it would look empty.
        let error = read::<Option<List<Named>>>(r#""hush""#, true).unwrap_err();
        assert_eq!(error, "$: found string, expected a list of records");
    }
}
