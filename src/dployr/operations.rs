//! Which method of this crate serves each operation of `specs/dployr.yaml`.

use crate::raw::dployr::Op;

/// No wildcard arm: an operation that is new in the spec does not compile until it is named here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        Op::Login => "dployr::Client::login",
        Op::RequestLoginCode => "dployr::Client::login_by_email",
        // For a program that did not ask for the code itself: `dployr::Client::verify_login_code`.
        Op::VerifyLoginCode => "dployr::CodeSent::verify",
        Op::ExchangeIdentityToken => "dployr::Client::login_by_identity_token",
        Op::Logout => "dployr::Client::logout",
        Op::CreateApiToken => "dployr::ApiTokens::create",
        Op::ListApiTokens => "dployr::ApiTokens::list",
        Op::DeleteApiToken => "dployr::ApiTokenHandle::revoke",
        Op::GetCurrentUser => "dployr::Client::current_user",
        Op::ListClusters => "dployr::Clusters::list",
        Op::RenameCluster => "dployr::ClusterHandle::rename",
        // Those who are invited are the same operation: `dployr::ClusterHandle::invited`.
        Op::ListClusterUsers => "dployr::ClusterHandle::users",
        Op::InviteClusterUsers => "dployr::ClusterHandle::invite",
        Op::GetIntegrations => "dployr::ClusterHandle::integrations",
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
        Op::ListProxyServices => "dployr::Routes::services",
        Op::ListDomains => "dployr::Domains::list",
        Op::CreateDomain => "dployr::Domains::create",
        Op::GetDomain => "dployr::DomainHandle::get",
        Op::DeleteDomain => "dployr::DomainHandle::delete",
        Op::VerifyDomain => "dployr::DomainHandle::verify",
        Op::GetDomainStatus => "dployr::DomainHandle::status",
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
        Op::SetUpWebhook => "dployr::Webhooks::set_up",
        Op::ListEvents => "dployr::Client::events",
        Op::GetHealth => "dployr::Client::health",
        Op::ListVersions => "dployr::Client::versions",
    }
}

crate::transport::operation_info!("dployr", Op);
