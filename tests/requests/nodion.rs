use super::{CANARY, refused, shows, shows_as};
use deploykit::nodion::{
    ApplicationHandle, Branch, Client, EnvVariableUpdate, LogLine, LogWindow, NewApplication,
    NewEnvVariable, Scaling,
};
use std::time::{Duration, UNIX_EPOCH};

const APPLICATION: &str = "92955d4f-2e44-4e48-8cb6-9c6c434afebb";
const TYPE: &str = "c047eab3-7574-44f5-b25a-5ae9b490500c";

fn client() -> Client {
    Client::new(CANARY).unwrap()
}

fn application() -> ApplicationHandle {
    client().application(APPLICATION)
}

fn branch() -> Branch {
    Branch::new("integration-1", "repository-1", "branch-1")
}

#[test]
pub fn deployments() {
    shows(client().application(APPLICATION).deployments());
    shows_as(
        "unusual_id",
        client().application("a b %2e ü").deployments(),
    );
    let project = Client::builder()
        .token(format!("Bearer {CANARY}"))
        .project("p-1")
        .build()
        .unwrap();
    shows_as("project", project.application(APPLICATION).deployments());
    shows_as("one", application().deployment("d-1").get());
}

#[test]
pub fn deploy() {
    // No body, not even an empty object: what the platform makes of that is not known.
    shows(application().deploy());
    shows_as("image", application().deploy_image("1.27"));
    for tag in ["", " ", "1 27", "1.27\n"] {
        refused(application().deploy_image(tag), "the tag of the image");
    }
}

#[test]
pub fn applications() {
    shows(client().applications().list());
    let new = |name: &str| NewApplication::from_git(name, "region-1", TYPE, branch());
    shows(client().applications().create(new("My App")));
    let many = new("My App").instances(16);
    shows_as("instances", client().applications().create(many));
    shows(application().get());
    shows(application().set_branch(branch()));
    shows(application().delete());

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
        let new = NewApplication::from_git("a", "region-1", TYPE, branch.clone());
        refused(client().applications().create(new), words);
        refused(application().set_branch(branch), words);
    }
}

fn line(ts: &str) -> LogLine {
    serde_json::from_str(&format!(r#"{{"ts":{ts},"msg":"a"}}"#)).unwrap()
}

#[test]
pub fn logs() {
    let (from, to) = (1_777_968_000_115, 1_777_971_600_000);
    let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
    shows(application().logs(LogWindow::new()));
    let all = LogWindow::new()
        .after(at(from))
        .before(at(to))
        .limit(2500)
        .instance("i-1");
    shows_as("window", application().logs(all));
    // The digits of a line stay: with fewer of them it would come again.
    let on = LogWindow::new().after_line(&line("\"2026-05-05T08:14:22.115672Z\""));
    shows_as("after_line", application().logs(on));
    let back = LogWindow::new().before_line(&line("1777968862115"));
    shows_as("before_line", application().logs(back));
    let newest = LogWindow::new().newest_first().limit(10);
    shows_as("newest_first", application().logs(newest));
    let follow = LogWindow::new().limit(10).instance("i-1");
    shows_as("follow", application().follow_logs(follow));
    let cursor = |platform: &str| -> deploykit::LogCursor {
        let place = serde_json::json!({ "last": from, "floor": from, "given": [], "crowd": 0 });
        let cursor = serde_json::json!({ "version": 1, "platform": platform, "place": place });
        serde_json::from_value(cursor).unwrap()
    };
    let (other, cursor) = (cursor("dployr"), cursor("nodion"));
    shows_as("resume", application().resume_logs(&cursor));

    for (window, words) in [
        (
            LogWindow::new().limit(0),
            "0 lines are not between 1 and 2500",
        ),
        (LogWindow::new().limit(2501), "2501 lines"),
        (
            LogWindow::new().instance(" "),
            "the id of the instance is empty",
        ),
        (
            LogWindow::new().after_line(&line("\"soon\"")),
            "a time of the window",
        ),
        (
            LogWindow::new().before(at(u64::MAX / 2)),
            "a time of the window",
        ),
    ] {
        refused(application().logs(window), words);
    }
    let end = LogWindow::new().before(at(to));
    refused(application().follow_logs(end), "has no end");
    let newest = LogWindow::new().newest_first();
    refused(application().follow_logs(newest), "newest line");
    let both = LogWindow::new().limit(3).resume(cursor.clone());
    refused(application().follow_logs(both), "where the stream begins");
    let window = LogWindow::new().resume(cursor);
    refused(application().logs(window), "a cursor is for a stream");
    refused(application().resume_logs(&other), "not to nodion");
}

#[test]
pub fn env() {
    shows(application().env().list());
    let new = |key: &str| NewEnvVariable::new(key, CANARY);
    shows(application().env().add(new("DATABASE_URL")));
    let both = new("DATABASE_URL").buildtime(true);
    shows_as("buildtime", application().env().add(both));
    shows(application().env_variable("v-1").get());
    let update = EnvVariableUpdate::new();
    let value = update.clone().value(CANARY);
    shows(application().env_variable("v-1").update(value));
    let rest = update.clone().key("DB").buildtime(false);
    shows_as("key", application().env_variable("v-1").update(rest));
    shows(application().env_variable("v-1").delete());

    refused(application().env_variable("v-1").update(update), "nothing");
    for key in ["", " ", "A=B", "A\nB"] {
        refused(
            application().env().add(new(key)),
            "the name of the variable",
        );
        let update = EnvVariableUpdate::new().key(key);
        let call = application().env_variable("v-1").update(update);
        refused(call, "the name of the variable");
    }
}

#[test]
pub fn scaling() {
    shows(application().instances());
    shows(application().processes());
    shows(application().process("p-1").scale(3));
    shows_as("stop", application().process("p-1").stop());
    shows(application().scaling_events());
    shows(application().scale(Scaling::to(2, TYPE)));
    let worker = Scaling::to(2, TYPE).worker("w-1");
    shows_as("worker", application().scale(worker));

    for (scaling, words) in [
        (Scaling::to(0, TYPE), "0 instances are not between 1 and 16"),
        (Scaling::to(17, TYPE), "17 instances"),
        (Scaling::to(1, ""), "the id of the instance type is empty"),
        (
            Scaling::to(1, TYPE).worker(" "),
            "the id of the worker is empty",
        ),
    ] {
        refused(application().scale(scaling), words);
    }
}

#[test]
pub fn domains() {
    shows(application().domains().list());
    shows(application().domains().add("www.example.com"));
    shows(application().domain("d-1").verify());
    shows(application().domain("d-1").connect());
    shows(application().domain("d-1").delete());
    for name in ["", "www.example.com\n", "www example.com"] {
        refused(application().domains().add(name), "the name of the domain");
    }
}

#[test]
pub fn catalogue() {
    shows(client().regions());
    shows(client().instance_types());
}

#[test]
pub fn ids_that_change_the_path_are_refused() {
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
