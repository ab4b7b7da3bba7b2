//! The tags of a deployment.

use super::client::Given;
use super::paging::{PAGING, read};
use super::{Client, Page, RequestId, Tag};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{Ask, paged};
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
    id: Given<RequestId>,
    ask: Ask,
}

impl Tags {
    pub(super) fn new(client: Client, id: Given<RequestId>) -> Self {
        Self {
            client,
            id,
            ask: Ask::default(),
        }
    }

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
        Call::paged(PAGING, self.ask, move |ask| {
            let op = Op::ListDeploymentTags;
            client
                .with(op, &id, |id| match ask.parameters() {
                    Err(error) => client.refused(op, error),
                    Ok((page, limit)) => client.call(op, move |raw| async move {
                        raw.list_deployment_tags(id.as_str(), limit, page).await
                    }),
                })
                .map(move |list: types::TagList| {
                    let total = list.total_count;
                    read(ask, list.tags, total, list.pagination.as_ref())
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
        let op = Op::AddDeploymentTag;
        let body = written(name.into());
        self.client.with(op, &self.id, |id| match body {
            Err(error) => self.client.refused(op, error),
            Ok(body) => self.client.call(op, move |raw| async move {
                raw.add_deployment_tag(id.as_str(), &body).await
            }),
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
        let op = Op::GetDeploymentTag;
        self.named(op, name.into(), |id, name| {
            self.client.call(op, move |raw| async move {
                raw.get_deployment_tag(id.as_str(), &name).await
            })
        })
    }

    /// Another name for a tag: `PATCH /v1/deployments/{deployment_id}/tags/{tag_name}`.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`add`](Self::add).
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn rename(&self, name: impl Into<String>, new_name: impl Into<String>) -> Call<Tag> {
        let op = Op::RenameDeploymentTag;
        let body = written(new_name.into());
        self.named(op, name.into(), |id, name| match body {
            Err(error) => self.client.refused(op, error),
            Ok(body) => self.client.call(op, move |raw| async move {
                raw.rename_deployment_tag(id.as_str(), &name, &body).await
            }),
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
        let op = Op::DeleteDeploymentTag;
        self.named(op, name.into(), |id, name| {
            self.client.call(op, move |raw| async move {
                raw.delete_deployment_tag(id.as_str(), &name).await
            })
        })
    }

    fn named<T, F>(&self, op: Op, name: String, call: F) -> Call<T>
    where
        T: Send + 'static,
        F: FnOnce(RequestId, String) -> Call<T>,
    {
        self.client
            .with(op, &self.id, |id| match crate::id::check("tag", &name) {
                Err(error) => self.client.refused(op, error),
                Ok(()) => call(id, name),
            })
    }
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
