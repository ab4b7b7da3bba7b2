//! The operations around dployr's services, as a program would call them.

use super::platforms::{Platforms, Use};
use super::{PASSWORD, QUERY, SESSION, USER, VALUE};
use deploykit::Result;
use deploykit::dployr::{NewApiToken, NewDomain, WebhookSetup};

impl Platforms {
    pub async fn dployr_account<U: Use>(
        &self,
        operation: &str,
        id: &str,
        to: U,
    ) -> Result<U::Output> {
        let client = &self.dployr;
        let signed_in = client.with_session(SESSION).unwrap();
        let cluster = client.clusters().by_id(id);
        let domain = client.domain(id);
        match operation {
            "request_login_code" => to.run(client.login_by_email("a@b.example")).await,
            "verify_login_code" => {
                let verify = client.verify_login_code("a@b.example", PASSWORD);
                to.run(verify).await
            }
            "exchange_identity_token" => to.run(client.login_by_identity_token(VALUE)).await,
            "logout" => to.run(signed_in.logout()).await,
            "create_api_token" => {
                let new = NewApiToken::new("ci");
                to.run(signed_in.api_tokens().create(new)).await
            }
            "list_api_tokens" => to.run(signed_in.api_tokens().list()).await,
            "delete_api_token" => to.run(signed_in.api_token(id).revoke()).await,
            "get_current_user" => to.run(client.current_user()).await,
            "list_clusters" => to.run(client.clusters().list()).await,
            "rename_cluster" => to.run(cluster.rename("a")).await,
            "list_cluster_users" => to.run(cluster.users().list()).await,
            "invite_cluster_users" => to.run(cluster.invite(["a@b.example"])).await,
            "get_integrations" => to.run(cluster.integrations()).await,
            "list_proxy_services" => to.run(client.routes().services()).await,
            "create_domain" => {
                let client = client.with_cluster("c").unwrap();
                let new = NewDomain::new("a.example", "s");
                to.run(client.domains().create(new)).await
            }
            "list_domains" => to.run(client.domains().list()).await,
            "get_domain" => to.run(domain.get()).await,
            "delete_domain" => to.run(domain.delete()).await,
            "verify_domain" => to.run(domain.verify()).await,
            "get_domain_status" => to.run(domain.status()).await,
            "set_up_webhook" => {
                let url = format!("https://{USER}@a.example/?q={QUERY}");
                let setup = WebhookSetup::new(url, ["x"]);
                to.run(client.webhooks().set_up(setup)).await
            }
            "list_events" => to.run(client.events().list()).await,
            "get_health" => to.run(client.health()).await,
            "list_versions" => to.run(client.versions()).await,
            other => panic!("{other} is not called"),
        }
    }
}
