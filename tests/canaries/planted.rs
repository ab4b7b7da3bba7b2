//! The canaries: texts that stand for a secret, a distinct one for every place of every operation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How every canary begins. No encoding of a URL, of JSON or of HTML changes it.
pub const MARK: &str = "c4n4ry";
/// How they go on, so that encodings do change them: what has to be recognised in a reply.
const TAIL: &str = "\"q\\b+p/s=e&a%<l>'";

static PLANTED: Mutex<Vec<Canary>> = Mutex::new(Vec::new());

#[derive(Clone)]
pub struct Canary {
    /// `edgegap create_deployment`
    pub operation: String,
    /// As the spec has it (`body.password`), or what the wrapper takes beside that.
    pub place: String,
    pub text: String,
    /// Why this one may be shown.
    pub shown_because: Option<&'static str>,
}

impl Canary {
    /// Whether the request has it: those of replies come from the server, and some stay at home.
    pub fn is_sent(&self) -> bool {
        !self.place.starts_with("reply.") && !self.place.starts_with("unsent ")
    }
}

/// Plants canaries for one operation. The same place gives the same canary.
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

    /// A canary of letters that every encoding changes, in ASCII.
    pub fn ascii(&self, place: &str) -> String {
        self.put(place, TAIL, None)
    }

    /// The same with letters beyond ASCII and a space.
    pub fn wide(&self, place: &str) -> String {
        self.put(place, &format!("{TAIL} ü"), None)
    }

    /// A canary that can stand in a URL as it is.
    pub fn plain(&self, place: &str) -> String {
        self.put(place, "x", None)
    }

    /// A canary that is shown on purpose.
    pub fn shown(&self, place: &str, because: &'static str) -> String {
        self.put(place, TAIL, Some(because))
    }

    fn put(&self, place: &str, tail: &str, shown_because: Option<&'static str>) -> String {
        let mut planted = lock();
        let known = planted
            .iter()
            .find(|canary| canary.operation == self.operation && canary.place == place);
        if let Some(canary) = known {
            return canary.text.clone();
        }
        let text = format!("{MARK}-{}-{tail}", planted.len());
        planted.push(Canary {
            operation: self.operation.clone(),
            place: place.to_owned(),
            text: text.clone(),
            shown_because,
        });
        text
    }

    /// The canaries of this operation.
    pub fn canaries(&self) -> Vec<Canary> {
        let planted = lock();
        let own = planted.iter().filter(|c| c.operation == self.operation);
        own.cloned().collect()
    }

    /// Those of the request in one text, as a reply that repeats it would have them.
    pub fn all_texts(&self) -> String {
        let texts = self.canaries().into_iter().filter(Canary::is_sent);
        let texts: Vec<_> = texts.map(|c| c.text).collect();
        texts.join(" and ")
    }
}

pub fn count() -> usize {
    lock().len()
}

/// The canaries that occur in a text.
pub fn found_in(text: &str) -> Vec<Canary> {
    // A host is shown in lower case, and a canary may stand in one.
    let text = text.to_lowercase();
    let planted = lock();
    let numbers: BTreeSet<_> = text
        .match_indices(MARK)
        .map(|(at, _)| number(&text[at + MARK.len()..]))
        .collect();
    let known = |number: usize| planted.get(number).cloned();
    let mut found: Vec<_> = numbers
        .into_iter()
        .map(|number| number.and_then(known).unwrap_or_else(unknown))
        .collect();
    if OTHER_FORMS.iter().any(|form| text.contains(form)) {
        found.push(unknown());
    }
    found
}

/// The mark as bytes in decimal (`Debug` of a vector), in hexadecimal, and in base64 in its three
/// positions.
const OTHER_FORMS: [&str; 5] = [
    "99, 52, 110, 52, 114, 121",
    "63346e347279",
    "yzrunhj5",
    "m0bjrye",
    "jng40cnk",
];

fn number(behind: &str) -> Option<usize> {
    let rest = behind.strip_prefix('-')?;
    rest.split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn unknown() -> Canary {
    Canary {
        operation: "?".to_owned(),
        place: "a part of a canary".to_owned(),
        text: MARK.to_owned(),
        shown_because: None,
    }
}

fn lock() -> MutexGuard<'static, Vec<Canary>> {
    PLANTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where canaries were seen that must not be seen: what they stood for, and the text they stood in.
#[derive(Default)]
pub struct Findings {
    pub texts: usize,
    pub canaries: usize,
    pub by_place: BTreeMap<String, usize>,
    /// One example for each pair of a place and a kind of text.
    pub examples: BTreeMap<(String, String), String>,
    /// What was shown on purpose, and why.
    pub on_purpose: BTreeMap<(String, &'static str), usize>,
}

impl Findings {
    /// Looks through a text. `what` says where it comes from: `error Display`.
    pub fn look(&mut self, what: &str, text: &str) {
        self.texts += 1;
        for canary in found_in(text) {
            let place = format!("{}: {}", canary.operation, canary.place);
            if let Some(because) = canary.shown_because {
                *self.on_purpose.entry((place, because)).or_default() += 1;
                continue;
            }
            self.canaries += 1;
            for group in groups(&canary.place, what) {
                *self.by_place.entry(group.to_owned()).or_default() += 1;
            }
            let example: String = around(text).chars().take(240).collect();
            self.examples
                .entry((place, what.to_owned()))
                .or_insert(example);
        }
    }
}

/// The kinds of places that a finding counts for.
fn groups<'a>(place: &'a str, what: &str) -> Vec<&'a str> {
    let of_place = match place.split(['.', ' ']).next().unwrap_or(place) {
        "url" => "URL",
        "a" => "parts of canaries",
        "header" => "headers",
        "manifest" => "manifest",
        other => other,
    };
    let mut groups = vec![of_place];
    if what.starts_with("error") {
        groups.push("error body");
    }
    groups
}

fn around(text: &str) -> &str {
    let at = text.find(MARK).unwrap_or(0);
    let mut start = at.saturating_sub(80);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    &text[start..]
}

#[test]
fn every_form_of_a_canary_is_found() {
    for text in [
        format!("x {MARK}-0-y"),
        format!("x {}", MARK.to_uppercase()),
        format!("{:?}", format!("ab{MARK}").as_bytes()),
        "0x63346E347279".to_owned(),
        "YzRuNHJ5".to_owned(),
    ] {
        assert!(!found_in(&text).is_empty(), "{text}");
    }
    assert!(found_in("a canary").is_empty());
}
