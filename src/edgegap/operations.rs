//! Maps each operation of `specs/edgegap.yaml` to the method that calls it.

use crate::raw::edgegap::Op;

/// The path of the method, below `deploykit`.
///
/// No wildcard arm, so that a new operation fails to compile until it is mapped here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        Op::CreateDeployment => "edgegap::Client::deploy",
        Op::ListDeployments => "edgegap::Deployments::list",
        Op::CreateFleetDeployment => "edgegap::Client::deploy_to_fleet",
        Op::GetDeployment => "edgegap::DeploymentHandle::get",
        Op::StopDeployment => "edgegap::DeploymentHandle::stop",
        Op::GetContainerLogs => "edgegap::DeploymentHandle::logs",
        Op::GetDeploymentMetrics => "edgegap::Metrics::get",
        Op::StopDeployments => "edgegap::Deployments::stop_matching",
        Op::ListDeploymentTags => "edgegap::Tags::list",
        Op::CreateDeploymentTag => "edgegap::Tags::create",
        Op::GetDeploymentTag => "edgegap::TagHandle::get",
        Op::RenameDeploymentTag => "edgegap::TagHandle::rename",
        Op::DeleteDeploymentTag => "edgegap::TagHandle::delete",
        Op::ListLocations => "edgegap::Locations::list",
        Op::ListApplications => "edgegap::Applications::list",
        Op::CreateApplication => "edgegap::Applications::create",
        Op::GetApplication => "edgegap::ApplicationHandle::get",
        Op::UpdateApplication => "edgegap::ApplicationHandle::update",
        Op::DeleteApplication => "edgegap::ApplicationHandle::delete",
        Op::ListVersions => "edgegap::ApplicationVersions::list",
        Op::CreateVersion => "edgegap::ApplicationVersions::create",
        Op::GetVersion => "edgegap::VersionHandle::get",
        Op::UpdateVersion => "edgegap::VersionHandle::update",
        Op::DeleteVersion => "edgegap::VersionHandle::delete",
        Op::ListImageTags => "edgegap::ImageTags::list",
        Op::DeleteImageTag => "edgegap::ImageTagHandle::delete",
        Op::ListFleetHosts => "edgegap::Hosts::list",
        Op::StopOwnDeployment => "edgegap::SelfStop::stop",
    }
}
