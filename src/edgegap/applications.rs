//! Applications and their versions.

use super::shapes::{self, PAGING};
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
        let client = self.client.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            client.call(Op::ListApplications, move |raw| async move {
                let (page, limit) = page_request.parameters()?;
                let list = raw.list_applications(limit, page).await?.into_inner();
                Ok(shapes::page(
                    page_request,
                    list.applications,
                    list.total_count,
                    list.pagination,
                ))
            })
        })
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
        let (client, application) = (self.client.clone(), self.application.clone());
        Call::paged(PAGING, self.page_request, move |page_request| {
            let name = application.clone();
            client.call(Op::ListVersions, move |raw| async move {
                let (page, limit) = page_request.parameters()?;
                let list = raw.list_versions(name?.as_str(), limit, page).await?;
                let list = list.into_inner();
                Ok(shapes::page(
                    page_request,
                    list.versions,
                    list.total_count,
                    list.pagination,
                ))
            })
        })
    }
}
