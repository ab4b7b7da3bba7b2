//! Reading a record whose field names may be in `camelCase` or in `snake_case`.
//!
//! The vendor's page and its daemon write one, the control plane the other. The generated types
//! know one name a field; this finds the other, so that no type exists twice.

use crate::transport::decode::{within, without_value};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

/// Reads a record. `place` is where it stands in the reply, for the error.
pub(super) fn read<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, String> {
    serde_path_to_error::deserialize(Folding(value)).map_err(|error| {
        let path = error.path().to_string();
        let place = match (place, path.as_str()) {
            ("", ".") => "",
            ("", path) => path,
            (place, ".") => place,
            (place, path) => &format!("{place}.{path}"),
        };
        match place {
            // The whole reply: whoever decodes that names the place.
            "" => error.into_inner().to_string(),
            place => within(place, &without_value(error.inner())),
        }
    })
}

/// JSON that offers a struct its fields under the names it asks for.
///
/// Only those names are looked for, so the keys of a map, which are data, stay as they are.
struct Folding(Value);

impl<'de> Deserializer<'de> for Folding {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = match self.0 {
            Value::Object(map) => Value::Object(fold(map, fields)),
            other => other,
        };
        value.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// Renames what stands under the other spelling of a field that is missing.
fn fold(mut map: Map<String, Value>, fields: &[&str]) -> Map<String, Value> {
    for field in fields {
        if map.contains_key(*field) {
            continue;
        }
        let twin = twin(field);
        // A record that has a field of either spelling means two different things by them.
        if !fields.contains(&twin.as_str())
            && let Some(value) = map.remove(&twin)
        {
            map.insert((*field).to_owned(), value);
        }
    }
    map
}

/// `created_at` for `createdAt`, and the other way round.
fn twin(name: &str) -> String {
    let mut twin = String::with_capacity(name.len() + 4);
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            twin.extend(c.to_uppercase());
            upper = false;
        } else if c.is_uppercase() {
            twin.push('_');
            twin.extend(c.to_lowercase());
        } else {
            twin.push(c);
        }
    }
    twin
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Record {
        created_at: Option<u64>,
        #[serde(rename = "service_id")]
        service_id: Option<String>,
        #[serde(default)]
        env_vars: BTreeMap<String, String>,
    }

    fn record(value: Value) -> Record {
        read(value, "").unwrap()
    }

    #[test]
    fn names_have_a_twin() {
        for (camel, snake) in [
            ("createdAt", "created_at"),
            ("remoteCommitHash", "remote_commit_hash"),
        ] {
            assert_eq!((twin(camel).as_str(), twin(snake).as_str()), (snake, camel));
        }
        assert_eq!(twin("id"), "id");
    }

    #[test]
    fn either_spelling_of_a_field_is_read() {
        for value in [
            json!({ "createdAt": 1, "service_id": "s" }),
            json!({ "created_at": 1, "serviceId": "s" }),
        ] {
            let read = record(value);
            assert_eq!(
                (read.created_at, read.service_id.as_deref()),
                (Some(1), Some("s"))
            );
        }
    }

    #[test]
    fn the_exact_spelling_wins() {
        let read = record(
            json!({ "created_at": 2, "createdAt": 1, "service_id": null, "serviceId": "s" }),
        );
        assert_eq!((read.created_at, read.service_id), (Some(1), None));
    }

    #[test]
    fn keys_of_a_map_are_data() {
        let read = record(json!({ "env_vars": { "created_at": "a", "createdAt": "b" } }));
        assert_eq!(read.env_vars["created_at"], "a");
        assert_eq!(read.env_vars["createdAt"], "b");
    }

    #[test]
    fn an_error_has_a_place_and_no_value() {
        let wrong = json!({ "created_at": "hush" });
        let at = |place| read::<Record>(wrong.clone(), place).unwrap_err();
        assert_eq!(
            at("items[3]"),
            "within items[3].createdAt: found string, expected u64"
        );
        assert_eq!(at(""), "within createdAt: found string, expected u64");
        let flat = read::<Record>(json!("hush"), "data").unwrap_err();
        assert_eq!(flat, "within data: found string, expected struct Record");
    }
}
