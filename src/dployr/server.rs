//! The server itself, and its user.

use super::{Client, CurrentUser, Health, Versions};
use crate::call::Call;
use crate::raw::dployr::Op;

impl Client {
    /// Whether the server works, and its version: `GET /v1/health`, without a token.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/index.ts>
    pub fn health(&self) -> Call<Health> {
        let client = self.without_token();
        client.call(Op::GetHealth, |raw| async move {
            Ok(raw.get_health().await?.into_inner().0)
        })
    }

    /// The versions of the daemon: `GET /v1/runtime/versions`, without a token. The server reads them
    /// from its vendor's releases.
    ///
    /// # Errors
    /// [`Server`](crate::ErrorKind::Server) when the server cannot reach the releases.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/runtime.ts>
    pub fn versions(&self) -> Call<Versions> {
        self.versions_with(None)
    }

    /// The same with prereleases: `GET /v1/runtime/versions?showPreReleases=true`.
    ///
    /// # Errors
    /// As [`versions`](Self::versions).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/runtime.ts>
    pub fn versions_with_previews(&self) -> Call<Versions> {
        self.versions_with(Some(true))
    }

    fn versions_with(&self, previews: Option<bool>) -> Call<Versions> {
        let client = self.without_token();
        client.call(Op::ListVersions, move |raw| async move {
            Ok(raw.list_versions(previews).await?.into_inner().0)
        })
    }

    /// The user of the client's token or session, and that user's clusters: `GET /v1/users/me`.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/users.ts>
    pub fn current_user(&self) -> Call<CurrentUser> {
        self.call(Op::GetCurrentUser, |raw| async move {
            Ok(raw.get_current_user().await?.into_inner().0)
        })
    }
}
