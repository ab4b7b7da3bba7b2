//! Ids and names on their way into a URL. Those that are refused are in `tests/bad_input.rs`.

use super::{LIST, always, at, nodion, settled};
use crate::cells::fault::reply;
use crate::support::Server;
use deploykit::dployr;

async fn line_of(server: &Server) -> String {
    let log = server.log();
    let request = String::from_utf8_lossy(&log.exchanges[0].bytes).into_owned();
    request.lines().next().unwrap_or_default().to_owned()
}

/// The bytes that a segment of a path stands for.
fn decoded(segment: &str) -> String {
    let mut parts = segment.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn an_id_reaches_the_server_as_one_segment_that_decodes_to_itself() {
    let long = "x".repeat(300);
    settled(async {
        for id in [
            "a b",
            "%2e",
            "%2e%2e",
            "%2F",
            "ünïcode-⚠",
            "...",
            "a:b@c",
            "a+b&c=d;e",
            "\"<>`{}|^[]",
            long.as_str(),
        ] {
            let server = always(reply("200 OK", &[], LIST)).await;
            let client = nodion(&server).build().unwrap();
            client.application(id).deployments().await.unwrap();
            let line = line_of(&server).await;
            let rest = line.strip_prefix("GET /v1/applications/").unwrap();
            let segment = rest.strip_suffix("/deployments HTTP/1.1").unwrap();
            assert!(!segment.contains(['/', '\\', '?', '#', ' ']), "{line}");
            assert!(segment.is_ascii(), "{line}");
            assert_eq!(decoded(segment), id, "{line}");
        }
    });
}

#[test]
fn names_and_keys_with_spaces_keep_their_place() {
    settled(async {
        let server = always(reply("200 OK", &[], r#"{"success":true}"#)).await;
        let client = at(dployr::Client::builder(), &server).build().unwrap();
        let env = client.service("my service").env();
        env.remove("MY%KEY").await.unwrap();
        let line = line_of(&server).await;
        assert_eq!(
            line,
            "DELETE /v1/services/my%20service/env/MY%25KEY HTTP/1.1"
        );
    });
}
