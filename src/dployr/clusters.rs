//! Clusters and their users.

use super::client::check_text;
use super::shapes::PAGING;
use super::{Client, Cluster, ClusterId, ClusterUser, Handle, Integrations, Invited, Page};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{PageRequest, paged};
use crate::raw::dployr::{Op, types};

/// Longest name that the control plane accepts, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The clusters of the user; returned by [`Client::clusters`].
#[derive(Clone, Debug)]
pub struct Clusters {
    client: Client,
}

impl Clusters {
    /// Lists all clusters of the user, on one page: `GET /v1/clusters`.
    ///
    /// A user gets a cluster at the first login. No call creates or deletes one.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn list(&self) -> Call<Page<Cluster>> {
        self.client.call(Op::ListClusters, |raw| async move {
            Ok(raw.list_clusters().await?.into_inner().into_page())
        })
    }
}

/// A handle on a cluster; returned by [`Client::cluster`].
pub type ClusterHandle = Handle<ClusterId>;

impl ClusterHandle {
    /// Renames the cluster: `PATCH /v1/clusters/{id}`.
    ///
    /// The name is part of the addresses of its services. Requires the owner role.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name or more than 64
    /// characters, [`Quota`](crate::ErrorKind::Quota) within a month after the last change, and
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role or for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn rename(&self, name: impl Into<String>) -> Call<Cluster> {
        let name = name.into();
        self.call(Op::RenameCluster, |raw, id| async move {
            let reply = raw.rename_cluster(id.as_str(), &new_name(name)?).await?;
            Ok(reply.into_inner().0)
        })
    }

    /// The users of the cluster. Does no I/O.
    pub fn users(&self) -> ClusterUsers {
        ClusterUsers {
            cluster: self.clone(),
            invited: None,
            page_request: PageRequest::default(),
        }
    }

    /// Invites users by e-mail address: `POST /v1/clusters/{id}/users`.
    ///
    /// Requires the admin role.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) without an address or for an empty one,
    /// [`Rejected`](crate::ErrorKind::Rejected) for an invalid address,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role or for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn invite<E: Into<String>>(&self, emails: impl IntoIterator<Item = E>) -> Call<Invited> {
        let users: Vec<String> = emails.into_iter().map(Into::into).collect();
        self.call(Op::InviteClusterUsers, |raw, id| async move {
            if users.is_empty() {
                return Err(Error::invalid_request("there is no user to invite").into());
            }
            for email in &users {
                check_text("e-mail address", email)?;
            }
            let body = types::ClusterInvite::new(users);
            let reply = raw.invite_cluster_users(id.as_str(), &body).await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Reads the integrations and the webhook of the cluster: `GET /v1/clusters/{id}/integrations`.
    ///
    /// The access tokens of the providers are [`Secret`](crate::Secret)s.
    ///
    /// # Errors
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster or one that does not exist.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn integrations(&self) -> Call<Integrations> {
        self.call(Op::GetIntegrations, |raw, id| async move {
            Ok(raw.get_integrations(id.as_str()).await?.into_inner().0)
        })
    }
}

/// The users of a cluster; returned by [`ClusterHandle::users`].
#[derive(Clone, Debug)]
#[must_use = "does nothing until `list` is awaited"]
pub struct ClusterUsers {
    cluster: ClusterHandle,
    invited: Option<bool>,
    page_request: PageRequest,
}

impl ClusterUsers {
    /// Lists pending invitations instead of users: `showInvites=true`.
    pub fn invited(mut self) -> Self {
        self.invited = Some(true);
        self
    }

    paged!("users");

    /// Lists one page of the users, with their roles: `GET /v1/clusters/{id}/users`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for page 0 or page size 0,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster or one that does not exist.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn list(&self) -> Call<Page<ClusterUser>> {
        let (cluster, invited) = (self.cluster.clone(), self.invited);
        Call::paged(PAGING, self.page_request, move |page_request| {
            cluster.call(Op::ListClusterUsers, move |raw, id| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_cluster_users_with(id.as_str(), |options| {
                    (options.page, options.page_size) = (page, size);
                    options.show_invites = invited;
                });
                Ok(list.await?.into_inner().into_page_of(page_request))
            })
        })
    }
}

fn new_name(name: String) -> Result<types::ClusterRename> {
    check_text("name of the cluster", &name)?;
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Error::invalid_request(format!(
            "the name of the cluster is longer than {MAX_NAME_CHARS} characters"
        )));
    }
    Ok(types::ClusterRename::new(name))
}

impl Client {
    /// The clusters of the user. Does no I/O.
    pub fn clusters(&self) -> Clusters {
        Clusters {
            client: self.clone(),
        }
    }

    /// A handle on a cluster, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn cluster(&self, id: impl TryInto<ClusterId, Error: Into<Error>>) -> ClusterHandle {
        Handle::new(self, id)
    }
}
