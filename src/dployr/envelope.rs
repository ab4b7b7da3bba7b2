//! The forms in which dployr's servers wrap what they answer.
//!
//! A reply is bare, or `{"success": true, "data": …}`. A single record is `data` itself or stands in
//! it under its name; a list is an array, or stands under `items` with a `pagination`, or under its
//! name, perhaps with a `total`; and null is an empty list. A client has to look.

use super::Page;
use super::fold::read;
use crate::lenient::{decimal_or_null, whole_or_null};
use crate::page::{Ask, Paging};
use crate::raw::dployr::types;
use crate::transport::decode::within;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The lists of the control plane that have pages. It puts no more than 100 on one, whatever is asked for.
pub(super) const PAGING: Paging = Paging {
    page: "page",
    size: "pageSize",
    largest: 100,
};

/// A record that an envelope may hold under its name.
pub(crate) trait Record: DeserializeOwned {
    /// Its name: `deployment`.
    const ONE: &'static str;
    /// The name of many: `deployments`.
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
pub struct Single<T>(T);

/// A list of records, or a page of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    page: Page<T>,
    /// Whether the number of the page stood in the reply.
    numbered: bool,
}

/// That something was done: whatever stands in the reply, nothing included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack;

impl<T> Single<T> {
    /// The record.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Listing<T> {
    /// The records and where they stand in the whole list.
    pub fn into_page(self) -> Page<T> {
        self.page
    }

    /// The same of a page that was asked for, which a reply need not repeat.
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
        let (value, place) = unwrap(Value::deserialize(deserializer)?);
        single(value, place).map(Self).map_err(D::Error::custom)
    }
}

impl<'de, T: Record> Deserialize<'de> for Listing<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (value, place) = unwrap(Value::deserialize(deserializer)?);
        listing(value, place).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Ack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            // A proxy, or a site in the place of the server, answers 200 too.
            Value::String(text) if text.contains('<') => Err(serde::de::Error::custom(
                "a page came in the place of an answer",
            )),
            _ => Ok(Self),
        }
    }
}

/// What stands in the envelope, if there is one, and where.
///
/// A daemon's answer to a create has `success` without `data`: that is a record, not an envelope.
pub(super) fn unwrap(value: Value) -> (Value, &'static str) {
    match value {
        Value::Object(mut map) if map.get("success").is_some_and(Value::is_boolean) => {
            match map.remove("data") {
                Some(data) => (data, "data"),
                None => (Value::Object(map), ""),
            }
        }
        other => (other, ""),
    }
}

fn single<T: Record>(value: Value, place: &str) -> Result<T, String> {
    match value {
        // Nothing is a record without fields: good enough if none is required, and otherwise an
        // error that names the field.
        Value::Null => read(Value::Object(Map::new()), place),
        Value::Object(mut map) => match map.remove(T::ONE) {
            Some(Value::Object(mut record)) => {
                // A task's id stands beside the deployment that it is about.
                for (key, value) in map {
                    record.entry(key).or_insert(value);
                }
                read(Value::Object(record), &join(place, T::ONE))
            }
            Some(other) => {
                map.insert(T::ONE.to_owned(), other);
                read(Value::Object(map), place)
            }
            None => read(Value::Object(map), place),
        },
        other => read(other, place),
    }
}

fn listing<T: Record>(value: Value, place: &str) -> Result<Listing<T>, String> {
    let (found, place, around) = list_in(value, place, &["items", T::MANY])?;
    let items = items(found, &place)?;
    page(items, around)
}

/// The array of a list, its place, and what stands around it.
type Found = (Vec<Value>, String, Map<String, Value>);

/// Looks for a list in all places where one may stand.
pub(super) fn list_in(value: Value, place: &str, names: &[&str]) -> Result<Found, String> {
    match value {
        Value::Null => Ok((Vec::new(), place.to_owned(), Map::new())),
        Value::Array(items) => Ok((items, place.to_owned(), Map::new())),
        Value::Object(mut map) => {
            for name in names {
                let place = join(place, name);
                match map.remove(*name) {
                    None => {}
                    Some(Value::Null) => return Ok((Vec::new(), place, map)),
                    Some(Value::Array(items)) => return Ok((items, place, map)),
                    Some(other) => return Err(no_list(&other, &place)),
                }
            }
            Err(no_list(&Value::Object(map), place))
        }
        other => Err(no_list(&other, place)),
    }
}

fn no_list(found: &Value, place: &str) -> String {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "sequence",
        Value::Object(_) => "map",
    };
    misfit(place, found, "a list")
}

/// What was found in a place, in one word, and what should stand there. The place of a whole reply
/// is named by whoever decodes that.
pub(super) fn misfit(place: &str, found: &str, expected: &str) -> String {
    match place {
        "" => format!("invalid type: {found}, expected {expected}"),
        place => within(place, &format!("found {found}, expected {expected}")),
    }
}

/// Reads each item; an error says which one.
pub(super) fn items<T: DeserializeOwned>(
    values: Vec<Value>,
    place: &str,
) -> Result<Vec<T>, String> {
    let numbered = values.into_iter().enumerate();
    numbered
        .map(|(index, value)| read(value, &format!("{place}[{index}]")))
        .collect()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    #[serde(default, deserialize_with = "count_or_null")]
    page: Option<u64>,
    #[serde(default, deserialize_with = "count_or_null")]
    page_size: Option<u64>,
    #[serde(default, deserialize_with = "count_or_null")]
    total_items: Option<u64>,
    #[serde(default, deserialize_with = "count_or_null")]
    total_pages: Option<u64>,
    has_next_page: Option<bool>,
}

/// What counts nothing is not said: a number below zero, or one beyond all counting, is no reason to lose the records.
fn count_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    const MOST: f64 = (1_u64 << 53) as f64;
    let number = decimal_or_null(deserializer)?;
    let counts = |number: &f64| number.fract() == 0.0 && (0.0..=MOST).contains(number);
    Ok(number.filter(counts).map(|number| number as u64))
}

fn page<T>(items: Vec<T>, mut around: Map<String, Value>) -> Result<Listing<T>, String> {
    let total = around.get("total").and_then(count);
    let pagination: Pagination = match around.remove("pagination") {
        None | Some(Value::Null) => Pagination::default(),
        Some(value) => read(value, "pagination")?,
    };
    let page = pagination.page.unwrap_or(1);
    let more = pagination.total_pages.is_some_and(|pages| page < pages);
    Ok(Listing {
        numbered: pagination.page.is_some(),
        page: Page {
            items,
            page,
            page_size: pagination.page_size,
            total_items: pagination.total_items.or(total),
            total_pages: pagination.total_pages,
            has_next: pagination.has_next_page.unwrap_or(more),
        },
    })
}

fn count(value: &Value) -> Option<u64> {
    whole_or_null(value).ok().flatten()
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dployr::TaskId;
    use serde_json::json;

    fn one<T: Record>(value: Value) -> Result<T, String> {
        serde_json::from_value::<Single<T>>(value)
            .map(Single::into_inner)
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
}
