//! Maps each operation of `specs/nodion.yaml` to the method that calls it.

use crate::raw::nodion::Op;

/// The path of the method, below `deploykit`.
///
/// No wildcard arm, so that a new operation fails to compile until it is mapped here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        // Also `nodion::DeploymentHandle::get`.
        Op::ListDeployments => "nodion::Deployments::list",
        // Also `nodion::ApplicationHandle::deploy_image_tag`.
        Op::CreateDeployment => "nodion::ApplicationHandle::deploy",
        Op::ListApplications => "nodion::Applications::list",
        Op::CreateApplication => "nodion::Applications::create",
        Op::GetApplication => "nodion::ApplicationHandle::get",
        Op::UpdateApplication => "nodion::ApplicationHandle::update",
        Op::DeleteApplication => "nodion::ApplicationHandle::delete",
        Op::ListInstances => "nodion::Instances::list",
        Op::ListProcesses => "nodion::Processes::list",
        Op::ScaleProcess => "nodion::ProcessHandle::scale",
        Op::ListScalingEvents => "nodion::ScalingEvents::list",
        Op::CreateScalingEvent => "nodion::ApplicationHandle::scale",
        Op::ListLogs => "nodion::ApplicationHandle::logs",
        Op::ListEnvVariables => "nodion::EnvVariables::list",
        Op::CreateEnvVariable => "nodion::EnvVariables::create",
        Op::GetEnvVariable => "nodion::EnvVariableHandle::get",
        Op::UpdateEnvVariable => "nodion::EnvVariableHandle::update",
        Op::DeleteEnvVariable => "nodion::EnvVariableHandle::delete",
        Op::ListDomains => "nodion::Domains::list",
        Op::CreateDomain => "nodion::Domains::create",
        Op::DeleteDomain => "nodion::DomainHandle::delete",
        Op::VerifyDomain => "nodion::DomainHandle::verify",
        Op::ConnectDomain => "nodion::DomainHandle::connect",
        Op::ListRegions => "nodion::Regions::list",
        Op::ListInstanceTypes => "nodion::InstanceTypes::list",
    }
}
