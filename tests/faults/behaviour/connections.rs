//! Reused connections, and tokens in URLs.

use super::{
    ACCEPTED, LIST, always, at, edgegap, keep_alive_reply, new, nodion, with_paused_clock,
};
use crate::support::{Script, Server, Step};
use crate::table::fault::{EVERY, Setting, reply, success};
use crate::table::operations::{Address, CANARY, Kind};
use deploykit::{Effect, ErrorKind, dployr};

#[test]
fn clones_and_clients_with_another_token_share_connections() {
    with_paused_clock(async {
        let replies = [(); 3].map(|()| keep_alive_reply("200 OK", LIST));
        let server = always(replies.concat()).await;
        let client = at(dployr::Client::builder(), &server).build().unwrap();
        client.deployments().list().await.unwrap();
        client.clone().deployments().list().await.unwrap();
        let other = client.with_token("another").unwrap();
        other.deployments().list().await.unwrap();
        let log = server.log();
        assert_eq!((log.connections, log.requests()), (1, 3));
    });
}

#[test]
fn a_closed_idle_connection_is_replaced() {
    with_paused_clock(async {
        let server = always(keep_alive_reply("202 Accepted", ACCEPTED)).await;
        let client = edgegap(&server).build().unwrap();
        for _ in 0..3 {
            let reply = client.deploy(new()).with_response().await.unwrap();
            assert_eq!(reply.attempts, 1);
        }
        let log = server.log();
        assert_eq!((log.connections, log.requests()), (3, 3));
    });
}

/// The server may have received the create before the connection broke.
#[test]
fn a_create_is_not_retried_after_a_reused_connection_breaks() {
    with_paused_clock(async {
        for end in [vec![Step::ReadAll, Step::Reset], vec![Step::ReadAll]] {
            let script = Script::always([keep_alive_reply("202 Accepted", ACCEPTED), end].concat())
                .then(reply("202 Accepted", &[], ACCEPTED));
            let server = Server::start(script).await;
            let client = edgegap(&server).build().unwrap();
            client.deploy(new()).await.unwrap();
            let error = client.deploy(new()).await.unwrap_err();
            let found = (error.kind(), error.effect(), error.attempts());
            let expected = (ErrorKind::Interrupted, Effect::Unknown, 1);
            assert_eq!(found, expected, "{error:?}");
            let log = server.log();
            assert_eq!((log.connections, log.requests()), (1, 2));
        }
    });
}

#[test]
fn a_read_is_retried_after_a_reused_connection_breaks() {
    with_paused_clock(async {
        let breaks = [
            keep_alive_reply("200 OK", LIST),
            vec![Step::ReadAll, Step::Reset],
        ]
        .concat();
        let script = Script::always(breaks).then(reply("200 OK", &[], LIST));
        let server = Server::start(script).await;
        let client = nodion(&server).build().unwrap();
        client.application("a").deployments().list().await.unwrap();
        let call = client.application("a").deployments().list();
        assert_eq!(call.with_response().await.unwrap().attempts, 2);
        assert_eq!(server.log().requests(), 3);
    });
}

#[test]
fn no_url_contains_a_token() {
    with_paused_clock(async {
        for kind in EVERY.iter().copied().flatten() {
            let setting = Setting {
                kind: *kind,
                elsewhere: "",
            };
            let server = always(success(&setting)).await;
            let address = Address {
                base_url: server.base_url.clone(),
                certificate: None,
            };
            kind.call(&address, false).await.unwrap();
            let log = server.log();
            let request = String::from_utf8_lossy(&log.exchanges[0].bytes);
            let (line, rest) = request.split_once("\r\n").unwrap();
            assert!(!line.contains(CANARY), "{line}");
            // A login sends the password and no token.
            let has_token = rest.contains(&format!("{CANARY}\r\n"));
            assert_eq!(has_token, *kind != Kind::Login, "{kind:?}: {rest}");
        }
    });
}
