//! Applications and their versions.

use super::{Application, ApplicationName, ApplicationVersion, Client, Handle, Page};
use crate::call::Call;
use crate::error::Error;
use crate::id::CheckedId;
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::Op;

/// The applications of the organisation; returned by [`Client::applications`].
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` is awaited"]
pub struct Applications {
    client: Client,
    page_request: PageRequest,
}

/// A handle on an application; returned by [`Client::application`].
pub type ApplicationHandle = Handle<ApplicationName>;

/// The versions of an application; returned by [`ApplicationHandle::versions`].
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` is awaited"]
pub struct ApplicationVersions {
    client: Client,
    application: CheckedId<ApplicationName>,
    page_request: PageRequest,
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
}

impl ApplicationHandle {
    /// The versions of the application. Does no I/O.
    pub fn versions(&self) -> ApplicationVersions {
        ApplicationVersions {
            client: self.client.clone(),
            application: self.id.clone(),
            page_request: PageRequest::default(),
        }
    }
}

impl ApplicationVersions {
    paged!("versions");

    /// Lists one page of the versions: `GET /v1/app/{app_name}/versions`.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn list(&self) -> Call<Page<ApplicationVersion>> {
        let name = self.application.clone();
        self.client.list(
            Op::ListVersions,
            self.page_request,
            |raw, page, limit| async move {
                let name = name?;
                let list = raw.list_versions_with(name.as_str(), |options| {
                    (options.page, options.limit) = (page, limit);
                });
                let list = list.await?.into_inner();
                Ok((list.versions, list.total_count, list.pagination))
            },
        )
    }
}
