//! Setting and removing one variable, on servers that can and on those that cannot.

use super::deployments::check_key;
use super::fallback::Steps;
use super::shapes::Ack;
use super::{Client, InstanceRole, Routed, ServiceEnv, ServiceHandle, ServiceUpdate, Task, Via};
use crate::call::Call;
use crate::error::{ErrorKind, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::Secret;
use std::collections::BTreeSet;

impl ServiceEnv {
    /// Which instance the service is deployed to, by its tag, should a change of a variable have to
    /// deploy it anew. Unless it is named, it must be the only one of the cluster.
    pub fn instance(mut self, tag: impl Into<String>) -> Self {
        self.instance = Some(tag.into());
        self
    }

    /// Sets one variable: `POST /v1/services/{id}/env`. The value goes out and is shown nowhere.
    ///
    /// No server is known to have this route. From one that answers so, all variables are read and
    /// written back with this one among them: `GET /v1/services/{id}/envs`, and what must be sent
    /// along with it, then `PATCH /v1/services/{id}`. That is
    /// **not atomic and deploys the service anew**: see [`Via::Rewrite`]. A variable that has this
    /// value already is left alone, and no task is given then. `without_fallbacks` on the builder
    /// turns all of this off.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// let env = dployr.service("01M85NWYM50C3XD23R6MCKYEYQ").env().instance("loop-node-1");
    /// let set = env.set("NODE_ENV", "production").await?;
    /// println!("{:?}, deployed anew by {:?}", set.via, set.task_id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that is empty or contains `=`
    /// or a control character; and, with nothing changed, if no
    /// [`instance`](Self::instance) is named and the cluster has several. Those of
    /// [`ServiceHandle::get`], [`secrets`](ServiceHandle::secrets) and
    /// [`update`](ServiceHandle::update): only the last changes something, and after its
    /// [`Unavailable`](crate::ErrorKind::Unavailable) the variable is set and not deployed.
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers without fallbacks.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn set(&self, key: impl Into<String>, value: impl Into<Secret>) -> Call<Routed<Task>> {
        let (key, value) = (key.into(), value.into());
        let env = self.clone();
        self.change(Op::SetServiceEnv, move |steps| async move {
            let documented = env.set_as_documented(key.clone(), value.clone());
            match steps.run(documented).await {
                Err(error) if env.client.falls_back() && steps.lacks_route(&error) => {
                    env.rewrite(&steps, key, Some(value)).await
                }
                result => result.map(|()| Routed::documented(task(None))),
            }
        })
    }

    /// Removes one variable: `DELETE /v1/services/{id}/env/{key}`.
    ///
    /// No server is known to have this route. From one that answers so, all variables are read and
    /// written back without this one, as [`set`](Self::set) does it: **not atomic, and the service is
    /// deployed anew**.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that would change the path,
    /// [`NotFound`](crate::ErrorKind::NotFound) for a variable that is not there, and as
    /// [`set`](Self::set).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn remove(&self, key: impl Into<String>) -> Call<Routed<Task>> {
        let key = key.into();
        let env = self.clone();
        self.change(Op::DeleteServiceEnv, move |steps| async move {
            match steps.run(env.remove_as_documented(key.clone())).await {
                Err(error) if env.client.falls_back() && steps.lacks_route(&error) => {
                    env.rewrite(&steps, key, None).await
                }
                result => result.map(|()| Routed::documented(task(None))),
            }
        })
    }

    fn change<F, R>(&self, op: Op, run: F) -> Call<Routed<Task>>
    where
        F: FnOnce(Steps) -> R + Send + 'static,
        R: Future<Output = Result<Routed<Task>>> + Send + 'static,
    {
        Call::new(self.client.scope_of(op), move |scope| run(Steps::of(scope)))
    }

    fn set_as_documented(&self, key: String, value: Secret) -> Call<()> {
        let op = Op::SetServiceEnv;
        let body = types::EnvVariableSet { key, value };
        self.client
            .with(op, &self.id, |id| match check_key(&body.key) {
                Err(error) => self.client.refused(op, error),
                Ok(()) => self
                    .client
                    .call(op, move |raw| async move {
                        raw.set_service_env(id.as_str(), &body).await
                    })
                    .map(|_: Ack| ()),
            })
    }

    fn remove_as_documented(&self, key: String) -> Call<()> {
        let op = Op::DeleteServiceEnv;
        self.client.with(op, &self.id, |id| {
            match crate::id::check("name of a variable", &key) {
                Err(error) => self.client.refused(op, error),
                Ok(()) => self
                    .client
                    .call(op, move |raw| async move {
                        raw.delete_service_env(id.as_str(), &key).await
                    })
                    .map(|_: Ack| ()),
            }
        })
    }

    /// Everything is read before anything is written, and what an update would lose is sent along.
    async fn rewrite(
        &self,
        steps: &Steps,
        key: String,
        value: Option<Secret>,
    ) -> Result<Routed<Task>> {
        let mut all = steps.run(self.map()).await?;
        match value {
            Some(value) if all.get(&key) == Some(&value) => {
                return Ok(Routed::by(Via::Rewrite, task(None)));
            }
            Some(value) => {
                all.insert(key, value);
            }
            None if all.remove(&key).is_some() => {}
            None => {
                let why = "the service has no variable of this name";
                return Err(steps.error(ErrorKind::NotFound, why));
            }
        }
        let handle = ServiceHandle::new(self.client.clone(), self.id.clone());
        let service = steps.run(handle.get()).await?;
        let client = self.client.in_cluster_of(service.cluster_id.as_deref());
        let deployment = steps.deployment(&client, |found| {
            let id = service.deployment_id.as_ref();
            id.map_or(found.name == service.name, |id| *id == found.id)
        });
        let Some(deployment) = deployment.await? else {
            // An update would reset a health check that nobody can read.
            let why = "the deployment of the service is not in the list of the cluster";
            return Err(steps.error(ErrorKind::NotFound, why));
        };
        let keep = secrets(steps, &handle).await?;
        let instance = match &self.instance {
            Some(tag) => tag.clone(),
            None => only_instance(steps, &client).await?,
        };
        let update = ServiceUpdate::new(instance, &deployment)
            .env(all)
            .keeping_secrets(keep);
        let updated = steps.run(handle.update(update)).await?;
        Ok(Routed::by(Via::Rewrite, task(updated.task_id)))
    }
}

fn task(task_id: Option<super::TaskId>) -> Task {
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
