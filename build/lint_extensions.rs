//! Requires what this project adds to every operation: its evidence and its behaviour.

use super::problem::Problem;
use serde_json::Value;

const EVIDENCE: [&str; 4] = ["observed", "documented", "source", "inferred"];
const TIME: [&str; 3] = ["unary", "slow", "stream"];
const PLACES: [&str; 4] = ["path.", "query.", "header.", "body."];

/// Checks the extensions of one operation.
pub fn operation(at: &str, method: &str, operation: &Value, problems: &mut Vec<Problem>) {
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    if operation
        .get("x-documented")
        .and_then(Value::as_bool)
        .is_none()
    {
        problems.push(Problem::new(
            format!("{at}.x-documented"),
            "it is missing",
            "say `true` if the vendor's own page describes the operation, else `false`",
        ));
    }
    if !text("x-evidence").is_some_and(|evidence| EVIDENCE.contains(&evidence)) {
        problems.push(Problem::new(
            format!("{at}.x-evidence"),
            "it is missing or not a known word",
            format!("say what the reply rests on: {}", EVIDENCE.join(", ")),
        ));
    }
    if text("x-source").is_none_or(str::is_empty) {
        problems.push(Problem::new(
            format!("{at}.x-source"),
            "it is missing",
            "name the page or the `repository:file` that the operation comes from",
        ));
    }
    let Some(behaviour) = operation.get("x-behaviour") else {
        problems.push(Problem::new(
            format!("{at}.x-behaviour"),
            "it is missing",
            "state idempotent, why, spends, applied-on, final-on, pace, time, secrets and side-effects",
        ));
        return;
    };
    behaviour_of(&format!("{at}.x-behaviour"), method, behaviour, problems);
}

fn behaviour_of(at: &str, method: &str, behaviour: &Value, problems: &mut Vec<Problem>) {
    let text = |key: &str| behaviour.get(key).and_then(Value::as_str);
    let mut require = |key: &str, good: bool, remedy: &str| {
        if !good {
            problems.push(Problem::new(
                format!("{at}.{key}"),
                "it is missing or malformed",
                remedy,
            ));
        }
    };
    let idempotent = behaviour.get("idempotent").and_then(Value::as_bool);
    require("idempotent", idempotent.is_some(), "say true or false");
    require(
        "why",
        text("why").is_some_and(|why| !why.is_empty()),
        "say in one line why the call may or may not be sent again",
    );
    require(
        "spends",
        behaviour.get("spends").is_some_and(Value::is_boolean),
        "say `true` if the call starts something that costs money or uses up a quota, else `false`",
    );
    let failures = |key: &str| {
        let list = behaviour.get(key).and_then(Value::as_array);
        list.is_some_and(|list| {
            list.iter()
                .all(|s| s.as_u64().is_some_and(|s| (400..600).contains(&s)))
        })
    };
    require(
        "applied-on",
        failures("applied-on"),
        "list the failure statuses after which something was done all the same, or []",
    );
    require(
        "final-on",
        failures("final-on"),
        "list the failure statuses that another try would not change though they look passing, or []",
    );
    require(
        "pace",
        text("pace").is_some_and(|pace| pace == "none" || pace_of(pace).is_some()),
        "write `bucket N/s`, `bucket N/min`, `bucket N/h` or `none`",
    );
    require(
        "time",
        text("time").is_some_and(|time| TIME.contains(&time)),
        "say unary, slow or stream",
    );
    let secrets = behaviour.get("secrets").and_then(Value::as_array);
    require(
        "secrets",
        secrets.is_some_and(|list| {
            list.iter().all(|path| {
                path.as_str()
                    .is_some_and(|path| PLACES.iter().any(|place| path.starts_with(place)))
            })
        }),
        "list where secrets stand in the request as path.NAME, query.NAME, header.NAME or body.NAME, or []",
    );
    require(
        "side-effects",
        text("side-effects").is_some_and(|effects| !effects.is_empty()),
        "say what the call changes on the server, or `none`",
    );
    if method == "get" && idempotent == Some(false) && text("side-effects") == Some("none") {
        problems.push(Problem::new(
            format!("{at}.idempotent"),
            "a GET without side effects is marked as not idempotent",
            "correct one of the two",
        ));
    }
    let spends = behaviour.get("spends").and_then(Value::as_bool);
    if spends == Some(true) && text("side-effects") == Some("none") {
        problems.push(Problem::new(
            format!("{at}.spends"),
            "a call without side effects is marked as one that spends",
            "correct one of the two",
        ));
    }
}

/// `deploy 40/s` as bucket, number, seconds.
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
