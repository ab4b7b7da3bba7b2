//! The server itself, and who is asking it.

use super::shapes::Single;
use super::{Client, CurrentUser, Health, Versions};
use crate::call::Call;
use crate::raw::dployr::Op;

impl Client {
    /// Whether the server works, and its version: `GET /v1/health`. It carries no token, so it says
    /// nothing about one.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/index.ts>
    pub fn health(&self) -> Call<Health> {
        let op = Op::GetHealth;
        match self.without_token() {
            Err(error) => self.refused(op, error),
            Ok(client) => client
                .call(op, |raw| async move { raw.get_health().await })
                .map(Single::into_inner),
        }
    }

    /// The versions of the daemon that the server knows: `GET /v1/runtime/versions`. It carries no
    /// token. The server asks its vendor's releases for them.
    ///
    /// # Errors
    /// [`Server`](crate::ErrorKind::Server) when the server cannot reach those, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/runtime.ts>
    pub fn versions(&self) -> Call<Versions> {
        self.versions_with(None)
    }

    /// The same, with versions that are not released yet:
    /// `GET /v1/runtime/versions?showPreReleases=true`.
    ///
    /// # Errors
    /// As [`versions`](Self::versions).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/runtime.ts>
    pub fn versions_with_previews(&self) -> Call<Versions> {
        self.versions_with(Some(true))
    }

    fn versions_with(&self, previews: Option<bool>) -> Call<Versions> {
        let op = Op::ListVersions;
        match self.without_token() {
            Err(error) => self.refused(op, error),
            Ok(client) => client
                .call(
                    op,
                    move |raw| async move { raw.list_versions(previews).await },
                )
                .map(Single::into_inner),
        }
    }

    /// Whose token or session this client has, and the clusters of that user: `GET /v1/users/me`.
    ///
    /// # Errors
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) without a valid one, and those of every
    /// call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/users.ts>
    pub fn current_user(&self) -> Call<CurrentUser> {
        self.call(Op::GetCurrentUser, |raw| async move {
            raw.get_current_user().await
        })
        .map(Single::into_inner)
    }
}
