//! Redirects: never followed, and nothing goes where they lead.

use crate::cells::fault::{Fault, Setting, fault, reply};
use crate::support::Step;
use deploykit::ErrorKind::Redirected;

pub fn faults() -> Vec<Fault> {
    let elsewhere = [
        ("301 to another server", "301 Moved Permanently"),
        ("302 to another server", "302 Found"),
        ("303 to another server", "303 See Other"),
        ("307 to another server", "307 Temporary Redirect"),
        ("308 to another server", "308 Permanent Redirect"),
    ];
    let elsewhere =
        elsewhere.map(|(name, status)| fault(name, move |setting| redirect(status, setting)));
    let nowhere = [
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
    ];
    let all = elsewhere.into_iter().chain(nowhere);
    all.map(|fault| fault.final_and_unclear(Redirected))
        .collect()
}

fn redirect(status: &str, setting: &Setting<'_>) -> Vec<Step> {
    let location = format!("location: {}/v1/elsewhere?token=1", setting.elsewhere);
    reply(status, &[&location], "<html>moved</html>")
}
