//! The secret in a callback URL, and what a stranger sends there.

use crate::planted::Plant;
use crate::walk::{Walk, json};
use deploykit::dployr::{self, NewWebhook};
use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::webhook::{CallbackSecret, verify};
use serde_json::json as value;

pub async fn walk(walk: &mut Walk) {
    secret(walk);
    bodies(walk);
    walk.look_at_the_log();
}

fn secret(walk: &mut Walk) {
    let plant = Plant::new("callback secret");
    let text = plant.ascii("query.callback_secret");
    let secret = CallbackSecret::new(text.as_str()).unwrap();
    walk.debug("secret", &secret);
    let url = secret.attach("https://me.example/hook").unwrap();
    walk.debug("url", &url);
    for shown in json(&url).into_iter().chain([url.to_string()]) {
        walk.debug("url", &shown);
    }
    secret.verify(url.expose()).unwrap();
    let player = User::ip([75, 28, 35, 192].into());
    let new = NewDeployment::new("my-app", "1", player).webhook_on_ready(url.clone());
    walk.debug("new", &new);
    walk.debug("new", &NewWebhook::new(url.clone(), ["x"]));
    let wrong = format!(
        "/hook?callback_secret={}",
        plant.plain("unsent wrong secret")
    );
    let twice = format!("{}&callback_secret=x", url.expose());
    for uri in [wrong.as_str(), twice.as_str(), text.as_str()] {
        walk.look_at_error("refused", &verify(uri, [&secret]).unwrap_err());
    }
    let again = secret.attach(url.expose()).unwrap_err();
    walk.look_at_error("refused", &again);
    for part in [
        "http://me.example/",
        "no url ",
        "https://me.example/#",
        "https://u@me.example/",
    ] {
        let url = format!("{part}{}", plant.plain("unsent url that is none"));
        walk.look_at_error("refused", &secret.attach(&url).unwrap_err());
    }
    let short = format!("{} \n", plant.plain("unsent secret that is none"));
    let refused = CallbackSecret::new(short).unwrap_err();
    walk.look_at_error("refused", &refused);
}

fn bodies(walk: &mut Walk) {
    let plant = Plant::new("callback body");
    let [a, b] = ["reply.body", "reply.data"].map(|place| plant.wide(place));
    let ports = value!({ &a: { "external": &b } });
    let of_edgegap = [
        value!({ "request_id": [&a] }).to_string(),
        value!({ "request_id": "x", "running": &a }).to_string(),
        value!({ "request_id": "x", "elapsed_time": &b, "ports": &ports }).to_string(),
        value!({ "request_id": "x", "ports": &ports }).to_string(),
        value!({ &a: &b }).to_string(),
        format!("{{\"{a}"),
        format!("[{}", value!(a)),
        value!(a).to_string(),
    ];
    for body in of_edgegap {
        let error = edgegap::WebhookEvent::from_bytes(body.as_bytes()).unwrap_err();
        walk.look_at_error("body", &error);
    }
    for body in [
        value!({ "event": [&a] }),
        value!({ "event": "x", "data": &a }),
    ] {
        let body = body.to_string();
        let error = dployr::WebhookEvent::from_bytes(body.as_bytes()).unwrap_err();
        walk.look_at_error("body", &error);
    }
    let email = plant.wide("reply.data.userEmail");
    let data = value!({ "userEmail": email, "more": { &a: &b }, "other": a });
    let body = value!({ "event": "user.updated", "data": data, "secret": b }).to_string();
    let event = dployr::WebhookEvent::from_bytes(body.as_bytes()).unwrap();
    walk.debug("event", &event);
}
