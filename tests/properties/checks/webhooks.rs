//! Received webhooks and webhook URLs of any form.

use super::inputs::assert_refused;
use super::{PASSWORD, QUERY, TOKEN, VALUE, assert_redacted, assert_sound, text, with_canaries};
use deploykit::dployr::{self, NewWebhook};
use deploykit::edgegap::{self, DeploymentStatus, WebhookKind};
use deploykit::webhook::{CallbackSecret, SECRET_PARAMETER, verify_any};
use deploykit::{Effect, Error, ErrorKind};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// The first byte selects the input: the body or the query of a received webhook, or a webhook URL.
pub fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    match choice % 3 {
        0 => check_body(&with_canaries(rest)),
        1 => check_query(&text(&with_canaries(rest))),
        _ => check_url(&text(rest)),
    }
}

/// The error for a rejected body does not contain the body.
pub fn check_body(body: &[u8]) {
    let json = std::str::from_utf8(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
        .ok()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    match edgegap::WebhookEvent::from_bytes(body) {
        Ok(event) => {
            let json = json.as_ref().unwrap();
            let deployment = &event.deployment;
            assert_eq!(text_of(&json["request_id"]), deployment.request_id.as_str());
            assert!(!deployment.request_id.as_str().trim().is_empty());
            if let DeploymentStatus::Unknown(status) = &deployment.current_status {
                assert_eq!(*status, text_of(&json["current_status"]));
            }
            match event.kind() {
                WebhookKind::Ready => assert!(deployment.is_ready() && !deployment.is_over()),
                WebhookKind::Error => assert!(deployment.has_failed()),
                WebhookKind::Terminated => assert!(deployment.is_over()),
                _ => assert!(!deployment.is_ready() && !deployment.is_over()),
            }
        }
        Err(error) => assert_unreadable(&error),
    }
    match dployr::WebhookEvent::from_bytes(body) {
        Ok(event) => {
            let json = json.as_ref().unwrap();
            assert_eq!(json["event"], event.event.as_str());
            let data = &event.data;
            if let Some(id) = &data.deployment_id {
                assert_eq!(json["data"]["deploymentId"], id.as_str());
            }
            let email = data.user_email.as_ref().map(|email| email.as_str());
            let shown = format!("{:?}", data.user_email);
            assert!(email.is_none_or(|email| email.len() < 12 || !shown.contains(email)));
        }
        Err(error) => assert_unreadable(&error),
    }
}

/// A text, or a number as text.
fn text_of(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        value => value.as_str().unwrap_or_default().to_owned(),
    }
}

fn assert_unreadable(error: &Error) {
    assert_sound(error);
    let found = (error.kind(), error.effect());
    assert_eq!(found, (ErrorKind::Decode, Effect::None));
    assert_redacted(error, &[TOKEN, PASSWORD, VALUE, QUERY]);
}

/// A request is accepted if and only if it has the secret exactly once. All rejections have the same error.
pub fn check_query(query: &str) {
    let secret = CallbackSecret::new(format!("{TOKEN}-and-more")).unwrap();
    let other = CallbackSecret::new(format!("{QUERY}-and-much-more")).unwrap();
    let values: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == SECRET_PARAMETER)
        .map(|(_, value)| value.into_owned())
        .collect();
    let contains_only = |secret: &CallbackSecret| values == [secret.expose()];
    // `#` would end the query.
    if !query.contains('#') {
        let uri = format!("/hook?{query}");
        let either = contains_only(&secret) || contains_only(&other);
        assert_eq!(verify_any(&uri, [&other, &secret]).is_ok(), either);
        assert_eq!(secret.verify(&uri).is_ok(), contains_only(&secret));
    }
    if let Err(error) = secret.verify(query) {
        assert_sound(&error);
        let nothing = secret.verify("").unwrap_err();
        assert_eq!(format!("{error:?}"), format!("{nothing:?}"));
    }
}

/// A URL with an attached secret is redacted, and differs from the original only in the query.
pub fn check_url(url: &str) {
    let secret = CallbackSecret::new(format!("{TOKEN}-a+b/c=d&e#f%41?")).unwrap();
    let attached = match secret.attach(url) {
        Ok(attached) => attached,
        Err(error) => return assert_refused(&error),
    };
    let after = Url::parse(attached.expose()).unwrap();
    let mut before = Url::parse(url.trim()).unwrap();
    before.set_query(after.query());
    assert_eq!(before, after);
    assert!(["https", "http"].contains(&after.scheme()));
    assert!(after.username().is_empty() && after.password().is_none());
    assert!(after.fragment().is_none());
    secret.verify(attached.expose()).unwrap();
    let error = secret.attach(attached.expose()).unwrap_err();
    assert_refused(&error);
    let hook = NewWebhook::new(attached.clone(), ["x"]);
    let shown = format!("{attached} {attached:?} {hook:?} {secret:?}");
    assert!(!shown.contains(TOKEN) || url.contains(TOKEN), "{shown}");
}
