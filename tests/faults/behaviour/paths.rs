//! Ids and names on their way into a URL. `tests/requests` has those that are refused, and the property
//! tests have any id in any path.

use super::{LIST, always, at, nodion, settled};
use crate::cells::fault::reply;
use crate::support::Server;
use deploykit::dployr;

fn first_line(server: &Server) -> String {
    let request = server.requests().remove(0);
    request.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn an_id_reaches_the_server_as_one_segment() {
    let long = "x".repeat(300);
    settled(async {
        for (id, segment) in [
            ("a b %2e ü:@+", "a%20b%20%252e%20%C3%BC:@+"),
            ("%2e%2e", "%252e%252e"),
            ("%2F", "%252F"),
            ("...", "..."),
            (long.as_str(), long.as_str()),
        ] {
            let server = always(reply("200 OK", &[], LIST)).await;
            let client = nodion(&server).build().unwrap();
            client.application(id).deployments().await.unwrap();
            let line = format!("GET /v1/applications/{segment}/deployments HTTP/1.1");
            assert_eq!(first_line(&server), line, "{id}");
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
        let line = "DELETE /v1/services/my%20service/env/MY%25KEY HTTP/1.1";
        assert_eq!(first_line(&server), line);
    });
}
