use super::{CANARY, refused};
use deploykit::logs::LogLine;
use deploykit::nodion::{
    ApplicationHandle, Branch, Client, EnvVariableUpdate, LogWindow, NewApplication,
    NewEnvVariable, Scaling,
};
use std::time::{Duration, UNIX_EPOCH};

fn client() -> Client {
    Client::new(CANARY).unwrap()
}

fn application() -> ApplicationHandle {
    client().application("a-1")
}

#[test]
fn invalid_applications_are_refused() {
    let branch = || Branch::new("integration-1", "repository-1", "branch-1");
    let new = |name: &str| NewApplication::from_git(name, "region-1", "type-1", branch());
    for (new, words) in [
        (new(" "), "the name of the application is empty"),
        (new("a\nb"), "contains a control character"),
        (
            new("a").instances(0),
            "0 instances are not between 1 and 16",
        ),
        (
            new("a").instances(17),
            "17 instances are not between 1 and 16",
        ),
    ] {
        refused(client().applications().create(new), words);
    }
    for (branch, words) in [
        (Branch::new("", "b", "c"), "the id of the integration"),
        (Branch::new("a", " ", "c"), "the id of the repository"),
        (Branch::new("a", "b", "\n"), "the id of the branch"),
    ] {
        let new = NewApplication::from_git("a", "region-1", "type-1", branch.clone());
        refused(client().applications().create(new), words);
        refused(application().set_branch(branch), words);
    }
    for tag in ["", " ", "1 27", "1.27\n"] {
        refused(application().deploy_image(tag), "the tag of the image");
    }
    for (scaling, words) in [
        (Scaling::to(0, "t"), "0 instances are not between 1 and 16"),
        (Scaling::to(17, "t"), "17 instances"),
        (Scaling::to(1, ""), "the id of the instance type is empty"),
        (
            Scaling::to(1, "t").worker(" "),
            "the id of the worker is empty",
        ),
    ] {
        refused(application().scale(scaling), words);
    }
    for name in ["", "www.example.com\n", "www example.com"] {
        refused(application().domains().add(name), "the name of the domain");
    }
}

#[test]
fn invalid_log_windows_are_refused() {
    let cursor = |platform: &str| {
        let place = serde_json::json!({ "last": 7, "floor": 7, "given": [], "crowd": 0 });
        let cursor = serde_json::json!({ "version": 1, "platform": platform, "place": place });
        serde_json::from_value(cursor).unwrap()
    };
    let line: LogLine = serde_json::from_str(r#"{"timestamp":"soon","message":"a"}"#).unwrap();
    let window = LogWindow::new;
    let far = UNIX_EPOCH + Duration::from_millis(u64::MAX / 2);
    for (window, words) in [
        (window().limit(0), "0 lines are not between 1 and 2500"),
        (window().limit(2501), "2501 lines"),
        (window().instance(" "), "the id of the instance is empty"),
        (window().after_line(&line), "a time of the window"),
        (window().before(far), "a time of the window"),
    ] {
        refused(application().logs(window), words);
    }
    for (window, words) in [
        (window().before(UNIX_EPOCH), "has no end"),
        (window().newest_first(), "newest line"),
    ] {
        refused(application().follow_logs(window), words);
    }
    for (window, platform, words) in [
        (window().limit(3), "nodion", "where the stream begins"),
        (window(), "dployr", "not to nodion"),
    ] {
        let call = application().resume_logs(window, &cursor(platform));
        refused(call, words);
    }
}

#[test]
fn invalid_variables_are_refused() {
    let variable = application().env_variable("v-1");
    refused(variable.update(EnvVariableUpdate::new()), "nothing");
    for key in ["", " ", "A=B", "A\nB"] {
        let new = NewEnvVariable::new(key, CANARY);
        refused(application().env().add(new), "the name of the variable");
        let update = EnvVariableUpdate::new().key(key);
        refused(variable.update(update), "the name of the variable");
    }
}

#[test]
fn ids_that_change_the_path_are_refused() {
    for id in ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"] {
        let wrong = client().application(id);
        refused(wrong.deploy(), "application id");
        refused(wrong.deploy_image("1"), "application id");
        refused(wrong.deployments(), "application id");
        refused(wrong.deployment("d").get(), "application id");
        refused(wrong.logs(LogWindow::new()), "application id");
        refused(wrong.process("p").stop(), "application id");
        refused(application().deployment(id).get(), "deployment id");
        refused(application().process(id).stop(), "process id");
        refused(application().env_variable(id).get(), "variable id");
        refused(application().env_variable(id).delete(), "variable id");
        refused(application().domain(id).verify(), "domain id");
        refused(application().domain(id).delete(), "domain id");
    }
}
