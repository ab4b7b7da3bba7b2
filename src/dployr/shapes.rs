//! Envelopes of dployr's replies.
//!
//! A reply is bare or `{"success": true, "data": …}`. A record may stand under its name. A list is an
//! array, or an array under `items` beside a `pagination`, or under its name, perhaps beside a `total`.
//! Null is an empty list.

use super::Page;
use crate::lenient::whole_or_null;
use crate::page::{Ask, Paging};
use crate::transport::decode::misfit;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Pagination of the control plane's lists. A page holds at most 100 records.
pub(super) const PAGING: Paging = Paging { largest: 100 };

/// Names of a record that is the only member of an object.
const RECORDS: [&str; 3] = ["cluster", "deployment", "service"];

/// Names of a list in an object.
const LISTS: [&str; 5] = ["items", "clusters", "deployments", "secrets", "services"];

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

impl<'de, T: DeserializeOwned> Deserialize<'de> for Single<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reply = Box::<RawValue>::deserialize(deserializer)?;
        let mut content = Part::content(&reply)?;
        if let Some(record) = content.only_member(&RECORDS) {
            content = record;
        }
        if content.json == "null" {
            // Enough for a record without required fields.
            content.json = "{}";
        }
        content.read().map(Self)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Listing<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reply = Box::<RawValue>::deserialize(deserializer)?;
        let content = Part::content(&reply)?;
        let list = content.member(&LISTS);
        let pagination: Pagination = match (&list, content.member(&["pagination"])) {
            (_, Some(pagination)) => pagination.read()?,
            (Some(_), None) => content.read()?,
            (None, None) => Pagination::default(),
        };
        let items: Option<Vec<T>> = list.unwrap_or(content).read()?;
        let page = pagination.page.unwrap_or(1);
        let more = pagination.total_pages.is_some_and(|pages| page < pages);
        Ok(Self {
            numbered: pagination.page.is_some(),
            page: Page {
                items: items.unwrap_or_default(),
                page,
                page_size: pagination.page_size,
                total_items: pagination.total_items,
                total_pages: pagination.total_pages,
                has_next: pagination.has_next_page.unwrap_or(more),
            },
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Pagination {
    #[serde(deserialize_with = "whole_or_null")]
    page: Option<u64>,
    #[serde(alias = "page_size", deserialize_with = "whole_or_null")]
    page_size: Option<u64>,
    #[serde(
        alias = "total_items",
        alias = "total",
        deserialize_with = "whole_or_null"
    )]
    total_items: Option<u64>,
    #[serde(alias = "total_pages", deserialize_with = "whole_or_null")]
    total_pages: Option<u64>,
    #[serde(alias = "has_next_page")]
    has_next_page: Option<bool>,
}

impl<'de> Deserialize<'de> for Ack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reply = Box::<RawValue>::deserialize(deserializer)?;
        let content = Part::content(&reply)?;
        // A proxy or another site answers 200 with a page.
        match content.json.starts_with('"') && content.json.contains('<') {
            true => Err(D::Error::custom("a page came in the place of an answer")),
            false => Ok(Self),
        }
    }
}

/// A part of a reply and its place.
pub(super) struct Part<'a> {
    json: &'a str,
    /// `$.data.items`
    place: String,
}

impl<'a> Part<'a> {
    /// The content of a reply's envelope, or the whole reply if it has none.
    ///
    /// The daemon answers a create with `success` and without `data`: that is a record, not an envelope.
    pub fn content<E: Error>(reply: &'a RawValue) -> Result<Self, E> {
        let whole = Self {
            json: reply.get(),
            place: "$".to_owned(),
        };
        let members = whole.members();
        match members.get("success").map(|success| success.get()) {
            Some("false") => Err(E::custom("the server reports a failure")),
            Some("true") => Ok(whole.member(&["data"]).unwrap_or(whole)),
            _ => Ok(whole),
        }
    }

    /// The members of an object; none for anything else.
    fn members(&self) -> BTreeMap<String, &'a RawValue> {
        serde_json::from_str(self.json).unwrap_or_default()
    }

    /// The first of these members that there is.
    pub fn member(&self, names: &[&str]) -> Option<Self> {
        let members = self.members();
        names.iter().find_map(|name| {
            Some(Self {
                json: members.get(*name)?.get(),
                place: format!("{}.{name}", self.place),
            })
        })
    }

    fn only_member(&self, names: &[&str]) -> Option<Self> {
        self.member(names)
            .filter(|part| part.is_object() && self.members().len() == 1)
    }

    pub fn is_object(&self) -> bool {
        self.json.starts_with('{')
    }

    /// Decodes the part. An error names its place and quotes no value.
    pub fn read<T: DeserializeOwned, E: Error>(&self) -> Result<T, E> {
        serde_json::from_str(self.json).map_err(|error| {
            let misfit = misfit(self.json.as_bytes(), &error);
            E::custom(misfit.replacen('$', &self.place, 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::dployr::types;
    use serde_json::{Value, json};

    fn read<T: DeserializeOwned>(reply: &Value) -> Result<T, String> {
        let bytes = reply.to_string();
        serde_json::from_str(&bytes).map_err(|error| misfit(bytes.as_bytes(), &error))
    }

    fn one<T: DeserializeOwned>(reply: &Value) -> Result<T, String> {
        read::<Single<T>>(reply).map(|single| single.0)
    }

    fn many(reply: &Value) -> Result<Page<types::Deployment>, String> {
        read::<Listing<_>>(reply).map(Listing::into_page)
    }

    #[test]
    fn every_form_of_one_record() {
        let record = json!({ "id": "d", "name": "web", "created_at": 1 });
        for reply in [
            record.clone(),
            json!({ "deployment": record }),
            json!({ "success": true, "data": record }),
            json!({ "success": true, "data": { "deployment": record }, "message": "done" }),
        ] {
            let read: types::Deployment = one(&reply).unwrap();
            assert_eq!(
                (read.id.as_str(), read.name.as_str()),
                ("d", "web"),
                "{reply}"
            );
            assert!(read.created_at.is_some(), "{reply}");
        }
        let updated = json!({ "service": { "id": "s", "name": "web" }, "taskId": "t" });
        let updated: types::ServiceUpdated = one(&updated).unwrap();
        assert!(updated.service.is_some() && updated.task_id.is_some());
        let daemon = json!({ "success": true, "id": "d", "created_at": "2025-12-31T14:15:00Z" });
        let created: types::Created = one(&daemon).unwrap();
        assert_eq!(created.id.as_deref(), Some("d"));
    }

    #[test]
    fn null_is_a_record_if_no_field_is_required() {
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
    fn every_form_of_a_list() {
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
    fn a_page_says_where_it_stands() {
        let pagination = json!({ "page": 2, "pageSize": 1, "totalItems": 4, "totalPages": 4, "hasNextPage": true });
        let page = many(&json!({ "items": [], "pagination": pagination })).unwrap();
        let place = (page.page, page.page_size, page.total_pages, page.has_next);
        assert_eq!(place, (2, Some(1), Some(4), true));
        let unsaid = json!({ "items": [], "pagination": { "page": 3, "totalPages": 4 } });
        assert!(many(&unsaid).unwrap().has_next);
    }

    #[test]
    fn a_misfit_has_a_place_and_no_value() {
        let bad = json!({ "id": "d", "name": "web", "createdAt": [1] });
        for (reply, message) in [
            (json!("hush"), "$: found string, expected a sequence"),
            (
                json!({ "success": true }),
                "$: found map, expected a sequence",
            ),
            (
                json!({ "success": true, "data": "hush" }),
                "$.data: found string, expected a sequence",
            ),
            (
                json!({ "items": { "hush": 1 } }),
                "$.items: found map, expected a sequence",
            ),
            (json!([{ "id": "hush" }]), "$[0]: missing field `name`"),
            (
                json!({ "success": true, "data": { "items": [{ "id": "a", "name": "b" }, bad] } }),
                "$.data.items[1].createdAt: found sequence, expected a time as a number or as text",
            ),
            (
                json!({ "items": [], "pagination": { "page": "hush" } }),
                "$.pagination.page: found string, expected a whole number that fits its field",
            ),
        ] {
            assert_eq!(many(&reply).unwrap_err(), message);
        }
    }

    #[test]
    fn anything_is_an_acknowledgement() {
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
    fn keys_of_a_map_keep_their_spelling() {
        let envs = json!({ "envs": { "created_at": "a", "createdAt": "b" } });
        let envs: types::EnvData = one(&envs).unwrap();
        let keys: Vec<_> = envs.envs.keys().collect();
        assert_eq!(keys, ["createdAt", "created_at"]);
    }
}
