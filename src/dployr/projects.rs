//! Projects, which group services.

use super::client::check_text;
use super::{Client, Handle, Page, Project, ProjectId};
use crate::call::Call;
use crate::error::Error;
use crate::raw::dployr::{Op, types};

/// A project to create.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to a client"]
pub struct NewProject(types::ProjectCreate);

impl NewProject {
    /// A project with this name, which must not be empty.
    pub fn new(name: impl Into<String>) -> Self {
        Self(types::ProjectCreate::new(name.into()))
    }

    /// Description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.0.description = Some(text.into());
        self
    }
}

/// Projects; returned by [`Client::projects`].
///
/// No known server has these routes. The control plane groups services by cluster.
#[derive(Clone, Debug)]
pub struct Projects {
    client: Client,
}

impl Projects {
    /// Lists the projects: `GET /v1/projects`.
    ///
    /// Pagination is not documented: if a server reports another page, [`all`](Call::all) fails with
    /// [`Pagination`](crate::ErrorKind::Pagination).
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Project>> {
        self.client.call(Op::ListProjects, |raw| async move {
            Ok(raw.list_projects().await?.into_inner().into_page())
        })
    }

    /// Creates a project: `POST /v1/projects`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name,
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn create(&self, new: NewProject) -> Call<Project> {
        self.client.call(Op::CreateProject, |raw| async move {
            check_text("name", &new.0.name)?;
            Ok(raw.create_project(&new.0).await?.into_inner().0)
        })
    }
}

/// A handle on a project; returned by [`Client::project`].
pub type ProjectHandle = Handle<ProjectId>;

impl ProjectHandle {
    /// Deletes the project: `DELETE /v1/projects/{id}`. No known server has this route.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteProject, |raw, id| async move {
            raw.delete_project(id.as_str()).await?;
            Ok(())
        })
    }
}

impl Client {
    /// The projects. Does no I/O.
    pub fn projects(&self) -> Projects {
        Projects {
            client: self.clone(),
        }
    }

    /// A handle on a project, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn project(&self, id: impl TryInto<ProjectId, Error: Into<Error>>) -> ProjectHandle {
        Handle::new(self, id)
    }
}
