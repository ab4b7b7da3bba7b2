//! The tags of a deployment.

use super::shapes::{self, PAGING};
use super::{Client, DeploymentHandle, Page, RequestId, Tag};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::id::CheckedId;
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::{Op, types};

/// The longest name of a tag, in characters.
const LONGEST: usize = 40;

/// The tags of a deployment; made by [`DeploymentHandle::tags`](super::DeploymentHandle::tags).
///
/// ```no_run
/// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
/// let tags = edgegap.deployment("c0653765de3b").tags();
/// tags.add("ranked").await?;
/// tags.rename("ranked", "casual").await?;
/// for tag in tags.list().all().await? {
///     println!("{}", tag.name);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Tags {
    client: Client,
    id: CheckedId<RequestId>,
    page_request: PageRequest,
}

impl DeploymentHandle {
    /// The tags of the deployment: list, add, rename and delete them. It does no I/O.
    pub fn tags(&self) -> Tags {
        Tags {
            client: self.client.clone(),
            id: self.id.clone(),
            page_request: PageRequest::default(),
        }
    }
}

impl Tags {
    paged!("tags");

    /// One page of the tags: `GET /v1/deployments/{deployment_id}/tags`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent, for a page or a
    /// size of zero. [`NotFound`](crate::ErrorKind::NotFound) and those of every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn list(&self) -> Call<Page<Tag>> {
        let (client, id) = (self.client.clone(), self.id.clone());
        Call::paged(PAGING, self.page_request, move |page_request| {
            let id = id.clone();
            client.call(Op::ListDeploymentTags, move |raw| async move {
                let (page, limit) = page_request.parameters()?;
                let list = raw.list_deployment_tags(id?.as_str(), limit, page).await?;
                let list = list.into_inner();
                Ok(shapes::page(
                    page_request,
                    list.tags,
                    list.total_count,
                    list.pagination,
                ))
            })
        })
    }

    /// One more tag: `POST /v1/deployments/{deployment_id}/tags`. The variables in the container do
    /// not change with it.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent, for a name that
    /// is empty or has more than 40 characters. [`Conflict`](crate::ErrorKind::Conflict) if the
    /// deployment has it, [`NotFound`](crate::ErrorKind::NotFound) and those of every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn add(&self, name: impl Into<String>) -> Call<Tag> {
        let (id, name) = (self.id.clone(), name.into());
        self.client.call(Op::AddDeploymentTag, |raw| async move {
            let tag = raw
                .add_deployment_tag(id?.as_str(), &written(name)?)
                .await?;
            Ok(tag.into_inner())
        })
    }

    /// One tag: `GET /v1/deployments/{deployment_id}/tags/{tag_name}`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent, for a name that
    /// could not stand in a path. [`NotFound`](crate::ErrorKind::NotFound) and those of every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn get(&self, name: impl Into<String>) -> Call<Tag> {
        let (id, name) = (self.id.clone(), name.into());
        self.client.call(Op::GetDeploymentTag, |raw| async move {
            let tag = raw
                .get_deployment_tag(id?.as_str(), in_path(&name)?)
                .await?;
            Ok(tag.into_inner())
        })
    }

    /// Another name for a tag: `PATCH /v1/deployments/{deployment_id}/tags/{tag_name}`.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`add`](Self::add).
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn rename(&self, name: impl Into<String>, new_name: impl Into<String>) -> Call<Tag> {
        let (id, name, new_name) = (self.id.clone(), name.into(), new_name.into());
        self.client.call(Op::RenameDeploymentTag, |raw| async move {
            let (id, name, body) = (id?, in_path(&name)?, written(new_name)?);
            let tag = raw.rename_deployment_tag(id.as_str(), name, &body).await?;
            Ok(tag.into_inner())
        })
    }

    /// Takes a tag away: `DELETE /v1/deployments/{deployment_id}/tags/{tag_name}`.
    ///
    /// # Errors
    /// As [`get`](Self::get). A second one is answered with
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn delete(&self, name: impl Into<String>) -> Call<()> {
        let (id, name) = (self.id.clone(), name.into());
        self.client.call(Op::DeleteDeploymentTag, |raw| async move {
            let (id, name) = (id?, in_path(&name)?);
            raw.delete_deployment_tag(id.as_str(), name).await?;
            Ok(())
        })
    }
}

/// A name that can be a segment of the path.
fn in_path(name: &str) -> Result<&str> {
    crate::id::check("tag", name)?;
    Ok(name)
}

fn written(name: String) -> Result<types::TagWrite> {
    let problem = if name.trim().is_empty() {
        "is empty".to_owned()
    } else if name.chars().count() > LONGEST {
        format!("has more than {LONGEST} characters")
    } else {
        return Ok(types::TagWrite { name });
    };
    Err(Error::invalid_request(format!("the tag {problem}")))
}
