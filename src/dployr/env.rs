//! The environment variables of a service.

use super::client::Given;
use super::shapes::{items, misfit, open};
use super::{Client, Page, ServiceId};
use crate::call::Call;
use crate::raw::dployr::Op;
use crate::secret::Secret;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An environment variable. `Debug` does not show its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvVariable {
    /// Its name: `NODE_ENV`.
    pub key: String,
    /// Its value; `None` if the server keeps that to itself.
    pub value: Option<Secret>,
}

/// A list of variables in any form: a map or a list, bare or under a name, in an envelope or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvListing(Vec<EnvVariable>);

impl EnvListing {
    /// The variables, by name.
    pub fn into_variables(self) -> Vec<EnvVariable> {
        self.0
    }
}

/// The names under which the variables may stand. No variable is taken for one: their values are
/// no maps and no lists.
const NAMES: [&str; 4] = ["envs", "env", "variables", "items"];

impl<'de> Deserialize<'de> for EnvListing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (value, place) = open(deserializer)?;
        let mut variables = variables(value, place).map_err(D::Error::custom)?;
        variables.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self(variables))
    }
}

#[derive(Deserialize)]
struct Item {
    key: String,
    value: Option<Value>,
}

fn variables(value: Value, place: &str) -> Result<Vec<EnvVariable>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => {
            let numbered = items::<Item>(values, place)?.into_iter().enumerate();
            numbered
                .map(|(index, item)| {
                    let place = format!("{place}[{index}].value");
                    variable(item.key, item.value.unwrap_or_default(), &place)
                })
                .collect()
        }
        Value::Object(mut map) => {
            let wrapped = NAMES.into_iter().find(|name| {
                map.get(*name)
                    .is_some_and(|value| value.is_object() || value.is_array())
            });
            if let Some(value) = wrapped.and_then(|name| map.remove(name)) {
                return variables(value, place);
            }
            map.into_iter()
                .map(|(key, value)| variable(key, value, place))
                .collect()
        }
        _ => Err(misfit(place, "scalar", "variables")),
    }
}

fn variable(key: String, value: Value, place: &str) -> Result<EnvVariable, String> {
    let value = match value {
        Value::Null => None,
        Value::String(text) => Some(Secret::new(text)),
        scalar @ (Value::Bool(_) | Value::Number(_)) => Some(Secret::new(scalar.to_string())),
        // The key is left out too: in a reply that is something else it may be anything.
        Value::Array(_) | Value::Object(_) => {
            return Err(misfit(place, "structure", "the value of a variable"));
        }
    };
    Ok(EnvVariable { key, value })
}

/// The environment variables of a service; made by [`ServiceHandle::env`](super::ServiceHandle::env).
///
/// No server is known to have the routes of [`list`](Self::list), [`set`](Self::set) and
/// [`remove`](Self::remove). The control plane has [`map`](Self::map), and sets variables by deploying.
#[derive(Clone, Debug)]
pub struct ServiceEnv {
    pub(super) client: Client,
    pub(super) id: Given<ServiceId>,
    pub(super) instance: Option<String>,
}

impl ServiceEnv {
    pub(super) fn new(client: Client, id: Given<ServiceId>) -> Self {
        Self {
            client,
            id,
            instance: None,
        }
    }

    /// The variables, by name: `GET /v1/services/{id}/env`.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, which have
    /// [`map`](Self::map); and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<EnvVariable>> {
        let (client, id) = (self.client.clone(), self.id.clone());
        Call::one_page(move || {
            let op = Op::ListServiceEnv;
            client.with(op, &id, |id| {
                client
                    .call(op, move |raw| async move {
                        raw.list_service_env(id.as_str()).await
                    })
                    .map(|list| Page::whole(list.into_variables()))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Vec<(String, Option<String>)>, String> {
        let listing =
            serde_json::from_value::<EnvListing>(value).map_err(|error| error.to_string())?;
        let pairs = listing.into_variables().into_iter();
        Ok(pairs
            .map(|v| (v.key, v.value.map(|value| value.expose().to_owned())))
            .collect())
    }

    #[test]
    fn every_form_of_a_list_of_variables() {
        let map = json!({ "B": "two", "A": 1, "created_at": null });
        let list = json!([{ "key": "B", "value": "two" }, { "key": "A", "value": "1" }, { "key": "created_at" }]);
        for value in [
            map.clone(),
            list.clone(),
            json!({ "envs": map }),
            json!({ "success": true, "data": { "envs": map } }),
            json!({ "success": true, "data": { "items": list, "pagination": {} } }),
            json!({ "success": true, "data": map }),
        ] {
            let read = read(value.clone()).unwrap();
            let shown: Vec<_> = read
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_deref()))
                .collect();
            assert_eq!(
                shown,
                [("A", Some("1")), ("B", Some("two")), ("created_at", None)],
                "{value}"
            );
        }
        for value in [json!(null), json!({}), json!([]), json!({ "envs": [] })] {
            assert!(read(value.clone()).unwrap().is_empty(), "{value}");
        }
    }

    #[test]
    fn a_variable_may_be_called_like_a_wrapper() {
        let read = read(json!({ "envs": "a", "env": "b", "success": "c", "data": "d" })).unwrap();
        assert_eq!(read.len(), 4);
    }

    #[test]
    fn what_are_no_variables_is_an_error_without_a_value() {
        for value in [
            json!("hush"),
            json!({ "A": { "hush": "hush" } }),
            json!([{ "key": "A", "value": ["hush"] }]),
            json!({ "success": true, "data": "hush" }),
        ] {
            let error = read(value).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
