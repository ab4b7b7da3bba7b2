//! Canaries: recognizable texts in the places of secrets, unique per operation and place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The prefix of every canary. URL, JSON and HTML encodings leave it unchanged.
pub const MARK: &str = "c4n4ry";
/// Characters that at least one of these encodings changes.
const TAIL: &str = "\"q\\b+p/s=e&a%<l>'";
/// The prefix as decimal bytes (`Debug` of a vector), in hexadecimal, and in base64 at each of the three
/// offsets; all in lower case.
const OTHER_FORMS: [&str; 5] = [
    "99, 52, 110, 52, 114, 121",
    "63346e347279",
    "yzrunhj5",
    "m0bjrye",
    "jng40cnk",
];

/// All canaries of the process. The text of a canary contains its index.
static PLANTED: Mutex<Vec<Canary>> = Mutex::new(Vec::new());

#[derive(Clone)]
pub struct Canary {
    /// `edgegap create_deployment`
    pub operation: String,
    /// The place as in the spec (`body.password`), or the argument of a wrapper.
    pub place: String,
    pub text: String,
}

impl Canary {
    /// Whether the request contains the canary. Canaries in replies come from the server.
    pub fn is_sent(&self) -> bool {
        !self.place.starts_with("reply.") && !self.place.starts_with("unsent ")
    }
}

/// Creates the canaries of one operation. The same place always gets the same canary.
#[derive(Clone)]
pub struct Plant {
    pub operation: String,
}

impl Plant {
    pub fn new(operation: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
        }
    }

    /// A canary of ASCII characters, for a header.
    pub fn ascii(&self, place: &str) -> String {
        self.get_or_create(place, TAIL)
    }

    /// A canary with a space and a non-ASCII letter.
    pub fn wide(&self, place: &str) -> String {
        self.get_or_create(place, &format!("{TAIL} ü"))
    }

    /// A canary that needs no encoding in a URL.
    pub fn plain(&self, place: &str) -> String {
        self.get_or_create(place, "x")
    }

    /// A canary that is an e-mail address.
    pub fn email(&self, place: &str) -> String {
        self.get_or_create(place, "x@example.com")
    }

    /// The canary of a place. A new one ends with `tail`.
    fn get_or_create(&self, place: &str, tail: &str) -> String {
        let mut planted = lock();
        let mut known = planted.iter();
        if let Some(known) = known.find(|c| c.operation == self.operation && c.place == place) {
            return known.text.clone();
        }
        let text = format!("{MARK}-{}-{tail}", planted.len());
        planted.push(Canary {
            operation: self.operation.clone(),
            place: place.to_owned(),
            text: text.clone(),
        });
        text
    }

    /// The canaries of this operation.
    pub fn canaries(&self) -> Vec<Canary> {
        let planted = lock();
        let own = planted.iter().filter(|c| c.operation == self.operation);
        own.cloned().collect()
    }

    /// The canaries of the request in one text, for replies that repeat them.
    pub fn sent(&self) -> String {
        let sent = self.canaries().into_iter().filter(Canary::is_sent);
        sent.map(|c| c.text).collect::<Vec<_>>().join(" and ")
    }
}

fn lock() -> MutexGuard<'static, Vec<Canary>> {
    PLANTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The canaries that occur in a text: operation and place.
pub fn found_in(text: &str) -> BTreeSet<(String, String)> {
    // A canary may be part of a host name, which is printed in lower case.
    let text = text.to_lowercase();
    let planted = lock();
    let fragment = || ("?".to_owned(), "a part of a canary".to_owned());
    let mut found: BTreeSet<_> = text
        .match_indices(MARK)
        .map(|(at, _)| {
            let number = text[at + MARK.len()..].strip_prefix('-');
            let number = number.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
            let canary = number.and_then(|number| planted.get(number.parse::<usize>().ok()?));
            canary.map_or_else(fragment, |c| (c.operation.clone(), c.place.clone()))
        })
        .collect();
    if OTHER_FORMS.iter().any(|form| text.contains(form)) {
        found.insert(fragment());
    }
    found
}

/// Canaries that were found in output.
#[derive(Default)]
pub struct Findings {
    /// The start of the first text found, by secret place and kind of output.
    pub examples: BTreeMap<(String, String), String>,
}

impl Findings {
    /// Searches a text. `kind` is the kind of output, such as `error (Display)`.
    pub fn search(&mut self, kind: &str, text: &str) {
        for (operation, place) in found_in(text) {
            let at = text.find(MARK).unwrap_or(0);
            let start = text[..at]
                .char_indices()
                .rev()
                .nth(80)
                .map_or(0, |(at, _)| at);
            let example: String = text[start..].chars().take(240).collect();
            let key = (format!("{operation}: {place}"), kind.to_owned());
            self.examples.entry(key).or_insert(example);
        }
    }
}
