//! Text responses of Nexlayer: known sentences, or any text.

use super::{
    SESSION, TOKEN, assert_redacted, assert_sound, block_on, platforms, text, with_canaries,
};
use deploykit::testing::CannedReply;
use deploykit::{Call, Effect, ErrorKind, Result};
use std::fmt::Debug;
use std::time::Duration;

const MANIFEST: &str = "application: {name: from-the-manifest}";

/// The first byte selects the check: any text, or known sentences with any name and numbers.
pub fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    if choice % 2 == 0 {
        check_any_text(&text(&with_canaries(rest)));
    } else if let [a, b, c, d, e, f, g, h, name @ ..] = rest {
        let numbers = [[*a, *b, *c, *d], [*e, *f, *g, *h]].map(u32::from_le_bytes);
        check_known_sentences(&text(name), numbers[0], numbers[1]);
    }
}

fn reply(body: &str) -> CannedReply {
    CannedReply::new(200, body).header("content-type", "text/html; charset=utf-8")
}

/// Any text is a successful response, unless it is an HTML page or reports a failure.
pub fn check_any_text(body: &str) {
    let secrets = [TOKEN, SESSION];
    platforms::with(|platforms| {
        platforms.answer(reply(body));
        let session = platforms.nexlayer.session(SESSION);
        let application = session.application("a");
        block_on(async {
            let texts = [
                text_of(application.extend(), |it| it.message).await,
                text_of(application.reserve(), |text| text).await,
                text_of(application.delete_reservation(), |it| it.message).await,
                text_of(session.reservations().delete_all(), |it| it.message).await,
            ];
            let mut errors = Vec::new();
            match application.claim().await {
                Ok(claim) => {
                    let url = claim.url.as_ref().map_or("https://", |url| url.expose());
                    assert!(url.starts_with("https://") || url.starts_with("http://"));
                }
                Err(error) => errors.push(error),
            }
            let manifest = deploykit::nexlayer::Manifest::parse(MANIFEST).unwrap();
            if let Err(error) = session.deploy(manifest).await {
                errors.push(error);
            }
            let words = body.strip_prefix('\u{feff}').unwrap_or(body);
            let is_not_json = serde_json::from_str::<serde::de::IgnoredAny>(words).is_err();
            for kept in texts {
                match kept {
                    Ok(kept) if is_not_json && !words.trim().is_empty() => {
                        assert_eq!(kept, words.trim())
                    }
                    Ok(_) => {}
                    Err(error) => errors.push(error),
                }
            }
            for error in errors {
                assert_sound(&error);
                assert_redacted(&error, &secrets);
                assert_eq!(error.status(), Some(200));
                assert!(error.kind() != ErrorKind::Decode || error.effect() != Effect::None);
            }
        });
    });
}

async fn text_of<T: Debug + Send + 'static>(
    call: Call<T>,
    text: fn(T) -> String,
) -> Result<String> {
    let value = call.await?;
    assert!(!format!("{value:?}").is_empty());
    Ok(text(value))
}

/// Numbers in known sentences are parsed for any application name.
pub fn check_known_sentences(name: &str, minutes: u32, extensions: u32) {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return;
    }
    let time = Some(Duration::from_secs(60 * u64::from(minutes)));
    platforms::with(|platforms| {
        let application = platforms.nexlayer.session(SESSION).application("a");
        block_on(async {
            platforms.answer(reply(&format!(
                "Application {name} has been extended.  Environment will expire in {minutes} minutes.  {extensions} extension(s) remaining."
            )));
            let extended = application.extend().await.unwrap();
            assert_eq!(extended.expires_in, time, "{name:?}");
            assert_eq!(extended.extensions_remaining, Some(extensions), "{name:?}");

            let words = format!(
                "Application {name} reservation has been removed. Application site will be removed within the next {minutes} minutes."
            );
            let body = serde_json::json!({ "message": words });
            platforms.answer(CannedReply::json(200, body.to_string()));
            let removed = application.delete_reservation().await.unwrap();
            assert_eq!(removed.sites_removed_within, time, "{name:?}");
        });
    });
}
