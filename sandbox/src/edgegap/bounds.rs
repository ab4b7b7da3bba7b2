//! What Edgegap keeps at most.

use std::time::Duration;

use super::Edgegap;
use super::deployment::Status;
use crate::bounds::{MOST_OF_ONE, cut};

impl Edgegap {
    pub(crate) fn bound(&mut self, most: usize, now: Duration) {
        let timing = self.timing;
        cut(&mut self.deployments, most, |deployment| {
            matches!(
                deployment.status(timing, now),
                Status::Terminated | Status::Error
            )
        });
        for deployment in &mut self.deployments {
            cut(&mut deployment.tags, MOST_OF_ONE, |_| false);
        }
    }
}
