use super::{CANARY, refused};
use deploykit::logs::LogLine;
use deploykit::nodion::{
    ApplicationHandle, ApplicationUpdate, Branch, Client, EnvVariableUpdate, LogOptions,
    NewApplication, NewEnvVariable, Scaling,
};
use std::time::{Duration, UNIX_EPOCH};

fn client() -> Client {
    Client::new(CANARY).unwrap()
}

fn application() -> ApplicationHandle {
    client().application("a-1")
}

#[test]
fn invalid_names_tags_and_scalings_are_refused() {
    let branch = || Branch::new("integration-1", "repository-1", "branch-1");
    let new = |name: &str| NewApplication::from_git(name, "region-1", "type-1", branch());
    for (new, message) in [
        (new(" "), "the application name is empty"),
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
        refused(client().applications().create(new), message);
    }
    for (branch, message) in [
        (Branch::new("", "b", "c"), "the integration id"),
        (Branch::new("a", " ", "c"), "the repository id"),
        (Branch::new("a", "b", "\n"), "the branch id"),
    ] {
        let new = NewApplication::from_git("a", "region-1", "type-1", branch.clone());
        refused(client().applications().create(new), message);
        refused(
            application().update(ApplicationUpdate::branch(branch)),
            message,
        );
    }
    for tag in ["", " ", "1 27", "1.27\n"] {
        refused(application().deploy_image_tag(tag), "the image tag");
    }
    for (scaling, message) in [
        (Scaling::to(0, "t"), "0 instances are not between 1 and 16"),
        (Scaling::to(17, "t"), "17 instances"),
        (Scaling::to(1, ""), "the instance type id \"\" is empty"),
        (
            Scaling::to(1, "t").worker(" "),
            "the worker id \" \" is empty",
        ),
    ] {
        refused(application().scale(scaling), message);
    }
    for name in ["", "www.example.com\n", "www example.com"] {
        refused(application().domains().create(name), "the domain name");
    }
}

#[test]
fn invalid_log_options_are_refused() {
    let cursor = |platform: &str| {
        let position = serde_json::json!({ "last": 7, "floor": 7, "lines": [], "overflow": 0 });
        let cursor =
            serde_json::json!({ "version": 1, "platform": platform, "position": position });
        serde_json::from_value(cursor).unwrap()
    };
    let line: LogLine = serde_json::from_str(r#"{"timestamp":"soon","message":"a"}"#).unwrap();
    let options = LogOptions::new;
    let far = UNIX_EPOCH + Duration::from_millis(u64::MAX / 2);
    for (options, message) in [
        (
            options().limit(0),
            "a limit of 0 lines is not between 1 and 2500",
        ),
        (options().limit(2501), "a limit of 2501 lines"),
        (options().tail(2501), "a tail of 2501 lines"),
        (
            options().after_line(&LogLine::new("a")),
            "the line has no timestamp",
        ),
        (options().instance(" "), "the instance id \" \" is empty"),
        (options().after_line(&line), "a time in the log options"),
        (options().until(far), "a time in the log options"),
    ] {
        refused(application().logs(options), message);
    }
    for (options, message) in [
        (options().until(UNIX_EPOCH), "has no end"),
        (options().limit(3), "has no limit"),
    ] {
        refused(application().follow_logs(options), message);
    }
    let has_cursor = "where the log resumes";
    for (options, platform, message) in [
        (options().tail(3), "nodion", has_cursor),
        (options().since(UNIX_EPOCH), "nodion", has_cursor),
        (options(), "dployr", "not to nodion"),
    ] {
        let call = application().resume_logs(options, &cursor(platform));
        refused(call, message);
    }
}

#[test]
fn invalid_variables_are_refused() {
    let variable = application().env_variable("v-1");
    refused(variable.update(EnvVariableUpdate::new()), "is empty");
    for key in ["", " ", "A=B", "A\nB"] {
        let new = NewEnvVariable::new(key, CANARY);
        refused(
            application().env_variables().create(new),
            "the variable key",
        );
        let update = EnvVariableUpdate::new().key(key);
        refused(variable.update(update), "the variable key");
    }
}

#[test]
fn ids_that_would_change_the_path_are_refused() {
    for id in ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"] {
        let invalid = client().application(id);
        refused(invalid.deploy(), "application id");
        refused(invalid.deploy_image_tag("1"), "application id");
        refused(invalid.deployments().list(), "application id");
        refused(invalid.deployment("d").get(), "application id");
        refused(invalid.logs(LogOptions::new()), "application id");
        refused(invalid.process("p").stop(), "application id");
        refused(application().deployment(id).get(), "deployment id");
        refused(application().process(id).stop(), "process id");
        refused(application().env_variable(id).get(), "variable id");
        refused(application().env_variable(id).delete(), "variable id");
        refused(application().domain(id).verify(), "domain id");
        refused(application().domain(id).delete(), "domain id");
    }
}
