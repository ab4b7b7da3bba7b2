//! The environment variables of a service.

use super::client::Given;
use super::deployments::check_key;
use super::fallback::Steps;
use super::shapes::{items, misfit, open};
use super::{
    Client, InstanceRole, Page, Routed, ServiceHandle, ServiceId, ServiceUpdate, Task, TaskId, Via,
};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::Secret;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
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

fn variables(value: Value, place: &str) -> std::result::Result<Vec<EnvVariable>, String> {
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

fn variable(key: String, value: Value, place: &str) -> std::result::Result<EnvVariable, String> {
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
    /// The variables, by name: `GET /v1/services/{id}/env`.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, which have
    /// [`map`](Self::map).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<EnvVariable>> {
        let env = self.clone();
        let id = env.id.clone();
        env.client.call(Op::ListServiceEnv, |raw| async move {
            let list = raw.list_service_env(id?.as_str()).await?.into_inner();
            Ok(Page::whole(list.into_variables()))
        })
    }

    /// The variables of the control plane, by name: `GET /v1/services/{id}/envs`. Secret variables are
    /// not among them.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden), and
    /// [`Decode`](crate::ErrorKind::Decode) for a variable without a value.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn map(&self) -> Call<BTreeMap<String, Secret>> {
        let id = self.id.clone();
        self.client.call(Op::GetServiceEnvs, |raw| async move {
            let list = raw.get_service_envs(id?.as_str()).await?.into_inner();
            // Whoever writes the map back would clear a variable that was taken for empty.
            let values = list.0.into_iter().map(|variable| match variable.value {
                Some(value) => Ok((variable.key, value)),
                None => Err(Error::new(
                    ErrorKind::Decode,
                    "the reply has a variable without a value",
                )
                .with_effect(Effect::None)),
            });
            Ok(values.collect::<Result<_>>()?)
        })
    }

    /// The instance that the service is deployed to, by its tag, for a change that redeploys it.
    /// Required if the cluster has several.
    pub fn instance(mut self, tag: impl Into<String>) -> Self {
        self.instance = Some(tag.into());
        self
    }

    /// Sets one variable: `POST /v1/services/{id}/env`. Its value is redacted everywhere.
    ///
    /// No known server has this route. From one that answers so, all variables are read and written
    /// back with this one: `GET /v1/services/{id}/envs`, and what must be sent along with it, then
    /// `PATCH /v1/services/{id}`. That is **not atomic and redeploys the service**: see
    /// [`Via::Rewrite`]. A variable that has this value already is left alone, without a task.
    /// `without_fallbacks` on the builder turns this off.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// let env = dployr.service("01M85NWYM50C3XD23R6MCKYEYQ").env().instance("loop-node-1");
    /// let set = env.set("NODE_ENV", "production").await?;
    /// println!("{:?}, redeployed by {:?}", set.via, set.task_id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that is empty or contains `=`
    /// or a control character; and, with nothing changed, if no [`instance`](Self::instance) is named
    /// and the cluster has several. Those of [`ServiceHandle::get`],
    /// [`secrets`](ServiceHandle::secrets) and [`update`](ServiceHandle::update): only the last changes
    /// something, and after its [`Unavailable`](crate::ErrorKind::Unavailable) the variable is set and
    /// not deployed. [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers without
    /// fallbacks.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn set(&self, key: impl Into<String>, value: impl Into<Secret>) -> Call<Routed<Task>> {
        let (id, key, value) = (self.id.clone(), key.into(), value.into());
        let body = types::EnvVariableSet {
            key: key.clone(),
            value: value.clone(),
        };
        let documented = self.client.call(Op::SetServiceEnv, |raw| async move {
            let id = id?;
            check_key(&body.key)?;
            raw.set_service_env(id.as_str(), &body).await?;
            Ok(())
        });
        self.change(Op::SetServiceEnv, documented, key, Some(value))
    }

    /// Removes one variable: `DELETE /v1/services/{id}/env/{key}`.
    ///
    /// No known server has this route. From one that answers so, all variables are read and written
    /// back without this one, as in [`set`](Self::set): **not atomic, and the service is redeployed**.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that would change the path,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown variable, and as [`set`](Self::set).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn remove(&self, key: impl Into<String>) -> Call<Routed<Task>> {
        let (id, key) = (self.id.clone(), key.into());
        let name = key.clone();
        let documented = self.client.call(Op::DeleteServiceEnv, |raw| async move {
            let id = id?;
            crate::id::check("name of a variable", &name)?;
            raw.delete_service_env(id.as_str(), &name).await?;
            Ok(())
        });
        self.change(Op::DeleteServiceEnv, documented, key, None)
    }

    /// Sets or removes a variable, with a rewrite of all where the server lacks the endpoint.
    fn change(
        &self,
        op: Op,
        documented: Call<()>,
        key: String,
        value: Option<Secret>,
    ) -> Call<Routed<Task>> {
        let env = self.clone();
        self.client.in_steps(op, |steps| async move {
            match steps.documented(documented).await? {
                Some(()) => Ok(Routed::by(Via::Documented, task(None))),
                None => {
                    let task_id = env.rewrite(&steps, key, value).await?;
                    Ok(Routed::by(Via::Rewrite, task(task_id)))
                }
            }
        })
    }

    /// Reads everything before anything is written, and sends along what an update would lose.
    async fn rewrite(
        &self,
        steps: &Steps,
        key: String,
        value: Option<Secret>,
    ) -> Result<Option<TaskId>> {
        let mut all = steps.run(self.map()).await?;
        match value {
            Some(value) if all.get(&key) == Some(&value) => return Ok(None),
            Some(value) => drop(all.insert(key, value)),
            None if all.remove(&key).is_some() => {}
            None => {
                let why = "the service has no variable of this name";
                return Err(steps.error(ErrorKind::NotFound, why));
            }
        }
        let handle = ServiceHandle {
            client: self.client.clone(),
            id: self.id.clone(),
        };
        let service = steps.run(handle.get()).await?;
        let client = match service.cluster_id.as_deref() {
            Some(id) => self.client.with_cluster(id)?,
            None => self.client.clone(),
        };
        let deployment = steps.deployment(&client, |found| match &service.deployment_id {
            Some(id) => *id == found.id,
            None => found.name == service.name,
        });
        // Without it an update would reset the health check.
        let deployment = deployment.await?.ok_or_else(|| {
            let why = "the deployment of the service is not in the list of the cluster";
            steps.error(ErrorKind::NotFound, why)
        })?;
        let keep = secrets(steps, &handle).await?;
        let instance = match &self.instance {
            Some(tag) => tag.clone(),
            None => only_instance(steps, &client).await?,
        };
        let update = ServiceUpdate::new(instance, &deployment)
            .env(all)
            .keeping_secrets(keep);
        Ok(steps.run(handle.update(update)).await?.task_id)
    }
}

fn task(task_id: Option<TaskId>) -> Task {
    Task {
        task_id,
        queued: None,
        cached: None,
    }
}

/// The names of the service's secrets, each once.
async fn secrets(steps: &Steps, handle: &ServiceHandle) -> Result<BTreeSet<String>> {
    match steps.run(handle.secrets()).await {
        Ok(secrets) => Ok(secrets.into_iter().map(|secret| secret.key).collect()),
        // A server without a key to encrypt them with has none (read in its source).
        Err(error)
            if error.status() == Some(503) && error.code() == Some("request.bad_request") =>
        {
            Ok(BTreeSet::new())
        }
        Err(error) => Err(error),
    }
}

/// The tag of the one instance that can run services.
async fn only_instance(steps: &Steps, client: &Client) -> Result<String> {
    let page = steps.run(client.instances().list()).await?;
    let more = page.has_next;
    let mut tags: BTreeSet<String> = page
        .into_iter()
        .filter(|instance| instance.role != Some(InstanceRole::Build))
        // One without a tag is one all the same.
        .map(|instance| instance.tag.unwrap_or_default())
        .collect();
    match tags.pop_first() {
        Some(tag) if tags.is_empty() && !more && !tag.is_empty() => Ok(tag),
        Some(_) => {
            let why = "the cluster has several instances, and the service may be on any of them";
            let error = steps.error(ErrorKind::InvalidRequest, why);
            Err(error.with_advice("name the one to deploy to: env().instance(tag)"))
        }
        None => {
            let why = "the cluster has no instance that runs services";
            Err(steps.error(ErrorKind::Unavailable, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> std::result::Result<Vec<(String, Option<String>)>, String> {
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
