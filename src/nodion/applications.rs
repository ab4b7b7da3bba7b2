//! Applications: list, create, read, connect and delete them.

use super::scaling::check_instances;
use super::{Application, ApplicationId, Client, Page};
use crate::call::Call;
use crate::check;
use crate::error::{Error, Result};
use crate::id::{CheckedId, checked};
use crate::raw::nodion::{Op, types};

/// The applications of a project; made by [`Client::applications`].
#[derive(Clone, Debug)]
pub struct Applications {
    client: Client,
}

impl Client {
    /// The applications: create and list them. It does no I/O.
    pub fn applications(&self) -> Applications {
        Applications {
            client: self.clone(),
        }
    }

    /// A handle on an application. It does no I/O; an id that could not stand in a path is refused
    /// by the first call. So it is with all handles.
    pub fn application<I>(&self, id: I) -> ApplicationHandle
    where
        I: TryInto<ApplicationId>,
        I::Error: Into<Error>,
    {
        ApplicationHandle {
            client: self.clone(),
            id: checked(id),
        }
    }
}

impl Applications {
    /// All applications of the project: `GET /v1/applications`.
    ///
    /// # Errors
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/applications/>
    pub fn list(&self) -> Call<Page<Application>> {
        self.client.call(Op::ListApplications, |raw| async move {
            let list = raw.list_applications().await?.into_inner();
            Ok(Page::whole(list.applications))
        })
    }

    /// Creates an application from a branch: `POST /v1/applications`. It costs money from then on, and
    /// is not deployed by this: [`deploy`](ApplicationHandle::deploy) does that.
    ///
    /// ```no_run
    /// # async fn example(nodion: deploykit::nodion::Client) -> deploykit::Result<()> {
    /// use deploykit::nodion::{Branch, NewApplication};
    ///
    /// let regions = nodion.regions().await?;
    /// let types = nodion.instance_types().await?;
    /// if let (Some(region), Some(smallest)) = (regions.items.first(), types.items.first()) {
    ///     let branch = Branch::new("integration", "repository", "branch"); // ids, from the dashboard
    ///     let new = NewApplication::from_git("My App", &region.id, &smallest.id, branch);
    ///     let created = nodion.applications().create(new).await?;
    ///     nodion.application(created.id).deploy().await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name or id and for less than 1
    /// or more than 16 instances,
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call. After [`Effect::Unknown`](crate::Effect::Unknown) look for its name in the
    /// [list](Self::list) before you repeat it.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/applications/>
    pub fn create(&self, new: NewApplication) -> Call<Application> {
        self.client.call(Op::CreateApplication, |raw| async move {
            let envelope = raw.create_application(&new.checked()?).await?;
            Ok(envelope.into_inner().application)
        })
    }
}

/// A branch of a connected repository, by the ids that Nodion has for it. The dashboard knows them, and
/// an [`Application`](super::Application) may.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    body: types::ApplicationUpdate,
}

/// An application to create.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Applications::create`"]
pub struct NewApplication {
    body: types::ApplicationCreate,
}

impl Branch {
    /// The branch with this id, of a repository, of a connection to a host of repositories.
    pub fn new(
        integration_id: impl Into<String>,
        repository_id: impl Into<String>,
        branch_id: impl Into<String>,
    ) -> Self {
        Self {
            body: types::ApplicationUpdate {
                integration_id: integration_id.into(),
                repository_id: repository_id.into(),
                branch_id: branch_id.into(),
            },
        }
    }

    pub(super) fn checked(self) -> Result<types::ApplicationUpdate> {
        let body = self.body;
        check_branch(&body.integration_id, &body.repository_id, &body.branch_id)?;
        Ok(body)
    }
}

impl NewApplication {
    /// One instance of this type in this [region](super::Client::regions), from a branch.
    pub fn from_git(
        name: impl Into<String>,
        region_id: impl Into<String>,
        instance_type_id: impl Into<String>,
        branch: Branch,
    ) -> Self {
        let branch = branch.body;
        Self {
            body: types::ApplicationCreate {
                name: name.into(),
                region_id: region_id.into(),
                instance_type_id: instance_type_id.into(),
                instance_amount: 1,
                integration_id: branch.integration_id,
                repository_id: branch.repository_id,
                branch_id: branch.branch_id,
            },
        }
    }

    /// So many instances, from 1 to 16.
    pub fn instances(mut self, instances: u32) -> Self {
        self.body.instance_amount = instances.into();
        self
    }

    pub(super) fn checked(self) -> Result<types::ApplicationCreate> {
        let body = self.body;
        check::text("name of the application", &body.name)?;
        check::text("id of the region", &body.region_id)?;
        check::text("id of the instance type", &body.instance_type_id)?;
        check_instances(body.instance_amount)?;
        check_branch(&body.integration_id, &body.repository_id, &body.branch_id)?;
        Ok(body)
    }
}

fn check_branch(integration: &str, repository: &str, branch: &str) -> Result<()> {
    check::text("id of the integration", integration)?;
    check::text("id of the repository", repository)?;
    check::text("id of the branch", branch)
}

/// A handle on an application; made by [`Client::application`].
#[derive(Clone, Debug)]
pub struct ApplicationHandle {
    pub(super) client: Client,
    pub(super) id: CheckedId<ApplicationId>,
}

impl ApplicationHandle {
    /// The application: `GET /v1/applications/{id}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/applications/>
    pub fn get(&self) -> Call<Application> {
        let id = self.id.clone();
        self.client.call(Op::GetApplication, |raw| async move {
            let envelope = raw.get_application(id?.as_str()).await?;
            Ok(envelope.into_inner().application)
        })
    }

    /// Connects the application to another branch, also one of another repository:
    /// `PATCH /v1/applications/{id}`. The next deployment fetches from there.
    ///
    /// No page that is known describes this call; the answer may lack the application.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty id,
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400, and as
    /// [`get`](Self::get).
    ///
    /// Source: <https://github.com/dlyx-io/nodion-gateway>
    pub fn set_branch(&self, branch: Branch) -> Call<Option<Application>> {
        let id = self.id.clone();
        self.client.call(Op::UpdateApplication, |raw| async move {
            let (id, body) = (id?, branch.checked()?);
            let answer = raw.update_application(id.as_str(), &body);
            Ok(answer.await?.into_inner().into_inner())
        })
    }

    /// Deletes the application and all that belongs to it: `DELETE /v1/applications/{id}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), the second time too; and as [`get`](Self::get).
    ///
    /// Source: <https://github.com/dlyx-io/nodion-gateway>
    pub fn delete(&self) -> Call<()> {
        let id = self.id.clone();
        self.client.call(Op::DeleteApplication, |raw| async move {
            let deletion = raw.delete_application(id?.as_str()).await?;
            Ok(deletion.into_inner().check()?)
        })
    }
}
