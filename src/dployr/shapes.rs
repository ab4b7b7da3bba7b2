//! Envelopes and spellings of dployr's replies.
//!
//! A reply is bare or `{"success": true, "data": …}`. A record is `data` itself or stands in it under
//! its name. A list is an array, or an array under `items` beside a `pagination`, or under its name,
//! perhaps beside a `total`; null is an empty list. Field names are in `camelCase` on the control plane
//! and in `snake_case` on the vendor's page and in its daemon.

use super::Page;
use crate::lenient::decimal_or_null;
use crate::page::{Ask, Paging};
use crate::raw::dployr::types;
use crate::transport::decode::{within, without_value};
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Map, Value};

/// Pagination of the control plane's lists. A page holds at most 100 records.
pub(super) const PAGING: Paging = Paging { largest: 100 };

/// A record that may stand under its name.
pub(crate) trait Record: DeserializeOwned {
    /// Name of one record: `deployment`.
    const ONE: &'static str;
    /// Name of a list of them: `deployments`.
    const MANY: &'static str;
}

macro_rules! records {
    ($($name:ident $one:literal $many:literal)*) => {$(
        impl Record for types::$name {
            const ONE: &'static str = $one;
            const MANY: &'static str = $many;
        }
    )*};
}

records! {
    LoginReply "tokens" "tokens"
    LoginCodeSent "code" "codes"
    LoginVerified "login" "logins"
    IdentitySession "session" "sessions"
    ApiToken "apiToken" "tokens"
    NewToken "apiToken" "tokens"
    CurrentUser "account" "accounts"
    Cluster "cluster" "clusters"
    ClusterUser "member" "users"
    Invited "invitation" "invitations"
    Integrations "integrations" "integrations"
    RoutableService "service" "services"
    Domain "record" "domains"
    DomainServing "serving" "servings"
    ClusterWebhook "customWebhook" "customWebhooks"
    Event "event" "events"
    Health "health" "healths"
    Versions "runtime" "runtimes"
    Created "deployment" "deployments"
    Deployment "deployment" "deployments"
    Service "service" "services"
    ServiceStatus "service" "services"
    ServiceUpdated "update" "updates"
    ServiceSecret "secret" "secrets"
    ServiceMetrics "metrics" "metrics"
    Task "task" "tasks"
    Instance "instance" "instances"
    InstanceMetrics "metrics" "metrics"
    InstanceRegistered "registration" "registrations"
    InstanceTask "task" "tasks"
    Route "route" "routes"
    Project "project" "projects"
    Webhook "webhook" "webhooks"
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Single<T>(pub(super) T);

/// A list of records, or one page of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    page: Page<T>,
    /// Whether the reply says the number of the page.
    numbered: bool,
}

/// A success without a value: any body but a failure or an HTML page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack;

impl<T> Listing<T> {
    /// The page.
    pub fn into_page(self) -> Page<T> {
        self.page
    }

    /// The page, with the number that was asked for where the reply does not say it.
    pub(super) fn into_page_of(self, ask: Ask) -> Page<T> {
        let mut page = self.page;
        if let (Some(number), false) = (ask.page, self.numbered) {
            page.page = number.into();
        }
        page
    }
}

impl<'de, T: Record> Deserialize<'de> for Single<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (value, place) = open(deserializer)?;
        single(value, place).map(Self).map_err(D::Error::custom)
    }
}

impl<'de, T: Record> Deserialize<'de> for Listing<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (value, place) = open(deserializer)?;
        listing(value, place).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Ack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match open(deserializer)? {
            // A proxy or another site answers 200 with a page.
            (Value::String(text), _) if text.contains('<') => {
                Err(D::Error::custom("a page came in the place of an answer"))
            }
            _ => Ok(Self),
        }
    }
}

/// The content of a reply's envelope, or the whole reply if it has none, and its place.
///
/// The daemon answers a create with `success` and without `data`: that is a record, not an envelope.
pub(super) fn open<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<(Value, &'static str), D::Error> {
    let mut value = Value::deserialize(deserializer)?;
    match value.get("success").and_then(Value::as_bool) {
        Some(false) => Err(D::Error::custom("the server reports a failure")),
        Some(true) if value.get("data").is_some() => Ok((value["data"].take(), "data")),
        _ => Ok((value, "")),
    }
}

fn single<T: Record>(value: Value, place: &str) -> Result<T, String> {
    match value {
        // Enough for a record without required fields.
        Value::Null => read(Value::Object(Map::new()), place),
        Value::Object(mut fields) => match fields.remove(T::ONE) {
            Some(Value::Object(mut record)) => {
                // The id of a task stands beside its deployment.
                fields.append(&mut record);
                read(Value::Object(fields), &join(place, T::ONE))
            }
            other => {
                fields.extend(other.map(|other| (T::ONE.to_owned(), other)));
                read(Value::Object(fields), place)
            }
        },
        other => read(other, place),
    }
}

fn listing<T: Record>(value: Value, place: &str) -> Result<Listing<T>, String> {
    let (mut around, found, place) = match value {
        Value::Object(mut around) => {
            let mut names = ["items", T::MANY].into_iter();
            match names.find_map(|name| Some((name, around.remove(name)?))) {
                Some((name, value)) => (around, value, join(place, name)),
                None => return Err(misfit(place, "map", "a list")),
            }
        }
        other => (Map::new(), other, place.to_owned()),
    };
    let items = match found {
        Value::Null => Vec::new(),
        Value::Array(values) => items(values, &place)?,
        other => return Err(misfit(&place, kind_of(&other), "a list")),
    };
    if let Some(Value::Object(mut pagination)) = around.remove("pagination") {
        around.append(&mut pagination);
    }
    let pagination: Pagination = read(Value::Object(around), "pagination")?;
    let page = pagination.page.unwrap_or(1);
    let more = pagination.total_pages.is_some_and(|pages| page < pages);
    Ok(Listing {
        numbered: pagination.page.is_some(),
        page: Page {
            items,
            page,
            page_size: pagination.page_size,
            total_items: pagination.total_items.or(pagination.total),
            total_pages: pagination.total_pages,
            has_next: pagination.has_next_page.unwrap_or(more),
        },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    #[serde(default, deserialize_with = "count")]
    page: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    page_size: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    total_items: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    total: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    total_pages: Option<u64>,
    has_next_page: Option<bool>,
}

/// A count; `None` for anything else, which is no reason to lose the records.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    const MOST: f64 = (1_u64 << 53) as f64;
    let number = decimal_or_null(Value::deserialize(deserializer)?);
    let counts = |number: &f64| number.fract() == 0.0 && (0.0..=MOST).contains(number);
    Ok(number
        .ok()
        .flatten()
        .filter(counts)
        .map(|number| number as u64))
}

/// Reads each record of a list; an error names its index.
pub(super) fn items<T: DeserializeOwned>(
    values: Vec<Value>,
    place: &str,
) -> Result<Vec<T>, String> {
    let numbered = values.into_iter().enumerate();
    numbered
        .map(|(index, value)| read(value, &format!("{place}[{index}]")))
        .collect()
}

/// Reads a record in either spelling; an error names its place and field, and quotes no value.
pub(super) fn read<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, String> {
    T::deserialize(EitherSpelling(value)).map_err(|error| {
        let words = without_value(&error);
        match (place, words.strip_prefix("within ")) {
            // The decoder of the whole reply names this place.
            ("", None) => error.to_string(),
            ("", Some(_)) => words,
            (place, Some(rest)) => format!("within {place}.{rest}"),
            (place, None) => within(place, &words),
        }
    })
}

/// Words for a value of the wrong form. The decoder of the whole reply names the empty place.
pub(super) fn misfit(place: &str, found: &str, expected: &str) -> String {
    match place {
        "" => format!("invalid type: {found}, expected {expected}"),
        place => within(place, &format!("found {found}, expected {expected}")),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "sequence",
        Value::Object(_) => "map",
    }
}

fn join(place: &str, name: &str) -> String {
    match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    }
}

/// JSON that gives a struct its fields in the struct's spelling or else in the other one.
///
/// Keys of maps are data and stay as they are.
struct EitherSpelling(Value);

impl<'de> Deserializer<'de> for EitherSpelling {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(record) => visitor.visit_map(Fields {
                record,
                names: fields.iter(),
                next: ("", Value::Null),
            }),
            other => other.deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The fields of a struct, looked up in a record by name.
struct Fields {
    record: Map<String, Value>,
    names: std::slice::Iter<'static, &'static str>,
    next: (&'static str, Value),
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Self { record, names, .. } = self;
        let found = names.find_map(|name| {
            let value = record.remove(*name);
            Some((
                *name,
                value.or_else(|| record.remove(&other_spelling(name)))?,
            ))
        });
        let Some(found) = found else { return Ok(None) };
        let name: StrDeserializer<'_, Error> = found.0.into_deserializer();
        self.next = found;
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, value) = std::mem::take(&mut self.next);
        seed.deserialize(value)
            .map_err(|error| Error::custom(within(name, &without_value(&error))))
    }
}

/// `created_at` for `createdAt`, and the other way round.
pub(super) fn other_spelling(name: &str) -> String {
    let mut other = String::with_capacity(name.len() + 4);
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                other.extend(c.to_uppercase());
                upper = false;
            }
            c if c.is_uppercase() => {
                other.push('_');
                other.extend(c.to_lowercase());
            }
            c => other.push(c),
        }
    }
    other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dployr::TaskId;
    use serde_json::json;

    fn one<T: Record>(value: Value) -> Result<T, String> {
        serde_json::from_value::<Single<T>>(value)
            .map(|single| single.0)
            .map_err(|error| error.to_string())
    }

    fn many(value: Value) -> Result<Page<types::Deployment>, String> {
        serde_json::from_value::<Listing<types::Deployment>>(value)
            .map(Listing::into_page)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_of_one_record() {
        let record = json!({ "id": "d", "name": "web", "created_at": 1 });
        for value in [
            record.clone(),
            json!({ "deployment": record }),
            json!({ "success": true, "data": record }),
            json!({ "success": true, "data": { "deployment": record }, "message": "done" }),
        ] {
            let read: types::Deployment = one(value.clone()).unwrap();
            assert_eq!(
                (read.id.as_str(), read.name.as_str()),
                ("d", "web"),
                "{value}"
            );
            assert!(read.created_at.is_some(), "{value}");
        }
    }

    #[test]
    fn a_created_deployment_keeps_the_task_beside_it() {
        let value = json!({ "success": true, "data": {
            "service": { "id": "s" }, "deployment": { "id": "d", "status": "pending" }, "taskId": "t",
        } });
        let created: types::Created = one(value).unwrap();
        assert_eq!(
            (
                created.id.as_deref(),
                created.task_id.as_ref().map(TaskId::as_str)
            ),
            (Some("d"), Some("t"))
        );
        let daemon = json!({ "success": true, "id": "d", "name": "web", "created_at": "2025-12-31T14:15:00Z" });
        assert_eq!(
            one::<types::Created>(daemon).unwrap().id.as_deref(),
            Some("d")
        );
    }

    #[test]
    fn nothing_is_a_record_if_no_field_is_required() {
        for value in [
            json!(null),
            json!({}),
            json!({ "success": true, "data": null }),
        ] {
            assert_eq!(one::<types::Task>(value).unwrap().task_id, None);
        }
        let error = one::<types::Deployment>(json!({ "success": true, "data": null })).unwrap_err();
        assert_eq!(error, "within data: missing field `id`");
    }

    #[test]
    fn every_form_of_a_list() {
        let record = json!({ "id": "d", "name": "web" });
        for (value, total) in [
            (json!([record]), None),
            (json!({ "deployments": [record], "total": 7 }), Some(7)),
            (json!({ "success": true, "data": [record] }), None),
            (
                json!({ "success": true, "data": { "deployments": [record], "instances": [] } }),
                None,
            ),
            (
                json!({ "success": true, "data": { "items": [record], "pagination": { "totalItems": 8 } } }),
                Some(8),
            ),
            (
                json!({ "items": [record], "pagination": { "total_items": 9, "page": 2 } }),
                Some(9),
            ),
            (
                json!({ "items": [record], "pagination": { "totalItems": "9", "page": 2.0 } }),
                Some(9),
            ),
            (
                json!({ "items": [record], "pagination": { "totalItems": -9, "page": -2, "pageSize": 1e18 } }),
                None,
            ),
            (json!({ "deployments": [record], "total": "7" }), Some(7)),
        ] {
            let page = many(value.clone()).unwrap();
            assert_eq!((page.items.len(), page.total_items), (1, total), "{value}");
            assert!(!page.has_next, "{value}");
        }
        for value in [
            json!(null),
            json!([]),
            json!({ "success": true, "data": null }),
            json!({ "deployments": null, "total": 0 }),
            json!({ "success": true, "data": { "items": [] } }),
        ] {
            assert!(many(value.clone()).unwrap().items.is_empty(), "{value}");
        }
    }

    #[test]
    fn a_page_says_where_it_stands() {
        let pagination = json!({ "page": 2, "pageSize": 1, "totalItems": 4, "totalPages": 4, "hasNextPage": true });
        let page =
            many(json!({ "success": true, "data": { "items": [], "pagination": pagination } }))
                .unwrap();
        assert_eq!(
            (page.page, page.page_size, page.total_pages),
            (2, Some(1), Some(4))
        );
        assert!(page.has_next);
        let unsaid =
            many(json!({ "items": [], "pagination": { "page": 3, "totalPages": 4 } })).unwrap();
        assert!(unsaid.has_next);
    }

    #[test]
    fn what_is_no_list_is_an_error_with_a_place_and_no_value() {
        let bad = json!({ "id": "d", "name": "web", "createdAt": [1] });
        for (value, message) in [
            (json!("hush"), "invalid type: string, expected a list"),
            (
                json!({ "success": true }),
                "invalid type: map, expected a list",
            ),
            (
                json!({ "success": true, "data": "hush" }),
                "within data: found string, expected a list",
            ),
            (
                json!({ "items": { "hush": 1 } }),
                "within items: found map, expected a list",
            ),
            (
                json!([{ "id": "hush" }]),
                "within [0]: missing field `name`",
            ),
            (
                json!({ "success": true, "data": { "items": [{ "id": "a", "name": "b" }, bad] } }),
                "within data.items[1].createdAt: found sequence, expected a time as a number or as text",
            ),
        ] {
            assert_eq!(many(value).unwrap_err(), message);
        }
    }

    #[test]
    fn anything_is_an_acknowledgement() {
        for value in [
            json!(null),
            json!({}),
            json!([1]),
            json!("done"),
            json!({ "success": true, "data": {} }),
        ] {
            assert_eq!(serde_json::from_value::<Ack>(value).unwrap(), Ack);
        }
    }

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Spelled {
        created_at: Option<u64>,
        #[serde(rename = "service_id")]
        service_id: Option<String>,
        #[serde(default)]
        env_vars: std::collections::BTreeMap<String, String>,
    }

    #[test]
    fn either_spelling_of_a_field_is_read_and_the_exact_one_wins() {
        for (value, created_at, service_id) in [
            (json!({ "createdAt": 1, "service_id": "s" }), 1, Some("s")),
            (json!({ "created_at": 1, "serviceId": "s" }), 1, Some("s")),
            (
                json!({ "created_at": 2, "createdAt": 1, "service_id": null, "serviceId": "s" }),
                1,
                None,
            ),
        ] {
            let spelled: Spelled = read(value, "").unwrap();
            assert_eq!(spelled.created_at, Some(created_at));
            assert_eq!(spelled.service_id.as_deref(), service_id);
        }
        assert_eq!(other_spelling("remoteCommitHash"), "remote_commit_hash");
        assert_eq!(other_spelling("remote_commit_hash"), "remoteCommitHash");
    }

    #[test]
    fn keys_of_a_map_keep_their_spelling() {
        let value = json!({ "env_vars": { "created_at": "a", "createdAt": "b" } });
        let spelled: Spelled = read(value, "").unwrap();
        assert_eq!(spelled.env_vars["created_at"], "a");
        assert_eq!(spelled.env_vars["createdAt"], "b");
    }

    #[test]
    fn an_error_names_place_and_field_and_no_value() {
        let at = |place| read::<Spelled>(json!({ "created_at": "hush" }), place).unwrap_err();
        assert_eq!(
            at("items[3]"),
            "within items[3].createdAt: found string, expected u64"
        );
        assert_eq!(at(""), "within createdAt: found string, expected u64");
        let flat = read::<Spelled>(json!("hush"), "data").unwrap_err();
        assert_eq!(flat, "within data: found string, expected struct Spelled");
    }
}
