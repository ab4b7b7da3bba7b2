//! API tokens.

use super::client::check_text;
use super::shapes::PAGING;
use super::{ApiToken, ApiTokenId, Client, Handle, NewToken, Page};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{PageRequest, paged};
use crate::raw::dployr::{Op, types};
use std::time::Duration;

/// The only scope that the control plane accepts. It does not limit the token.
const SCOPE: &str = "oidc:bind";

/// An API token to create.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to a client"]
pub struct NewApiToken(types::ApiTokenCreate);

impl NewApiToken {
    /// A token with this name. By default, it does not expire.
    pub fn new(name: impl Into<String>) -> Self {
        let scopes = vec![SCOPE.to_owned()];
        Self(types::ApiTokenCreate::new(name.into(), scopes))
    }

    /// Lifetime, in whole seconds. Default: unlimited.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        let seconds = i64::try_from(lifetime.as_secs());
        self.0.expires_in = Some(seconds.unwrap_or(i64::MAX));
        self
    }

    fn into_raw(self) -> Result<types::ApiTokenCreate> {
        check_text("name of the token", &self.0.name)?;
        if self.0.expires_in == Some(0) {
            return Err(Error::invalid_request(
                "the lifetime of the token is below a second",
            ));
        }
        Ok(self.0)
    }
}

/// The API tokens of a user; returned by [`Client::api_tokens`].
///
/// All calls require a client with a session, see [`login_by_email`](Client::login_by_email): a token
/// cannot manage tokens.
#[derive(Clone, Debug)]
#[must_use = "does nothing until `list` is awaited"]
pub struct ApiTokens {
    client: Client,
    page_request: PageRequest,
}

impl ApiTokens {
    /// Creates a token: `POST /v1/auth/tokens`.
    ///
    /// The token has all rights of its user. Only this response contains its value.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name or a lifetime below a
    /// second, [`Forbidden`](crate::ErrorKind::Forbidden) without a session.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth-tokens.ts>
    pub fn create(&self, new: NewApiToken) -> Call<NewToken> {
        self.client.call(Op::CreateApiToken, |raw| async move {
            Ok(raw.create_api_token(&new.into_raw()?).await?.into_inner().0)
        })
    }

    paged!("tokens");

    /// Lists one page of the tokens, without their values: `GET /v1/auth/tokens`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for page 0 or page size 0,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without a session.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth-tokens.ts>
    pub fn list(&self) -> Call<Page<ApiToken>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            client.call(Op::ListApiTokens, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_api_tokens_with(|options| {
                    (options.page, options.page_size) = (page, size);
                });
                Ok(list.await?.into_inner().into_page_of(page_request))
            })
        })
    }
}

/// A handle on an API token; returned by [`Client::api_token`].
pub type ApiTokenHandle = Handle<ApiTokenId>;

impl ApiTokenHandle {
    /// Revokes the token at once: `DELETE /v1/auth/tokens/{id}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without a
    /// session.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth-tokens.ts>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteApiToken, |raw, id| async move {
            raw.delete_api_token(id.as_str()).await?;
            Ok(())
        })
    }
}

impl Client {
    /// The API tokens of the user. Requires a client [with a session](Self::with_session). Does no I/O.
    pub fn api_tokens(&self) -> ApiTokens {
        ApiTokens {
            client: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on an API token, by its id, not its value. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn api_token(&self, id: impl TryInto<ApiTokenId, Error: Into<Error>>) -> ApiTokenHandle {
        Handle::new(self, id)
    }
}
