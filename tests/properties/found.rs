//! What these checks found, each once and by name.

use super::checks::{PASSWORD, inputs, logs, replies, with_canaries};
use deploykit::{OPERATIONS, Operation};

fn operation(api: &str, id: &str) -> &'static Operation {
    let mut operations = OPERATIONS.iter();
    operations.find(|op| op.api == api && op.id == id).unwrap()
}

fn reply(api: &str, id: &str, status: u16, body: &str) {
    replies::check_case(&replies::Case {
        operation: operation(api, id),
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
        reply(api, "create_deployment", 400, &message);
    }
    let id = format!(r#"{{"request_id":"{long}"}}"#);
    reply("edgegap", "create_deployment", 422, &id);
    reply("nexlayer", "extend_deployment", 500, &long);
    let name = format!(r#"{{"{long}":{{"{long}":1}}}}"#);
    reply("nodion", "list_deployments", 200, &name);
    inputs::id_in_a_path(operation("nodion", "list_deployments"), &format!("{long}/"));
}

#[test]
fn a_reply_that_cannot_be_read_repeats_no_secret() {
    for (id, body) in [
        ("create_deployment", "{\"\u{1}\":1}"),
        ("list_deployments", "{\"\u{1}\":1}"),
        ("create_deployment", "{\"a\":[{\"\u{1}\":{\"x\u{1}\":1}}]}"),
        ("list_deployments", "{\"a\":[{\"\u{1}\":{\"x\u{1}\":1}}]}"),
        ("create_deployment", "\"<html>\u{1}</html>\""),
        ("list_deployments", "\"<html>\u{3}</html>\""),
        // With its secret left out it begins like a page.
        ("create_deployment", "\"\u{1} hush\""),
        // A value that reads like a message.
        (
            "create_deployment",
            r#"{"deployment":{"id":"a","deploy_number":"x, expected hush at line 3"}}"#,
        ),
    ] {
        reply("nodion", id, 200, body);
    }
    reply("dployr", "login", 200, "{\"\u{4}\":1}");
    // Where the excerpt ends, in the middle of the secret.
    for length in 2030..2048 {
        let page = format!("\"<html>{}\u{1}\"", " ".repeat(length));
        reply("nodion", "create_deployment", 200, &page);
    }
    let line = "{\"success\":false,\"error\":{\"message\":\"gone \u{1}\",\"code\":\"\u{1}\"}}";
    logs::check(line.as_bytes());
}

#[test]
fn a_secret_in_another_form_is_masked() {
    let number = r#"{"message":"no","details":{"B":7734419902}}"#;
    reply("edgegap", "create_fleet_deployment", 400, number);
    let cut = format!(r#"{{"error":"bad password {}"#, "\u{4}");
    reply("dployr", "login", 401, &cut);
    reply("dployr", "login", 401, &format!("bad password {PASSWORD}"));
    inputs::header("x-a", " canary-query-e1 ");
    inputs::header("x-a", "ü canary-query-e1");
}

#[test]
fn a_422_that_is_no_json_is_unknown() {
    for body in ["", "<html></html>", "[]", "\"\""] {
        reply("edgegap", "create_deployment", 422, body);
    }
}

#[test]
fn a_space_does_not_lead_out_of_a_path() {
    for path in ["/a/.. ", "/a/. ", "/a ", "/a/%2e%2e ", "/a/%2E. /b"] {
        inputs::raw_path(path);
    }
}

#[test]
fn an_address_in_an_odd_form_hides_who_logs_in() {
    for url in [
        "https:/u:\u{7}@a.example/b",
        "https:///u:\u{7}@a.example",
        "https:u:\u{7}@a.example",
        "https:\\\\u:\u{7}@a.example\\b",
        "ht\ntps:/\t/\u{7}@a.example",
        "u:\u{7}@git.example/a.git",
        "\u{7}:x@git.example/a.git",
        "https:/a.example/?token=\u{8}",
        "htps:/a.example/?token=\u{8}",
    ] {
        let url = String::from_utf8(with_canaries(url.as_bytes())).unwrap();
        inputs::base_url(&url);
        inputs::address(&url);
    }
}
