//! Waiting until an application is up.

use super::Readiness;
use super::check::NoPods;
use crate::call::Call;
use crate::nexlayer::Application;
use crate::wait::{Schedule, Snapshot, Source, Wait};

/// The vendor's documents ask after 5 s, its command line gives up after 5 minutes.
const SCHEDULE: Schedule = Schedule::seconds(5, 15, 300);

impl Application {
    /// Waits until the application is up, and says by what that was seen.
    ///
    /// It asks for the [`readiness`](Self::readiness) at once, and then every 5 s to 15 s for up to 5
    /// minutes; see [`Wait`] for how to change that. Which signals there are, what they send and how
    /// to switch one off is said there.
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
    /// What cannot be known: a site that does not answer may not have begun, be broken, or be gone, and
    /// so the wait goes on until its deadline. That an application is over (its time ran out, or its
    /// reservation was removed and its site went) is known only where the platform says that it does
    /// not know the application or that the session has ended; that a reservation is not listed says
    /// nothing about the application. A start that is repeated under the same name deploys anew behind
    /// the same address, where the version before may still answer: then a site that answers does not
    /// tell which version that is. And a front of the platform that answers an address without an
    /// application by a 404 could not be told from an application that does.
    ///
    /// To take it up in another process, make the application again from the token, the name and, if
    /// its site is to be asked, [`at`](Self::at); none of them is in the cursor but the name.
    ///
    /// # Errors
    /// [`WaitFailed`](crate::ErrorKind::WaitFailed) when its reservation or one of its pods has failed,
    /// [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut), [`Gone`](crate::ErrorKind::Gone) when the
    /// platform knows neither it nor the session, and the others of [`Wait`] and of
    /// [`readiness`](Self::readiness).
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn wait(&self) -> Wait<Readiness> {
        Wait::new(Waiting {
            application: self.clone(),
            no_pods: NoPods::default(),
        })
    }
}

struct Waiting {
    application: Application,
    /// Found out once, so that it is not asked for again.
    no_pods: NoPods,
}

impl Source for Waiting {
    type Value = Readiness;

    fn subject(&self) -> String {
        let name = self.application.name().unwrap_or_default();
        format!("nexlayer application {name}")
    }

    fn id(&self) -> Option<String> {
        self.application.name().ok().map(str::to_owned)
    }

    fn schedule(&self) -> Schedule {
        SCHEDULE
    }

    fn look(&self) -> Call<Snapshot<Readiness>> {
        self.application.check(self.no_pods.clone()).map(|seen| {
            let reason = seen.reason.clone();
            Snapshot::new(seen.phase, seen.raw_status.clone(), seen).reason(reason)
        })
    }
}
