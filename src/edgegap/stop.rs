//! Stopping one deployment, all deployments that match a filter, or the program's own deployment.

use super::shapes::StopReply;
use super::{
    BulkStopAccepted, Client, ClientBuilder, Deployment, DeploymentHandle, Deployments, RequestId,
};
use crate::call::Call;
use crate::check::text;
use crate::error::{Error, Result};
use crate::id::checked;
use crate::raw::edgegap::enums::{BulkStopField as Field, BulkStopFilterType as Kind};
use crate::raw::edgegap::{Op, types};
use crate::secret::Secret;
use crate::transport::builder;
use progenitor_client::ResponseValue;

const URL_VARIABLE: &str = "ARBITRIUM_DELETE_URL";
const TOKEN_VARIABLE: &str = "ARBITRIUM_DELETE_TOKEN";

/// The response to [`DeploymentHandle::stop`] and [`SelfStop::stop`].
///
/// Stopping a deployment that has already stopped is a success, too.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stopped {
    /// State of the deployment after the request.
    pub outcome: StopOutcome,
    /// The platform's message.
    pub message: Option<String>,
    /// The deployment at the time of the stop, if the response contains it.
    pub deployment: Option<Deployment>,
}

/// State of a deployment after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopOutcome {
    /// The deployment is stopping (200).
    Stopping,
    /// The stop is queued (202).
    ///
    /// A deployment that is still starting stops after it has started.
    Queued,
    /// The deployment has already stopped (410).
    AlreadyStopped,
}

/// Where to store the logs of a stopped deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogStorage {
    /// In the storage that the application version configures.
    Configured,
    /// Nowhere, even if the application version configures a storage.
    Off,
    /// In the endpoint storage with this name.
    Named(String),
}

impl From<&str> for LogStorage {
    /// The endpoint storage with this name.
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl LogStorage {
    fn into_raw(self) -> Result<String> {
        match self {
            Self::Configured => Ok("true".to_owned()),
            Self::Off => Ok("false".to_owned()),
            Self::Named(name) if name.trim().is_empty() => Err(Error::invalid_request(
                "the name of the log storage is empty",
            )),
            // On the platform, these two names mean `Configured` and `Off`.
            Self::Named(name) if matches!(name.as_str(), "true" | "false") => Err(
                Error::invalid_request(format!("the log storage name {name:?} is reserved")),
            ),
            Self::Named(name) => Ok(name),
        }
    }
}

impl Stopped {
    fn from_response(response: ResponseValue<StopReply>) -> Self {
        let outcome = match response.status().as_u16() {
            202 => StopOutcome::Queued,
            _ => StopOutcome::Stopping,
        };
        let reply = response.into_inner();
        Self {
            outcome,
            message: reply.message,
            deployment: reply.deployment,
        }
    }

    /// Converts a 410, which means that the deployment has already stopped. Returns other errors.
    fn from_error(error: Error) -> Result<Self, Error> {
        match error.status() {
            Some(410) => Ok(Self {
                outcome: StopOutcome::AlreadyStopped,
                message: error.message().map(str::to_owned),
                deployment: None,
            }),
            _ => Err(error),
        }
    }
}

impl DeploymentHandle {
    /// Stops the deployment: `DELETE /v1/stop/{deployment_id}`.
    ///
    /// Returns before the deployment has stopped: see
    /// [`wait().until_gone()`](crate::watch::Wait::until_gone). For a stopped deployment, returns
    /// [`StopOutcome::AlreadyStopped`]. The platform deletes the logs, unless the application version stores
    /// them.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop(&self) -> Call<Stopped> {
        self.stop_with(None)
    }

    /// Stops the deployment and stores its logs: `DELETE /v1/stop/{deployment_id}`.
    ///
    /// As [`stop`](Self::stop), but overrides the log storage of the application version.
    /// [`LogStorage::Off`] discards the logs.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the name of the storage is empty, `true` or
    /// `false`.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop_and_store_logs(&self, storage: impl Into<LogStorage>) -> Call<Stopped> {
        self.stop_with(Some(storage.into()))
    }

    fn stop_with(&self, storage: Option<LogStorage>) -> Call<Stopped> {
        let stopped = self.call(Op::StopDeployment, |raw, id| async move {
            let storage = storage.map(LogStorage::into_raw).transpose()?;
            let response = raw.stop_deployment_with(id.as_str(), |options| {
                options.container_log_storage = storage.as_deref();
            });
            Ok(Stopped::from_response(response.await?))
        });
        stopped.or_else(Stopped::from_error)
    }
}

/// Selects the deployments for [`Deployments::stop_matching`], by one or more conditions.
///
/// A deployment must meet all conditions. Without a condition, the platform would stop all deployments, so
/// calls reject a condition with an empty list of values.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
/// use deploykit::edgegap::StopFilter;
/// let old = StopFilter::any_tag(["match-7", "match-8"]).without_tags(["keep"]);
/// let stopped = edgegap.deployments().stop_matching(old).await?;
/// println!("{} will be stopped", stopped.processable.len());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Deployments::stop_matching`"]
pub struct StopFilter {
    /// The conditions. `Err`: the reason why the condition is invalid.
    conditions: Vec<Result<types::BulkStopFilter, String>>,
}

impl StopFilter {
    /// Deployments with one of these ids.
    pub fn ids(ids: impl IntoIterator<Item = impl TryInto<RequestId, Error: Into<Error>>>) -> Self {
        Self::of_ids(Kind::Any, ids)
    }

    /// Deployments with at least one of these tags.
    pub fn any_tag(tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::of_tags(Kind::Any, tags)
    }

    /// Deployments with all of these tags.
    pub fn all_tags(tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::of_tags(Kind::All, tags)
    }

    /// Adds the conditions of another filter.
    pub fn and(mut self, others: Self) -> Self {
        self.conditions.extend(others.conditions);
        self
    }

    /// Excludes deployments with one of these ids.
    pub fn without_ids(
        self,
        ids: impl IntoIterator<Item = impl TryInto<RequestId, Error: Into<Error>>>,
    ) -> Self {
        self.and(Self::of_ids(Kind::Not, ids))
    }

    /// Excludes deployments with one of these tags.
    pub fn without_tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.and(Self::of_tags(Kind::Not, tags))
    }

    fn of_ids(
        filter_type: Kind,
        ids: impl IntoIterator<Item = impl TryInto<RequestId, Error: Into<Error>>>,
    ) -> Self {
        let ids = ids.into_iter().map(checked::<RequestId>);
        let ids = ids.map(|id| id.map(|id| id.to_string()));
        Self::condition(Field::RequestId, filter_type, ids.collect())
    }

    fn of_tags(filter_type: Kind, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let tags = tags.into_iter().map(Into::into);
        let tags = tags.map(|tag: String| match text("tag", &tag) {
            Ok(()) => Ok(tag),
            Err(error) => Err(error.message().unwrap_or_default().to_owned()),
        });
        Self::condition(Field::DeploymentTags, filter_type, tags.collect())
    }

    fn condition(field: Field, filter_type: Kind, values: Result<Vec<String>, String>) -> Self {
        let condition = match values {
            Ok(values) if values.is_empty() => {
                Err("a stop filter has an empty list, which might stop everything".to_owned())
            }
            Ok(values) => Ok(types::BulkStopFilter::new(field, filter_type, values)),
            Err(problem) => Err(problem),
        };
        Self {
            conditions: vec![condition],
        }
    }

    fn checked(self) -> Result<types::BulkStop> {
        let filters = self.conditions.into_iter().collect::<Result<_, String>>();
        let filters = filters.map_err(Error::invalid_request)?;
        Ok(types::BulkStop::new(filters))
    }
}

impl Deployments {
    /// Stops all deployments that match a filter: `POST /v1/deployments/bulk-stop`.
    ///
    /// Returns their ids, before they have stopped.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty list of values in `filter`, and if
    /// this list has a [`filter`](Self::filter), because the request cannot contain it.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop_matching(&self, filter: StopFilter) -> Call<BulkStopAccepted> {
        let has_list_filters = !self.filters.is_empty();
        self.client
            .call(Op::StopDeployments, move |raw| async move {
                if has_list_filters {
                    return Err(Error::invalid_request(
                        "stop_matching cannot apply the filters of the list: pass them as a StopFilter",
                    )
                    .into());
                }
                let accepted = raw.stop_deployments(&filter.checked()?).await?;
                Ok(accepted.into_inner())
            })
    }
}

/// Stops the deployment that this program runs in.
///
/// For example, a game server stops itself when the match is over. The platform sets a URL and a token in
/// the container for this purpose, so the program does not need the organisation's token.
///
/// ```no_run
/// # async fn example() -> deploykit::Result<()> {
/// use deploykit::edgegap::SelfStop;
/// SelfStop::from_env()?.stop().await?; // ARBITRIUM_DELETE_URL, ARBITRIUM_DELETE_TOKEN
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SelfStop {
    deployment: DeploymentHandle,
    key: Secret,
}

impl SelfStop {
    /// Creates it from environment variables that the platform sets in the container.
    ///
    /// Reads `ARBITRIUM_DELETE_URL` and `ARBITRIUM_DELETE_TOKEN`.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) if a variable is missing or empty, for example
    /// outside of a deployment, and as [`new`](Self::new).
    pub fn from_env() -> Result<Self> {
        Self::from_variables(builder::process_environment)
    }

    /// Creates it from the values of the two environment variables.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) for a URL without the form
    /// `https://…/v1/self/stop/{deployment_id}/{stop_key}`, and for a token that is empty or not a valid
    /// header value.
    pub fn new(url: impl Into<Secret>, token: impl Into<Secret>) -> Result<Self> {
        Self::with_builder(Client::builder(), url, token)
    }

    /// As [`new`](Self::new), with the timeouts, proxy and other options of a client builder.
    ///
    /// Replaces the base URL and the credentials of the builder.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`build`](ClientBuilder::build).
    pub fn with_builder(
        builder: ClientBuilder,
        url: impl Into<Secret>,
        token: impl Into<Secret>,
    ) -> Result<Self> {
        let url: Secret = url.into();
        let (base_url, id, key) = split_url(url.expose()).ok_or_else(|| {
            // The URL contains a secret, so the error must not quote it.
            Error::configuration(format!(
                "the URL to stop this deployment ({URL_VARIABLE}) does not end in /v1/self/stop/ID/KEY"
            ))
        })?;
        let client = builder.base_url(base_url).build()?;
        Ok(Self {
            deployment: client.with_authorization(token.into())?.deployment(id),
            key: Secret::new(key),
        })
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| builder::variable(name, &read);
        Self::new(variable(URL_VARIABLE)?, variable(TOKEN_VARIABLE)?)
    }

    /// Stops this deployment: `DELETE /v1/self/stop/{deployment_id}/{stop_key}`.
    ///
    /// The platform sends the response before it terminates the process.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop(&self) -> Call<Stopped> {
        self.stop_with(None)
    }

    /// Stops this deployment and stores its logs: `DELETE /v1/self/stop/{deployment_id}/{stop_key}`.
    ///
    /// As [`stop`](Self::stop), but overrides the log storage of the application version.
    /// [`LogStorage::Off`] discards the logs.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the name of the storage is empty, `true` or
    /// `false`.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop_and_store_logs(&self, storage: impl Into<LogStorage>) -> Call<Stopped> {
        self.stop_with(Some(storage.into()))
    }

    fn stop_with(&self, storage: Option<LogStorage>) -> Call<Stopped> {
        let (deployment, key) = (&self.deployment, self.key.clone());
        let stopped = deployment.call(Op::StopOwnDeployment, |raw, id| async move {
            let storage = storage.map(LogStorage::into_raw).transpose()?;
            let response = raw.stop_own_deployment_with(id.as_str(), key.expose(), |options| {
                options.container_log_storage = storage.as_deref();
            });
            Ok(Stopped::from_response(response.await?))
        });
        stopped.or_else(Stopped::from_error)
    }
}

/// Splits `{base_url}/v1/self/stop/{deployment_id}/{stop_key}` into these parts.
fn split_url(url: &str) -> Option<(&str, &str, &str)> {
    let (base_url, rest) = url.trim().split_once("/v1/self/stop/")?;
    let (id, key) = rest.trim_end_matches('/').split_once('/')?;
    let is_valid = |part: &str| {
        let needs_no_escape =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        !part.is_empty() && part.chars().all(needs_no_escape) && !matches!(part, "." | "..")
    };
    (is_valid(id) && is_valid(key)).then_some((base_url, id, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn reads_url_and_token_from_the_environment() {
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
    fn malformed_url_or_token_is_rejected_and_redacted() {
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
