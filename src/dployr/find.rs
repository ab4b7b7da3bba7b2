//! What became of a deployment that nobody answered for.

use super::shapes::PAGING;
use super::{Deployment, Deployments};
use crate::call::Call;
use crate::error::Error;
use crate::raw::dployr::Op;
use crate::time::{Timestamp, allow_for_skew};
use std::time::SystemTime;

impl Deployments {
    /// What became of a [`create`](Self::create) that ended without an answer
    /// ([`Effect::Unknown`](crate::Effect::Unknown)): the deployments of this name that were made or
    /// changed since you sent it. One at most, from a server that has one for each name.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// use deploykit::Effect;
    /// use deploykit::dployr::NewDeployment;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let before = SystemTime::now();
    /// let app = NewDeployment::from_git("my-app", "https://github.com/user/repo");
    /// match dployr.deployments().create(app).await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(5)).await; // let the list catch up
    ///         match dployr.deployments().find_created("my-app", before).await?.first() {
    ///             Some(found) => println!("it is there: {} {:?}", found.id, found.status),
    ///             None => println!("not there by now"),
    ///         }
    ///     }
    ///     other => println!("{:?}", other?.task_id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// The server's clock may be up to a minute behind yours: what was made or changed in the minute
    /// before `since` is given too, and so is what has no time that can be read.
    ///
    /// **A hit proves** that a deployment of this name was made or changed since then. For a name
    /// that was new it is yours unless somebody else chose the same one. A name that was deployed
    /// before keeps its record, and any deployment of it changes that, also one that began earlier and
    /// ended since: look at what else you know, such as `remote_commit_hash`.
    ///
    /// **A miss does not prove** that nothing was started: the request may still be under way, or be
    /// kept by a control plane whose build node was away. A control plane gives the newest 100 names;
    /// an older one that was deployed anew does not move up. Ask again a few times before you deploy
    /// anew.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name, and as
    /// [`list`](Self::list).
    pub fn find_created(
        &self,
        name: impl Into<String>,
        since: SystemTime,
    ) -> Call<Vec<Deployment>> {
        let (name, since) = (name.into(), allow_for_skew(since));
        if name.trim().is_empty() {
            let error = Error::invalid_request("the name is empty");
            return self.client.refused(Op::ListDeployments, error);
        }
        let newest = Self::new(self.client.clone()).page_size(PAGING.largest);
        newest.list().map(move |page| {
            let fits = |found: &Deployment| found.name == name && !older(found, since);
            page.into_iter().filter(fits).collect()
        })
    }
}

/// Whether it is known to be as it was before.
fn older(found: &Deployment, since: SystemTime) -> bool {
    let times = [&found.created_at, &found.updated_at];
    let latest = times
        .into_iter()
        .filter_map(|at| at.as_ref().and_then(Timestamp::to_system_time))
        .max();
    latest.is_some_and(|latest| latest < since)
}
