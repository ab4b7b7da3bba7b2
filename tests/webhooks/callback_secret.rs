//! Callback secrets: generation, attachment to webhook URLs, verification of requests.

use deploykit::webhook::{CallbackSecret, SECRET_PARAMETER, verify_any};
use deploykit::{Effect, Error, ErrorKind};

const TEXT: &str = "0123456789abcdef0123456789abcdef";

#[track_caller]
fn assert_redacted(error: &Error) {
    let shown = format!(
        "{error} {error:?} {:?} {:?}",
        error.message(),
        error.body_excerpt()
    );
    assert!(!shown.contains("hush"), "{shown}");
    assert!(!shown.contains(TEXT), "{shown}");
}

fn secret() -> CallbackSecret {
    CallbackSecret::new(TEXT).unwrap()
}

#[test]
fn generated_secrets_have_256_random_bits_and_weak_ones_are_rejected() {
    let made: Vec<_> = (0..50)
        .map(|_| CallbackSecret::generate().unwrap())
        .collect();
    for secret in &made {
        let text = secret.expose();
        assert_eq!(text.len(), 64);
        assert!(text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let same = made.iter().filter(|other| other.expose() == text);
        assert_eq!(same.count(), 1);
        assert!(!format!("{secret:?}").contains(text));
        CallbackSecret::new(text).unwrap();
    }
    for (text, why) in [
        ("", "22 bytes"),
        ("hush", "22 bytes"),
        ("hush hush hush hush hush", "whitespace"),
        ("hush-hush-hush-hush-hush\n", "whitespace or a control"),
    ] {
        let error = CallbackSecret::new(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(why), "{error}");
        assert_redacted(&error);
    }
}

#[test]
fn attached_secrets_are_redacted_and_unsafe_urls_are_rejected() {
    for (url, attached) in [
        (
            "https://me.example/hook",
            "https://me.example/hook?callback_secret=",
        ),
        ("https://me.example", "https://me.example/?callback_secret="),
        (
            "https://me.example/h?",
            "https://me.example/h?callback_secret=",
        ),
        (
            "https://me.example:8443/h?of=a%20b&c",
            "https://me.example:8443/h?of=a%20b&c&callback_secret=",
        ),
        (
            "http://127.0.0.1:3000/h",
            "http://127.0.0.1:3000/h?callback_secret=",
        ),
        ("http://[::1]/h", "http://[::1]/h?callback_secret="),
        ("http://localhost/h", "http://localhost/h?callback_secret="),
    ] {
        let url = secret().attach(url).unwrap();
        assert_eq!(url.expose(), format!("{attached}{TEXT}"));
        let shown = format!("{url} {url:?} {}", serde_json::to_string(&url).unwrap());
        assert!(!shown.contains(TEXT), "{shown}");
        secret().verify(url.expose()).unwrap();
    }
    for (url, why) in [
        ("hush", "is not a URL"),
        ("/hook?hush", "is not a URL"),
        ("ftp://me.example/hush", "does not use https"),
        ("mailto:hush@me.example", "has no host"),
        ("http://me.example/hush", "plain http"),
        ("http://127.0.0.1.me.example/hush", "plain http"),
        ("https://u:hush@me.example/", "a user name or a password"),
        ("https://hush@me.example/", "a user name or a password"),
        ("https://me.example/#hush", "a fragment"),
        ("https://me.example/?callback_secret=hush", "already"),
        ("https://me.example/?a&callback%5fsecret", "already"),
    ] {
        let error = secret().attach(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(why), "{url}: {error}");
        assert_redacted(&error);
    }
}

#[test]
fn requests_with_the_secret_are_verified() {
    let escaped: String = TEXT.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for uri in [
        format!("https://me.example/hook?callback_secret={TEXT}"),
        format!("/hook?callback_secret={TEXT}"),
        format!("/?a=b&callback_secret={TEXT}&c"),
        format!("?callback_secret={TEXT}"),
        format!("/hook?callback%5Fsecret={escaped}"),
    ] {
        secret().verify(&uri).unwrap();
    }
    // A secret of the caller, with special characters.
    let own = CallbackSecret::new("a+b/c=d&e#f%41?ü-0123456789").unwrap();
    let url = own.attach("https://me.example/hook").unwrap();
    own.verify(url.expose()).unwrap();
    let uri: deploykit::http::Uri = url.expose().parse().unwrap();
    own.verify(&uri.to_string()).unwrap();
}

#[test]
fn requests_without_the_secret_get_the_same_error() {
    let upper = TEXT.to_uppercase();
    let wrong = [
        String::new(),
        "/hook".to_owned(),
        TEXT.to_owned(),
        format!("/callback_secret={TEXT}"),
        format!("/hook#?callback_secret={TEXT}"),
        "/hook?callback_secret=".to_owned(),
        format!("/hook?callback_secret={upper}"),
        format!("/hook?callback_secret={}", &TEXT[..31]),
        format!("/hook?callback_secret={TEXT}0"),
        format!("/hook?callback_secret=1{}", &TEXT[1..]),
        format!("/hook?callback_secret={TEXT}%00"),
        format!("/hook?callback_secret=%ff{}", &TEXT[1..]),
        format!("/hook?callback_secret=+{TEXT}"),
        format!("/hook?Callback_Secret={TEXT}"),
        format!("/hook?callback_secret={TEXT}&callback_secret={TEXT}"),
        format!("/hook?callback_secret={TEXT}&callback%5fsecret=x"),
    ];
    let first = secret().verify("").unwrap_err();
    for uri in wrong {
        let error = secret().verify(&uri).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{uri}");
        assert_eq!(error.effect(), Effect::None);
        assert_eq!(format!("{error:?}"), format!("{first:?}"), "{uri}");
        assert_redacted(&error);
    }
    verify_any(&format!("/?{SECRET_PARAMETER}={TEXT}"), []).unwrap_err();
}

#[test]
fn a_secret_can_be_rotated() {
    let [new, old, other] = [(); 3].map(|()| CallbackSecret::generate().unwrap());
    let url = |secret: &CallbackSecret| secret.attach("https://me.example/hook").unwrap();
    for secret in [&new, &old] {
        verify_any(url(secret).expose(), [&new, &old]).unwrap();
        verify_any(url(secret).expose(), &[new.clone(), old.clone()]).unwrap();
    }
    verify_any(url(&other).expose(), [&new, &old]).unwrap_err();
    verify_any(url(&old).expose(), [&new]).unwrap_err();
}
