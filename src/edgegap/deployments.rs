//! Deployments: the list, the handle of one, waiting and watching.

use super::shapes::{self, PAGING};
use super::{
    Client, Deployment, DeploymentStatus, DeploymentSummary, Filter, Order, Page, Port, Ports,
    RequestId,
};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::id::{CheckedId, checked};
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::Op;
use crate::time::allow_for_skew;
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::{Observation, Phase, WatchSource, Watcher};
use serde_json::Value;
use std::time::SystemTime;

/// As the vendor's own clients look: every 2 s, growing to 10 s, for 3 minutes.
const SCHEDULE: Schedule = Schedule::seconds(2, 10, 180);
/// How many lines of each log are kept.
const LOG_LINES: usize = 20;

/// The deployments of the organisation, or some of them; made by [`Client::deployments`].
///
/// ```no_run
/// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
/// let mut tagged = edgegap.deployments().tagged("eu").list().stream();
/// while let Some(deployment) = tagged.next().await {
///     println!("{}", deployment?.request_id);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `list` is awaited"]
pub struct Deployments {
    pub(super) client: Client,
    pub(super) filters: Vec<Filter>,
    order: Vec<Order>,
    page_request: PageRequest,
}

impl Client {
    /// The deployments of the organisation: all of them, or those with a tag or made since a moment.
    pub fn deployments(&self) -> Deployments {
        Deployments {
            client: self.clone(),
            filters: Vec::new(),
            order: Vec::new(),
            page_request: PageRequest::default(),
        }
    }
}

impl Deployments {
    /// Only those that meet this condition, and all that were given before. The platform takes one
    /// condition for each property: a later one replaces it.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.retain(|other| other.field != filter.field);
        self.filters.push(filter);
        self
    }

    /// Only those with this tag; short for [`filter`](Self::filter) with [`Filter::tag`].
    pub fn tagged(self, tag: impl Into<String>) -> Self {
        self.filter(Filter::tag(tag.into()))
    }

    /// Only those made at or after this moment of the platform's clock, to the second; short for
    /// [`filter`](Self::filter) with [`Filter::created_since`].
    pub fn created_since(self, since: SystemTime) -> Self {
        self.filter(Filter::created_since(since))
    }

    /// In this order; those that are equal in it in the orders that were given after it. Left to the
    /// platform otherwise.
    pub fn order_by(mut self, order: Order) -> Self {
        let (property, _) = order.parts();
        self.order.retain(|other| other.parts().0 != property);
        self.order.push(order);
        self
    }

    /// Those made last come first; short for [`order_by`](Self::order_by).
    pub fn newest_first(self) -> Self {
        self.order_by(Order::NewestFirst)
    }

    paged!("deployments");

    /// One page of the deployments: `GET /v1/deployments`.
    ///
    /// Those that have been stopped and cleared away are not among them.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: a condition
    /// without anything to compare with, or a page or a size of zero. [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of
    /// every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn list(&self) -> Call<Page<DeploymentSummary>> {
        let list = self.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let query = list.query();
            list.client
                .call(Op::ListDeployments, move |raw| async move {
                    let (query, (page, limit)) = (query?, page_request.parameters()?);
                    let list = raw.list_deployments(limit, page, query.as_deref()).await?;
                    let list = list.into_inner();
                    Ok(shapes::page(
                        page_request,
                        list.data,
                        list.total_count,
                        list.pagination,
                    ))
                })
        })
    }

    /// What became of a [`deploy`](Client::deploy) that ended without an answer
    /// ([`Effect::Unknown`](crate::Effect::Unknown)): the deployments with this tag, made since you
    /// sent it.
    ///
    /// Give every deployment a tag of its own, and take the time before you send it:
    ///
    /// ```no_run
    /// # async fn example(edgegap: deploykit::edgegap::Client, match_id: &str) -> deploykit::Result<()> {
    /// use deploykit::edgegap::{NewDeployment, User};
    /// use deploykit::Effect;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let tag = format!("match-{match_id}"); // nothing else has it
    /// let before = SystemTime::now();
    /// let new = NewDeployment::new("my-app", "25.05.30", User::ip([75, 28, 35, 192].into())).tag(&tag);
    /// match edgegap.deploy(new).await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(10)).await; // let the list catch up
    ///         match edgegap.deployments().find_created(&tag, before).await?.first() {
    ///             Some(found) => println!("it is there: {}", found.request_id),
    ///             None => println!("not there by now"),
    ///         }
    ///     }
    ///     other => println!("{}", other?.request_id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// The platform's clock may be up to a minute behind yours: deployments from the minute before
    /// `since` are given too. The newest come first, at most 100.
    ///
    /// **A hit proves** that there is a deployment with this tag. That it is yours follows only from
    /// the tag: if another program, or an earlier attempt, uses the same one, it may be theirs. It
    /// may be in an error state; look at its `status`.
    ///
    /// **A miss does not prove** that nothing was started. The request may still be under way, the
    /// platform may take a while to list what it started, and a deployment that ended meanwhile is no
    /// longer listed. Ask again a few times before you deploy anew, and then with the same tag: a
    /// late one is found by it.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn find_created(
        &self,
        tag: impl Into<String>,
        since: SystemTime,
    ) -> Call<Vec<DeploymentSummary>> {
        let (tag, since) = (tag.into(), allow_for_skew(since));
        self.client
            .deployments()
            .tagged(tag.as_str())
            .created_since(since)
            .newest_first()
            .page_size(PAGING.largest)
            .list()
            .map(move |page| {
                // A server that does not know the filter ignores it and lists everything.
                let fits =
                    |found: &DeploymentSummary| is_tagged(found, &tag) && !older(found, since);
                page.into_iter().filter(fits).collect()
            })
    }

    /// The filter and the order, as the platform writes them; `None` for everything in any order.
    fn query(&self) -> Result<Option<String>> {
        let filters: Vec<Value> = self
            .filters
            .iter()
            .map(Filter::to_json)
            .collect::<Result<_>>()?;
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

/// Whether it has the tag, as far as it says.
fn is_tagged(found: &DeploymentSummary, tag: &str) -> bool {
    let tags = found.tags.as_ref();
    tags.is_none_or(|tags| tags.iter().any(|other| other == tag))
}

/// Whether it is known to be from before. It starts after it was made, so a start before settles it.
fn older(found: &DeploymentSummary, since: SystemTime) -> bool {
    let started = found.start_time.as_ref();
    started
        .and_then(crate::Timestamp::to_system_time)
        .is_some_and(|started| started < since)
}

/// A handle on a deployment; made by [`Client::deployment`].
#[derive(Clone, Debug)]
pub struct DeploymentHandle {
    pub(super) client: Client,
    pub(super) id: CheckedId<RequestId>,
}

impl Client {
    /// A handle on a deployment: its status, its logs, its tags, its end. It does no I/O; an id that
    /// could not stand in a path is refused by the first call.
    ///
    /// ```no_run
    /// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
    /// let server = edgegap.deployment("c0653765de3b");
    /// let now = server.get().await?;
    /// if now.is_ready() {
    ///     println!("{}", now.endpoint("gameport")?); // c0653765de3b.pr.edgegap.net:30345
    /// }
    /// server.stop().await?;
    /// # Ok(()) }
    /// ```
    pub fn deployment<I>(&self, id: I) -> DeploymentHandle
    where
        I: TryInto<RequestId>,
        I::Error: Into<Error>,
    {
        DeploymentHandle {
            client: self.clone(),
            id: checked(id),
        }
    }
}

impl DeploymentHandle {
    /// The id; `None` if it is invalid.
    pub(super) fn name(&self) -> Option<&str> {
        self.id.as_ref().ok().map(RequestId::as_str)
    }

    /// The deployment as it is now: `GET /v1/status/{deployment_id}`, at most 20 a second for all of
    /// an organisation.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an id that the platform does not know, which it
    /// says with a 404 or a 400; [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of
    /// every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn get(&self) -> Call<Deployment> {
        let id = self.id.clone();
        self.client.call(Op::GetDeployment, |raw| async move {
            Ok(raw.get_deployment(id?.as_str()).await?.into_inner())
        })
    }
}

impl Deployment {
    /// Whether players can connect: it says so itself, or its status does. Never after an error.
    pub fn is_ready(&self) -> bool {
        let says_so = self.current_status == DeploymentStatus::Ready || self.running == Some(true);
        says_so && !self.is_over()
    }

    /// Whether something went wrong; `error_detail` may say what.
    pub fn has_failed(&self) -> bool {
        self.error == Some(true) || self.current_status == DeploymentStatus::Error
    }

    /// Whether it will not become ready any more: it failed, it stops, or it has stopped.
    pub fn is_over(&self) -> bool {
        let ends = [DeploymentStatus::Terminating, DeploymentStatus::Terminated];
        self.has_failed() || ends.contains(&self.current_status)
    }
}

impl DeploymentHandle {
    /// Waits until players can connect, and gives the deployment as it is then.
    ///
    /// It asks for [`get`](Self::get) after 0, 2, 5, ... seconds, at most every 10 s, and gives
    /// up after 3 minutes; see [`Wait`] for how to change that. For more than a few deployments
    /// at once, one list for all costs less than a status for each.
    ///
    /// ```no_run
    /// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
    /// let server = edgegap.deployment("c0653765de3b");
    /// let ready = server.wait().on_change(|seen| println!("{}", seen.raw_status)).await?;
    /// println!("{}", ready.endpoint("gameport")?);
    ///
    /// server.stop().await?;
    /// server.wait().until_gone().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`WaitFailed`](crate::ErrorKind::WaitFailed) for one that is in error or was stopped,
    /// [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut), [`Gone`](crate::ErrorKind::Gone) and the
    /// others of [`Wait`]. The last lines of the container are with the first two, if the platform
    /// still has them.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn wait(&self) -> Wait<Deployment> {
        let (polled, logged) = (self.clone(), self.clone());
        let id = self.name().map(str::to_owned);
        Wait::new("edgegap deployment", id, SCHEDULE, move || polled.look())
            .with_log(move || logged.log_tail())
    }

    pub(super) fn look(&self) -> Call<Snapshot<Deployment>> {
        self.get().map(|deployment| {
            let status = deployment.current_status.as_str().to_owned();
            let reason = deployment.error_detail.clone();
            Snapshot::new(phase_of(&deployment), status, deployment).reason(reason)
        })
    }

    fn log_tail(&self) -> Call<Vec<String>> {
        self.logs().map(|logs| {
            let lines = [logs.tail(LOG_LINES), logs.crash_tail(LOG_LINES)].concat();
            lines.into_iter().map(str::to_owned).collect()
        })
    }
}

/// How far a deployment is. What it says beside its status counts as well: that it is in error, or
/// that it runs.
pub(super) fn phase_of(deployment: &Deployment) -> Phase {
    if deployment.has_failed() {
        return Phase::Failed;
    }
    if deployment.is_ready() {
        return Phase::Ready;
    }
    phase_of_status(&deployment.current_status)
}

/// What a status means by itself.
pub(super) fn phase_of_status(status: &DeploymentStatus) -> Phase {
    match status {
        DeploymentStatus::Seeking => Phase::Queued,
        DeploymentStatus::Deploying => Phase::InProgress,
        DeploymentStatus::Ready => Phase::Ready,
        DeploymentStatus::Error => Phase::Failed,
        DeploymentStatus::Terminating => Phase::Stopping,
        DeploymentStatus::Terminated => Phase::Ended,
        DeploymentStatus::Unknown(_) => Phase::Unknown,
    }
}

impl Client {
    /// Watches these deployments: one list call a page for all of them (100 on a page, 10 pages a
    /// second), and a status call for one that is not listed any more.
    ///
    /// ```no_run
    /// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
    /// let mut watcher = edgegap.watch(["c0653765de3b", "a69f8e3e0555"]);
    /// while let Some(change) = watcher.next().await {
    ///     let change = change?;
    ///     println!("{} {}", change.id, change.now);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn watch<I>(&self, ids: impl IntoIterator<Item = I>) -> Watcher
    where
        I: TryInto<RequestId>,
        I::Error: Into<Error>,
    {
        let ids = ids.into_iter().map(|id| id.try_into().map_err(Into::into));
        let ids = ids.map(|id: Result<RequestId>| id.map(|id| id.to_string()));
        Watcher::of(self.deployments(), ids.collect())
    }
}

impl Deployments {
    /// Watches all of these, those that are made meanwhile too: one list call a page, and a status
    /// call for one that is not listed any more.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }
}

impl WatchSource for Deployments {
    fn list(&self) -> Call<Page<(String, Observation)>> {
        Deployments::list(self).map_items(|items| items.into_iter().map(listed).collect())
    }

    fn lookup(&self, id: &str) -> Option<Call<Observation>> {
        let looked = self.client.deployment(id).look();
        Some(looked.map(|snapshot| snapshot.observation))
    }
}

fn listed(summary: DeploymentSummary) -> (String, Observation) {
    let status = summary.status.as_ref();
    let status = status.map_or("", |status| status.as_str());
    let seen = Observation::new(phase_of_listed(&summary), status);
    (summary.request_id, seen)
}

/// How far one of the list is. The published file knows `ready` alone, which says nothing about one
/// that is not.
fn phase_of_listed(summary: &DeploymentSummary) -> Phase {
    let says = summary.status.as_ref().map(phase_of_status);
    match (says, summary.ready) {
        (Some(Phase::Unknown) | None, Some(true)) => Phase::Ready,
        (Some(Phase::Queued | Phase::InProgress), Some(true)) => Phase::Ready,
        (Some(phase), _) => phase,
        (None, _) => Phase::Unknown,
    }
}

impl Deployment {
    /// The port of this name, or with this number for one without a name; `None` before the
    /// deployment has it.
    pub fn port(&self, name: &str) -> Option<&Port> {
        port(self.ports.as_ref(), name)
    }

    /// Where the port of this name is reached, as `host:port`.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such port, which names those that there
    /// are. There are none before the deployment is ready.
    pub fn endpoint(&self, name: &str) -> Result<String> {
        endpoint(self.ports.as_ref(), self.fqdn.as_deref(), name)
    }
}

impl DeploymentSummary {
    /// The port of this name, or with this number for one without a name; `None` before the
    /// deployment has it.
    pub fn port(&self, name: &str) -> Option<&Port> {
        port(self.ports.as_ref(), name)
    }

    /// Where the port of this name is reached, as `host:port`.
    ///
    /// # Errors
    /// As [`Deployment::endpoint`].
    pub fn endpoint(&self, name: &str) -> Result<String> {
        endpoint(self.ports.as_ref(), self.fqdn.as_deref(), name)
    }
}

fn port<'a>(ports: Option<&'a Ports>, name: &str) -> Option<&'a Port> {
    let ports = ports?;
    let named = |port: &&Port| port.name.as_deref() == Some(name);
    ports.get(name).or_else(|| ports.values().find(named))
}

fn endpoint(ports: Option<&Ports>, host: Option<&str>, name: &str) -> Result<String> {
    let none = |why: String| Error::new(ErrorKind::NotFound, why).with_effect(Effect::None);
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
        return Err(none(format!("there is no port {name:?}; known: {known}"))
            .with_advice("ports are known when the deployment is ready"));
    };
    // `host:port` for some protocols, and a URL for others.
    if let Some(link) = port.link.as_deref().filter(|link| !link.trim().is_empty()) {
        let address = link.split_once("://").map_or(link, |(_, address)| address);
        return Ok(address.trim_end_matches('/').trim().to_owned());
    }
    match (host, port.external) {
        (Some(host), Some(number)) => Ok(format!("{host}:{number}")),
        _ => Err(none(format!("the port {name:?} has no address yet"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_port_is_found_by_name_and_by_number() {
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

        let sought: DeploymentSummary =
            serde_json::from_value(json!({ "request_id": "a" })).unwrap();
        assert!(sought.port("gameport").is_none());
        let error = sought.endpoint("gameport").unwrap_err();
        assert!(error.to_string().contains("known: none"), "{error}");
    }

    #[test]
    fn the_phase_of_one_of_the_list() {
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
            assert_eq!(phase_of_listed(&summary), phase, "{status:?} {ready:?}");
        }
    }
}
