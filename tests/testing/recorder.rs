//! The recorder: precedence of replies, strict mode, errors.

use crate::new_server;
use deploykit::dployr::LogOptions;
use deploykit::edgegap::{NewDeployment, User};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind, dployr, nodion};
use deploykit_sandbox::Sandbox;

#[tokio::test]
async fn the_first_successful_example_is_the_default_reply() {
    let recorder = Recorder::new();
    let deployed = recorder
        .edgegap()
        .unwrap()
        .deploy(new_server())
        .await
        .unwrap();
    assert_eq!(deployed.request_id.as_str(), "a69f8e3e0555");
    let nodion = recorder.nodion().unwrap();
    let triggered = nodion.application("a-1").deploy().await.unwrap();
    assert_eq!(triggered.record.deploy_number, 3);
    let services = recorder.dployr().unwrap().services().list().await.unwrap();
    assert!(!services.items.is_empty());
    let schema = recorder.nexlayer().unwrap().schema().await.unwrap();
    assert!(schema.is_object());
    assert_eq!(recorder.requests().len(), 4);
    recorder.clear();
    assert!(recorder.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_create_returns_another_id_and_later_examples_have_the_id_of_their_request() {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    let mut ids = Vec::new();
    for _ in 0..12 {
        let id = edgegap.deploy(new_server()).await.unwrap().request_id;
        assert!(!ids.contains(&id), "{id} was returned twice");
        let ready = edgegap.deployment(&id).wait().await.unwrap();
        assert_eq!(ready.request_id, id);
        let stopped = edgegap.deployment(&id).stop().await.unwrap();
        assert_eq!(stopped.deployment.unwrap().request_id, id);
        ids.push(id);
    }

    // On Nodion and dployr, a wait reads the list.
    let application = recorder.nodion().unwrap().application("a-1");
    let first = application.deploy().await.unwrap();
    let second = application.deploy().await.unwrap();
    assert_ne!(first.id, second.id);
    for deployed in [first, second] {
        let live = deployed.deployment().wait().await.unwrap();
        assert_eq!(live.id, deployed.id);
    }
}

fn new_application() -> nodion::NewApplication {
    let branch = nodion::Branch::new("i-1", "r-1", "b-1");
    nodion::NewApplication::from_git("my-app", "fra", "small", branch)
}

#[tokio::test]
async fn lists_contain_what_was_created_under_their_parent() {
    let recorder = Recorder::new();
    let nodion = recorder.nodion().unwrap();
    let [a, b] = ["a", "b"].map(|id| nodion.application(id));
    let ids = async |application: &nodion::ApplicationHandle| {
        let domains = application.domains().list().await.unwrap();
        domains
            .items
            .into_iter()
            .map(|one| one.id)
            .collect::<Vec<_>>()
    };
    // Nothing is created yet: the whole example.
    assert_eq!(ids(&a).await.len(), 2);
    let first = a.domains().create("one.example").await.unwrap();
    let second = a.domains().create("two.example").await.unwrap();
    assert!(ids(&b).await.is_empty());
    let third = b.domains().create("three.example").await.unwrap();
    assert_eq!(ids(&a).await, [first.id, second.id.clone()]);
    assert_eq!(ids(&b).await, [third.id]);
    b.domain(&second.id).verify().await.unwrap_err();
    a.domain(&second.id).verify().await.unwrap();

    // On dployr, the parent is the cluster.
    let dployr = recorder.dployr().unwrap();
    let [one, two] = ["c-1", "c-2"].map(|id| dployr.with_cluster(id).unwrap());
    let new = dployr::NewDeployment::from_image("my-app", "nginx:1.29").port(80);
    let deployed = one.deploy(new).await.unwrap();
    let listed = async |client: &dployr::Client| client.deployments().list().await.unwrap().items;
    assert!(listed(&two).await.is_empty());
    for client in [&one, &dployr] {
        let deployments = listed(client).await;
        assert_eq!(deployments.len(), 1);
        assert_eq!(Some(&deployments[0].id), deployed.id.as_ref());
    }
}

#[tokio::test]
async fn ids_that_no_create_returned_are_unknown() {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    // Nothing is created yet: every id is ready.
    edgegap.deployment("c0653765de3b").get().await.unwrap();
    let created = edgegap.deploy(new_server()).await.unwrap().request_id;
    edgegap.deployment(&created).stop().await.unwrap();
    for unknown in ["c0653765de3b", "a69f8e3e055"] {
        let unknown = edgegap.deployment(unknown);
        for error in [
            unknown.get().await.unwrap_err(),
            unknown.stop().await.unwrap_err(),
            unknown.tags().list().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
    }
    // Ids of queued responses are known.
    recorder.reply(
        "create_deployment",
        CannedReply::json(202, r#"{"request_id":"b1"}"#),
    );
    let queued = edgegap.deploy(new_server()).await.unwrap().request_id;
    assert_eq!(
        edgegap.deployment(&queued).get().await.unwrap().request_id,
        queued
    );

    // A child is unknown under another parent, and so are all children of an unknown parent.
    let nodion = recorder.nodion().unwrap();
    let [first, second] = [
        nodion
            .applications()
            .create(new_application())
            .await
            .unwrap(),
        nodion
            .applications()
            .create(new_application())
            .await
            .unwrap(),
    ];
    let [first, second] = [first, second].map(|created| nodion.application(created.id));
    let variable = nodion::NewEnvVariable::new("A", "b");
    let variable = first.env_variables().create(variable).await.unwrap();
    first.env_variable(&variable.id).get().await.unwrap();
    let error = second.env_variable(&variable.id).get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // The id of a variable is no id of an application.
    for mixed_up in ["a-1", variable.id.as_str()] {
        let error = nodion.application(mixed_up).deploy().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn ids_in_the_path_are_decoded() {
    let recorder = Recorder::new();
    let nodion = recorder.nodion().unwrap();
    let application = nodion.application("ä \"1\"");
    let record = application.get().await.unwrap();
    assert_eq!(record.id.as_str(), "ä \"1\"");
    let path = recorder.requests().remove(0).path;
    assert_eq!(path, "/v1/applications/%C3%A4%20%221%22");

    let body = r#"{"env_variable":{"id":"a b","env_key":"A","env_val":"b"}}"#;
    recorder.reply("create_env_variable", CannedReply::json(200, body));
    let new = || nodion::NewEnvVariable::new("A", "b");
    let queued = application.env_variables();
    let queued = queued.create(new()).await.unwrap().id;
    application.env_variables().create(new()).await.unwrap();
    let variable = application.env_variable(&queued).get().await.unwrap();
    assert_eq!(variable.id, queued);
}

#[tokio::test]
async fn each_create_on_the_sandbox_returns_another_id() {
    let sandbox = Sandbox::builder().in_process();
    let edgegap = sandbox.edgegap().unwrap();
    let new = || {
        NewDeployment::new(
            "my-app",
            "25.05.30-16.45.19-04",
            User::ip([75, 28, 35, 192].into()),
        )
    };
    let first = edgegap.deploy(new()).await.unwrap().request_id;
    let second = edgegap.deploy(new()).await.unwrap().request_id;
    assert_ne!(first, second);
    let read = edgegap.deployment(&first).get().await.unwrap();
    assert_eq!(read.request_id, first);
}

#[test]
fn a_mistyped_operation_suggests_operations_of_the_same_platform() {
    for (name, expected) in [
        (
            "edgegap create_deploymnt",
            "similar: `edgegap create_deployment`;",
        ),
        ("edgegap stop_service", "similar: `edgegap stop_deployment`"),
        (
            "get_contaner_logs",
            "similar: `edgegap get_container_logs`;",
        ),
        (
            "edgegpa create_deployment",
            "the platforms are [\"nexlayer\", \"dployr\", \"nodion\", \"edgegap\"]",
        ),
    ] {
        let error = CannedReply::example(name, 200).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn queued_replies_precede_the_function_and_the_function_precedes_examples() {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    recorder.reply_example("create_deployment", 422);
    recorder.reply(
        "edgegap create_deployment",
        CannedReply::json(202, r#"{"request_id":"b"}"#),
    );
    // A reply that names the platform has precedence.
    let id = edgegap.deploy(new_server()).await.unwrap().request_id;
    assert_eq!(id.as_str(), "b");
    let error = edgegap.deploy(new_server()).await.unwrap_err();
    assert_eq!(
        (error.status(), error.effect()),
        (Some(422), Effect::Applied)
    );

    let recorded = recorder.clone();
    recorder.answer_with(move |request| {
        let count = recorded.requests().len();
        let id = format!(r#"{{"request_id":"{count}-{}"}}"#, request.method);
        CannedReply::json(202, id)
    });
    let id = edgegap.deploy(new_server()).await.unwrap().request_id;
    assert_eq!(id.as_str(), "3-POST");
    recorder.assert_all_used();
}

#[tokio::test]
async fn an_unexpected_call_to_a_strict_recorder_names_the_missing_reply() {
    let recorder = Recorder::strict();
    let edgegap = recorder.edgegap().unwrap();
    recorder.reply("get_deployment", CannedReply::new(404, ""));
    let error = edgegap.deploy(new_server()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::Configuration, Effect::None)
    );
    let text = error.to_string();
    for words in [
        "POST /v2/deployments",
        "create_deployment",
        "get_deployment",
        "strict",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(
        recorder.unused(),
        ["1 unused replies for \"get_deployment\""]
    );
    let caught = std::panic::catch_unwind(|| recorder.assert_all_used());
    assert!(caught.is_err());
    // The refused request is recorded, too.
    assert_eq!(recorder.requests().len(), 1);
}

#[tokio::test]
async fn a_request_without_a_wrapper_needs_a_queued_reply() {
    let recorder = Recorder::new();
    let dployr = recorder.dployr().unwrap();
    let call = || dployr.request(deploykit::http::Method::GET, "/v1/whoami");
    let error = call().await.unwrap_err();
    assert!(
        error.to_string().contains("reply(\"GET /v1/whoami\""),
        "{error}"
    );
    recorder.reply("GET /v1/whoami", CannedReply::json(200, r#""me""#));
    assert_eq!(call().await.unwrap(), "me");
    recorder.reply("", CannedReply::json(200, "1"));
    assert_eq!(call().await.unwrap(), 1);
}

#[test]
fn unknown_operations_and_examples_panic() {
    let panic_message = |call: fn(&Recorder)| {
        let recorder = Recorder::new();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(&recorder)));
        *caught.unwrap_err().downcast::<String>().unwrap()
    };
    for (call, expected) in [
        (
            (|recorder| recorder.reply("creat_deployment", CannedReply::new(200, "")))
                as fn(&Recorder),
            "no operation \"creat_deployment\"; similar: `dployr create_deployment` or `nodion create_deployment` or `edgegap create_deployment`;",
        ),
        (
            |recorder| recorder.reply_example("edgegap get_deployment", "raedy"),
            "named \"raedy\" for edgegap get_deployment; existing examples: ready (200), seeking (200), failed (200), 400",
        ),
        (
            |recorder| recorder.reply_example("edgegap get_deployment", 418),
            "with status 418",
        ),
        (
            |recorder| recorder.reply_example("create_deployment", 400),
            "`edgegap create_deployment`",
        ),
    ] {
        let text = panic_message(call);
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn a_log_stream_can_be_canned() {
    let recorder = Recorder::new();
    let dployr = recorder.dployr().unwrap();
    recorder.reply(
        "get_service_logs",
        CannedReply::ndjson([r#"{"message":"one"}"#, r#"{"message":"two"}"#]),
    );
    let lines = dployr.service("web").logs(LogOptions::new()).await.unwrap();
    let texts: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(texts, ["one", "two"]);
    // The default example of a stream operation is a stream.
    assert!(
        !dployr
            .service("web")
            .logs(LogOptions::new())
            .await
            .unwrap()
            .is_empty()
    );
}
