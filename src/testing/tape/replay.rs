//! A tape in the place of a platform.

use super::{Inner, file};
use crate::error::{Error, Result};
use crate::preview::RequestPreview;
use crate::testing::exchange::Came;
use crate::testing::names::{Names, names_in};
use crate::transport::describe::pairs;
use crate::transport::local::{Outcome, Reaction, Sent};
use crate::transport::redact::sounds_secret;
use crate::transport::wire::Answer;
use http::header::{AUTHORIZATION, COOKIE};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far a replay is.
pub(super) struct Replayed {
    state: Mutex<State>,
}

struct State {
    entries: Vec<(file::Entry, bool)>,
    names: Names,
    /// What stands for a secret that a client has, and not for one that it was given by a reply.
    of_clients: BTreeSet<String>,
}

impl State {
    /// Whether the tape has this request of several clients. Their credentials are numbered in the order
    /// in which they are first seen, which is another one now.
    fn is_of_several(&self, sent: &Sent, asked: &RequestPreview, inner: &Inner) -> bool {
        let (request, names) = without_numbers(inner.as_compared(asked.clone()));
        let query = pairs(&sent.url).into_iter().map(|(_, value)| value);
        let headers = sent
            .headers
            .values()
            .filter_map(|value| value.to_str().ok());
        let held: Vec<_> = headers.map(str::to_owned).chain(query).collect();
        let holds = |name: &String| held.iter().any(|value| value.contains(name.as_str()));
        if names.iter().all(holds) {
            return false;
        }
        let like = |(entry, _): &(file::Entry, bool)| {
            let (recorded, names) = without_numbers(inner.as_compared(entry.request(asked)));
            let is_of_a_client = names.iter().all(|name| self.of_clients.contains(name));
            (recorded == request && is_of_a_client).then_some(names)
        };
        let all: BTreeSet<_> = self.entries.iter().filter_map(like).collect();
        all.len() > 1
    }
}

/// A request with no number in the names of its credentials, and those names.
fn without_numbers(mut request: RequestPreview) -> (RequestPreview, BTreeSet<String>) {
    let mut names = BTreeSet::new();
    let held = [AUTHORIZATION.as_str(), COOKIE.as_str()];
    let headers = request.headers.iter_mut();
    let headers = headers.filter(|(name, _)| held.contains(&name.as_str()));
    let query = request.query.iter_mut();
    let query = query.filter(|(name, _)| sounds_secret(name));
    for (_, value) in headers.chain(query) {
        for name in names_in(&value.clone()) {
            let kind =
                name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '>'));
            *value = value.replace(name, &format!("{kind}>"));
            names.insert(name.to_owned());
        }
    }
    (request, names)
}

impl Replayed {
    pub fn new(entries: Vec<file::Entry>) -> Self {
        let (mut of_clients, mut of_replies) = (BTreeSet::new(), BTreeSet::new());
        for entry in &entries {
            let add = |text: String, to: &mut BTreeSet<String>, others: &BTreeSet<String>| {
                let new = names_in(&text).filter(|name| !others.contains(*name));
                to.extend(new.map(str::to_owned));
            };
            let request = entry.request(&nowhere()).to_string();
            add(request, &mut of_clients, &of_replies);
            add(entry.reply_text(), &mut of_replies, &of_clients);
        }
        let mut names = Names::default();
        names.accept(&of_clients);
        Self {
            state: Mutex::new(State {
                entries: entries.into_iter().map(|entry| (entry, false)).collect(),
                names,
                of_clients,
            }),
        }
    }

    /// The requests that nobody made.
    pub fn left(&self) -> Vec<RequestPreview> {
        let state = self.lock();
        let left = state.entries.iter().filter(|(_, used)| !used);
        left.map(|(entry, _)| entry.request(&nowhere())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, sent: &Sent, inner: &Inner) -> Result<Reaction> {
        let mut state = self.lock();
        let asked = state.names.request(sent);
        let compared = inner.as_compared(asked.clone());
        let fits = |entry: &file::Entry| inner.as_compared(entry.request(&asked)) == compared;
        let unused = || {
            let entries = state.entries.iter().enumerate();
            entries.filter(|(_, (_, used))| !used)
        };
        let found = if inner.is_any_order() {
            unused().find(|(_, (entry, _))| fits(entry))
        } else {
            unused().next().filter(|(_, (entry, _))| fits(entry))
        };
        let Some(index) = found.map(|(index, _)| index) else {
            let next = unused().next().map(|(index, (entry, _))| {
                let of = format!("{} of {}", index + 1, state.entries.len());
                (of, inner.as_compared(entry.request(&asked)))
            });
            let path = inner.path.display();
            return Err(Error::configuration(match next {
                None => {
                    format!("{path}: the tape has ended, and this request is one more:\n{compared}")
                }
                Some((of, next)) => format!(
                    "{path}: the request is not the next one on the tape, which is {of} \
                     (- on the tape, + asked for):\n{}",
                    difference(&next.to_string(), &compared.to_string())
                ),
            }));
        };
        if inner.is_any_order() && state.is_of_several(sent, &asked, inner) {
            return Err(Error::configuration(format!(
                "{}: the tape has this request with several credentials, and in any order nobody can \
                 tell whose it is: replay it in order, or give each client the name that its \
                 credential has on the tape:\n{compared}",
                inner.path.display()
            )));
        }
        let Some((entry, used)) = state.entries.get_mut(index) else {
            return Err(Error::configuration("the tape has no such exchange"));
        };
        let came = entry.came()?;
        *used = true;
        let text = entry.reply_text();
        // What it gave out is no other secret's name any more, as when it was recorded.
        state.names.reserve_in(&text);
        Ok(Reaction {
            after: Duration::ZERO,
            outcome: outcome(came)?,
        })
    }
}

fn outcome(came: Came) -> Result<Outcome> {
    let (status, headers, body, cut_off) = match came {
        Came::NoConnection => return Ok(Outcome::NoConnection),
        Came::Silence => return Ok(Outcome::Silence),
        Came::Broken => return Ok(Outcome::Broken),
        // No file has it.
        Came::Unprepared(_) => return Err(Error::configuration("the tape has no reply")),
        Came::Reply {
            status,
            headers,
            body,
            cut_off,
        } => (status, headers, body, cut_off),
    };
    let mut reply = http::Response::new(body);
    *reply.status_mut() = http::StatusCode::from_u16(status)
        .map_err(|_| Error::configuration(format!("the tape has a status {status}")))?;
    *reply.headers_mut() = headers;
    Ok(if cut_off {
        Outcome::CutOff(reply)
    } else {
        Outcome::Reply(reply)
    })
}

fn nowhere() -> RequestPreview {
    RequestPreview {
        version: crate::CANONICAL_VERSION,
        api: "",
        operation: None,
        method: String::new(),
        base_url: String::new(),
        path: String::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body: crate::PreviewBody::None,
    }
}

/// The lines that differ, with those around them that do not.
fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let alike =
        |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let start = alike(&mut before.iter().zip(&after));
    let shorter = before.len().min(after.len()) - start;
    let end = alike(&mut before.iter().rev().zip(after.iter().rev())).min(shorter);
    let part = |lines: &[&str], sign: &str, from: usize, to: usize| -> Vec<String> {
        let lines = lines.get(from..to).unwrap_or_default();
        lines.iter().map(|line| format!("{sign} {line}")).collect()
    };
    let mut out = part(&before, " ", 0, start);
    out.extend(part(&before, "-", start, before.len() - end));
    out.extend(part(&after, "+", start, after.len() - end));
    out.extend(part(&before, " ", before.len() - end, before.len()));
    out.join("\n")
}

/// The tape as a wire has it.
pub(super) struct Player(pub Arc<Inner>);

impl Answer for Player {
    fn answer(&self, sent: &Arc<Sent>) -> Result<Reaction> {
        match &self.0.mode {
            super::Mode::Replay(replayed) => replayed.answer(sent, &self.0),
            super::Mode::Record(_) => Err(Error::configuration("the tape is being recorded")),
        }
    }

    fn is_like_a_platform(&self) -> bool {
        // What was repeated when it was recorded has to be repeated now.
        true
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_what_differs_is_marked() {
        assert_eq!(
            difference("a\nb\nc", "a\nx\ny\nc"),
            "  a\n- b\n+ x\n+ y\n  c"
        );
        assert_eq!(difference("a", "a\na"), "  a\n+ a");
        assert_eq!(difference("", "a"), "+ a");
        assert_eq!(difference("a\nb", "b\na"), "- a\n- b\n+ b\n+ a");
    }
}
