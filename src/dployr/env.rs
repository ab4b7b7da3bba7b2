//! Environment variables of a service.

use super::deployments::check_key;
use super::shapes::Part;
use super::{Page, ServiceHandle, ServiceUpdate, ServiceUpdated};
use crate::call::Call;
use crate::error::ErrorKind;
use crate::raw::dployr::{Op, types};
use crate::secret::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

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
                let map: BTreeMap<String, Option<Secret>> = content.read(false)?;
                let pairs = map.into_iter();
                pairs
                    .map(|(key, value)| EnvVariable { key, value })
                    .collect()
            }
            false => content.read::<Option<_>, _>(false)?.unwrap_or_default(),
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

    /// Sets a variable on a control plane, which **redeploys the service**.
    ///
    /// Reads all variables, and writes them back with this one and the other changes of the update:
    /// `GET /v1/services/{id}/envs`, `PATCH /v1/services/{id}`. Replaces the variables of the update.
    ///
    /// - **Not atomic**: a concurrent change of the variables is lost.
    /// - The service is interrupted, and rebuilt if it comes from git.
    /// - The update must state health check, domain and secrets, or allow their loss: see
    ///   [`ServiceUpdate`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let dployr = deploykit::testing::Recorder::new().dployr()?;
    /// use deploykit::dployr::ServiceUpdate;
    /// let service = dployr.service("01M85NWYM50C3XD23R6MCKYEYQ");
    /// let update = ServiceUpdate::new("loop-node-1")
    ///     .health_check("/health")
    ///     .domain("app.example.com")
    ///     .replace_secrets([("API_KEY", "…")], []);
    /// let variables = service.env_variables();
    /// let updated = variables.rewrite_with("NODE_ENV", "production", update).await?;
    /// println!("redeployed by {:?}", updated.task_id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// After these errors, nothing was changed:
    /// - [`InvalidRequest`](crate::ErrorKind::InvalidRequest), before the first request, for a name that
    ///   is empty or contains `=` or a control character, and for an invalid update;
    /// - the errors of the read.
    ///
    /// The last request has the errors of [`ServiceHandle::update`]. After one with
    /// [`Effect::Applied`](crate::Effect::Applied), the variable is set but not deployed.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn rewrite_with(
        &self,
        key: impl Into<String>,
        value: impl Into<Secret>,
        update: ServiceUpdate,
    ) -> Call<ServiceUpdated> {
        self.rewrite(key.into(), Some(value.into()), update)
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
    pub fn rewrite_without(
        &self,
        key: impl Into<String>,
        update: ServiceUpdate,
    ) -> Call<ServiceUpdated> {
        self.rewrite(key.into(), None, update)
    }

    fn rewrite(
        &self,
        key: String,
        value: Option<Secret>,
        update: ServiceUpdate,
    ) -> Call<ServiceUpdated> {
        let service = self.service.clone();
        let client = &self.service.client;
        client.in_steps(Op::UpdateService, |steps| async move {
            let valid = check_key(&key).and_then(|()| update.clone().into_raw());
            valid.map_err(|error| steps.refused(error))?;
            let mut all = steps.run(service.env_variables().get_map()).await?;
            match value {
                Some(value) => drop(all.insert(key, value)),
                None if all.remove(&key).is_some() => {}
                None => {
                    let why = "the service has no variable of this name";
                    return Err(steps.error(ErrorKind::NotFound, why));
                }
            }
            steps.run(service.update(update.replace_env(all))).await
        })
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
        let body = types::EnvVariableSet::new(self.key.clone(), value.into());
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
