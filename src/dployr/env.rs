//! Environment variables of a service.

use super::client::Steps;
use super::deployments::{check_key, first_match};
use super::shapes::Part;
use super::{
    Client, Instance, InstanceRole, InstanceTag, Page, ServiceHandle, ServiceUpdate, Task, TaskId,
};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{CheckedId, checked};
use crate::raw::dployr::{Op, types};
use crate::secret::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// An environment variable. `Debug` redacts its value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct EnvVariable {
    /// Name: `NODE_ENV`.
    pub key: String,
    /// Value; `None` if the server does not send it.
    pub value: Option<Secret>,
}

/// A list of variables, sorted by name. Decodes a map or an array, bare, in an envelope or under `envs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvListing(Vec<EnvVariable>);

impl<'de> Deserialize<'de> for EnvListing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let reply = Box::<RawValue>::deserialize(deserializer)?;
        let content = Part::content(&reply)?;
        // A string under `envs` is the value of a variable with that name.
        let envs = content.member("envs").filter(Part::is_object);
        let content = envs.unwrap_or(content);
        let mut variables: Vec<_> = match content.is_object() {
            true => {
                let map: BTreeMap<String, Option<Secret>> = content.read()?;
                let pairs = map.into_iter();
                pairs
                    .map(|(key, value)| EnvVariable { key, value })
                    .collect()
            }
            false => content.read::<Option<_>, _>()?.unwrap_or_default(),
        };
        variables.sort_by(|a: &EnvVariable, b| a.key.cmp(&b.key));
        Ok(Self(variables))
    }
}

/// The environment variables of a service; returned by [`ServiceHandle::env_variables`].
///
/// The vendor's page documents [`list`](Self::list), [`set`](EnvVariableHandle::set) and
/// [`delete`](EnvVariableHandle::delete), but no known server has their routes. The control plane has
/// [`get_map`](Self::get_map), and changes variables only by redeploying:
/// [`rewrite_with`](Self::rewrite_with), [`rewrite_without`](Self::rewrite_without).
#[derive(Clone, Debug)]
pub struct EnvVariables {
    pub(super) service: ServiceHandle,
    pub(super) instance: Option<CheckedId<InstanceTag>>,
}

impl EnvVariables {
    /// Lists the variables, by name: `GET /v1/services/{id}/env`.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers: use
    /// [`get_map`](Self::get_map) there.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<EnvVariable>> {
        self.service.call(Op::ListServiceEnv, |raw, id| async move {
            let list = raw.list_service_env(id.as_str()).await?.into_inner();
            Ok(Page::whole(list.0))
        })
    }

    /// Reads the variables from a control plane, as a map: `GET /v1/services/{id}/envs`.
    ///
    /// Secret variables are not included: see [`ServiceHandle::secrets`].
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden), and
    /// [`Decode`](crate::ErrorKind::Decode) for a variable without a value.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn get_map(&self) -> Call<BTreeMap<String, Secret>> {
        self.service.call(Op::GetServiceEnvs, |raw, id| async move {
            let reply = raw.get_service_envs(id.as_str()).await?;
            Ok(reply.into_inner().0.envs)
        })
    }

    /// The instance to which a rewrite redeploys the service, by its tag.
    ///
    /// Required if the cluster has several instances.
    pub fn instance(mut self, tag: impl TryInto<InstanceTag, Error: Into<Error>>) -> Self {
        self.instance = Some(checked(tag));
        self
    }

    /// Sets a variable on a control plane, which **redeploys the service**.
    ///
    /// Reads everything that an update would reset, and then writes all variables back with this one:
    /// `GET /v1/services/{id}/envs`, `GET /v1/services/{id}`, `GET /v1/deployments`,
    /// `GET /v1/services/{id}/secrets`, `GET /v1/instances` unless an [`instance`](Self::instance) is
    /// named, `PATCH /v1/services/{id}`.
    ///
    /// - **Not atomic**: a concurrent change of the variables is lost.
    /// - The service is interrupted, and rebuilt if it comes from git.
    /// - Secret variables and the health check are kept. A service without a health check gets `/`.
    /// - If the variable already has this value, nothing is written and the task has no id.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let dployr = deploykit::testing::Recorder::new().dployr()?;
    /// let service = dployr.service("01M85NWYM50C3XD23R6MCKYEYQ");
    /// let variables = service.env_variables().instance("loop-node-1");
    /// let task = variables.rewrite_with("NODE_ENV", "production").await?;
    /// println!("redeployed by {:?}", task.task_id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// After these errors, nothing was changed:
    /// - [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that is empty or contains `=`
    ///   or a control character, or if the cluster has several instances and none is named;
    /// - the errors of the reads.
    ///
    /// The last request has the errors of [`ServiceHandle::update`]. After its
    /// [`Unavailable`](crate::ErrorKind::Unavailable), the variable is set but not deployed.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn rewrite_with(&self, key: impl Into<String>, value: impl Into<Secret>) -> Call<Task> {
        self.rewrite(key.into(), Some(value.into()))
    }

    /// Removes a variable on a control plane, which **redeploys the service**.
    ///
    /// Not atomic: works as [`rewrite_with`](Self::rewrite_with), and writes all other variables back.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the service has no such variable, and as
    /// [`rewrite_with`](Self::rewrite_with).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn rewrite_without(&self, key: impl Into<String>) -> Call<Task> {
        self.rewrite(key.into(), None)
    }

    fn rewrite(&self, key: String, value: Option<Secret>) -> Call<Task> {
        let variables = self.clone();
        self.service
            .client
            .in_steps(Op::UpdateService, |steps| async move {
                let valid = check_key(&key);
                let instance = variables.instance.clone().transpose();
                let instance = valid.and(instance.map_err(Error::invalid_request));
                let instance = instance.map_err(|error| steps.refused(error))?;
                let task_id = variables.rewrite_in(&steps, key, value, instance).await?;
                Ok(Task {
                    task_id,
                    ..Task::default()
                })
            })
    }

    /// Does all reads before the update, and sends the settings that the update would reset.
    async fn rewrite_in(
        &self,
        steps: &Steps,
        key: String,
        value: Option<Secret>,
        instance: Option<InstanceTag>,
    ) -> Result<Option<TaskId>> {
        let mut all = steps.run(self.get_map()).await?;
        match value {
            Some(value) if all.get(&key) == Some(&value) => return Ok(None),
            Some(value) => drop(all.insert(key, value)),
            None if all.remove(&key).is_some() => {}
            None => {
                let why = "the service has no variable of this name";
                return Err(steps.error(ErrorKind::NotFound, why));
            }
        }
        let service = steps.run(self.service.get()).await?;
        let mut client = self.service.client.clone();
        if let Some(cluster) = &service.cluster_id {
            client = client.with_cluster(cluster)?;
        }
        let list = |number| client.deployments().page(number).page_size(100).list();
        let deployment = first_match(steps, list, |found| match &service.deployment_id {
            Some(id) => *id == found.id,
            None => found.name == service.name,
        });
        // Required, because an update that omits the health check resets it.
        let deployment = deployment.await?.ok_or_else(|| {
            let why = "the deployment of the service is not in the list of the cluster";
            steps.error(ErrorKind::NotFound, why)
        })?;
        let keep = secret_names(steps, &self.service).await?;
        let instance = match instance {
            Some(tag) => tag,
            None => only_instance(steps, &client).await?,
        };
        let update = ServiceUpdate::new(instance, deployment.health_check.as_deref())
            .replace_env(all)
            .keeping_secrets(keep);
        Ok(steps.run(self.service.update(update)).await?.task_id)
    }
}

/// A handle on an environment variable; returned by [`ServiceHandle::env_variable`].
#[derive(Clone, Debug)]
pub struct EnvVariableHandle {
    pub(super) service: ServiceHandle,
    pub(super) key: String,
}

impl EnvVariableHandle {
    /// Sets the variable: `POST /v1/services/{id}/env`.
    ///
    /// No known server has this route: use [`EnvVariables::rewrite_with`] on a control plane.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that is empty or contains `=`
    /// or a control character, and [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known
    /// servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn set(&self, value: impl Into<Secret>) -> Call<()> {
        let body = types::EnvVariableSet {
            key: self.key.clone(),
            value: value.into(),
        };
        self.service.call(Op::SetServiceEnv, |raw, id| async move {
            check_key(&body.key)?;
            raw.set_service_env(id.as_str(), &body).await?;
            Ok(())
        })
    }

    /// Deletes the variable: `DELETE /v1/services/{id}/env/{key}`.
    ///
    /// No known server has this route: use [`EnvVariables::rewrite_without`] on a control plane.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that cannot be part of a path,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown variable, and
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn delete(&self) -> Call<()> {
        let key = self.key.clone();
        self.service
            .call(Op::DeleteServiceEnv, |raw, id| async move {
                crate::id::check("name of a variable", &key)?;
                raw.delete_service_env(id.as_str(), &key).await?;
                Ok(())
            })
    }
}

/// The names of the service's secrets, each once.
async fn secret_names(steps: &Steps, service: &ServiceHandle) -> Result<BTreeSet<String>> {
    match steps.run(service.secrets().list()).await {
        Ok(secrets) => Ok(secrets.into_iter().map(|secret| secret.key).collect()),
        // A server without an encryption key has no secrets, according to its source code.
        Err(error)
            if error.status() == Some(503) && error.code() == Some("request.bad_request") =>
        {
            Ok(BTreeSet::new())
        }
        Err(error) => Err(error),
    }
}

/// The tag of the only instance that runs services.
async fn only_instance(steps: &Steps, client: &Client) -> Result<InstanceTag> {
    let page = steps.run(client.instances().list()).await?;
    let more = page.has_next;
    let runs_services = |one: &Instance| one.role != Some(InstanceRole::Build);
    let tags: Vec<_> = page
        .into_iter()
        .filter(runs_services)
        .map(|instance| instance.tag)
        .collect();
    match tags.as_slice() {
        [Some(tag)] if !more => Ok(tag.clone()),
        [] => {
            let why = "the cluster has no instance that runs services";
            Err(steps.error(ErrorKind::Unavailable, why))
        }
        _ => {
            let why = "the cluster has several instances, and the service may be on any of them";
            let error = steps.error(ErrorKind::InvalidRequest, why);
            Err(error.with_advice("choose the instance: env_variables().instance(tag)"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(reply: Value) -> std::result::Result<Vec<(String, Option<String>)>, String> {
        let listing: EnvListing =
            serde_json::from_value(reply).map_err(|error| error.to_string())?;
        let pairs = listing.0.into_iter();
        Ok(pairs
            .map(|v| (v.key, v.value.map(|value| value.expose().to_owned())))
            .collect())
    }

    #[test]
    fn every_form_of_a_list_is_decoded() {
        let map = json!({ "B": "two", "A": "1", "created_at": null });
        let list = json!([{ "key": "B", "value": "two" }, { "key": "A", "value": "1" }, { "key": "created_at" }]);
        for reply in [
            map.clone(),
            list.clone(),
            json!({ "envs": map }),
            json!({ "success": true, "data": { "envs": map } }),
            json!({ "success": true, "data": list }),
        ] {
            let expected = [("A", Some("1")), ("B", Some("two")), ("created_at", None)];
            let expected = expected.map(|(key, value)| (key.to_owned(), value.map(str::to_owned)));
            assert_eq!(read(reply.clone()).unwrap(), expected, "{reply}");
        }
        for reply in [json!(null), json!({}), json!([])] {
            assert!(read(reply.clone()).unwrap().is_empty(), "{reply}");
        }
        let names = json!({ "envs": "a", "success": "c", "data": "d" });
        assert_eq!(
            read(names).unwrap().len(),
            3,
            "variables may have such names"
        );
    }

    #[test]
    fn a_decoding_error_contains_no_value() {
        for reply in [
            json!("hush"),
            json!({ "A": { "hush": "hush" } }),
            json!([{ "key": "A", "value": ["hush"] }]),
            json!({ "success": true, "data": "hush" }),
        ] {
            let error = read(reply).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
