//! Calls of Nodion's operations.

use super::{AnyCall, Clients, Row, json, json_with_id};
use deploykit::logs::{LogCursor, LogLine};
use deploykit::nodion::{
    ApplicationHandle, ApplicationUpdate, Branch, DomainHandle, EnvVariableHandle,
    EnvVariableUpdate, LogOptions, NewApplication, NewEnvVariable, ProcessHandle, Scaling,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const APPLICATION: &str = "92955d4f-2e44-4e48-8cb6-9c6c434afebb";
const INSTANCE_TYPE: &str = "c047eab3-7574-44f5-b25a-5ae9b490500c";
const UNUSUAL_ID: &str = "a b %2e ü";
/// Bounds of a log window, in milliseconds since the epoch.
const FROM: u64 = 1_777_968_000_115;
const TO: u64 = 1_777_971_600_000;

fn row(id: &str, make: impl Fn(&Clients) -> AnyCall + Send + Sync + 'static) -> Row {
    super::row("nodion", id, make)
}

/// The application of the sandbox, or of the spec's example.
fn application(to: &Clients) -> ApplicationHandle {
    to.nodion.application(to.id("application", APPLICATION))
}

fn process(to: &Clients) -> ProcessHandle {
    application(to).process(to.id("process", "p-1"))
}

fn variable(to: &Clients) -> EnvVariableHandle {
    application(to).env_variable(to.id("variable", "v-1"))
}

fn domain(to: &Clients) -> DomainHandle {
    application(to).domain(to.id("domain", "d-1"))
}

fn branch() -> Branch {
    Branch::new("integration-1", "repository-1", "branch-1")
}

fn at(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

fn line(ts: &str) -> LogLine {
    serde_json::from_str(&format!(r#"{{"timestamp":{ts},"message":"a"}}"#)).unwrap()
}

fn cursor() -> LogCursor {
    let position = serde_json::json!({ "last": FROM, "floor": FROM, "lines": [], "overflow": 0 });
    let cursor = serde_json::json!({ "version": 1, "platform": "nodion", "position": position });
    serde_json::from_value(cursor).unwrap()
}

fn new_application(to: &Clients) -> NewApplication {
    let region = to.value("region", "region-1");
    NewApplication::from_git("My App", region, instance_type(to), branch())
}

fn logs(to: &Clients, options: LogOptions) -> AnyCall {
    json(application(to).logs(options))
}

fn instance_type(to: &Clients) -> String {
    to.value("instance_type", INSTANCE_TYPE)
}

fn new_variable(to: &Clients) -> NewEnvVariable {
    NewEnvVariable::new("DATABASE_URL", to.secret("body.env_val"))
}

pub fn rows() -> Vec<Row> {
    vec![
        row("list_regions", |to| json(to.nodion.regions().list())),
        row("list_instance_types", |to| {
            json(to.nodion.instance_types().list())
        }),
        row("list_applications", |to| {
            json(to.nodion.applications().list())
        }),
        row("create_application", |to| {
            json(to.nodion.applications().create(new_application(to)))
        })
        .variant("instances", |to| {
            let many = new_application(to).instances(16);
            json(to.nodion.applications().create(many))
        })
        .names("created_application", "/id"),
        row("get_application", |to| json(application(to).get())),
        row("update_application", |to| {
            json(application(to).update(ApplicationUpdate::branch(branch())))
        }),
        row("create_deployment", |to| json(application(to).deploy())).variant("image", |to| {
            let id = to.id("image_application", APPLICATION);
            json(to.nodion.application(id).deploy_image_tag("1.27"))
        }),
        row("list_deployments", |to| {
            json(application(to).deployments().list())
        })
        .variant("unusual_id", |to| {
            json(
                to.nodion
                    .application(to.id("unusual", UNUSUAL_ID))
                    .deployments()
                    .list(),
            )
        })
        .variant("project", |to| {
            let builder = to.nodion_builder().token(to.secret("authorization"));
            let client = builder.project("p-1").build().unwrap();
            let application = client.application(to.id("application", APPLICATION));
            json(application.deployments().list())
        })
        .variant("one", |to| {
            json(application(to).deployment(to.id("deployment", "d-1")).get())
        })
        .names("deployment", "/items/0/id"),
        row("list_logs", |to| logs(to, LogOptions::new()))
            .variant("window", |to| {
                let window = LogOptions::new().since(at(FROM)).until(at(TO));
                logs(to, window.limit(2500).instance("i-1"))
            })
            // The request contains all digits of the time. With fewer, the server returns the line again.
            .variant("after_line", |to| {
                let line = line("\"2026-05-05T08:14:22.115672Z\"");
                logs(to, LogOptions::new().after_line(&line))
            })
            .variant("before_line", |to| {
                logs(to, LogOptions::new().before_line(&line("1777968862115")))
            })
            .variant("tail", |to| logs(to, LogOptions::new().tail(10)))
            .variant("follow", |to| {
                let options = LogOptions::new().tail(10).instance("i-1");
                super::endless(application(to).follow_logs(options))
            })
            .variant("resume", |to| {
                super::endless(application(to).resume_logs(LogOptions::new(), &cursor()))
            }),
        row("list_instances", |to| {
            json(application(to).instances().list())
        }),
        row("list_processes", |to| {
            json(application(to).processes().list())
        })
        .names("process", "/items/0/id"),
        row("scale_process", |to| json(process(to).scale(3)))
            .variant("stop", |to| json(process(to).stop())),
        row("create_scaling_event", |to| {
            json(application(to).scale(Scaling::to(2, instance_type(to))))
        })
        .variant("worker", |to| {
            let scaling = Scaling::to(2, instance_type(to)).worker("w-1");
            json(application(to).scale(scaling))
        }),
        row("list_scaling_events", |to| {
            json(application(to).scaling_events().list())
        }),
        row("create_env_variable", |to| {
            let call = application(to).env_variables().create(new_variable(to));
            json_with_id(call, |variable| Some(variable.id.to_string()))
        })
        .variant("buildtime", |to| {
            json(
                application(to)
                    .env_variables()
                    .create(new_variable(to).buildtime(true)),
            )
        })
        .names("variable", ""),
        row("list_env_variables", |to| {
            json(application(to).env_variables().list())
        }),
        row("get_env_variable", |to| json(variable(to).get())),
        row("update_env_variable", |to| {
            let update = EnvVariableUpdate::new().value(to.secret("body.env_val"));
            json(variable(to).update(update))
        })
        .variant("key", |to| {
            let update = EnvVariableUpdate::new().key("DB").buildtime(false);
            json(variable(to).update(update))
        }),
        row("delete_env_variable", |to| json(variable(to).delete())),
        row("create_domain", |to| {
            json(application(to).domains().create("www.example.com"))
        })
        .names("domain", "/id"),
        row("list_domains", |to| json(application(to).domains().list())),
        row("verify_domain", |to| json(domain(to).verify())),
        row("connect_domain", |to| json(domain(to).connect())),
        row("delete_domain", |to| json(domain(to).delete())),
        row("delete_application", |to| {
            let id = to.id("created_application", APPLICATION);
            json(to.nodion.application(id).delete())
        }),
    ]
}
