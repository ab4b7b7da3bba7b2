//! The environment variables of a service.

use super::deployments::check_key;
use super::fallback::Steps;
use super::shapes::Part;
use super::{
    Client, Instance, InstanceRole, Page, Routed, ServiceHandle, ServiceUpdate, Task, TaskId, Via,
};
use crate::call::Call;
use crate::error::{ErrorKind, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// An environment variable. `Debug` does not show its value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct EnvVariable {
    /// Its name: `NODE_ENV`.
    pub key: String,
    /// Its value; `None` if the server keeps that to itself.
    pub value: Option<Secret>,
}

/// Variables, by name: a map or an array, perhaps in an envelope, and a map perhaps under `envs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvListing(Vec<EnvVariable>);

impl<'de> Deserialize<'de> for EnvListing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let reply = Box::<RawValue>::deserialize(deserializer)?;
        let content = Part::content(&reply)?;
        // A variable of that name has a text.
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

/// The environment variables of a service; made by [`ServiceHandle::env`](super::ServiceHandle::env).
///
/// No server is known to have the routes of [`list`](Self::list), [`set`](Self::set) and
/// [`remove`](Self::remove). The control plane has [`map`](Self::map), and sets variables by deploying.
#[derive(Clone, Debug)]
pub struct ServiceEnv {
    pub(super) service: ServiceHandle,
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
        self.service.call(Op::ListServiceEnv, |raw, id| async move {
            let list = raw.list_service_env(id.as_str()).await?.into_inner();
            Ok(Page::whole(list.0))
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
        self.service.call(Op::GetServiceEnvs, |raw, id| async move {
            let reply = raw.get_service_envs(id.as_str()).await?;
            Ok(reply.into_inner().0.envs)
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
        let (key, value) = (key.into(), value.into());
        let body = types::EnvVariableSet {
            key: key.clone(),
            value: value.clone(),
        };
        let documented = self.service.call(Op::SetServiceEnv, |raw, id| async move {
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
        let key = key.into();
        let name = key.clone();
        let documented = self
            .service
            .call(Op::DeleteServiceEnv, |raw, id| async move {
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
        self.service.client.in_steps(op, |steps| async move {
            let (via, task_id) = match steps.documented(documented).await? {
                Some(()) => (Via::Documented, None),
                None => (Via::Rewrite, env.rewrite(&steps, key, value).await?),
            };
            let task = Task {
                task_id,
                queued: None,
                cached: None,
            };
            Ok(Routed::by(via, task))
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
        let service = steps.run(self.service.get()).await?;
        let mut client = self.service.client.clone();
        if let Some(cluster) = service.cluster_id.as_deref() {
            client = client.with_cluster(cluster)?;
        }
        let deployment = steps.deployment(&client, |found| match &service.deployment_id {
            Some(id) => *id == found.id,
            None => found.name == service.name,
        });
        // Without it an update would reset the health check.
        let deployment = deployment.await?.ok_or_else(|| {
            let why = "the deployment of the service is not in the list of the cluster";
            steps.error(ErrorKind::NotFound, why)
        })?;
        let keep = secrets(steps, &self.service).await?;
        let instance = match &self.instance {
            Some(tag) => tag.clone(),
            None => only_instance(steps, &client).await?,
        };
        let update = ServiceUpdate::new(instance, deployment.health_check.as_deref())
            .env(all)
            .keeping_secrets(keep);
        Ok(steps.run(self.service.update(update)).await?.task_id)
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
            Err(error.with_advice("name the one to deploy to: env().instance(tag)"))
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
    fn every_form_of_a_list_of_variables() {
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
    fn a_misfit_quotes_no_value() {
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
