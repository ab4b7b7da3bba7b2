//! Deployments: list, get, wait and watch, and their ports.

use super::shapes::PAGING;
use super::{
    Client, Deployment, DeploymentStatus, DeploymentSummary, Filter, Handle, Order, Page, Port,
    Ports, RequestId,
};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::Op;
use crate::time::allow_for_skew;
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::{Observation, Phase, WatchSource, Watcher};
use serde_json::Value;
use std::time::SystemTime;

/// Poll intervals and deadline of a wait, as in the vendor's clients.
const SCHEDULE: Schedule = Schedule::seconds(2, 10, 180);
/// Number of lines of each log in the error of a failed wait.
const LOG_LINES: usize = 20;

/// The deployments of the organisation; returned by [`Client::deployments`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
/// let mut tagged = edgegap.deployments().tagged("eu").list().stream();
/// while let Some(deployment) = tagged.next().await {
///     println!("{}", deployment?.request_id);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` is awaited"]
pub struct Deployments {
    pub(super) client: Client,
    pub(super) filters: Vec<Filter>,
    order: Vec<Order>,
    page_request: PageRequest,
}

/// A handle on a deployment; returned by [`Client::deployment`] and
/// [`Deployed::deployment`](super::Deployed::deployment).
pub type DeploymentHandle = Handle<RequestId>;

impl Client {
    /// The deployments of the organisation. Does no I/O.
    pub fn deployments(&self) -> Deployments {
        Deployments {
            client: self.clone(),
            filters: Vec::new(),
            order: Vec::new(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a deployment, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
    /// let server = edgegap.deployment("c0653765de3b");
    /// # use deploykit::edgegap::{NewDeployment, User};
    /// # let new = NewDeployment::new("my-app", "25.05.30-16.45.19-04", User::ip([75, 28, 35, 192].into()));
    /// # let server = edgegap.deploy(new).await?.deployment();
    /// let deployment = server.get().await?;
    /// if deployment.is_ready() {
    ///     println!("{}", deployment.endpoint("gameport")?); // c0653765de3b.pr.edgegap.net:30345
    /// }
    /// server.stop().await?;
    /// # Ok(()) }
    /// ```
    pub fn deployment(&self, id: impl TryInto<RequestId, Error: Into<Error>>) -> DeploymentHandle {
        Handle::new(self, id)
    }

    /// Watches these deployments by polling the list: `GET /v1/deployments`.
    ///
    /// Each round sends one request per page of 100 deployments. The platform allows 10 of these requests
    /// per second. A deployment that is not listed is requested with [`get`](DeploymentHandle::get).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
    /// let mut watcher = edgegap.watch(["c0653765de3b", "a69f8e3e0555"]);
    /// while let Some(change) = watcher.next().await {
    ///     let change = change?;
    ///     println!("{} {}", change.id, change.now);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn watch(
        &self,
        ids: impl IntoIterator<Item = impl TryInto<RequestId, Error: Into<Error>>>,
    ) -> Watcher {
        let ids = ids.into_iter().map(|id| id.try_into().map_err(Into::into));
        let ids = ids.map(|id: Result<RequestId>| id.map(|id| id.to_string()));
        Watcher::of(self.deployments(), ids.collect())
    }
}

impl Deployments {
    /// Adds a filter. The list contains only deployments that match all filters.
    ///
    /// The platform accepts one filter per property, so a later one replaces an earlier one.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.retain(|other| other.field != filter.field);
        self.filters.push(filter);
        self
    }

    /// Lists only deployments with this tag.
    ///
    /// Shorthand for [`Filter::tag`].
    pub fn tagged(self, tag: impl Into<String>) -> Self {
        self.filter(Filter::tag(tag.into()))
    }

    /// Lists only deployments created at or after this time.
    ///
    /// Shorthand for [`Filter::created_since`].
    pub fn created_since(self, since: SystemTime) -> Self {
        self.filter(Filter::created_since(since))
    }

    /// Sorts the list. Default: the platform's order.
    ///
    /// A further order by another property breaks ties. A further order by the same property replaces
    /// the earlier one.
    pub fn order_by(mut self, order: Order) -> Self {
        let (property, _) = order.parts();
        self.order.retain(|other| other.parts().0 != property);
        self.order.push(order);
        self
    }

    /// Sorts the list by time of creation, newest first.
    ///
    /// Shorthand for [`Order::NewestFirst`].
    pub fn newest_first(self) -> Self {
        self.order_by(Order::NewestFirst)
    }

    paged!("deployments");

    /// Lists one page of the deployments: `GET /v1/deployments`.
    ///
    /// The list includes failed deployments, but not those that were stopped and removed.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a filter with an empty value.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn list(&self) -> Call<Page<DeploymentSummary>> {
        let query = self.query();
        self.client.list(
            Op::ListDeployments,
            self.page_request,
            |raw, page, limit| async move {
                let query = query?;
                let list = raw.list_deployments_with(|options| {
                    (options.page, options.limit) = (page, limit);
                    options.query = query.as_deref();
                });
                let list = list.await?.into_inner();
                Ok((list.data, list.total_count, list.pagination))
            },
        )
    }

    /// Finds deployments with this tag that were created since this time: `GET /v1/deployments`.
    ///
    /// Use it after a [`deploy`](Client::deploy) with [`Effect::Unknown`](crate::Effect::Unknown). Returns
    /// at most 100 deployments, newest first. Give each deployment a unique tag, and read the clock before
    /// you deploy:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
    /// # let match_id = "7";
    /// use deploykit::edgegap::{NewDeployment, User};
    /// use deploykit::Effect;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let tag = format!("match-{match_id}"); // unique
    /// let before = SystemTime::now();
    /// let new = NewDeployment::new("my-app", "25.05.30-16.45.19-04", User::ip([75, 28, 35, 192].into())).tag(&tag);
    /// match edgegap.deploy(new).await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(10)).await; // the list may lag behind
    ///         match edgegap.deployments().find_created(&tag, before).await?.first() {
    ///             Some(found) => println!("created: {}", found.request_id),
    ///             None => println!("not listed yet"),
    ///         }
    ///     }
    ///     other => println!("{}", other?.request_id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// To allow for clock skew, the result includes deployments created in the minute before `since`.
    ///
    /// **A result proves** that a deployment with this tag exists. It does not prove that your call created
    /// it, unless the tag is unique. The deployment may have failed: check its `status`.
    ///
    /// **An empty result proves nothing**: the request may still be in progress, the list may lag behind,
    /// and a deployment that has ended is not listed. Try a few times before you deploy again. Use the same
    /// tag then, so that you also find a deployment that is listed late.
    pub fn find_created(
        &self,
        tag: impl Into<String>,
        since: SystemTime,
    ) -> Call<Vec<DeploymentSummary>> {
        let (tag, since) = (tag.into(), allow_for_skew(since));
        let mut list = self.client.deployments();
        list.filters.clone_from(&self.filters);
        list.tagged(tag.as_str())
            .created_since(since)
            .newest_first()
            .page_size(PAGING.largest)
            .list()
            .complete()
            .map(move |page| {
                // A server that does not know a filter ignores it and lists all deployments.
                let matches = |found: &DeploymentSummary| {
                    may_have_tag(found, &tag) && !started_before(found, since)
                };
                page.into_iter().filter(matches).collect()
            })
    }

    /// Finds the deployment with this tag that neither stops nor has stopped.
    ///
    /// Fails if the list does not show whether there is one: a server that does not know the filter ignores it,
    /// and lists all deployments.
    pub(super) fn find_live(&self, tag: &str) -> Call<Option<RequestId>> {
        let listed = self.clone().tagged(tag).newest_first();
        let listed = listed.page_size(PAGING.largest).list().complete();
        let tag = tag.to_owned();
        listed.then(move |page, _| {
            let page = page?;
            let has_next = page.has_next;
            let matches = |found: &DeploymentSummary| {
                may_have_tag(found, &tag)
                    && !matches!(phase_of_summary(found), Phase::Stopping | Phase::Ended)
            };
            let why = match page.into_iter().find(matches) {
                Some(found) if found.tags.is_some() => return Ok(Some(found.request_id)),
                Some(_) => "a listed deployment without tags may be the one to create",
                None if has_next => "the list is not filtered by tag",
                None => return Ok(None),
            };
            Err(Error::new(ErrorKind::Decode, why).with_effect(Effect::None))
        })
    }

    /// Watches all deployments of this list, including new ones: `GET /v1/deployments`.
    ///
    /// Each round sends one request per page. A deployment that is no longer listed is requested with
    /// [`get`](DeploymentHandle::get).
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }

    /// The parameter `query`: filters and sort order as JSON; `None` without either.
    fn query(&self) -> Result<Option<String>, String> {
        let filters = self.filters.iter().map(Filter::to_json);
        let filters = filters.collect::<Result<Vec<_>, _>>()?;
        let mut query = serde_json::Map::new();
        if !filters.is_empty() {
            query.insert("filters".to_owned(), Value::Array(filters));
        }
        if !self.order.is_empty() {
            let order = self.order.iter().map(|order| order.to_json()).collect();
            query.insert("order_by".to_owned(), Value::Array(order));
        }
        Ok((!query.is_empty()).then(|| Value::Object(query).to_string()))
    }
}

/// Whether the deployment has the tag; true without a list of tags.
fn may_have_tag(found: &DeploymentSummary, tag: &str) -> bool {
    let tags = found.tags.as_ref();
    tags.is_none_or(|tags| tags.iter().any(|other| other == tag))
}

/// Whether the deployment started before `since`; false without a start time.
///
/// The list has no time of creation, but a deployment is created before it starts.
fn started_before(found: &DeploymentSummary, since: SystemTime) -> bool {
    let started = found.start_time.as_ref();
    started
        .and_then(crate::Timestamp::to_system_time)
        .is_some_and(|started| started < since)
}

impl DeploymentHandle {
    /// Gets the deployment: `GET /v1/status/{deployment_id}`.
    ///
    /// The platform allows 20 of these requests per second for the whole organisation.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown id (404 or 400).
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn get(&self) -> Call<Deployment> {
        self.call(Op::GetDeployment, |raw, id| async move {
            Ok(raw.get_deployment(id.as_str()).await?.into_inner())
        })
    }

    /// Waits until the deployment is ready, and returns it.
    ///
    /// Players can connect to a ready deployment. Polls [`get`](Self::get) immediately, then at intervals
    /// that grow from 2 s to 10 s, for up to 3 minutes. [`Wait`] has methods to change these defaults. For
    /// many deployments, [`Client::watch`] sends fewer requests.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
    /// let server = edgegap.deployment("c0653765de3b");
    /// # use deploykit::edgegap::{NewDeployment, User};
    /// # let new = NewDeployment::new("my-app", "25.05.30-16.45.19-04", User::ip([75, 28, 35, 192].into()));
    /// # let server = edgegap.deploy(new).await?.deployment();
    /// let ready = server.wait().on_change(|seen| println!("{}", seen.raw_status)).await?;
    /// println!("{}", ready.endpoint("gameport")?);
    ///
    /// server.stop().await?;
    /// server.wait().until_gone().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Wait`]. After [`WaitFailed`](crate::ErrorKind::WaitFailed) and
    /// [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut), [`Error::log_tail`] has the last 20 lines of the
    /// container's log and of its crash log, if the platform still has them.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn wait(&self) -> Wait<Deployment> {
        let (polled, logged) = (self.clone(), self.clone());
        let id = self.id.as_ref().ok().map(ToString::to_string);
        Wait::new("edgegap deployment", id, SCHEDULE, move || polled.poll())
            .with_log(move || logged.log_tail())
    }

    fn poll(&self) -> Call<Snapshot<Deployment>> {
        self.get().map(|deployment| {
            let status = deployment.current_status.as_str().to_owned();
            let reason = deployment.error_detail.clone();
            Snapshot::new(phase(&deployment), status, deployment).reason(reason)
        })
    }

    fn log_tail(&self) -> Call<Vec<String>> {
        self.logs().map(|logs| {
            let lines = [logs.tail(LOG_LINES), logs.crash_tail(LOG_LINES)].concat();
            lines.into_iter().map(|line| line.message).collect()
        })
    }
}

impl Deployment {
    /// Whether players can connect, by the status and the field `running`.
    ///
    /// False if the deployment [is over](Self::is_over).
    pub fn is_ready(&self) -> bool {
        let is_up = self.current_status == DeploymentStatus::Ready || self.running == Some(true);
        is_up && !self.is_over()
    }

    /// Whether the deployment has failed. `error_detail` may contain the reason.
    pub fn has_failed(&self) -> bool {
        self.error == Some(true) || self.current_status == DeploymentStatus::Error
    }

    /// Whether the deployment has failed, is stopping, or has stopped: it can no longer become ready.
    pub fn is_over(&self) -> bool {
        let ends = [DeploymentStatus::Terminating, DeploymentStatus::Terminated];
        self.has_failed() || ends.contains(&self.current_status)
    }

    /// The port with this name. A port without a name is found by its number in the container.
    ///
    /// `None` before the deployment is ready.
    pub fn port(&self, name: &str) -> Option<&Port> {
        port(self.ports.as_ref(), name)
    }

    /// The public address of the port with this name, as `host:port`.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the deployment has no such port. The error lists the known
    /// ports. A deployment has no ports before it is ready.
    pub fn endpoint(&self, name: &str) -> Result<String> {
        endpoint(self.ports.as_ref(), self.fqdn.as_deref(), name)
    }
}

impl DeploymentSummary {
    /// The port with this name. A port without a name is found by its number in the container.
    ///
    /// `None` before the deployment is ready.
    pub fn port(&self, name: &str) -> Option<&Port> {
        port(self.ports.as_ref(), name)
    }

    /// The public address of the port with this name, as `host:port`.
    ///
    /// # Errors
    /// As [`Deployment::endpoint`].
    pub fn endpoint(&self, name: &str) -> Result<String> {
        endpoint(self.ports.as_ref(), self.fqdn.as_deref(), name)
    }
}

fn port<'a>(ports: Option<&'a Ports>, name: &str) -> Option<&'a Port> {
    let ports = ports?;
    let has_name = |port: &&Port| port.name.as_deref() == Some(name);
    ports.get(name).or_else(|| ports.values().find(has_name))
}

fn endpoint(ports: Option<&Ports>, host: Option<&str>, name: &str) -> Result<String> {
    let missing = |why: String| Error::new(ErrorKind::NotFound, why).with_effect(Effect::None);
    let Some(port) = port(ports, name) else {
        let known: Vec<&str> = ports
            .into_iter()
            .flat_map(|ports| ports.keys().map(String::as_str))
            .collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(missing(format!(
            "the deployment has no port {name:?}; known: {known}"
        ))
        .with_advice("wait until the deployment is ready: it has no ports before"));
    };
    // A link is `host:port` for some protocols and a URL for others.
    if let Some(link) = port.link.as_deref().filter(|link| !link.trim().is_empty()) {
        let address = link.split_once("://").map_or(link, |(_, address)| address);
        return Ok(address.trim_end_matches('/').trim().to_owned());
    }
    match (host, port.external) {
        (Some(host), Some(number)) => Ok(format!("{host}:{number}")),
        _ => Err(missing(format!("the port {name:?} has no address yet"))),
    }
}

impl WatchSource for Deployments {
    fn list(&self) -> Call<Page<(String, Observation)>> {
        Deployments::list(self).map_items(|items| items.into_iter().map(observe).collect())
    }

    fn lookup(&self, id: &str) -> Option<Call<Observation>> {
        let polled = self.client.deployment(id).poll();
        Some(polled.map(|snapshot| snapshot.observation))
    }
}

fn observe(summary: DeploymentSummary) -> (String, Observation) {
    let status = summary.status.as_ref();
    let status = status.map_or("", |status| status.as_str());
    let seen = Observation::new(phase_of_summary(&summary), status);
    (summary.request_id.into(), seen)
}

/// The phase, by the status and the fields `error` and `running`.
fn phase(deployment: &Deployment) -> Phase {
    if deployment.has_failed() {
        return Phase::Failed;
    }
    if deployment.is_ready() {
        return Phase::Ready;
    }
    phase_of_status(&deployment.current_status)
}

/// The phase of a listed deployment, by the status and the field `ready`.
///
/// The vendor documents only `ready`; false does not determine a phase.
fn phase_of_summary(summary: &DeploymentSummary) -> Phase {
    let by_status = summary.status.as_ref().map(phase_of_status);
    match (by_status, summary.ready) {
        (Some(Phase::Unknown) | None, Some(true)) => Phase::Ready,
        (Some(Phase::Queued | Phase::InProgress), Some(true)) => Phase::Ready,
        (Some(phase), _) => phase,
        (None, _) => Phase::Unknown,
    }
}

fn phase_of_status(status: &DeploymentStatus) -> Phase {
    match status {
        DeploymentStatus::Seeking => Phase::Queued,
        DeploymentStatus::Deploying => Phase::InProgress,
        DeploymentStatus::Ready => Phase::Ready,
        DeploymentStatus::Error => Phase::Failed,
        DeploymentStatus::Terminating => Phase::Stopping,
        DeploymentStatus::Terminated => Phase::Ended,
        _ => Phase::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn port_is_found_by_name_or_number() {
        let deployment: Deployment = serde_json::from_value(json!({
            "request_id": "a",
            "current_status": "Status.READY",
            "fqdn": "a.example",
            "ports": {
                "gameport": { "name": "gameport", "link": "a.example:1", "external": 1 },
                "7777": { "name": "query", "link": "https://a.example:2/", "external": 2 },
                "bare": { "external": 3 },
                "empty": { "link": "" },
            },
        }))
        .unwrap();
        for (name, endpoint) in [
            ("gameport", "a.example:1"),
            ("7777", "a.example:2"),
            ("query", "a.example:2"),
            ("bare", "a.example:3"),
        ] {
            assert_eq!(deployment.endpoint(name).unwrap(), endpoint, "{name}");
            assert!(deployment.port(name).is_some());
        }
        let error = deployment.endpoint("empty").unwrap_err();
        assert!(error.to_string().contains("no address yet"), "{error}");
        let error = deployment.endpoint("other").unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::NotFound, Effect::None)
        );
        assert!(
            error.to_string().contains("7777, bare, empty, gameport"),
            "{error}"
        );

        let seeking: DeploymentSummary =
            serde_json::from_value(json!({ "request_id": "a" })).unwrap();
        assert!(seeking.port("gameport").is_none());
        let error = seeking.endpoint("gameport").unwrap_err();
        assert!(error.to_string().contains("known: none"), "{error}");
    }

    #[test]
    fn phase_of_a_listed_deployment() {
        for (status, ready, phase) in [
            (Some("Status.SEEKING"), Some(false), Phase::Queued),
            (Some("Status.DEPLOYING"), Some(false), Phase::InProgress),
            (Some("Status.DEPLOYING"), Some(true), Phase::Ready),
            (Some("Status.READY"), Some(true), Phase::Ready),
            (Some("Status.READY"), None, Phase::Ready),
            (Some("Status.ERROR"), Some(false), Phase::Failed),
            (Some("Status.TERMINATING"), Some(true), Phase::Stopping),
            (Some("Status.TERMINATED"), None, Phase::Ended),
            (Some("Status.WARMING"), Some(false), Phase::Unknown),
            (Some("Status.WARMING"), Some(true), Phase::Ready),
            (None, Some(true), Phase::Ready),
            (None, Some(false), Phase::Unknown),
        ] {
            let summary = json!({ "request_id": "a", "status": status, "ready": ready });
            let summary: DeploymentSummary = serde_json::from_value(summary).unwrap();
            assert_eq!(phase_of_summary(&summary), phase, "{status:?} {ready:?}");
        }
    }
}
