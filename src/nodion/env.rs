//! The environment variables of an application. Their values are secrets: never shown, only sent.

use super::{ApplicationHandle, EnvVariable, EnvVariableId, Page};
use crate::call::Call;
use crate::check;
use crate::error::{Error, Result};
use crate::id::{CheckedId, checked};
use crate::raw::nodion::{Op, types};
use crate::secret::Secret;

/// A variable to add. `Debug` does not show its value.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `EnvVariables::add`"]
pub struct NewEnvVariable {
    body: types::EnvVariableCreate,
}

/// What is to change about a variable: at least one thing. `Debug` does not show its value.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "does nothing until passed to `EnvVariableHandle::update`"]
pub struct EnvVariableUpdate {
    body: types::EnvVariableUpdate,
}

impl NewEnvVariable {
    /// A variable for what runs.
    pub fn new(key: impl Into<String>, value: impl Into<Secret>) -> Self {
        Self {
            body: types::EnvVariableCreate {
                env_key: key.into(),
                env_val: value.into(),
                buildtime: None,
            },
        }
    }

    /// Whether it is there while the application is built, too. Left to the platform (no) unless set.
    pub fn buildtime(mut self, too: bool) -> Self {
        self.body.buildtime = Some(too);
        self
    }

    fn checked(self) -> Result<types::EnvVariableCreate> {
        check_key(&self.body.env_key)?;
        Ok(self.body)
    }
}

impl EnvVariableUpdate {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another name.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.body.env_key = Some(key.into());
        self
    }

    /// Another value.
    pub fn value(mut self, value: impl Into<Secret>) -> Self {
        self.body.env_val = Some(value.into());
        self
    }

    /// Whether it is there while the application is built, too.
    pub fn buildtime(mut self, too: bool) -> Self {
        self.body.buildtime = Some(too);
        self
    }

    fn checked(self) -> Result<types::EnvVariableUpdate> {
        if let Some(key) = &self.body.env_key {
            check_key(key)?;
        }
        if self == Self::default() {
            return Err(Error::invalid_request(
                "nothing of the variable is to change",
            ));
        }
        Ok(self.body)
    }
}

/// Refuses a text that cannot be the name of an environment variable.
fn check_key(key: &str) -> Result<()> {
    check::text("name of the variable", key)?;
    if key.contains('=') {
        return Err(Error::invalid_request(
            "the name of the variable contains =",
        ));
    }
    Ok(())
}

impl ApplicationHandle {
    /// The environment variables of the application. It does no I/O.
    pub fn env(&self) -> EnvVariables {
        EnvVariables {
            application: self.clone(),
        }
    }

    /// A handle on an environment variable. It does no I/O.
    pub fn env_variable<I>(&self, id: I) -> EnvVariableHandle
    where
        I: TryInto<EnvVariableId>,
        I::Error: Into<Error>,
    {
        EnvVariableHandle {
            application: self.clone(),
            id: checked(id),
        }
    }
}

/// The environment variables of an application; made by [`ApplicationHandle::env`].
#[derive(Clone, Debug)]
pub struct EnvVariables {
    application: ApplicationHandle,
}

impl EnvVariables {
    /// All variables with their values: `GET /v1/applications/{id}/env_variables`.
    ///
    /// ```no_run
    /// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
    /// use deploykit::nodion::{EnvVariableUpdate, NewEnvVariable};
    ///
    /// let (key, value) = ("DATABASE_URL", "postgres://db.example/app");
    /// let all = application.env().list().await?;
    /// match all.items.iter().find(|variable| variable.env_key == key) {
    ///     Some(known) => {
    ///         let update = EnvVariableUpdate::new().value(value);
    ///         application.env_variable(&known.id).update(update).await?
    ///     }
    ///     None => application.env().add(NewEnvVariable::new(key, value)).await?,
    /// };
    /// application.deploy().await?; // what runs has it from then on
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn list(&self) -> Call<Page<EnvVariable>> {
        let id = self.application.id.clone();
        self.application
            .client
            .call(Op::ListEnvVariables, move |raw| async move {
                let list = raw.list_env_variables(id?.as_str()).await?.into_inner();
                Ok(Page::whole(list.env_variables))
            })
    }

    /// Adds a variable: `POST /v1/applications/{id}/env_variables`. What runs has it after the next
    /// deployment.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that is empty or contains `=`
    /// or a control character,
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400, and as
    /// [`list`](Self::list).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn add(&self, new: NewEnvVariable) -> Call<EnvVariable> {
        let id = self.application.id.clone();
        let client = &self.application.client;
        client.call(Op::CreateEnvVariable, |raw| async move {
            let (id, body) = (id?, new.checked()?);
            let envelope = raw.create_env_variable(id.as_str(), &body);
            Ok(envelope.await?.into_inner().env_variable)
        })
    }
}

/// A handle on an environment variable; made by [`ApplicationHandle::env_variable`].
#[derive(Clone, Debug)]
pub struct EnvVariableHandle {
    application: ApplicationHandle,
    id: CheckedId<EnvVariableId>,
}

impl EnvVariableHandle {
    /// The variable with its value: `GET /v1/applications/{id}/env_variables/{env_variable_id}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application or variable, and as
    /// [`EnvVariables::list`].
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn get(&self) -> Call<EnvVariable> {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let client = &self.application.client;
        client.call(Op::GetEnvVariable, move |raw| async move {
            let envelope = raw
                .get_env_variable(application?.as_str(), id?.as_str())
                .await?;
            Ok(envelope.into_inner().env_variable)
        })
    }

    /// Changes the variable: `PATCH /v1/applications/{id}/env_variables/{env_variable_id}`. What runs
    /// has it after the next deployment.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) when nothing is to change, and for a name
    /// that is empty or contains `=` or a control character,
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400, and as
    /// [`get`](Self::get).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn update(&self, update: EnvVariableUpdate) -> Call<EnvVariable> {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let client = &self.application.client;
        client.call(Op::UpdateEnvVariable, |raw| async move {
            let (application, id, body) = (application?, id?, update.checked()?);
            let envelope = raw.update_env_variable(application.as_str(), id.as_str(), &body);
            Ok(envelope.await?.into_inner().env_variable)
        })
    }

    /// Deletes the variable: `DELETE /v1/applications/{id}/env_variables/{env_variable_id}`. What runs
    /// keeps it until the next deployment.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), the second time too; and as [`get`](Self::get).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-environment-variables/>
    pub fn delete(&self) -> Call<()> {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let client = &self.application.client;
        client.call(Op::DeleteEnvVariable, move |raw| async move {
            let deletion = raw
                .delete_env_variable(application?.as_str(), id?.as_str())
                .await?;
            Ok(deletion.into_inner().check()?)
        })
    }
}
