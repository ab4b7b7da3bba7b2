//! Which method of this crate serves each operation of `specs/nodion.yaml`.

use crate::raw::nodion::Op;

/// No wildcard arm: an operation that is new in the spec does not compile until it is named here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        // One of them, too: `nodion::DeploymentHandle::get`.
        Op::ListDeployments => "nodion::ApplicationHandle::deployments",
        // With a tag, too: `nodion::ApplicationHandle::deploy_image`.
        Op::CreateDeployment => "nodion::ApplicationHandle::deploy",
        Op::ListApplications => "nodion::Applications::list",
        Op::CreateApplication => "nodion::Applications::create",
        Op::GetApplication => "nodion::ApplicationHandle::get",
        Op::UpdateApplication => "nodion::ApplicationHandle::set_branch",
        Op::DeleteApplication => "nodion::ApplicationHandle::delete",
        Op::ListInstances => "nodion::ApplicationHandle::instances",
        Op::ListProcesses => "nodion::ApplicationHandle::processes",
        Op::ScaleProcess => "nodion::ProcessHandle::scale",
        Op::ListScalingEvents => "nodion::ApplicationHandle::scaling_events",
        Op::CreateScalingEvent => "nodion::ApplicationHandle::scale",
        Op::ListLogs => "nodion::ApplicationHandle::logs",
        Op::ListEnvVariables => "nodion::EnvVariables::list",
        Op::CreateEnvVariable => "nodion::EnvVariables::add",
        Op::GetEnvVariable => "nodion::EnvVariableHandle::get",
        Op::UpdateEnvVariable => "nodion::EnvVariableHandle::update",
        Op::DeleteEnvVariable => "nodion::EnvVariableHandle::delete",
        Op::ListDomains => "nodion::Domains::list",
        Op::CreateDomain => "nodion::Domains::add",
        Op::DeleteDomain => "nodion::DomainHandle::delete",
        Op::VerifyDomain => "nodion::DomainHandle::verify",
        Op::ConnectDomain => "nodion::DomainHandle::connect",
        Op::ListRegions => "nodion::Client::regions",
        Op::ListInstanceTypes => "nodion::Client::instance_types",
    }
}
