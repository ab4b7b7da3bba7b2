//! What these checks found in replies, each by name. `fuzz/corpus` keeps what they found in inputs.

use super::checks::{PASSWORD, inputs, logs, replies, with_canaries};
use deploykit::{OPERATIONS, Operation};

fn operation(name: &str) -> &'static Operation {
    let mut operations = OPERATIONS.iter();
    let named = |op: &&Operation| name == format!("{} {}", op.api, op.id);
    operations.find(named).unwrap()
}

fn reply(name: &str, status: u16, body: &str) {
    replies::check_case(&replies::Case {
        operation: operation(name),
        status,
        content_type: "application/json",
        follow: false,
        body: &with_canaries(body.as_bytes()),
    });
}

#[test]
fn long_words_make_a_short_line() {
    let long = "ü".repeat(30_000);
    let message = format!(r#"{{"message":"{long}"}}"#);
    for api in ["edgegap", "nodion", "dployr"] {
        reply(&format!("{api} create_deployment"), 400, &message);
    }
    let id = format!(r#"{{"request_id":"{long}"}}"#);
    reply("edgegap create_deployment", 422, &id);
    reply("nexlayer extend_deployment", 500, &long);
    let name = format!(r#"{{"{long}":{{"{long}":1}}}}"#);
    reply("nodion list_deployments", 200, &name);
    inputs::id_in_a_path(operation("nodion list_deployments"), &format!("{long}/"));
}

#[test]
fn a_reply_that_cannot_be_read_repeats_no_secret() {
    for body in [
        "{\"\u{1}\":1}",
        "{\"a\":[{\"\u{1}\":{\"x\u{1}\":1}}]}",
        "\"<html>\u{1}</html>\"",
        "\"<html>\u{3}</html>\"",
        // With its secret redacted it begins like a page.
        "\"\u{1} hush\"",
        // A value that reads like a message.
        r#"{"deployment":{"id":"a","deploy_number":"x, expected hush at line 3"}}"#,
    ] {
        reply("nodion create_deployment", 200, body);
        reply("nodion list_deployments", 200, body);
    }
    reply("dployr login", 200, "{\"\u{4}\":1}");
    // Where the excerpt ends, in the middle of the secret.
    for length in 2030..2048 {
        let page = format!("\"<html>{}\u{1}\"", " ".repeat(length));
        reply("nodion create_deployment", 200, &page);
    }
    let line = "{\"success\":false,\"error\":{\"message\":\"gone \u{1}\",\"code\":\"\u{1}\"}}";
    logs::check(line.as_bytes());
}

#[test]
fn a_secret_in_another_form_is_masked() {
    let number = r#"{"message":"no","details":{"B":7734419902}}"#;
    reply("edgegap create_fleet_deployment", 400, number);
    let cut = format!(r#"{{"error":"bad password {}"#, "\u{4}");
    reply("dployr login", 401, &cut);
    reply("dployr login", 401, &format!("bad password {PASSWORD}"));
}

#[test]
fn a_422_that_is_no_json_is_unknown() {
    for body in ["", "<html></html>", "[]", "\"\""] {
        reply("edgegap create_deployment", 422, body);
    }
}
