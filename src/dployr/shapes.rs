//! Envelopes and spellings of dployr's responses.
//!
//! A response is bare or in an envelope: `{"success": true, "data": …}`. A record may be in a member named
//! after its type. A list is an array, an array in `items` beside a `pagination`, or a member with the
//! plural of that name, optionally beside a `total`. Null is an empty list.

use super::Page;
use crate::lenient::{self, List, reason_without_value};
use crate::page::{PageRequest, Paging};
use crate::raw::dployr::types;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::any::TypeId;
use std::collections::BTreeMap;

/// Pagination of the control plane: at most 100 records per page.
pub(super) const PAGING: Paging = Paging { largest: 100 };

/// The name of the member that contains a record of this type. The member of a list has the plural.
fn name_of<T: 'static>() -> Option<&'static str> {
    let names = [
        (TypeId::of::<types::Cluster>(), "cluster"),
        (TypeId::of::<types::Created>(), "deployment"),
        (TypeId::of::<types::Deployment>(), "deployment"),
        (TypeId::of::<types::RoutableService>(), "service"),
        (TypeId::of::<types::Service>(), "service"),
        (TypeId::of::<types::ServiceStatus>(), "service"),
        (TypeId::of::<types::ServiceSecret>(), "secret"),
    ];
    let mut names = names.into_iter();
    names.find_map(|(id, name)| (id == TypeId::of::<T>()).then_some(name))
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Single<T>(pub(super) T);

/// A list of records, or one page of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    page: Page<T>,
    /// Whether the response contains the page number.
    numbered: bool,
}

/// A success without a value: any body except a failure and a web page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack;

impl<T> Listing<T> {
    /// The page.
    pub fn into_page(self) -> Page<T> {
        self.page
    }

    /// The page, with the requested number if the response has none.
    pub(super) fn into_page_of(self, page_request: PageRequest) -> Page<T> {
        let mut page = self.page;
        if let (Some(number), false) = (page_request.page, self.numbered) {
            page.page = number.into();
        }
        page
    }
}

impl<'de, T: DeserializeOwned + 'static> Deserialize<'de> for Single<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reply = Box::<RawValue>::deserialize(deserializer)?;
        let content = Part::content(&reply)?;
        let record = name_of::<T>().and_then(|name| content.member(name));
        let merged;
        let record = match record.filter(Part::is_object) {
            // The task id is beside the created deployment: merge both.
            Some(record) if TypeId::of::<T>() == TypeId::of::<types::Created>() => {
                let mut members = content.members;
                members.extend(record.members.clone());
                merged = serde_json::to_string(&members).map_err(D::Error::custom)?;
                Part {
                    json: &merged,
                    ..record
                }
            }
            Some(record) => record,
            // Null is a record without fields.
            None if content.json == "null" => Part {
                json: "{}",
                ..content
            },
            None => content,
        };
        // A variable that is dropped would be lost when all are written back.
        let loose = TypeId::of::<T>() != TypeId::of::<types::EnvData>();
        record.read(loose).map(Self)
    }
}

impl<'de, T: DeserializeOwned + 'static> Deserialize<'de> for Listing<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reply = Box::<RawValue>::deserialize(deserializer)?;
        let content = Part::content(&reply)?;
        let named = || content.member(&format!("{}s", name_of::<T>()?));
        let list = content.member("items").or_else(named);
        let pagination = content.member("pagination").filter(Part::is_object);
        let pagination: Pagination = match (&list, pagination) {
            (_, Some(pagination)) => pagination.read(false)?,
            (Some(_), None) => content.read(false)?,
            (None, None) => Pagination::default(),
        };
        let list: List<T> = list.unwrap_or(content).read(false)?;
        let page = pagination.page.unwrap_or(1);
        let more = pagination.total_pages.is_some_and(|pages| page < pages);
        Ok(Self {
            numbered: pagination.page.is_some(),
            page: Page {
                page,
                page_size: pagination.page_size,
                total_items: pagination.total_items.or(pagination.total),
                total_pages: pagination.total_pages,
                has_next: pagination.has_next_page.unwrap_or(more),
                ..Page::whole(list)
            },
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Pagination {
    #[serde(deserialize_with = "count")]
    page: Option<u64>,
    #[serde(alias = "page_size", deserialize_with = "count")]
    page_size: Option<u64>,
    #[serde(alias = "total_items", deserialize_with = "count")]
    total_items: Option<u64>,
    #[serde(deserialize_with = "count")]
    total: Option<u64>,
    #[serde(alias = "total_pages", deserialize_with = "count")]
    total_pages: Option<u64>,
    #[serde(alias = "has_next_page")]
    has_next_page: Option<bool>,
}

/// A count; `None` for anything else, so that the records are decoded nevertheless.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(lenient::from_value(value, false).unwrap_or_default())
}

impl<'de> Deserialize<'de> for Ack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reply = Box::<RawValue>::deserialize(deserializer)?;
        let content = Part::content(&reply)?;
        // A proxy or another site may respond with 200 and a web page.
        match content.json.starts_with('"') && content.json.contains('<') {
            true => Err(D::Error::custom("the response is a web page")),
            false => Ok(Self),
        }
    }
}

/// A part of a response, and its JSON path.
pub(super) struct Part<'a> {
    json: &'a str,
    /// `$.data.items`
    place: String,
    /// The members of an object; empty for other values.
    members: BTreeMap<String, &'a RawValue>,
}

impl<'a> Part<'a> {
    /// The content of a response's envelope, or the whole response if it has none.
    ///
    /// `success` without `data` is a member of the record, as in the daemon's response to a create.
    pub fn content<E: Error>(reply: &'a RawValue) -> Result<Self, E> {
        let whole = Self::new(reply, "$".to_owned());
        match whole.members.get("success").map(|success| success.get()) {
            Some("false") => Err(E::custom("the server reports a failure")),
            Some("true") => Ok(whole.member("data").unwrap_or(whole)),
            _ => Ok(whole),
        }
    }

    fn new(value: &'a RawValue, place: String) -> Self {
        let json = value.get();
        Self {
            json,
            place,
            members: serde_json::from_str(json).unwrap_or_default(),
        }
    }

    /// A member of an object.
    pub fn member(&self, name: &str) -> Option<Self> {
        let value = *self.members.get(name)?;
        Some(Self::new(value, format!("{}.{name}", self.place)))
    }

    pub fn is_object(&self) -> bool {
        self.json.starts_with('{')
    }

    /// Decodes the part, if it is `loose` without optional fields that cannot be read. An error contains the
    /// JSON path, and no value.
    pub fn read<T: DeserializeOwned, E: Error>(&self, loose: bool) -> Result<T, E> {
        lenient::from_slice(self.json.as_bytes(), loose)
            .map_err(|error| E::custom(reason_without_value(&error).replacen('$', &self.place, 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read<T: DeserializeOwned>(reply: &Value) -> Result<T, String> {
        let bytes = reply.to_string();
        serde_json::from_str(&bytes).map_err(|error| reason_without_value(&error))
    }

    fn one<T: DeserializeOwned + 'static>(reply: &Value) -> Result<T, String> {
        read::<Single<T>>(reply).map(|single| single.0)
    }

    fn many(reply: &Value) -> Result<Page<types::Deployment>, String> {
        read::<Listing<_>>(reply).map(Listing::into_page)
    }

    #[test]
    fn every_form_of_a_record_is_decoded() {
        let record = json!({ "id": "d", "name": "web", "created_at": 1 });
        for reply in [
            record.clone(),
            json!({ "deployment": record }),
            json!({ "success": true, "data": record }),
            json!({ "success": true, "data": { "deployment": record }, "message": "done" }),
            json!({ "deployment": record, "status": 1, "events": [] }),
        ] {
            let read: types::Deployment = one(&reply).unwrap();
            assert_eq!(
                (read.id.as_str(), read.name.as_str()),
                ("d", "web"),
                "{reply}"
            );
            assert!(read.created_at.is_some(), "{reply}");
        }
        let daemon = json!({ "success": true, "id": "d", "created_at": "2025-12-31T14:15:00Z" });
        let created: types::Created = one(&daemon).unwrap();
        assert_eq!(created.id.unwrap(), "d");
    }

    #[test]
    fn a_created_deployment_has_the_task_id_beside_it() {
        let data = json!({ "service": { "id": "s" }, "deployment": { "id": "d" }, "taskId": "t" });
        let created: types::Created = one(&json!({ "success": true, "data": data })).unwrap();
        assert_eq!(created.id.unwrap(), "d");
        assert_eq!(created.task_id.unwrap().as_str(), "t");
    }

    #[test]
    fn a_named_member_is_read_only_for_its_type() {
        let service = json!({ "id": "s", "name": "web" });
        for reply in [
            json!({ "service": service }),
            json!({ "service": service, "deployment": { "id": "d", "name": "web" } }),
        ] {
            let updated: types::ServiceUpdated = one(&reply).unwrap();
            assert_eq!(updated.service.unwrap().id.as_str(), "s", "{reply}");
            let read: types::Service = one(&reply).unwrap();
            assert_eq!(read.id.as_str(), "s", "{reply}");
        }
        let lists = json!({ "deployments": [], "services": [service] });
        let services: Listing<types::Service> = read(&lists).unwrap();
        assert_eq!(services.into_page().items.len(), 1);
    }

    #[test]
    fn the_own_spelling_of_a_field_takes_precedence() {
        let camel = json!({ "taskId": "own", "task_id": "other" });
        let task: types::Task = one(&camel).unwrap();
        assert_eq!(task.task_id.unwrap().as_str(), "own");
        let snake = json!({ "status": "running", "updatedAt": 1, "updated_at": 2 });
        let status: types::ServiceStatus = one(&snake).unwrap();
        assert_eq!(status.updated_at.unwrap().unix_millis(), Some(2000));
        let record = json!({
            "id": "d", "name": "web", "created_at": 1, "createdAt": 2, "service_id": "other", "serviceId": "own",
        });
        let read = many(&json!([record])).unwrap().items.remove(0);
        assert_eq!(read.created_at.unwrap().unix_millis(), Some(2000));
        assert_eq!(read.service_id.unwrap().as_str(), "own");
        for reply in [
            json!({ "taskId": null, "task_id": "value" }),
            json!({ "taskId": "value", "task_id": null }),
        ] {
            let task: types::Task = one(&reply).unwrap();
            assert_eq!(task.task_id.unwrap().as_str(), "value", "{reply}");
        }
        let repeated = r#"{ "taskId": "first", "taskId": "last" }"#;
        let task: Single<types::Task> = serde_json::from_str(repeated).unwrap();
        assert_eq!(task.0.task_id.unwrap().as_str(), "last");
    }

    #[test]
    fn null_is_decoded_as_a_record_without_required_fields() {
        for reply in [
            json!(null),
            json!({}),
            json!({ "success": true, "data": null }),
        ] {
            assert_eq!(one::<types::Task>(&reply).unwrap().task_id, None);
        }
        let error =
            one::<types::Deployment>(&json!({ "success": true, "data": null })).unwrap_err();
        assert_eq!(error, "$.data: missing field `id`");
    }

    #[test]
    fn every_form_of_a_list_is_decoded() {
        let record = json!({ "id": "d", "name": "web" });
        for (reply, total) in [
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
                json!({ "items": [record], "pagination": { "total_items": "9", "page": 2.0 } }),
                Some(9),
            ),
            (
                json!({ "items": [record], "pagination": { "totalItems": 8, "total_items": 9, "total": 7 } }),
                Some(8),
            ),
            (
                json!({ "items": [record], "pagination": { "totalItems": -9, "page": "?", "pageSize": 1e18 } }),
                None,
            ),
            (
                json!({ "items": [record], "pagination": null, "total": 7 }),
                Some(7),
            ),
        ] {
            let page = many(&reply).unwrap();
            assert_eq!((page.items.len(), page.total_items), (1, total), "{reply}");
            assert!(!page.has_next, "{reply}");
        }
        for reply in [
            json!(null),
            json!([]),
            json!({ "success": true, "data": null }),
            json!({ "deployments": null, "total": 0 }),
        ] {
            assert!(many(&reply).unwrap().items.is_empty(), "{reply}");
        }
    }

    #[test]
    fn a_page_has_its_position() {
        let pagination = json!({ "page": 2, "pageSize": 1, "totalItems": 4, "totalPages": 4, "hasNextPage": true });
        let page = many(&json!({ "items": [], "pagination": pagination })).unwrap();
        let place = (page.page, page.page_size, page.total_pages, page.has_next);
        assert_eq!(place, (2, Some(1), Some(4), true));
        let unsaid = json!({ "items": [], "pagination": { "page": 3, "totalPages": 4 } });
        assert!(many(&unsaid).unwrap().has_next);
    }

    #[test]
    fn a_decoding_error_has_a_path_and_no_value() {
        for (reply, message) in [
            (json!("hush"), "$: found string, expected a list of records"),
            (
                json!({ "success": true }),
                "$: found map, expected a list of records",
            ),
            (
                json!({ "success": true, "data": "hush" }),
                "$.data: found string, expected a list of records",
            ),
            (
                json!({ "items": { "hush": 1 } }),
                "$.items: found map, expected a list of records",
            ),
        ] {
            assert_eq!(many(&reply).unwrap_err(), message);
        }
        let nameless = json!({ "success": true, "data": { "id": "hush", "name": [] } });
        let error = one::<types::Deployment>(&nameless).unwrap_err();
        assert_eq!(error, "$.data.name: found sequence, expected a string");
    }

    #[test]
    fn a_duplicate_by_another_name_is_an_error() {
        #[derive(Debug, Deserialize)]
        struct Renamed {
            #[serde(alias = "old")]
            _new: u8,
        }
        let body = br#"{ "_new": 1, "old": 2 }"#;
        let error = lenient::from_slice::<Renamed>(body, true).unwrap_err();
        assert_eq!(error.to_string(), "$: duplicate field `_new`");
    }

    #[test]
    fn any_body_is_an_acknowledgement() {
        for reply in [
            json!(null),
            json!({}),
            json!([1]),
            json!("done"),
            json!({ "success": true, "data": {} }),
        ] {
            assert_eq!(read(&reply), Ok(Ack));
        }
        assert!(read::<Ack>(&json!("<html>")).is_err());
    }

    #[test]
    fn map_keys_keep_their_spelling() {
        let envs = json!({ "envs": { "created_at": "a", "createdAt": "b" } });
        let envs: types::EnvData = one(&envs).unwrap();
        let keys: Vec<_> = envs.envs.keys().collect();
        assert_eq!(keys, ["createdAt", "created_at"]);
    }
}
