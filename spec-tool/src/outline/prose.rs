//! The facts of a page of prose with code blocks: operations, parameters and the shapes of its examples.
//!
//! Code blocks have no marks: pages are copied as text, so a block may end in the middle of a line
//! (`}Response:`), and a path may run into a title (`/getReservationsGet All Reservations`).

use super::{Outline, examples, with_braces};
use serde_json::Value;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// Adds the facts of the page.
pub fn read(text: &str, outline: &mut Outline) {
    let mut page = Page {
        text,
        rest: text,
        outline,
        operation: None,
        place: "request".to_owned(),
        method: None,
        in_headers: false,
    };
    while !page.rest.is_empty() {
        page.next();
    }
}

struct Page<'a, 'o> {
    text: &'a str,
    /// What is not read yet.
    rest: &'a str,
    outline: &'o mut Outline,
    /// The operation that the text is about.
    operation: Option<String>,
    /// Where the next example belongs: `request` or a status.
    place: String,
    /// A method whose path follows on a later line.
    method: Option<&'static str>,
    /// Whether the lines are the headers of a request.
    in_headers: bool,
}

impl<'a> Page<'a, '_> {
    /// Reads an example or a line.
    fn next(&mut self) {
        let trimmed = self.rest.trim_start();
        if trimmed.starts_with(['{', '"']) || trimmed.starts_with("[\n") {
            self.rest = trimmed;
            self.example();
            return;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line(line.trim());
    }

    /// Reads a JSON value. What follows it on its last line is the next line.
    fn example(&mut self) {
        self.in_headers = false;
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                self.rest = &self.rest[values.byte_offset()..];
                if let Some(operation) = &self.operation {
                    examples::add(self.outline, operation, &self.place, &value);
                }
            }
            Some(Err(error)) => {
                let line = self.line_number() + error.line() - 1;
                let reason = format!("the example is not JSON: {error}");
                self.outline.not_read(line, reason);
                self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
            }
            None => self.rest = "",
        }
    }

    fn line_number(&self) -> usize {
        let read = &self.text[..self.text.len() - self.rest.len()];
        read.matches('\n').count() + 1
    }

    fn line(&mut self, line: &'a str) {
        if let Some((method, path)) = request_line(line) {
            self.start(method, path);
        } else if let Some(method) = METHODS.into_iter().find(|method| line == *method) {
            self.method = Some(method);
        } else if let Some(method) = METHODS
            .into_iter()
            .find(|method| line.contains(&format!("{method} request")))
        {
            self.method = Some(method);
        } else if let Some(method) = self.method
            && let Some(path) = path_of(line)
        {
            let path = without_title(path, self.text);
            self.start(method, path);
        } else if line.starts_with("curl ") {
            self.curl(line);
        } else if line.ends_with("Error Responses") {
            // The shape of all failures.
            self.operation = Some("*".to_owned());
            self.place = "failures".to_owned();
        } else if let Some(place) = place_of(line) {
            self.place = place;
            if let Some(operation) = self.operation.as_ref().filter(|_| self.place != "request") {
                self.outline.add(operation, &self.place, "", "");
            }
        } else if let Some(operation) = self.operation.clone() {
            self.detail(&operation, line);
        }
    }

    /// Begins an operation, with the query of its path.
    fn start(&mut self, method: &str, target: &str) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let operation = format!("{method} {}", with_braces(path));
        self.outline.add(&operation, "", "", "");
        for part in path.split('/').filter_map(|part| part.strip_prefix(':')) {
            self.outline
                .add(&operation, "path", part, "string, required");
        }
        for name in query.split('&').filter_map(|pair| pair.split('=').next()) {
            if !name.is_empty() {
                self.outline.add(&operation, "query", name, "string");
            }
        }
        self.operation = Some(operation);
        self.place = "request".to_owned();
        self.method = None;
        self.in_headers = true;
    }

    /// Reads a `curl` command with its following lines.
    fn curl(&mut self, first: &str) {
        let mut command = first.to_owned();
        while command.ends_with('\\') {
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            command.pop();
            command.push_str(line.trim());
            self.rest = rest;
        }
        let words: Vec<_> = command
            .split(['"', '\'', ' '])
            .filter(|word| !word.is_empty())
            .collect();
        let url = words.iter().find(|word| word.contains("://"));
        let Some(path) = url.and_then(|url| path_of(url)) else {
            return;
        };
        let flag = words
            .windows(2)
            .find(|pair| ["-X", "--request"].contains(&pair[0]));
        let sends = words
            .iter()
            .any(|word| *word == "-d" || word.starts_with("--data"));
        let method = match flag {
            Some(pair) => pair[1],
            None if sends => "POST",
            None => "GET",
        };
        self.start(method, path);
        let data = command.split_once("-d '").map(|(_, data)| data);
        if let Some(data) = data {
            let mut values = serde_json::Deserializer::from_str(data).into_iter::<Value>();
            if let (Some(Ok(value)), Some(operation)) = (values.next(), &self.operation) {
                examples::add(self.outline, operation, "request", &value);
            }
        }
        // The next block may follow the end of the command on its line.
        self.method = METHODS.into_iter().find(|method| command.ends_with(method));
        for label in ["Response", "Example Response"] {
            if let Some((_, after)) = command.rsplit_once(label)
                && let Some(place) = place_of(&format!("{label}{after}"))
            {
                self.place = place;
            }
        }
    }

    /// Reads a line about the current operation.
    fn detail(&mut self, operation: &str, line: &str) {
        let header = line.split_once(": ").filter(|_| self.in_headers);
        self.in_headers = header.is_some();
        let names_authorization =
            line.starts_with("Required Headers:") && line.contains("Authorization");
        match header {
            Some(("Content-Type", media)) => self.outline.add(operation, "request", "body", media),
            Some(("Authorization", _)) => {
                self.outline
                    .add(operation, "security", "", "header Authorization");
            }
            _ if names_authorization => {
                self.outline
                    .add(operation, "security", "", "header Authorization");
            }
            _ => {}
        }
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [name, place @ ("query" | "path" | "header"), required, ..] = cells[..] {
            let required = if required.eq_ignore_ascii_case("required") {
                ", required"
            } else {
                ""
            };
            self.outline
                .add(operation, place, name, format!("string{required}"));
        }
        // A status with its meaning.
        if let Some((status, _)) = line.split_once(" – ").or_else(|| line.split_once(" - "))
            && status.len() == 3
            && status.bytes().all(|byte| byte.is_ascii_digit())
        {
            self.outline.add(operation, status, "", "");
        }
    }
}

/// `POST /v1/x` or `POST https://host/v1/x`.
fn request_line(line: &str) -> Option<(&'static str, &str)> {
    let (method, target) = line.split_once(' ')?;
    let method = METHODS.into_iter().find(|known| *known == method)?;
    let target = target.split_whitespace().next()?;
    Some((method, path_of(target)?))
}

/// The path and query of a path or a URL.
fn path_of(text: &str) -> Option<&str> {
    let path = match text.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => text,
    };
    (path.starts_with('/') && path.len() > 1).then_some(path)
}

/// The path without a title that follows it without a space. The title begins with the path's first word:
/// `/removeReservationsRemove All Reservations`.
fn without_title<'a>(path: &'a str, text: &str) -> &'a str {
    if !path.contains(' ') {
        return path;
    }
    let glued = path.split(' ').next().unwrap_or(path);
    let name = glued.rsplit('/').next().unwrap_or(glued);
    let word: String = name.chars().take_while(|c| c.is_lowercase()).collect();
    let mut title = word.chars();
    let title: String = title
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(title)
        .collect();
    // A longer prefix that a URL of the page contains is surer than the word.
    let known = (1..glued.len())
        .rev()
        .filter(|end| glued.is_char_boundary(*end))
        .map(|end| &glued[..end])
        .find(|prefix| {
            prefix.len() > 1 && text.contains(&format!("{prefix}\""))
                || text.contains(&format!("{prefix}?"))
        });
    match known {
        Some(known) => known,
        None => glued
            .rfind(&title)
            .filter(|at| *at > 1 && !title.is_empty())
            .map_or(glued, |at| &glued[..at]),
    }
}

/// The place that a label announces: `Response (200 OK)`, `Example Response:`, `Request Body`.
fn place_of(line: &str) -> Option<String> {
    let label = line.trim_end_matches(':');
    if ["Request Body", "Example Request", "Request"].contains(&label) {
        return Some("request".to_owned());
    }
    let (name, status) = label.split_once(" (").unwrap_or((label, "200"));
    let status: String = status.chars().take_while(char::is_ascii_digit).collect();
    let is_status = status.len() == 3;
    (["Response", "Example Response", "Error Response"].contains(&name) && is_status)
        .then_some(status)
}
