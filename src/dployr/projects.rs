//! Projects, which group services.

use super::client::{Given, check_text};
use super::shapes::{Ack, Listing, Single};
use super::{Client, Page, Project, ProjectId};
use crate::call::Call;
use crate::raw::dployr::{Op, types};

/// A project to create.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is created until it is given to a client"]
pub struct NewProject {
    name: String,
    description: Option<String>,
}

impl NewProject {
    /// A project of this name, which must not be empty.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
        }
    }

    /// What it is, in words.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }
}

/// The projects of a server; made by [`Client::projects`].
///
/// No server is known to have these calls; the control plane groups by cluster alone.
#[derive(Clone, Debug)]
pub struct Projects {
    client: Client,
}

impl Projects {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The projects: `GET /v1/projects`.
    ///
    /// Nothing is known of pages here. If a server says that it has more,
    /// [`all`](Call::all) fails with [`Pagination`](crate::ErrorKind::Pagination) rather than to leave
    /// some out.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Project>> {
        let client = self.client.clone();
        Call::one_page(move || {
            client
                .call(
                    Op::ListProjects,
                    |raw| async move { raw.list_projects().await },
                )
                .map(Listing::into_page)
        })
    }

    /// Creates a project: `POST /v1/projects`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name,
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn create(&self, new: NewProject) -> Call<Project> {
        let op = Op::CreateProject;
        if let Err(error) = check_text("name", &new.name) {
            return self.client.refused(op, error);
        }
        let body = types::ProjectCreate {
            name: new.name,
            description: new.description,
        };
        self.client
            .call(
                op,
                move |raw| async move { raw.create_project(&body).await },
            )
            .map(Single::into_inner)
    }
}

/// A handle on a project; made by [`Client::project`].
#[derive(Clone, Debug)]
pub struct ProjectHandle {
    client: Client,
    id: Given<ProjectId>,
}

impl ProjectHandle {
    pub(super) fn new(client: Client, id: Given<ProjectId>) -> Self {
        Self { client, id }
    }

    /// Deletes the project: `DELETE /v1/projects/{id}`. No server is known to have this call.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn delete(&self) -> Call<()> {
        let op = Op::DeleteProject;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.delete_project(id.as_str()).await
                })
                .map(|_: Ack| ())
        })
    }
}
