//! Environment variables of an application. Their values are secrets.

use super::{ApplicationHandle, ChildHandle, EnvVariable, EnvVariableId, Page};
use crate::call::Call;
use crate::check;
use crate::error::{Error, Result};
use crate::raw::nodion::{Op, types};
use crate::secret::Secret;

/// An environment variable to create. `Debug` redacts its value.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `EnvVariables::create`"]
pub struct NewEnvVariable {
    body: types::EnvVariableCreate,
}

/// An update of an environment variable. `Debug` redacts its value.
///
/// Set at least one of key, value and buildtime.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "does nothing until passed to `EnvVariableHandle::update`"]
pub struct EnvVariableUpdate {
    body: types::EnvVariableUpdate,
}

/// The environment variables of an application; returned by
/// [`ApplicationHandle::env_variables`].
#[derive(Clone, Debug)]
pub struct EnvVariables {
    application: ApplicationHandle,
}

/// A handle on an environment variable; returned by [`ApplicationHandle::env_variable`].
pub type EnvVariableHandle = ChildHandle<EnvVariableId>;

impl NewEnvVariable {
    /// A variable that is set in the running instances, but not during the build.
    pub fn new(key: impl Into<String>, value: impl Into<Secret>) -> Self {
        Self {
            body: types::EnvVariableCreate::new(key.into(), value.into()),
        }
    }

    /// Whether the variable is also set during the build. Default: false.
    pub fn buildtime(mut self, buildtime: bool) -> Self {
        self.body.buildtime = Some(buildtime);
        self
    }

    fn checked(self) -> Result<types::EnvVariableCreate> {
        check_key(&self.body.env_key)?;
        Ok(self.body)
    }
}

impl EnvVariableUpdate {
    /// An empty update. Calls reject it until something is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Renames the variable.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.body.env_key = Some(key.into());
        self
    }

    /// Sets the value.
    pub fn value(mut self, value: impl Into<Secret>) -> Self {
        self.body.env_val = Some(value.into());
        self
    }

    /// Whether the variable is also set during the build.
    pub fn buildtime(mut self, buildtime: bool) -> Self {
        self.body.buildtime = Some(buildtime);
        self
    }

    fn checked(self) -> Result<types::EnvVariableUpdate> {
        if let Some(key) = &self.body.env_key {
            check_key(key)?;
        }
        if self == Self::default() {
            return Err(Error::invalid_request(
                "the update of the variable is empty: set key, value or buildtime",
            ));
        }
        Ok(self.body)
    }
}

/// Rejects a key that is empty or contains `=` or a control character.
fn check_key(key: &str) -> Result<()> {
    check::text("variable key", key)?;
    if key.contains('=') {
        return Err(Error::invalid_request("the variable key contains ="));
    }
    Ok(())
}

impl ApplicationHandle {
    /// The environment variables of the application. Does no I/O.
    pub fn env_variables(&self) -> EnvVariables {
        EnvVariables {
            application: self.clone(),
        }
    }

    /// A handle on an environment variable, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn env_variable(
        &self,
        id: impl TryInto<EnvVariableId, Error: Into<Error>>,
    ) -> EnvVariableHandle {
        ChildHandle::new(self, id)
    }
}

impl EnvVariables {
    /// Lists all variables with their values:
    /// `GET /v1/applications/{id}/env_variables`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder().in_process();
    /// # let application = sandbox.nodion()?.application(sandbox.nodion_access().application_id);
    /// use deploykit::nodion::{EnvVariableUpdate, NewEnvVariable};
    ///
    /// let (key, value) = ("DATABASE_URL", "postgres://db.example/app");
    /// let all = application.env_variables().list().await?;
    /// match all.items.iter().find(|variable| variable.env_key == key) {
    ///     Some(existing) => {
    ///         let update = EnvVariableUpdate::new().value(value);
    ///         application.env_variable(&existing.id).update(update).await?
    ///     }
    ///     None => {
    ///         let new = NewEnvVariable::new(key, value);
    ///         application.env_variables().create(new).await?
    ///     }
    /// };
    /// application.deploy().await?; // changes take effect with the next deployment
    /// # Ok(()) }
    /// ```
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn list(&self) -> Call<Page<EnvVariable>> {
        self.application
            .call(Op::ListEnvVariables, |raw, id| async move {
                let list = raw.list_env_variables(id.as_str()).await?.into_inner();
                Ok(Page::whole(list.env_variables))
            })
    }

    /// Creates a variable: `POST /v1/applications/{id}/env_variables`.
    ///
    /// The variable takes effect with the next deployment.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the key is empty or contains `=` or a
    /// control character.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn create(&self, new: NewEnvVariable) -> Call<EnvVariable> {
        self.application
            .call(Op::CreateEnvVariable, |raw, id| async move {
                let body = new.checked()?;
                let envelope = raw.create_env_variable(id.as_str(), &body);
                Ok(envelope.await?.into_inner().env_variable)
            })
    }
}

impl EnvVariableHandle {
    /// Gets the variable with its value:
    /// `GET /v1/applications/{id}/env_variables/{env_variable_id}`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn get(&self) -> Call<EnvVariable> {
        self.call(Op::GetEnvVariable, |raw, application, id| async move {
            let envelope = raw.get_env_variable(application.as_str(), id.as_str());
            Ok(envelope.await?.into_inner().env_variable)
        })
    }

    /// Updates the variable:
    /// `PATCH /v1/applications/{id}/env_variables/{env_variable_id}`.
    ///
    /// The change takes effect with the next deployment.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the update is empty, or the key is empty
    /// or contains `=` or a control character.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn update(&self, update: EnvVariableUpdate) -> Call<EnvVariable> {
        self.call(Op::UpdateEnvVariable, |raw, application, id| async move {
            let body = update.checked()?;
            let envelope = raw.update_env_variable(application.as_str(), id.as_str(), &body);
            Ok(envelope.await?.into_inner().env_variable)
        })
    }

    /// Deletes the variable:
    /// `DELETE /v1/applications/{id}/env_variables/{env_variable_id}`.
    ///
    /// Running instances keep it until the next deployment.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the variable does not exist or was already deleted.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteEnvVariable, |raw, application, id| async move {
            let deletion = raw.delete_env_variable(application.as_str(), id.as_str());
            Ok(deletion.await?.into_inner().check()?)
        })
    }
}
