//! Requests to the site of an application.

use crate::script::TOKEN;
use crate::support::{Server, reply};
use deploykit::ErrorKind;
use deploykit::nexlayer::{ApplicationHandle, Client, ClientBuilder, Manifest, Signal};
use deploykit::watch::Phase;
use serde_json::json;

/// A stub of the platform. Its response to a deploy contains this URL of the site.
async fn platform(site: &str) -> Server {
    let deployed =
        json!({ "sessionToken": TOKEN, "applicationName": "a", "url": site }).to_string();
    Server::answers(move |request| {
        let body = match request.split(' ').nth(1).unwrap_or_default() {
            path if path.starts_with("/startUserDeployment") => deployed.as_str(),
            path if path.starts_with("/getReservations") => r#"{"reservedDeployments": []}"#,
            _ => {
                return reply(
                    "404 Not Found",
                    &["content-type: text/html"],
                    "<pre>Cannot POST /x</pre>",
                );
            }
        };
        reply("200 OK", &["content-type: application/json"], body)
    })
    .await
}

/// Deploys an application and returns its handle.
async fn deployed(client: ClientBuilder, platform: &Server) -> ApplicationHandle {
    let client = client.base_url(&platform.base_url).build().unwrap();
    let manifest = Manifest::parse("application: {name: a}").unwrap();
    client.deploy(manifest).await.unwrap().application()
}

#[tokio::test]
async fn request_to_the_site_contains_no_credentials_and_no_added_headers_or_query() {
    let redirect_target = Server::replies("200 OK", &[], "").await;
    let location = format!("location: {}/{TOKEN}", redirect_target.base_url);
    let headers = [location.as_str(), "set-cookie: a=b"];
    let site = Server::replies("302 Found", &headers, "moved").await;
    let url = format!("{}/a/b?t=hush#f", site.base_url);
    let platform = platform(&url).await;
    let mut default = reqwest::header::HeaderMap::new();
    default.insert("authorization", "Bearer own-key".parse().unwrap());
    default.insert("x-own", "own-key".parse().unwrap());
    // A custom HTTP client that adds headers and follows redirects.
    let custom = reqwest::Client::builder()
        .no_proxy()
        .default_headers(default)
        .build()
        .unwrap();
    for http_client in [None, Some(custom)] {
        let mut builder = Client::builder().token("api-key-1");
        if let Some(http_client) = http_client {
            builder = builder.http_client(http_client);
        }
        let application = deployed(builder, &platform).await;
        let call = application
            .check_readiness()
            .header("x-extra", "extra-1")
            .query("extra", "extra-2");
        let ready = call.await.unwrap();
        assert_eq!((ready.signal, ready.site_status), (Signal::Site, Some(302)));
        application.wait().await.unwrap();
    }
    assert!(
        redirect_target.requests().is_empty(),
        "{:?}",
        redirect_target.requests()
    );
    let requests = site.requests();
    assert_eq!(requests.len(), 4);
    let host = site.base_url.trim_start_matches("http://");
    for request in requests {
        let mut lines: Vec<_> = request.trim_end().lines().collect();
        lines.sort_unstable();
        let agent = format!("user-agent: deploykit/{}", env!("CARGO_PKG_VERSION"));
        let host = format!("host: {host}");
        assert_eq!(
            lines,
            [
                "GET /a/b HTTP/1.1",
                "accept: */*",
                host.as_str(),
                agent.as_str()
            ]
        );
    }
    let extra =
        |request: &&String| request.contains("extra-1") && request.contains("extra=extra-2");
    let requests = platform.requests();
    assert!(
        requests.iter().any(|request| extra(&request)),
        "the platform gets the added header and query"
    );
}

#[tokio::test]
async fn unreachable_site_counts_as_in_progress() {
    // Nothing listens on port 1.
    let platform = platform("http://127.0.0.1:1/").await;
    let application = deployed(Client::builder(), &platform).await;
    let now = application.check_readiness().await.unwrap();
    assert_eq!(
        (now.phase, now.signal, now.site_status),
        (Phase::InProgress, Signal::Site, None)
    );
    assert_eq!(now.reason.as_deref(), Some("the site does not answer"));
    // Invalid URLs are not requested.
    for url in ["", "javascript:x", "http://u:p@127.0.0.1:1/"] {
        let platform = self::platform(url).await;
        let application = deployed(Client::builder(), &platform).await;
        let error = application.check_readiness().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{url}: {error}");
        assert!(error.to_string().contains("site_url"), "{error}");
    }
}
