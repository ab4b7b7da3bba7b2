//! The same calls on reqwest and serde_json, with the same record fields and timeouts.

use crate::{Operation, Result, server};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

pub struct WithReqwest {
    http: reqwest::Client,
    base_url: String,
}

#[derive(Debug)]
enum CallError {
    Http(reqwest::Error),
    Status(u16, Option<String>),
    Json(serde_json::Error),
}

impl From<CallError> for Box<dyn std::error::Error> {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Http(error) => error.into(),
            CallError::Json(error) => error.into(),
            CallError::Status(status, _) => format!("status {status}").into(),
        }
    }
}

impl WithReqwest {
    pub fn new(base_url: &str) -> Result<Self> {
        // Fails if another client has already installed a provider.
        let provider = tokio_rustls::rustls::crypto::ring::default_provider();
        let _ = provider.install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .connect_timeout(Duration::from_secs(10))
            .user_agent("reqwest/1")
            .build()?;
        Ok(Self {
            http,
            base_url: base_url.to_owned(),
        })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base_url))
            .header("authorization", "token t-1")
            .header("accept", "application/json")
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> std::result::Result<T, CallError> {
        let response = request.send().await.map_err(CallError::Http)?;
        let status = response.status();
        let body = response.bytes().await.map_err(CallError::Http)?;
        if !status.is_success() {
            let message = serde_json::from_slice::<Message>(&body).ok();
            let message = message.map(|body| body.message);
            return Err(CallError::Status(status.as_u16(), message));
        }
        serde_json::from_slice(&body).map_err(CallError::Json)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> std::result::Result<T, CallError> {
        self.send(self.request(Method::GET, path)).await
    }

    async fn follow_log(&self) -> Result<usize> {
        let request = self.request(Method::GET, "/services/web/logs");
        let mut response = request.send().await?.error_for_status()?;
        let (mut buffer, mut lines) = (Vec::new(), 0);
        while let Some(chunk) = response.chunk().await? {
            buffer.extend_from_slice(&chunk);
            let mut start = 0;
            while let Some(length) = buffer[start..].iter().position(|byte| *byte == b'\n') {
                let line: LogLine = serde_json::from_slice(&buffer[start..start + length])?;
                black_box(line);
                start += length + 1;
                lines += 1;
            }
            buffer.drain(..start);
        }
        Ok(lines)
    }

    pub async fn call(&self, operation: Operation) -> Result<()> {
        match operation {
            Operation::Get => {
                let path = format!("/v1/status/{}", server::FOUND);
                black_box(self.get::<Deployment>(&path).await?);
            }
            Operation::Create => {
                let new = NewDeployment {
                    application: "my-app".to_owned(),
                    version: "25.05.30".to_owned(),
                    users: vec![User {
                        user_type: "ip_address",
                        user_data: UserData {
                            ip_address: "75.28.35.192".to_owned(),
                        },
                    }],
                    environment_variables: vec![Variable {
                        key: "MODE".to_owned(),
                        value: "ranked".to_owned(),
                        is_hidden: false,
                    }],
                    tags: vec!["match-7".to_owned()],
                };
                let request = self.request(Method::POST, "/v2/deployments").json(&new);
                black_box(self.send::<Accepted>(request).await?);
            }
            Operation::NotFound => {
                let path = format!("/v1/status/{}", server::MISSING);
                match self.get::<Deployment>(&path).await {
                    Err(CallError::Status(404, message)) => {
                        black_box(message);
                    }
                    _ => return Err("expected a 404".into()),
                }
            }
            Operation::List => {
                let list: DeploymentList = self.get("/v1/deployments").await?;
                server::expect_records(list.data.len())?;
                black_box(list);
            }
            Operation::NodionList => {
                let path = "/v1/applications/a-1/deployments";
                let list: NodionList = self.get(path).await?;
                server::expect_records(list.deployments.len())?;
                black_box(list);
            }
            Operation::FollowLog => server::expect_lines(self.follow_log().await?)?,
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

#[derive(Serialize)]
struct NewDeployment {
    application: String,
    version: String,
    users: Vec<User>,
    environment_variables: Vec<Variable>,
    tags: Vec<String>,
}

#[derive(Serialize)]
struct User {
    user_type: &'static str,
    user_data: UserData,
}

#[derive(Serialize)]
struct UserData {
    ip_address: String,
}

#[derive(Serialize)]
struct Variable {
    key: String,
    value: String,
    is_hidden: bool,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct Accepted {
    request_id: String,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct Port {
    name: Option<String>,
    link: Option<String>,
    internal: Option<i64>,
    external: Option<i64>,
    protocol: Option<String>,
    tls_upgrade: Option<bool>,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct Deployment {
    request_id: String,
    fqdn: Option<String>,
    app_name: Option<String>,
    app_version: Option<String>,
    public_ip: Option<String>,
    current_status: String,
    last_status: Option<String>,
    running: Option<bool>,
    start_time: Option<String>,
    elapsed_time: Option<i64>,
    max_duration: Option<i64>,
    error: Option<bool>,
    error_detail: Option<String>,
    ports: Option<HashMap<String, Port>>,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct DeploymentSummary {
    request_id: String,
    fqdn: Option<String>,
    public_ip: Option<String>,
    ready: Option<bool>,
    status: Option<String>,
    start_time: Option<String>,
    tags: Option<Vec<String>>,
    ports: Option<HashMap<String, Port>>,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct DeploymentList {
    data: Vec<DeploymentSummary>,
    total_count: Option<i64>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct Pagination {
    number: Option<i64>,
    next_page_number: Option<i64>,
    previous_page_number: Option<i64>,
    paginator: Option<Paginator>,
    has_next: Option<bool>,
    has_previous: Option<bool>,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct Paginator {
    num_pages: Option<i64>,
}

#[derive(Deserialize)]
struct NodionList {
    deployments: Vec<NodionDeployment>,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct NodionDeployment {
    id: String,
    status: String,
    deploy_number: i64,
    git_sha: Option<String>,
    commit_message: Option<String>,
    committer_name: Option<String>,
    committer_email: Option<String>,
    committer_username: Option<String>,
    commit_timestamp: Option<String>,
    strategy: Option<String>,
    image_reference: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct LogLine {
    timestamp: Option<i64>,
    level: Option<String>,
    message: String,
}
