//! Applications: list, create, read, connect and delete them; and deploying them.

use super::{Application, ApplicationId, Branch, Client, Deployment, NewApplication, Page, checks};
use crate::call::Call;
use crate::error::Error;
use crate::id::{CheckedId, checked};
use crate::raw::nodion::Op;
use serde_json::json;

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

    /// All deployments, as a rule the newest first: `GET /v1/applications/{id}/deployments`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deployments(&self) -> Call<Page<Deployment>> {
        let id = self.id.clone();
        self.client
            .call(Op::ListDeployments, move |raw| async move {
                let list = raw.list_deployments(id?.as_str()).await?.into_inner();
                Ok(Page::whole(list.deployments))
            })
    }

    /// Deploys the latest commit of the connected branch, or the image:
    /// `POST /v1/applications/{id}/deployments`, without a body.
    ///
    /// This is the restart, too. It answers 200 at once with a deployment that is being made.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call. After [`Effect::Unknown`](crate::Effect::Unknown) ask
    /// [`find_created_after`](Self::find_created_after) before you repeat it.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deploy(&self) -> Call<Deployment> {
        self.deploy_with(None)
    }

    /// Deploys this tag of the image instead of the application's own:
    /// `POST /v1/applications/{id}/deployments` with `{"image_tag": …}`. Only for an application that
    /// is made of an image.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a tag that is empty or contains a
    /// space, and as [`deploy`](Self::deploy).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deploy_image(&self, tag: impl Into<String>) -> Call<Deployment> {
        let tag = tag.into();
        let body = json!({ "image_tag": tag });
        self.deploy_with(Some(tag)).attach_json(body)
    }

    /// The generated client sends a body always or never, and without a tag there must be none: nobody
    /// knows what the platform makes of `{}`. So the body is attached.
    fn deploy_with(&self, tag: Option<String>) -> Call<Deployment> {
        let id = self.id.clone();
        self.client.call(Op::CreateDeployment, |raw| async move {
            if let Some(tag) = tag {
                checks::word("tag of the image", &tag)?;
            }
            let envelope = raw.create_deployment(id?.as_str()).await?;
            Ok(envelope.into_inner().deployment)
        })
    }

    /// The greatest deploy number so far, or 0 before the first deployment: what
    /// [`find_created_after`](Self::find_created_after) wants to know. The same request as
    /// [`deployments`](Self::deployments).
    ///
    /// # Errors
    /// As [`deployments`](Self::deployments).
    pub fn latest_deploy_number(&self) -> Call<i64> {
        self.deployments().map(|all| {
            let numbers = all.items.iter().map(|deployment| deployment.deploy_number);
            numbers.max().unwrap_or(0)
        })
    }

    /// What became of a [`deploy`](Self::deploy) that ended without an answer
    /// ([`Effect::Unknown`](crate::Effect::Unknown)): the deployments with a greater number than the
    /// last one before it, as a rule the newest first.
    ///
    /// ```no_run
    /// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
    /// use deploykit::Effect;
    /// use std::time::Duration;
    ///
    /// let before = application.latest_deploy_number().await?;
    /// match application.deploy().await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(5)).await; // let the list catch up
    ///         match application.find_created_after(before).await?.last() {
    ///             Some(found) => println!("number {} is {}", found.deploy_number, found.status),
    ///             None => println!("not there by now"),
    ///         }
    ///     }
    ///     other => println!("{}", other?.id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// **A hit proves** that the application was deployed since you read the number. A push to the
    /// connected branch, the dashboard or another program deploys it too, and nothing tells whose a
    /// deployment is; but whoever started it, it fetched the latest commit after you asked for that.
    ///
    /// **A miss does not prove** that nothing was started: the request may still be under way, and the
    /// platform may take a while to list what it started. Ask again a few times before you deploy
    /// anew.
    ///
    /// # Errors
    /// As [`deployments`](Self::deployments).
    pub fn find_created_after(&self, number: i64) -> Call<Vec<Deployment>> {
        self.deployments().map(move |all| {
            let mut all = all.items;
            all.retain(|deployment| deployment.deploy_number > number);
            all
        })
    }
}
