//! Clusters: what belongs to one team, and who is in it.

use super::client::{Given, check_text};
use super::shapes::{Listing, PAGING, Single};
use super::{Client, Cluster, ClusterId, ClusterUser, Integrations, Invited, Page};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{Ask, paged};
use crate::raw::dployr::{Op, types};

/// The longest name that the control plane takes, in characters.
const LONGEST_NAME: usize = 64;

/// The clusters of the user; made by [`Client::clusters`].
#[derive(Clone, Debug)]
pub struct Clusters {
    client: Client,
}

impl Clusters {
    /// All clusters that the user belongs to: `GET /v1/clusters`, which comes in one page. Everybody
    /// gets one at the first login; no call makes or deletes one.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn list(&self) -> Call<Page<Cluster>> {
        let client = self.client.clone();
        Call::one_page(move || {
            client
                .call(
                    Op::ListClusters,
                    |raw| async move { raw.list_clusters().await },
                )
                .map(Listing::into_page)
        })
    }

    /// A handle on the cluster with this id. It does no I/O.
    pub fn by_id<I>(&self, id: I) -> ClusterHandle
    where
        I: TryInto<ClusterId>,
        I::Error: Into<Error>,
    {
        ClusterHandle {
            client: self.client.clone(),
            id: super::client::given(id),
        }
    }
}

/// A handle on a cluster; made by [`Clusters::by_id`].
#[derive(Clone, Debug)]
pub struct ClusterHandle {
    client: Client,
    id: Given<ClusterId>,
}

impl ClusterHandle {
    /// Gives the cluster another name, which is part of the addresses of its services:
    /// `PATCH /v1/clusters/{id}`. It takes the role of an owner.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name or one of more than 64
    /// characters, [`Quota`](crate::ErrorKind::Quota) within a month of the last time, which is not
    /// repeated, [`Forbidden`](crate::ErrorKind::Forbidden) without the role or for a cluster of others,
    /// and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn rename(&self, name: impl Into<String>) -> Call<Cluster> {
        let (op, name) = (Op::RenameCluster, name.into());
        self.client
            .with(op, &self.id, |id| match check_name(&name) {
                Err(error) => self.client.refused(op, error),
                Ok(()) => {
                    let body = types::ClusterRename { name };
                    self.client
                        .call(op, move |raw| async move {
                            raw.rename_cluster(id.as_str(), &body).await
                        })
                        .map(Single::into_inner)
                }
            })
    }

    /// Who is in the cluster: list them. It does no I/O.
    pub fn users(&self) -> ClusterUsers {
        ClusterUsers {
            client: self.client.clone(),
            id: self.id.clone(),
            invited: None,
            ask: Ask::default(),
        }
    }

    /// Sends invitations to these e-mail addresses: `POST /v1/clusters/{id}/users`. It takes the role of
    /// an admin.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for no address or an empty one,
    /// [`Rejected`](crate::ErrorKind::Rejected) for one that is none,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role or for a cluster of others, and those
    /// of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn invite<E: Into<String>>(&self, emails: impl IntoIterator<Item = E>) -> Call<Invited> {
        let op = Op::InviteClusterUsers;
        let users: Vec<String> = emails.into_iter().map(Into::into).collect();
        self.client
            .with(op, &self.id, |id| match check_emails(&users) {
                Err(error) => self.client.refused(op, error),
                Ok(()) => {
                    let body = types::ClusterInvite { users };
                    self.client
                        .call(op, move |raw| async move {
                            raw.invite_cluster_users(id.as_str(), &body).await
                        })
                        .map(Single::into_inner)
                }
            })
    }

    /// What the cluster is connected with, its webhook among that:
    /// `GET /v1/clusters/{id}/integrations`.
    ///
    /// The server repeats access tokens of the providers. They are [`Secret`](crate::Secret)s here, so
    /// that neither `Debug` nor `Serialize` shows one.
    ///
    /// # Errors
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others or one that does not exist,
    /// and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn integrations(&self) -> Call<Integrations> {
        let op = Op::GetIntegrations;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.get_integrations(id.as_str()).await
                })
                .map(Single::into_inner)
        })
    }
}

/// The users of a cluster; made by [`ClusterHandle::users`].
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `list` is awaited"]
pub struct ClusterUsers {
    client: Client,
    id: Given<ClusterId>,
    invited: Option<bool>,
    ask: Ask,
}

impl ClusterUsers {
    /// Those who are invited and have not answered yet, in the place of those who belong:
    /// `showInvites=true`.
    pub fn invited(mut self) -> Self {
        self.invited = Some(true);
        self
    }

    paged!("users");

    /// One page of the users, with their roles: `GET /v1/clusters/{id}/users`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a page or a size of zero,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others or one that does not exist,
    /// and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/clusters.ts>
    pub fn list(&self) -> Call<Page<ClusterUser>> {
        let Self {
            client,
            id,
            invited,
            ask,
        } = self.clone();
        Call::paged(PAGING, ask, move |ask| {
            let op = Op::ListClusterUsers;
            client.with(op, &id, |id| match ask.parameters() {
                Err(error) => client.refused(op, error),
                Ok((page, size)) => client
                    .call(op, move |raw| async move {
                        raw.list_cluster_users(id.as_str(), page, size, invited)
                            .await
                    })
                    .map(move |list| list.into_page_of(ask)),
            })
        })
    }
}

fn check_name(name: &str) -> Result<()> {
    check_text("name of the cluster", name)?;
    if name.chars().count() > LONGEST_NAME {
        return Err(Error::invalid_request(format!(
            "the name of the cluster is longer than {LONGEST_NAME} characters"
        )));
    }
    Ok(())
}

fn check_emails(emails: &[String]) -> Result<()> {
    if emails.is_empty() {
        return Err(Error::invalid_request("there is nobody to invite"));
    }
    emails
        .iter()
        .try_for_each(|email| check_text("e-mail address", email))
}

impl Client {
    /// The clusters of the user: list and rename them, see and invite their users. It does no I/O.
    pub fn clusters(&self) -> Clusters {
        Clusters {
            client: self.clone(),
        }
    }
}
