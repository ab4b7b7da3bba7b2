//! Connection faults before the first byte of a response.

use crate::support::{Script, Step};
use crate::table::expected::{ONE_BACKOFF, TWO_BACKOFFS, fails, succeeds};
use crate::table::fault::{
    CHANGES, DELETE, FOLLOW, Fault, LARGE, LIST, Place, QUICK_CHANGES, READS, START, by_tls, fault,
    head, reply, script, seconds, success,
};
use deploykit::ErrorKind::{Connect, Interrupted, Timeout};

pub fn faults() -> Vec<Fault> {
    // Nothing was sent, so every operation is retried.
    let unsent = || fails(Connect).attempts(3).arrivals(0);
    let no_tls = || fails(Connect).attempts(3).unread();
    let again = || succeeds().attempts(2).arrivals(1).takes(ONE_BACKOFF);
    let steps = |name: &str, steps: &[Step]| {
        let steps = steps.to_vec();
        fault(name, move |_| steps.clone())
    };
    let plain = Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let garbage = Step::Send(b"\x00\x17SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec());
    let unread = || fails(Interrupted).unread();
    let unread_thrice = || unread().attempts(3).unread().takes(TWO_BACKOFFS);
    let large = |name: &str, read: Step| {
        let fault = steps(name, &[read, Step::Reset]).with_a_large_request();
        fault.cell(LARGE, fails(Interrupted).unknown())
    };
    let slow_head = u32::try_from(head("200 OK", &[]).len()).unwrap();
    let second_try = |seconds| succeeds().attempts(2).takes(seconds);
    vec![
        Fault::at("the connection is refused", Place::Refusing)
            .everywhere(unsent().takes(TWO_BACKOFFS)),
        Fault::at(
            "the connection is refused, then accepted",
            Place::RefusingAtFirst,
        )
        .everywhere(again()),
        Fault::at("the name does not exist", Place::Unresolvable)
            .everywhere(unsent().takes(TWO_BACKOFFS)),
        Fault::at("the host does not respond", Place::Unresponsive)
            .everywhere(unsent().takes(30.0..=31.5)),
        by_tls("plain HTTP instead of TLS", &[Step::AwaitBytes, plain])
            .everywhere(fails(Connect).unread()),
        by_tls("closed within the TLS handshake", &[Step::AwaitBytes])
            .everywhere(no_tls().takes(TWO_BACKOFFS)),
        by_tls(
            "reset within the TLS handshake",
            &[Step::AwaitBytes, Step::Reset],
        )
        .everywhere(no_tls().takes(TWO_BACKOFFS)),
        by_tls(
            "silent within the TLS handshake",
            &[Step::AwaitBytes, Step::Silence],
        )
        .everywhere(no_tls().takes(30.0..=31.5)),
        // A log without lines has no response.
        steps("accepted and silent", &[Step::ReadAll, Step::Silence])
            .too_slow(LIST)
            .cell(FOLLOW, fails(Timeout).after(300)),
        steps(
            "reset before anything is read",
            &[Step::AwaitBytes, Step::Reset],
        )
        .cell(READS, unread_thrice())
        .cell(DELETE, unread_thrice().unknown())
        .cell(CHANGES, unread().unknown()),
        large("reset after the head of a large request", Step::ReadHead),
        large(
            "reset within the body of a large request",
            Step::ReadSome(1 << 20),
        ),
        steps(
            "reset after the whole request",
            &[Step::ReadAll, Step::Reset],
        )
        .transient(Interrupted),
        large("reset after the whole of a large request", Step::ReadAll),
        steps("closed without a response", &[Step::ReadAll]).transient(Interrupted),
        steps("garbage instead of HTTP", &[Step::ReadAll, garbage]).transient(Interrupted),
        fault("a header of 1 MiB", |setting| {
            let header = format!("x-filler: {}", "x".repeat(1 << 20));
            reply(setting.kind.status(), &[&header], setting.kind.body())
        })
        .transient(Interrupted),
        fault("200 headers", |setting| {
            let headers: Vec<_> = (0..200).map(|n| format!("x-{n}: x")).collect();
            let headers: Vec<_> = headers.iter().map(String::as_str).collect();
            reply(setting.kind.status(), &headers, setting.kind.body())
        })
        .transient(Interrupted),
        fault("a head sent a byte every five seconds", |setting| {
            let head = head(setting.kind.status(), &[]);
            vec![Step::ReadAll, Step::SendSlowly(head, seconds(5))]
        })
        .too_slow(LIST)
        .cell(FOLLOW, succeeds().after(5 * slow_head)),
        script("silent once, then a success", |setting| {
            Script::silence().then(success(setting))
        })
        .cell(LIST, second_try(30.0..=30.5))
        .cell(FOLLOW, fails(Timeout).after(300))
        .cell(DELETE, second_try(30.0..=30.5))
        .cell(QUICK_CHANGES, fails(Timeout).unknown().after(30))
        .cell(START, fails(Timeout).unknown().after(120)),
        script("reset once, then a success", |setting| {
            Script::always(vec![Step::ReadAll, Step::Reset]).then(success(setting))
        })
        .cell(READS, second_try(ONE_BACKOFF))
        .cell(DELETE, second_try(ONE_BACKOFF))
        .cell(CHANGES, fails(Interrupted).unknown()),
    ]
}
