//! Waiting until an application is up.

use super::Readiness;
use super::check::NoPods;
use crate::nexlayer::Application;
use crate::wait::{Schedule, Snapshot, Wait};

/// The vendor's documents poll after 5 s; its command line gives up after 5 minutes.
const SCHEDULE: Schedule = Schedule::seconds(5, 15, 300);

impl Application {
    /// Waits until the application is up.
    ///
    /// Polls its [`readiness`](Self::readiness) at once, and then every 5 s to 15 s for up to 5 minutes;
    /// see [`Wait`] for how to change that.
    ///
    /// ```no_run
    /// # async fn example(nexlayer: deploykit::nexlayer::Client) -> deploykit::Result<()> {
    /// use deploykit::nexlayer::Manifest;
    /// let started = nexlayer.start(Manifest::from_path("nexlayer.yaml")?).await?;
    /// let ready = started.application().wait().on_change(|seen| println!("{:?}", seen.reason)).await?;
    /// println!("{:?} is up, says its {}", ready.url, ready.signal);
    /// # Ok(()) }
    /// ```
    ///
    /// Limits: a site that does not answer may not have started, be broken or be gone, so the wait goes
    /// on until its deadline. The end of an application is seen only when the platform no longer knows
    /// the application or its session. After a redeploy, the old version may still answer at the same
    /// address.
    ///
    /// # Errors
    /// [`WaitFailed`](crate::ErrorKind::WaitFailed) when its reservation or one of its pods has failed,
    /// [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut), [`Gone`](crate::ErrorKind::Gone) when the
    /// platform does not know it or the session, and those of [`Wait`] and
    /// [`readiness`](Self::readiness).
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn wait(&self) -> Wait<Readiness> {
        let (application, no_pods) = (self.clone(), NoPods::default());
        let id = self.name().ok().map(str::to_owned);
        // Shared by all polls, so that a missing route is requested once.
        Wait::new("nexlayer application", id, SCHEDULE, move || {
            application.check(no_pods.clone()).map(|seen| {
                let reason = seen.reason.clone();
                Snapshot::new(seen.phase, seen.raw_status.clone(), seen).reason(reason)
            })
        })
    }
}
