//! Which method of this crate serves each operation of `specs/edgegap.yaml`.

use crate::raw::edgegap::Op;

/// No wildcard arm: an operation that is new in the spec does not compile until it is named here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        Op::CreateDeployment => "edgegap::Client::deploy",
        Op::ListDeployments => "edgegap::Deployments::list",
        Op::CreateFleetDeployment => "edgegap::Client::deploy_to_fleet",
    }
}

crate::transport::operation_info!("edgegap", Op);
