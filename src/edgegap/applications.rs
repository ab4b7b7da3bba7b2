//! Applications: list, create, get, update and delete.

use super::{Application, ApplicationName, Client, Handle, Page};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::id;
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::{Op, types};
use std::ops::RangeInclusive;

/// The applications of the organisation; returned by [`Client::applications`].
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` or `create` is awaited"]
pub struct Applications {
    client: Client,
    page_request: PageRequest,
}

/// A handle on an application; returned by [`Client::application`].
pub type ApplicationHandle = Handle<ApplicationName>;

/// An application to create.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Applications::create`"]
pub struct NewApplication {
    body: types::ApplicationCreate,
}

/// An update of an application. Fields that are not set do not change.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "does nothing until passed to `ApplicationHandle::update`"]
pub struct ApplicationUpdate {
    body: types::ApplicationUpdate,
}

impl NewApplication {
    /// An active application without a picture.
    ///
    /// The name has 3 to 64 characters and is unique in the organisation. The vendor does not document which
    /// characters are allowed. Calls reject those that a handle would reject, such as `/`.
    pub fn new(name: impl Into<String>) -> Self {
        let (active, picture) = (true, String::new());
        Self {
            body: types::ApplicationCreate::new(name.into(), active, picture),
        }
    }

    /// Whether versions of the application can be deployed. Default: true.
    pub fn active(mut self, active: bool) -> Self {
        self.body.is_active = active;
        self
    }

    /// Sets the picture in the dashboard, base64-encoded. It is not the image of a container.
    pub fn picture(mut self, base64: impl Into<String>) -> Self {
        self.body.image = base64.into();
        self
    }

    fn checked(self) -> Result<types::ApplicationCreate> {
        check_application_name(&self.body.name)?;
        Ok(self.body)
    }
}

impl ApplicationUpdate {
    /// An empty update. Calls reject it until something is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Renames the application. The handle keeps the old name.
    ///
    /// The vendor does not document what a new name does to versions and running deployments.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    /// Whether versions of the application can be deployed.
    pub fn active(mut self, active: bool) -> Self {
        self.body.is_active = Some(active);
        self
    }

    /// Sets the picture in the dashboard, base64-encoded.
    pub fn picture(mut self, base64: impl Into<String>) -> Self {
        self.body.image = Some(base64.into());
        self
    }

    fn checked(self) -> Result<types::ApplicationUpdate> {
        if self == Self::default() {
            return Err(Error::invalid_request(
                "the update of the application is empty",
            ));
        }
        if let Some(name) = &self.body.name {
            check_application_name(name)?;
        }
        Ok(self.body)
    }
}

fn check_application_name(name: &str) -> Result<()> {
    check_name("application name", name, 3..=64)
}

/// Rejects a name of another length, and a name that a handle would reject.
pub(super) fn check_name(
    what: &'static str,
    name: &str,
    length: RangeInclusive<usize>,
) -> Result<()> {
    id::check(what, name)?;
    if length.contains(&name.chars().count()) {
        return Ok(());
    }
    let (min, max) = length.into_inner();
    Err(Error::invalid_request(format!(
        "the {what} must have {min} to {max} characters"
    )))
}

impl Client {
    /// The applications of the organisation. Does no I/O.
    pub fn applications(&self) -> Applications {
        Applications {
            client: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on an application, by its name. Does no I/O.
    ///
    /// Calls reject an invalid name.
    pub fn application(
        &self,
        name: impl TryInto<ApplicationName, Error: Into<Error>>,
    ) -> ApplicationHandle {
        Handle::new(self, name)
    }
}

impl Applications {
    paged!("applications");

    /// Lists one page of the applications: `GET /v1/apps`.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn list(&self) -> Call<Page<Application>> {
        self.client.list(
            Op::ListApplications,
            self.page_request,
            |raw, page, limit| async move {
                let list = raw.list_applications_with(|options| {
                    (options.page, options.limit) = (page, limit);
                });
                let list = list.await?.into_inner();
                Ok((list.applications, list.total_count, list.pagination))
            },
        )
    }

    /// Creates an application: `POST /v1/app`.
    ///
    /// # Errors
    /// - [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid name.
    /// - [`Conflict`](crate::ErrorKind::Conflict) if the name is taken: perhaps by an earlier attempt whose
    ///   response was lost. [`get`](ApplicationHandle::get) returns the application with this name.
    /// - [`Rejected`](crate::ErrorKind::Rejected) if the number of applications reaches a limit: on the free
    ///   tier, two. The vendor does not document the status.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn create(&self, new: NewApplication) -> Call<Application> {
        self.client.call(Op::CreateApplication, |raw| async move {
            let application = raw.create_application(&new.checked()?).await?;
            Ok(application.into_inner())
        })
    }
}

impl ApplicationHandle {
    /// Gets the application: `GET /v1/app/{app_name}`.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn get(&self) -> Call<Application> {
        self.call(Op::GetApplication, |raw, name| async move {
            Ok(raw.get_application(name.as_str()).await?.into_inner())
        })
    }

    /// Updates the application: `PATCH /v1/app/{app_name}`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the update is empty or the name invalid.
    /// [`Conflict`](crate::ErrorKind::Conflict) if the new name is taken.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn update(&self, update: ApplicationUpdate) -> Call<Application> {
        self.call(Op::UpdateApplication, |raw, name| async move {
            let body = update.checked()?;
            let application = raw.update_application(name.as_str(), &body).await?;
            Ok(application.into_inner())
        })
    }

    /// Deletes the application and all of its versions: `DELETE /v1/app/{app_name}`.
    ///
    /// The vendor does not document whether running deployments prevent this, are stopped, or continue: stop
    /// them first.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the application does not exist or was already deleted.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteApplication, |raw, name| async move {
            raw.delete_application(name.as_str()).await?;
            Ok(())
        })
    }
}
