//! Redirects: never followed, and nothing goes where they lead.

use crate::cells::fault::{Fault, Setting, fault, reply};
use crate::support::Step;
use deploykit::ErrorKind::Redirected;

pub fn faults() -> Vec<Fault> {
    vec![
        fault("301 to another server", |to| {
            redirect("301 Moved Permanently", to)
        }),
        fault("302 to another server", |to| redirect("302 Found", to)),
        fault("303 to another server", |to| redirect("303 See Other", to)),
        fault("307 to another server", |to| {
            redirect("307 Temporary Redirect", to)
        }),
        fault("308 to another server", |to| {
            redirect("308 Permanent Redirect", to)
        }),
        fault("302 to itself, for ever", |_| {
            reply("302 Found", &["location: /v1/again"], "")
        }),
        fault("302 to nowhere", |_| reply("302 Found", &[], "")),
        fault("302 to what is no URL", |_| {
            reply("302 Found", &["location: http://[::"], "")
        }),
        fault("304 to a request without a condition", |_| {
            reply("304 Not Modified", &[], "")
        }),
    ]
    .into_iter()
    .map(|fault| fault.final_and_unclear(Redirected))
    .collect()
}

fn redirect(status: &str, setting: &Setting<'_>) -> Vec<Step> {
    let location = format!("location: {}/v1/elsewhere?token=1", setting.elsewhere);
    reply(status, &[&location], "<html>moved</html>")
}
