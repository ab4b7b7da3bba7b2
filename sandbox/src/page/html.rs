//! The status page as one HTML file, without scripts or external resources.

use std::fmt::{self, Write};
use std::time::Duration;

use serde_json::Value;

use crate::time::rfc3339;

const STYLE: &str = include_str!("style.css");

/// Escapes text from requests.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter if letter.is_control() => f.write_str("\u{fffd}")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Formats an age: `4 s`, `12 min`, `3 h`, `2 d`.
struct Age(Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds @ 0..=119 => write!(f, "{seconds} s"),
            seconds @ 120..=7_199 => write!(f, "{} min", seconds / 60),
            seconds @ 7_200..=172_799 => write!(f, "{} h", seconds / 3_600),
            seconds => write!(f, "{} d", seconds / 86_400),
        }
    }
}

/// Renders `view`. With `refresh`, the page reloads after this many seconds.
pub(super) fn page(view: &Value, refresh: Option<u64>) -> String {
    let now = number(view, "/clock/now");
    let meta =
        refresh.map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n"));
    let links = match refresh {
        Some(_) => "<a href=\"/\">Stop refreshing</a>",
        None => "<a href=\"/\">Refresh</a> <a href=\"/?refresh=2\">Refresh every 2 s</a>",
    };
    let clock = text(view, "/clock/written").replace(['T', 'Z'], " ");
    let clock_note = match view.pointer("/clock/manual") {
        Some(Value::Bool(true)) => "UTC, manual clock",
        _ => "UTC",
    };
    let platforms = items(view, "/platforms");
    let platforms: String = platforms.map(|one| platform(one, now)).collect();
    let faults = section(
        "faults",
        "Faults",
        &["Fault", "Applied", "Status"],
        items(view, "/faults").map(fault).collect(),
        "No faults.",
    );
    let requests = section(
        "requests",
        "Latest requests",
        &["Time", "Request", "Status"],
        items(view, "/requests").map(request).collect(),
        "No requests yet.",
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n{}\
         <link rel=\"icon\" href=\"data:,\">\n<title>deploykit sandbox</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>deploykit sandbox</h1>\n\
         <p>Clock <time>{}</time> {clock_note}</p>\n\
         <nav>{links} <a href=\"/?format=json\">JSON</a></nav>\n</header>\n<main>\n\
         <h2>Resources</h2>\n<div class=\"platforms\">\n{platforms}</div>\n\
         <section aria-labelledby=\"faults\">\n{faults}\
         <section aria-labelledby=\"requests\">\n{requests}</main>\n</body>\n</html>\n",
        meta.unwrap_or_default(),
        clock.trim(),
    )
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    let number = value.pointer(pointer).and_then(Value::as_u64);
    number.unwrap_or_default()
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    let items = value.pointer(pointer).and_then(Value::as_array);
    items.into_iter().flatten()
}

/// A section without its start tag: the heading, then a table, or a note if there are no rows.
fn section(id: &str, title: &str, names: &[&str], rows: String, empty_note: &str) -> String {
    let heading = format!("<h2 id=\"{id}\">{title}</h2>\n");
    format!("{heading}{}</section>\n", table(names, rows, empty_note))
}

fn table(names: &[&str], rows: String, empty_note: &str) -> String {
    if rows.is_empty() {
        return format!("<p class=\"none\">{empty_note}</p>\n");
    }
    let names = names.iter().map(|name| match *name {
        // The CSS class `name` gives these columns the remaining width.
        "Name" | "Fault" | "Request" => format!("<th scope=\"col\" class=\"name\">{name}</th>"),
        _ => format!("<th scope=\"col\">{name}</th>"),
    });
    let names: String = names.collect();
    format!("<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
}

fn platform(value: &Value, now: u64) -> String {
    let id = text(value, "/platform");
    let name = match id {
        "nexlayer" => "Nexlayer",
        "nodion" => "Nodion",
        "edgegap" => "Edgegap",
        other => other,
    };
    let rows = items(value, "/resources")
        .map(|one| resource(one, now))
        .collect();
    let table = table(&["Name", "State", "Since"], rows, "No resources.");
    let more = match number(value, "/more") {
        0 => String::new(),
        more => format!("<p class=\"none\">And {more} more.</p>\n"),
    };
    format!(
        "<section class=\"platform\" aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{name}</h3>\n\
         <p><code>{}</code></p>\n{table}{more}</section>\n",
        Escaped(text(value, "/base_url")),
    )
}

fn resource(value: &Value, now: u64) -> String {
    let deployment = match number(value, "/deployment") {
        0 => String::new(),
        number => format!(", deployment {number}"),
    };
    let address = match text(value, "/address") {
        "" => String::new(),
        address => format!("<br><code>{}</code>", Escaped(address)),
    };
    let state = text(value, "/state");
    let age = Duration::from_millis(now.saturating_sub(number(value, "/since")));
    format!(
        "<tr><th scope=\"row\"><b>{}</b><br><small>{}{deployment}</small>{address}</th>\
         <td class=\"{}\">{}</td><td>{}</td></tr>\n",
        Escaped(text(value, "/name")),
        text(value, "/kind"),
        status_class(state),
        Escaped(state),
        Age(age),
    )
}

fn fault(value: &Value) -> String {
    let status = match value.pointer("/pending") {
        Some(Value::Bool(true)) => "pending",
        _ => "done",
    };
    format!(
        "<tr><th scope=\"row\"><code>{}</code></th><td>{} of {}</td><td>{status}</td></tr>\n",
        Escaped(text(value, "/fault")),
        number(value, "/applied"),
        number(value, "/matched"),
    )
}

fn request(value: &Value) -> String {
    let written = rfc3339(Duration::from_millis(number(value, "/at")));
    let time = written.get(11..19).unwrap_or(&written);
    let operation = match text(value, "/operation") {
        "" => "unknown operation",
        operation => operation,
    };
    let bad = |text: &str| format!("<br><span class=\"bad\">{}</span>", Escaped(text));
    let fault = match text(value, "/fault") {
        "" => String::new(),
        fault => bad(&format!("fault {fault}")),
    };
    let refusal = match text(value, "/refusal") {
        "" => String::new(),
        reason => bad(reason),
    };
    let problems = items(value, "/problems").filter_map(Value::as_str);
    let problems: String = problems.map(bad).collect();
    let status = number(value, "/status");
    let class = if status >= 400 { "bad" } else { "good" };
    format!(
        "<tr><td><time>{time}</time></td><th scope=\"row\"><b>{}</b> <code>{} {}</code>\
         <br><small>{operation}</small>{fault}{refusal}{problems}</th><td class=\"{class}\">{status}</td></tr>\n",
        text(value, "/platform"),
        Escaped(text(value, "/method")),
        Escaped(text(value, "/path")),
    )
}

/// The CSS class that colours a state. The page also prints the state, so no information is in the colour
/// only.
fn status_class(state: &str) -> &'static str {
    let state = state.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| state.contains(word));
    if has(&["fail", "error"]) {
        "bad"
    } else if has(&["running", "success", "available", "ready"]) {
        "good"
    } else {
        "busy"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let escaped = Escaped("<b onclick='x()'>\"&\u{0}\n").to_string();
        assert_eq!(
            escaped,
            "&lt;b onclick=&#39;x()&#39;&gt;&quot;&amp;\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn ages_are_short() {
        for (seconds, age) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_200, "2 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(Age(Duration::from_secs(seconds)).to_string(), age);
        }
    }
}
