//! Which method of this crate serves each operation of `specs/nodion.yaml`.

use crate::raw::nodion::Op;

/// No wildcard arm: an operation that is new in the spec does not compile until it is named here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        Op::ListDeployments => "nodion::Application::deployments",
        Op::CreateDeployment => "nodion::Application::deploy",
    }
}

crate::transport::operation_info!("nodion", Op);
