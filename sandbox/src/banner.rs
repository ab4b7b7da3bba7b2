//! Startup text of the program.

use deploykit_sandbox::{Dialect, Sandbox};

use crate::options::Options;

/// Base URLs, credentials, and a first curl call per platform.
pub(crate) fn text(sandbox: &Sandbox, options: &Options) -> String {
    let (nexlayer, dployr) = (sandbox.nexlayer(), sandbox.dployr());
    let (nodion, edgegap) = (sandbox.nodion(), sandbox.edgegap());
    let (login, cluster) = match options.dialect() {
        Dialect::Documented => (
            format!(
                "  e-mail       {}\n  password     {}",
                dployr.email, dployr.password
            ),
            String::new(),
        ),
        Dialect::ControlPlane => (
            format!(
                "  e-mail       {}\n  login code   {}\n  CI token     {}",
                dployr.email, dployr.login_code, dployr.identity_token
            ),
            format!("?clusterId={}", dployr.cluster_id),
        ),
    };
    format!(
        "Nexlayer  {nexlayer_url}
  curl -H 'Content-Type: text/x-yaml' -d 'application: {{name: demo, pods: [
    {{name: web, path: /, image: \"nginx:1.27\", servicePorts: [80]}}]}}' \\
    '{nexlayer_url}/startUserDeployment'

dployr    {dployr_url}
  token        {dployr_token}
  cluster      {cluster_id}
  instance     {instance}
{login}
  curl -H 'Authorization: Bearer {dployr_token}' \\
    -H 'Content-Type: application/json' \\
    -d '{{\"name\": \"my-app\", \"type\": \"web\", \"source\": \"image\",
    \"image\": \"nginx:1.27\", \"port\": 3000}}' \\
    '{dployr_url}/v1/deployments{cluster}'

Nodion    {nodion_url}
  token        {nodion_token}
  application  {application_id}
  curl -X POST \\
    -H 'Authorization: Bearer {nodion_token}' \\
    '{nodion_url}/v1/applications/{application_id}/deployments'

Edgegap   {edgegap_url}
  token        {edgegap_token}
  application  {application} {version}
  host         {host}
  curl -H 'Authorization: token {edgegap_token}' \\
    -H 'Content-Type: application/json' \\
    -d '{{\"application\": \"{application}\", \"version\": \"{version}\",
    \"users\": [{{\"user_type\": \"ip_address\",
    \"user_data\": {{\"ip_address\": \"198.51.100.7\"}}}}]}}' \\
    '{edgegap_url}/v2/deployments'

Status page: {nodion_url}/
Ctrl-C stops the sandbox.
",
        nexlayer_url = nexlayer.base_url,
        dployr_url = dployr.base_url,
        dployr_token = dployr.token,
        cluster_id = dployr.cluster_id,
        instance = dployr.instance_tag,
        nodion_url = nodion.base_url,
        nodion_token = nodion.token,
        application_id = nodion.application_id,
        edgegap_url = edgegap.base_url,
        edgegap_token = edgegap.token,
        application = edgegap.application,
        version = edgegap.version,
        host = edgegap.private_host_id,
    )
}
