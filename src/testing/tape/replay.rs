//! A tape in the place of a platform.

use super::{Inner, file};
use crate::error::{Error, Result};
use crate::preview::RequestPreview;
use crate::testing::exchange::Came;
use crate::testing::names::Names;
use crate::transport::local::{Outcome, Reaction, Sent};
use crate::transport::wire::Answer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far a replay is.
pub(super) struct Replayed {
    state: Mutex<State>,
}

struct State {
    entries: Vec<(file::Entry, bool)>,
    names: Names,
}

impl Replayed {
    pub fn new(entries: Vec<file::Entry>) -> Self {
        let entries = entries.into_iter().map(|entry| (entry, false)).collect();
        Self {
            state: Mutex::new(State {
                entries,
                names: Names::default(),
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
        let Some((entry, used)) = state.entries.get_mut(index) else {
            return Err(Error::configuration("the tape has no such exchange"));
        };
        let came = entry.came()?;
        *used = true;
        let text = entry.reply_text();
        // What it gave out is no other secret's name any more.
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
