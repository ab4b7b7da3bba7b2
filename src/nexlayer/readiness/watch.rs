//! Applications as all platforms' deployments are seen.

use crate::call::Call;
use crate::error::Error;
use crate::nexlayer::Application;
use crate::raw::nexlayer::Op;
use crate::wait::Wait;
use crate::watch::{Observation, Support, Watched, Way, unsupported};

impl Watched for Application {
    const PLATFORM: &'static str = "nexlayer";
    // Whether it is up is concluded from several signals. To take a reservation back is not to stop
    // what it is for.
    const SUPPORT: Support = Support::new(Way::Emulated, Way::Absent, Way::Absent);

    fn watched(&self) -> Wait<Observation> {
        self.wait().observed()
    }

    fn end(&self) -> Call<()> {
        let error = unsupported("nexlayer", "stop an application");
        self.session
            .client
            .refused(Op::RemoveDeploymentReservation, error)
    }

    fn no_log(&self, error: Error) -> Call<Vec<String>> {
        self.session.client.refused(Op::GetPodsStatus, error)
    }
}
