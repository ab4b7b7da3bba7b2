//! Checks the extensions that every operation must have: its evidence and its behaviour.

use super::super::problems::Problems;
use serde_json::Value;

/// A key, the check of its value, and the remedy.
type Rule = (&'static str, fn(&Value) -> bool, &'static str);

const OPERATION: [Rule; 3] = [
    (
        "x-documented",
        Value::is_boolean,
        "write `true` if the vendor's page describes the operation, else `false`",
    ),
    (
        "x-evidence",
        |value| is_one_of(value, &["observed", "documented", "source", "inferred"]),
        "write how the reply is known: observed, documented, source or inferred",
    ),
    (
        "x-source",
        is_text,
        "write the URL or the `owner/repository:file` where the operation is described",
    ),
];

const BEHAVIOUR: [Rule; 9] = [
    ("idempotent", Value::is_boolean, "write true or false"),
    (
        "why",
        is_text,
        "write one line: why the call may be retried, or why not",
    ),
    (
        "spends",
        Value::is_boolean,
        "write `true` if the call starts something that costs money or counts against a quota, else `false`",
    ),
    (
        "applied-on",
        is_failures,
        "list the failure statuses after which the operation was applied anyway, or []",
    ),
    (
        "final-on",
        is_failures,
        "list the statuses that look transient but are final, or []",
    ),
    (
        "pace",
        |value| *value == "none" || is_pace(value),
        "write `bucket N/s`, `bucket N/min`, `bucket N/h` or `none`",
    ),
    (
        "time",
        |value| is_one_of(value, &["unary", "slow", "stream"]),
        "write unary, slow or stream",
    ),
    (
        "secrets",
        is_places,
        "list the secrets of the request as path.NAME, query.NAME, header.NAME or body.NAME, or []",
    ),
    (
        "side-effects",
        is_text,
        "write what the call changes on the server, or `none`",
    ),
];

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_one_of(value: &Value, known: &[&str]) -> bool {
    value.as_str().is_some_and(|text| known.contains(&text))
}

/// Whether the value is a list of failure statuses.
fn is_failures(value: &Value) -> bool {
    let is_failure = |status: &Value| status.as_u64().is_some_and(|s| (400..600).contains(&s));
    value
        .as_array()
        .is_some_and(|list| list.iter().all(is_failure))
}

/// Whether the value is a list of places such as `body.password`.
fn is_places(value: &Value) -> bool {
    let is_place = |place: &Value| {
        let kind = place.as_str().and_then(|place| place.split_once('.'));
        kind.is_some_and(|(kind, _)| ["path", "query", "header", "body"].contains(&kind))
    };
    value
        .as_array()
        .is_some_and(|list| list.iter().all(is_place))
}

/// Checks the extensions of one operation.
pub fn operation(at: &str, method: &str, operation: &Value, problems: &mut Problems) {
    let nothing = Value::Null;
    let behaviour = operation.get("x-behaviour").unwrap_or(&nothing);
    let here = format!("{at}.x-behaviour");
    for (at, value, rules) in [
        (at, operation, &OPERATION[..]),
        (&here, behaviour, &BEHAVIOUR[..]),
    ] {
        for (key, is_valid, remedy) in rules {
            problems.require(
                is_valid(value.get(key).unwrap_or(&nothing)),
                format!("{at}.{key}"),
                "the value is missing or malformed",
                *remedy,
            );
        }
    }
    let is = |key: &str, value: Value| behaviour.get(key) == Some(&value);
    let changes_nothing = is("side-effects", "none".into());
    problems.require(
        !(method == "get" && is("idempotent", false.into()) && changes_nothing),
        format!("{here}.idempotent"),
        "a GET without side effects is marked as not idempotent",
        "correct `idempotent` or `side-effects`",
    );
    problems.require(
        !(is("spends", true.into()) && changes_nothing),
        format!("{here}.spends"),
        "a call without side effects is marked as spending",
        "correct `spends` or `side-effects`",
    );
}

/// Whether the value is a rate such as `deploy 40/s`.
pub fn is_pace(value: &Value) -> bool {
    value.as_str().and_then(pace_of).is_some()
}

/// Parses `deploy 40/s` into bucket, count and seconds.
pub fn pace_of(text: &str) -> Option<(&str, u32, u32)> {
    let (bucket, rate) = text.split_once(' ')?;
    let (count, unit) = rate.split_once('/')?;
    let seconds = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        _ => return None,
    };
    let count = count.parse().ok().filter(|count| *count > 0)?;
    Some((bucket, count, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_bucket_and_a_rate() {
        assert_eq!(pace_of("deploy 40/s"), Some(("deploy", 40, 1)));
        assert_eq!(pace_of("api 100/min"), Some(("api", 100, 60)));
        for broken in ["deploy", "deploy 40", "deploy 0/s", "deploy 4/day", "none"] {
            assert_eq!(pace_of(broken), None, "{broken}");
        }
    }
}
