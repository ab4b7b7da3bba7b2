//! Tags of a deployment.

use super::{DeploymentHandle, Page, Tag, TagName};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::id::{CheckedId, checked};
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::{Op, types};

/// Maximum length of a tag, in characters.
const MAX_CHARS: usize = 40;

/// The tags of a deployment; returned by [`DeploymentHandle::tags`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
/// let server = edgegap.deployment("c0653765de3b");
/// # use deploykit::edgegap::{NewDeployment, User};
/// # let new = NewDeployment::new("my-app", "25.05.30-16.45.19-04", User::ip([75, 28, 35, 192].into()));
/// # let server = edgegap.deploy(new).await?.deployment();
/// server.tags().create("ranked").await?;
/// server.tag("ranked").rename("casual").await?;
/// for tag in server.tags().list().all().await? {
///     println!("{}", tag.name);
/// }
/// server.tag("casual").delete().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` or `create` is awaited"]
pub struct Tags {
    deployment: DeploymentHandle,
    page_request: PageRequest,
}

/// A handle on a tag of a deployment; returned by [`DeploymentHandle::tag`].
#[derive(Clone, Debug)]
pub struct TagHandle {
    deployment: DeploymentHandle,
    name: CheckedId<TagName>,
}

impl DeploymentHandle {
    /// The tags of the deployment. Does no I/O.
    pub fn tags(&self) -> Tags {
        Tags {
            deployment: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a tag, by its name. Does no I/O.
    ///
    /// Calls reject an invalid name.
    pub fn tag(&self, name: impl TryInto<TagName, Error: Into<Error>>) -> TagHandle {
        TagHandle {
            deployment: self.clone(),
            name: checked(name),
        }
    }
}

impl Tags {
    paged!("tags");

    /// Lists one page of the tags: `GET /v1/deployments/{deployment_id}/tags`.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn list(&self) -> Call<Page<Tag>> {
        let (client, id) = (&self.deployment.client, self.deployment.id.clone());
        client.list(
            Op::ListDeploymentTags,
            self.page_request,
            |raw, page, limit| async move {
                let id = id?;
                let list = raw.list_deployment_tags_with(id.as_str(), |options| {
                    (options.page, options.limit) = (page, limit);
                });
                let list = list.await?.into_inner();
                Ok((list.tags, list.total_count, list.pagination))
            },
        )
    }

    /// Creates a tag: `POST /v1/deployments/{deployment_id}/tags`.
    ///
    /// The environment variables of the container do not change.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the name is empty or longer than 40
    /// characters. [`Conflict`](crate::ErrorKind::Conflict) if the deployment already has the tag.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn create(&self, name: impl Into<String>) -> Call<Tag> {
        let (deployment, name) = (&self.deployment, name.into());
        deployment.call(Op::CreateDeploymentTag, |raw, id| async move {
            let body = tag_body(name)?;
            let tag = raw.create_deployment_tag(id.as_str(), &body).await?;
            Ok(tag.into_inner())
        })
    }
}

impl TagHandle {
    /// Gets the tag: `GET /v1/deployments/{deployment_id}/tags/{tag_name}`.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn get(&self) -> Call<Tag> {
        let (deployment, name) = (&self.deployment, self.name.clone());
        deployment.call(Op::GetDeploymentTag, |raw, id| async move {
            let tag = raw.get_deployment_tag(id.as_str(), name?.as_str()).await?;
            Ok(tag.into_inner())
        })
    }

    /// Renames the tag: `PATCH /v1/deployments/{deployment_id}/tags/{tag_name}`.
    ///
    /// This handle keeps the old name.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the new name is empty or longer than 40
    /// characters.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn rename(&self, new_name: impl Into<String>) -> Call<Tag> {
        let (deployment, name) = (&self.deployment, self.name.clone());
        let new_name = new_name.into();
        deployment.call(Op::RenameDeploymentTag, |raw, id| async move {
            let (name, body) = (name?, tag_body(new_name)?);
            let tag = raw.rename_deployment_tag(id.as_str(), name.as_str(), &body);
            Ok(tag.await?.into_inner())
        })
    }

    /// Deletes the tag: `DELETE /v1/deployments/{deployment_id}/tags/{tag_name}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the tag does not exist or was already deleted.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn delete(&self) -> Call<()> {
        let (deployment, name) = (&self.deployment, self.name.clone());
        deployment.call(Op::DeleteDeploymentTag, |raw, id| async move {
            raw.delete_deployment_tag(id.as_str(), name?.as_str())
                .await?;
            Ok(())
        })
    }
}

fn tag_body(name: String) -> Result<types::TagWrite> {
    let problem = if name.trim().is_empty() {
        "is empty".to_owned()
    } else if name.chars().count() > MAX_CHARS {
        format!("has more than {MAX_CHARS} characters")
    } else {
        return Ok(types::TagWrite::new(name));
    };
    Err(Error::invalid_request(format!("the tag {problem}")))
}
