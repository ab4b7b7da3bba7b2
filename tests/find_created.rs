//! A create whose answer is lost, and what the platform's list says afterwards: on the sandbox, with
//! something in between that loses it.

mod support;

use deploykit::dployr::{self, ServiceType};
use deploykit::edgegap::{self, User};
use deploykit::{Effect, Error, ErrorKind, Pacing, nodion};
use deploykit_sandbox::{Dialect, Platform, Sandbox};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use support::{Script, Server, Step};

/// What happens to a POST.
#[derive(Clone, Copy)]
enum Lost {
    Nothing,
    /// It never gets there.
    Request,
    /// It gets there, and the answer is lost.
    Reply,
}

/// Stands between a client and the sandbox, and loses what it is told to.
struct Between {
    server: Server,
    lost: Arc<Mutex<Lost>>,
}

impl Between {
    async fn start(behind: &str) -> Self {
        let to = behind.to_owned();
        let lost = Arc::new(Mutex::new(Lost::Nothing));
        let state = lost.clone();
        let step = Step::answer(move |request| {
            let lost = if request.starts_with("POST ") {
                *state.lock().unwrap()
            } else {
                Lost::Nothing
            };
            let forward = |lose_reply| Step::Forward {
                to: to.clone(),
                lose_reply,
            };
            match lost {
                Lost::Nothing => vec![forward(false)],
                Lost::Reply => vec![forward(true)],
                Lost::Request => Vec::new(),
            }
        });
        let server = Server::start(Script::always(vec![step])).await;
        Self { server, lost }
    }

    fn lose(&self, what: Lost) {
        *self.lost.lock().unwrap() = what;
    }
}

#[track_caller]
fn nobody_knows(error: &Error) {
    let expected = (ErrorKind::Interrupted, Effect::Unknown);
    assert_eq!((error.kind(), error.effect()), expected, "{error}");
    assert_eq!(error.attempts(), 1, "a create is not repeated");
}

fn creates(sandbox: &Sandbox, platform: Platform) -> usize {
    let requests = sandbox.requests_to(platform);
    requests.iter().filter(|one| one.method == "POST").count()
}

#[tokio::test]
async fn edgegap() {
    let sandbox = Sandbox::start().await.unwrap();
    let access = sandbox.edgegap();
    let between = Between::start(&access.base_url).await;
    let builder = edgegap::Client::builder()
        .base_url(&between.server.base_url)
        .pacing(Pacing::off());
    let client = builder.token(access.token.as_str()).build().unwrap();
    let new = |tag: &str| {
        let user = User::ip([75, 28, 35, 192].into());
        edgegap::NewDeployment::new(&access.application, &access.version, user)
            .tag("eu")
            .tag(tag)
    };
    // One of an hour ago has the same tag, one of now another.
    let old = client.deploy(new("match-7")).await.unwrap().request_id;
    sandbox.advance(Duration::from_secs(3_600));
    client.deploy(new("match-8")).await.unwrap();
    let before = SystemTime::now() + Duration::from_secs(3_600);
    let find = |tag: &str| client.deployments().find_created(tag, before);

    between.lose(Lost::Request);
    nobody_knows(&client.deploy(new("match-7")).await.unwrap_err());
    assert_eq!(find("match-7").await.unwrap(), []);
    assert_eq!(creates(&sandbox, Platform::Edgegap), 2);

    between.lose(Lost::Reply);
    nobody_knows(&client.deploy(new("match-7")).await.unwrap_err());
    assert_eq!(creates(&sandbox, Platform::Edgegap), 3);
    let found = find("match-7").await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_ne!(found[0].request_id, old.as_str());
    let both = client.deployments().tagged("match-7").list().await.unwrap();
    assert_eq!(both.total_items, Some(2));
    assert_eq!(both.items[0], found[0]);
    assert_eq!(both.items[1].request_id, old.as_str());
    assert_eq!(find("match-9").await.unwrap(), []);
}

#[tokio::test]
async fn nodion() {
    let sandbox = Sandbox::start().await.unwrap();
    let access = sandbox.nodion();
    let between = Between::start(&access.base_url).await;
    let builder = nodion::Client::builder()
        .base_url(&between.server.base_url)
        .pacing(Pacing::off());
    let client = builder.token(access.token.as_str()).build().unwrap();
    let application = client.application(&access.application_id);
    application.deploy().await.unwrap();
    let before = application.latest_deploy_number().await.unwrap();
    assert_eq!(before, 2);

    between.lose(Lost::Request);
    nobody_knows(&application.deploy().await.unwrap_err());
    assert_eq!(application.find_created_after(before).await.unwrap(), []);

    between.lose(Lost::Reply);
    nobody_knows(&application.deploy().await.unwrap_err());
    let found = application.find_created_after(before).await.unwrap();
    assert_eq!(creates(&sandbox, Platform::Nodion), 2);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].deploy_number, 3);
    assert_eq!(application.find_created_after(0).await.unwrap().len(), 3);
}

#[tokio::test]
async fn dployr() {
    for dialect in [Dialect::Documented, Dialect::ControlPlane] {
        let sandbox = Sandbox::builder().dployr_dialect(dialect).start().await;
        let sandbox = sandbox.unwrap();
        let access = sandbox.dployr();
        let between = Between::start(&access.base_url).await;
        let client = dployr::Client::builder()
            .base_url(&between.server.base_url)
            .token(access.token.as_str())
            .cluster(access.cluster_id.as_str())
            .pacing(Pacing::off())
            .build()
            .unwrap();
        let new = |name: &str| {
            dployr::NewDeployment::from_git(name, "https://github.com/user/repo")
                .kind(ServiceType::Web)
                .runtime("nodejs", "20")
                .run_cmd("npm start")
                .port(3000)
        };
        let deployments = client.deployments();
        deployments.create(new("old")).await.unwrap();
        sandbox.advance(Duration::from_secs(3_600));
        deployments.create(new("other")).await.unwrap();
        let before = SystemTime::now() + Duration::from_secs(3_600);
        let find = |name: &str| deployments.find_created(name, before);
        let made = creates(&sandbox, Platform::Dployr);

        between.lose(Lost::Request);
        nobody_knows(&deployments.create(new("mine")).await.unwrap_err());
        nobody_knows(&deployments.create(new("old")).await.unwrap_err());
        assert_eq!(find("mine").await.unwrap(), [], "{dialect:?}");
        assert_eq!(find("old").await.unwrap(), [], "{dialect:?}");

        between.lose(Lost::Reply);
        nobody_knows(&deployments.create(new("mine")).await.unwrap_err());
        nobody_knows(&deployments.create(new("old")).await.unwrap_err());
        assert_eq!(creates(&sandbox, Platform::Dployr), made + 2);
        for name in ["mine", "old"] {
            let found = find(name).await.unwrap();
            assert_eq!(found.len(), 1, "{dialect:?}: {found:?}");
            assert_eq!(found[0].name, name);
        }
    }
}
