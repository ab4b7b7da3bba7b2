//! A server that ends itself.

use super::stop::{LogStorage, Stopped};
use super::{Client, ClientBuilder, RequestId};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::id::{CheckedId, checked};
use crate::raw::edgegap::Op;
use crate::secret::Secret;
use crate::transport::builder;

const URL_VARIABLE: &str = "ARBITRIUM_DELETE_URL";
const TOKEN_VARIABLE: &str = "ARBITRIUM_DELETE_TOKEN";

/// Ends the deployment that this program runs in, for a game server that knows best when its match
/// is over.
///
/// The platform puts the address and a token for it alone into the container, so the organisation's
/// token does not have to be there.
///
/// ```no_run
/// # async fn example() -> deploykit::Result<()> {
/// use deploykit::edgegap::SelfStop;
/// SelfStop::from_env()?.stop().await?; // ARBITRIUM_DELETE_URL, ARBITRIUM_DELETE_TOKEN
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SelfStop {
    client: Client,
    id: CheckedId<RequestId>,
    key: Secret,
}

impl SelfStop {
    /// What the platform has put into the environment: `ARBITRIUM_DELETE_URL` and
    /// `ARBITRIUM_DELETE_TOKEN`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when one of the two is missing
    /// or empty, as it is outside of a deployment, and as [`new`](Self::new).
    pub fn from_env() -> Result<Self> {
        Self::from_variables(builder::process_environment)
    }

    /// With this address and this token, as the platform gives them out.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the address has not the
    /// form `https://…/v1/self/stop/{deployment_id}/{stop_key}`, and when the token is empty or could
    /// not stand in a header.
    pub fn new(url: impl Into<Secret>, token: impl Into<Secret>) -> Result<Self> {
        Self::with_builder(Client::builder(), url, token)
    }

    /// The same with limits, a proxy or a recorder of one's own. Address and credentials of the
    /// builder are not used.
    ///
    /// # Errors
    /// As [`new`](Self::new), and those of the builder.
    pub fn with_builder(
        builder: ClientBuilder,
        url: impl Into<Secret>,
        token: impl Into<Secret>,
    ) -> Result<Self> {
        let url: Secret = url.into();
        let (base_url, id, key) = parts(url.expose()).ok_or_else(|| {
            // The address holds a secret, so it is not repeated.
            Error::configuration(format!(
                "the address to stop this deployment ({URL_VARIABLE}) does not end in /v1/self/stop/ID/KEY"
            ))
        })?;
        let client = builder.base_url(base_url).build()?;
        Ok(Self {
            client: client.with_authorization(token.into())?,
            id: checked(id),
            key: Secret::new(key),
        })
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| builder::variable(name, &read);
        Self::new(variable(URL_VARIABLE)?, variable(TOKEN_VARIABLE)?)
    }

    /// Ends this deployment: `DELETE /v1/self/stop/{deployment_id}/{stop_key}`. The platform answers,
    /// and then asks the process to end.
    ///
    /// # Errors
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated),
    /// [`Forbidden`](crate::ErrorKind::Forbidden), [`NotFound`](crate::ErrorKind::NotFound) and those
    /// of every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop(&self) -> Call<Stopped> {
        self.stop_with(None)
    }

    /// [`stop`](Self::stop), and says whether and where the logs are kept.
    ///
    /// # Errors
    /// As [`stop`](Self::stop), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a storage
    /// without a name.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop_and_store_logs(&self, storage: impl Into<LogStorage>) -> Call<Stopped> {
        self.stop_with(Some(storage.into()))
    }

    fn stop_with(&self, storage: Option<LogStorage>) -> Call<Stopped> {
        let (id, key) = (self.id.clone(), self.key.clone());
        let stopped = self.client.call(Op::StopOwnDeployment, |raw| async move {
            let (id, storage) = (id?, storage.map(LogStorage::into_raw).transpose()?);
            let reply = raw.stop_own_deployment(id.as_str(), key.expose(), storage.as_deref());
            Ok(Stopped::of(reply.await?))
        });
        stopped.or_else(Stopped::of_failure)
    }
}

/// Base URL, deployment and key of `https://…/v1/self/stop/{deployment_id}/{stop_key}`.
fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let (base_url, rest) = url.trim().split_once("/v1/self/stop/")?;
    let (id, key) = rest.trim_end_matches('/').split_once('/')?;
    let plain = |part: &str| {
        let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        !part.is_empty() && part.chars().all(harmless) && !matches!(part, "." | "..")
    };
    (plain(id) && plain(key)).then_some((base_url, id, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn the_environment_of_a_container_is_read() {
        let url = "https://api.edgegap.com/v1/self/stop/9f511e17/hush-660";
        let read = |name: &str| match name {
            URL_VARIABLE => Some(url.to_owned()),
            TOKEN_VARIABLE => Some("hush-token".to_owned()),
            _ => None,
        };
        let own = SelfStop::from_variables(read).unwrap();
        let preview = own.stop().preview().unwrap().to_string();
        assert!(
            preview.contains("/v1/self/stop/9f511e17/<redacted>"),
            "{preview}"
        );
        for text in [format!("{own:?}"), preview] {
            assert!(!text.contains("hush"), "{text}");
        }
        for missing in [URL_VARIABLE, TOKEN_VARIABLE] {
            for value in [None, Some(" ".to_owned())] {
                let error = SelfStop::from_variables(|name| {
                    if name == missing {
                        value.clone()
                    } else {
                        read(name)
                    }
                });
                let error = error.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Configuration);
                assert!(error.to_string().contains(missing), "{error}");
            }
        }
    }

    #[test]
    fn another_address_is_refused_and_not_shown() {
        for url in [
            "https://api.edgegap.com/v1/stop/hush/1",
            "https://api.edgegap.com/v1/self/stop/hush",
            "https://api.edgegap.com/v1/self/stop/hush/",
            "https://api.edgegap.com/v1/self/stop/hush/..",
            "https://api.edgegap.com/v1/self/stop/hush/1/2",
            "https://api.edgegap.com/v1/self/stop/hush/1?a=b",
            "https://api.edgegap.com/v1/self/stop/hush/a%2Fb",
            "hush",
        ] {
            let error = SelfStop::new(url, "token").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
        for token in ["", " ", "a\nb", "tökén"] {
            let url = "https://api.edgegap.com/v1/self/stop/a/1";
            let error = SelfStop::new(url, token).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{token:?}");
        }
    }
}
