//! Which method of this crate serves each operation of `specs/dployr.yaml`.

use crate::raw::dployr::Op;

/// No wildcard arm: an operation that is new in the spec does not compile until it is named here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        Op::Login => "dployr::Client::login",
        Op::ListDeployments => "dployr::Deployments::list",
        Op::CreateDeployment => "dployr::Deployments::create",
        Op::GetDeployment => "dployr::DeploymentHandle::get",
        Op::UpdateDeployment => "dployr::DeploymentHandle::update",
        Op::DeleteDeployment => "dployr::DeploymentHandle::delete",
        Op::ListInstances => "dployr::Instances::list",
        Op::GetInstance => "dployr::InstanceHandle::get",
        Op::CreateInstance => "dployr::Instances::create",
        Op::DeleteInstance => "dployr::InstanceHandle::delete",
        Op::PingInstance => "dployr::NodeHandle::ping",
        Op::RebootInstance => "dployr::NodeHandle::reboot",
        Op::RestartInstance => "dployr::NodeHandle::restart",
        Op::GetInstanceMetrics => "dployr::InstanceHandle::metrics",
        Op::ListProjects => "dployr::Projects::list",
        Op::CreateProject => "dployr::Projects::create",
        Op::DeleteProject => "dployr::ProjectHandle::delete",
        Op::ListRoutes => "dployr::Routes::list",
        Op::CreateRoute => "dployr::Routes::create",
        Op::DeleteRoute => "dployr::RouteHandle::delete",
        Op::ListServices => "dployr::Services::list",
        Op::GetService => "dployr::ServiceHandle::get",
        Op::UpdateService => "dployr::ServiceHandle::update",
        Op::DeleteService => "dployr::ServiceHandle::delete",
        Op::GetServiceMetrics => "dployr::Services::metrics",
        Op::GetServiceEnvs => "dployr::ServiceEnv::map",
        Op::ListServiceSecrets => "dployr::ServiceHandle::secrets",
        Op::ListServiceEnv => "dployr::ServiceEnv::list",
        Op::SetServiceEnv => "dployr::ServiceEnv::set",
        Op::DeleteServiceEnv => "dployr::ServiceEnv::remove",
        // Following is the same operation: `dployr::ServiceHandle::follow_logs`.
        Op::GetServiceLogs => "dployr::ServiceHandle::logs",
        // Following is the same operation: `dployr::Client::follow_logs`.
        Op::GetLogs => "dployr::Client::logs",
        Op::RestartService => "dployr::ServiceHandle::restart",
        Op::StartService => "dployr::ServiceHandle::start",
        Op::GetServiceStatus => "dployr::ServiceHandle::status",
        Op::StopService => "dployr::ServiceHandle::stop",
        Op::ListWebhooks => "dployr::Webhooks::list",
        Op::CreateWebhook => "dployr::Webhooks::create",
    }
}

crate::transport::operation_info!("dployr", Op);
