//! Faults of the connection, up to the first byte of a reply.

use crate::cells::expected::{ONE_BACK_OFF, TWO_BACK_OFFS, fails, succeeds};
use crate::cells::fault::{
    CHANGES, DELETE, Fault, LARGE, Place, QUICK_CHANGES, READS, START, by_tls, fault, head, reply,
    script, seconds, success,
};
use crate::support::{Script, Step};
use deploykit::ErrorKind::{Connect, Interrupted, Timeout};

pub fn faults() -> Vec<Fault> {
    // Nothing was sent, so that everything may be tried again.
    let unsent = || fails(Connect).tries(3).of_which_arrive(0);
    vec![
        Fault::at("the connection is refused", Place::Refusing)
            .everywhere(unsent().takes(TWO_BACK_OFFS)),
        Fault::at(
            "the connection is refused, then accepted",
            Place::RefusingAtFirst,
        )
        .everywhere(succeeds().tries(2).of_which_arrive(1).takes(ONE_BACK_OFF)),
        Fault::at("the name does not exist", Place::Nowhere)
            .everywhere(unsent().takes(TWO_BACK_OFFS)),
        Fault::at("the host does not answer", Place::Deaf).everywhere(unsent().takes(30.0..=31.5)),
        by_tls(
            "plain HTTP where TLS was promised",
            vec![
                Step::AwaitBytes,
                Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            ],
        )
        .everywhere(fails(Connect).none_is_read()),
        by_tls("closed within the TLS handshake", vec![Step::AwaitBytes])
            .everywhere(fails(Connect).tries(3).none_is_read().takes(TWO_BACK_OFFS)),
        by_tls(
            "reset within the TLS handshake",
            vec![Step::AwaitBytes, Step::Reset],
        )
        .everywhere(fails(Connect).tries(3).none_is_read().takes(TWO_BACK_OFFS)),
        by_tls(
            "silent within the TLS handshake",
            vec![Step::AwaitBytes, Step::Silence],
        )
        .everywhere(fails(Connect).tries(3).none_is_read().takes(30.0..=31.5)),
        fault("accepted and silent", |_| {
            vec![Step::ReadAll, Step::Silence]
        })
        // The third attempt ends with the whole call.
        .cell(READS, fails(Timeout).tries(3).after(90))
        .cell(DELETE, fails(Timeout).unknown().tries(3).after(90))
        .cell(QUICK_CHANGES, fails(Timeout).unknown().after(30))
        .cell(START, fails(Timeout).unknown().after(120)),
        fault("reset before anything is read", |_| {
            vec![Step::AwaitBytes, Step::Reset]
        })
        .cell(
            READS,
            fails(Interrupted)
                .tries(3)
                .none_is_read()
                .takes(TWO_BACK_OFFS),
        )
        .cell(
            DELETE,
            fails(Interrupted)
                .unknown()
                .tries(3)
                .none_is_read()
                .takes(TWO_BACK_OFFS),
        )
        .cell(CHANGES, fails(Interrupted).unknown().none_is_read()),
        fault("reset after the head of a large request", |_| {
            vec![Step::ReadHead, Step::Reset]
        })
        .with_a_large_request()
        .cell(LARGE, fails(Interrupted).unknown()),
        fault("reset within the body of a large request", |_| {
            vec![Step::ReadSome(1 << 20), Step::Reset]
        })
        .with_a_large_request()
        .cell(LARGE, fails(Interrupted).unknown()),
        fault("reset after the whole request", |_| {
            vec![Step::ReadAll, Step::Reset]
        })
        .passing(Interrupted),
        fault("reset after the whole of a large request", |_| {
            vec![Step::ReadAll, Step::Reset]
        })
        .with_a_large_request()
        .cell(LARGE, fails(Interrupted).unknown()),
        fault("closed without a word", |_| vec![Step::ReadAll]).passing(Interrupted),
        fault("garbage instead of HTTP", |_| {
            vec![
                Step::ReadAll,
                Step::Send(b"\x00\x17SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
            ]
        })
        .passing(Interrupted),
        fault("one header of a mebibyte", |setting| {
            let header = format!("x-filler: {}", "x".repeat(1 << 20));
            reply(setting.kind.status(), &[&header], setting.kind.body())
        })
        .passing(Interrupted),
        fault("two hundred headers", |setting| {
            let headers: Vec<_> = (0..200).map(|n| format!("x-{n}: x")).collect();
            let headers: Vec<_> = headers.iter().map(String::as_str).collect();
            reply(setting.kind.status(), &headers, setting.kind.body())
        })
        .passing(Interrupted),
        fault("a head that comes a byte every five seconds", |setting| {
            vec![
                Step::ReadAll,
                Step::Dribble(head(setting.kind.status(), &[]), seconds(5)),
            ]
        })
        .cell(READS, fails(Timeout).tries(3).after(90))
        .cell(DELETE, fails(Timeout).unknown().tries(3).after(90))
        .cell(QUICK_CHANGES, fails(Timeout).unknown().after(30))
        .cell(START, fails(Timeout).unknown().after(120)),
        script("silent once, then an answer", |setting| {
            Script::always(vec![Step::ReadAll, Step::Silence]).then(success(setting))
        })
        .cell(READS, succeeds().tries(2).takes(30.0..=30.5))
        .cell(DELETE, succeeds().tries(2).takes(30.0..=30.5))
        .cell(QUICK_CHANGES, fails(Timeout).unknown().after(30))
        .cell(START, fails(Timeout).unknown().after(120)),
        script("reset once, then an answer", |setting| {
            Script::always(vec![Step::ReadAll, Step::Reset]).then(success(setting))
        })
        .cell(READS, succeeds().tries(2).takes(ONE_BACK_OFF))
        .cell(DELETE, succeeds().tries(2).takes(ONE_BACK_OFF))
        .cell(CHANGES, fails(Interrupted).unknown()),
    ]
}
