//! Applications: list, create, get, update and delete.

use super::scaling::check_instances;
use super::{Application, ApplicationId, Client, Handle, InstanceTypeId, Page, RegionId};
use crate::call::{Call, Stop};
use crate::check;
use crate::error::{Error, Result};
use crate::id::{CheckedId, Id, checked};
use crate::raw::nodion::{self as raw, Op, types};

/// The applications of a project; returned by [`Client::applications`].
#[derive(Clone, Debug)]
pub struct Applications {
    client: Client,
}

/// A handle on an application; returned by [`Client::application`].
pub type ApplicationHandle = Handle<ApplicationId>;

/// A handle on one resource of an application, by its id.
///
/// Creating a handle sends nothing. Its calls reject an invalid id.
#[derive(Clone, Debug)]
pub struct ChildHandle<I> {
    pub(super) application: ApplicationHandle,
    pub(super) id: CheckedId<I>,
}

/// A branch of a connected Git repository, identified by Nodion's ids.
///
/// The dashboard shows the ids. The record of an [`Application`] may contain those of its branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    integration_id: String,
    repository_id: String,
    branch_id: String,
}

/// An application to create.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Applications::create`"]
pub struct NewApplication {
    name: String,
    region: CheckedId<RegionId>,
    instance_type: CheckedId<InstanceTypeId>,
    instances: u32,
    branch: Branch,
}

/// An update of an application: the branch to connect it to.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `ApplicationHandle::update`"]
pub struct ApplicationUpdate {
    branch: Branch,
}

impl Branch {
    /// A branch of a repository that is connected through a Git integration.
    pub fn new(
        integration_id: impl Into<String>,
        repository_id: impl Into<String>,
        branch_id: impl Into<String>,
    ) -> Self {
        Self {
            integration_id: integration_id.into(),
            repository_id: repository_id.into(),
            branch_id: branch_id.into(),
        }
    }

    fn check(&self) -> Result<()> {
        check::text("integration id", &self.integration_id)?;
        check::text("repository id", &self.repository_id)?;
        check::text("branch id", &self.branch_id)
    }
}

impl NewApplication {
    /// An application from a Git branch, with one instance.
    ///
    /// [`Client::regions`] and [`Client::instance_types`] list the valid ids. Calls reject invalid ids.
    pub fn from_git(
        name: impl Into<String>,
        region: impl TryInto<RegionId, Error: Into<Error>>,
        instance_type: impl TryInto<InstanceTypeId, Error: Into<Error>>,
        branch: Branch,
    ) -> Self {
        Self {
            name: name.into(),
            region: checked(region),
            instance_type: checked(instance_type),
            instances: 1,
            branch,
        }
    }

    /// Sets the number of instances, 1 to 16. Default: 1.
    pub fn instances(mut self, instances: u32) -> Self {
        self.instances = instances;
        self
    }

    fn checked(self) -> Result<types::ApplicationCreate, Stop> {
        check::text("application name", &self.name)?;
        check_instances(self.instances)?;
        self.branch.check()?;
        Ok(types::ApplicationCreate::new(
            self.name,
            self.region?.into(),
            self.instance_type?.into(),
            self.instances.into(),
            self.branch.integration_id,
            self.branch.repository_id,
            self.branch.branch_id,
        ))
    }
}

impl ApplicationUpdate {
    /// Connects the application to another branch, in the same or another repository.
    pub fn branch(branch: Branch) -> Self {
        Self { branch }
    }

    fn checked(self) -> Result<types::ApplicationUpdate> {
        let branch = self.branch;
        branch.check()?;
        Ok(types::ApplicationUpdate::new(
            branch.integration_id,
            branch.repository_id,
            branch.branch_id,
        ))
    }
}

impl Client {
    /// The applications of the project. Does no I/O.
    pub fn applications(&self) -> Applications {
        Applications {
            client: self.clone(),
        }
    }

    /// A handle on an application, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn application(
        &self,
        id: impl TryInto<ApplicationId, Error: Into<Error>>,
    ) -> ApplicationHandle {
        Handle::new(self, id)
    }
}

impl Applications {
    /// Lists all applications of the project: `GET /v1/applications`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/applications/>
    pub fn list(&self) -> Call<Page<Application>> {
        self.client.call(Op::ListApplications, |raw| async move {
            let list = raw.list_applications().await?.into_inner();
            Ok(Page::whole(list.applications))
        })
    }

    /// Creates an application from a branch: `POST /v1/applications`.
    ///
    /// Nodion bills the instances of the application from then on. The application runs nothing before you
    /// [`deploy`](ApplicationHandle::deploy) it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let nodion = deploykit_sandbox::Sandbox::builder().in_process().nodion()?;
    /// use deploykit::nodion::{Branch, NewApplication};
    ///
    /// let regions = nodion.regions().list().await?;
    /// let types = nodion.instance_types().list().await?;
    /// if let (Some(region), Some(smallest)) = (regions.items.first(), types.items.first()) {
    ///     let branch = Branch::new("integration", "repository", "branch"); // ids from the dashboard
    ///     let new = NewApplication::from_git("My App", &region.id, &smallest.id, branch);
    ///     let created = nodion.applications().create(new).await?;
    ///     nodion.application(&created.id).deploy().await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name or id, and for fewer
    /// than 1 or more than 16 instances. After [`Effect::Unknown`](crate::Effect::Unknown), look for
    /// the name in the [list](Self::list) before you retry.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/applications/>
    pub fn create(&self, new: NewApplication) -> Call<Application> {
        self.client.call(Op::CreateApplication, |raw| async move {
            let envelope = raw.create_application(&new.checked()?).await?;
            Ok(envelope.into_inner().application)
        })
    }
}

impl ApplicationHandle {
    /// Gets the application: `GET /v1/applications/{id}`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/applications/>
    pub fn get(&self) -> Call<Application> {
        self.call(Op::GetApplication, |raw, id| async move {
            let envelope = raw.get_application(id.as_str()).await?;
            Ok(envelope.into_inner().application)
        })
    }

    /// Connects the application to another branch: `PATCH /v1/applications/{id}`.
    ///
    /// The change takes effect with the next deployment. Nodion does not document this operation. Returns
    /// `None` if the response contains no application.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if an id of the [`Branch`] is empty or
    /// contains a control character.
    ///
    /// Source: <https://github.com/dlyx-io/nodion-gateway>
    pub fn update(&self, update: ApplicationUpdate) -> Call<Option<Application>> {
        self.call(Op::UpdateApplication, |raw, id| async move {
            let body = update.checked()?;
            let reply = raw.update_application(id.as_str(), &body);
            Ok(reply.await?.into_inner().into_inner())
        })
    }

    /// Deletes the application with its instances, variables and domains:
    /// `DELETE /v1/applications/{id}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the application does not exist or was already deleted.
    ///
    /// Source: <https://github.com/dlyx-io/nodion-gateway>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteApplication, |raw, id| async move {
            let deletion = raw.delete_application(id.as_str()).await?;
            Ok(deletion.into_inner().check()?)
        })
    }
}

impl<I: Clone + Send + 'static> ChildHandle<I> {
    pub(super) fn new(
        application: &ApplicationHandle,
        id: impl TryInto<I, Error: Into<Error>>,
    ) -> Self
    where
        I: Id,
    {
        Self {
            application: application.clone(),
            id: checked(id),
        }
    }

    /// A call of one operation, with the checked ids of the application and of the resource.
    pub(super) fn call<T, F, R>(&self, op: Op, run: F) -> Call<T>
    where
        T: Send + 'static,
        F: FnOnce(raw::Client, ApplicationId, I) -> R + Send + 'static,
        R: Future<Output = Result<T, Stop>> + Send + 'static,
    {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let client = &self.application.client;
        client.call(op, |raw| async move { run(raw, application?, id?).await })
    }
}
