//! What a recorder keeps, in the form for snapshots.

use super::exchange::Exchange;
use super::ids;
use super::names::Names;
use super::shown::{Shown, ShownCame};
use crate::preview::{PreviewBody, RequestPreview, sorted};
use crate::transport::describe::Parts;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

type Map = Arc<dyn Fn(RequestPreview) -> RequestPreview + Send + Sync>;

/// The requests of a [`Recorder`](super::Recorder) in the form for snapshots: text by `Display`, for
/// `insta::assert_snapshot!`, or serialised, for `insta::assert_json_snapshot!` and its like.
///
/// Every secret has a stable name in the place of `<redacted>`: `<token>`, `<session-token>`,
/// `<password>`. Two different ones have different names (`<token-2>`), one has the same name wherever
/// it occurs, and a name tells nothing but where it was seen first. Filters take more out of the text,
/// or give more values names.
///
/// ```
/// # #[cfg(feature = "edgegap")] {
/// # fn main() -> deploykit::Result<()> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # runtime.block_on(async {
/// use deploykit::testing::Recorder;
/// let recorder = Recorder::new();
/// let edgegap = recorder.edgegap()?;
/// edgegap.deployment("a69f8e3e0555").stop().await?;
///
/// let snapshot = recorder.snapshot().name("a69f8e3e0555", "<server>");
/// assert_eq!(snapshot.to_string(), "DELETE /v1/stop/<server>\nauthorization: token <token>");
/// # Ok(()) }) }
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a snapshot is to be compared with what it was"]
pub struct Snapshot {
    exchanges: Vec<Exchange>,
    names: Vec<(String, String)>,
    ids: bool,
    replies: bool,
    shown_headers: Vec<String>,
    hidden_headers: Vec<String>,
    fields: Vec<(String, String)>,
    only: Vec<String>,
    without: Vec<String>,
    maps: Vec<Map>,
}

impl Snapshot {
    pub(super) fn of(exchanges: Vec<Exchange>) -> Self {
        Self {
            exchanges,
            names: Vec::new(),
            ids: false,
            replies: false,
            shown_headers: Vec::new(),
            hidden_headers: Vec::new(),
            fields: Vec::new(),
            only: Vec::new(),
            without: Vec::new(),
            maps: Vec::new(),
        }
    }

    /// Shows this value by a name, wherever it stands as a word of its own: an id of the test's
    /// environment, a host, a commit.
    pub fn name(mut self, value: impl Into<String>, name: impl Into<String>) -> Self {
        self.names.push((value.into(), name.into()));
        self
    }

    /// Shows ids as `<id-1>`, `<id-2>`, numbered by their first appearance in the requests.
    ///
    /// Ids are what came back: the values of fields called like one (`id`, `request_id`,
    /// `applicationId`) in replies that stand in a later request, and the parameters of paths that are
    /// called like one. Numbers do not depend on which requests are shown.
    pub fn name_ids(mut self) -> Self {
        self.ids = true;
        self
    }

    /// Shows a header that is left out otherwise, such as `accept`, or one that was added by hand.
    /// Credentials stay names.
    pub fn header(mut self, name: &str) -> Self {
        self.shown_headers.push(name.to_ascii_lowercase());
        self
    }

    /// Leaves a header out, such as `authorization`.
    pub fn without_header(mut self, name: &str) -> Self {
        self.hidden_headers.push(name.to_ascii_lowercase());
        self
    }

    /// Shows another value in every field of this name, in bodies of requests and of replies:
    /// `.field("created_at", "<time>")`.
    pub fn field(mut self, name: &str, shown: &str) -> Self {
        self.fields.push((name.to_owned(), shown.to_owned()));
        self
    }

    /// Shows the requests of this operation only; given twice, those of both.
    pub fn only(mut self, operation: &str) -> Self {
        self.only.push(operation.to_owned());
        self
    }

    /// Leaves out the requests of this operation.
    pub fn without(mut self, operation: &str) -> Self {
        self.without.push(operation.to_owned());
        self
    }

    /// Changes each request before it is shown, after all other filters.
    ///
    /// ```
    /// # fn example(recorder: deploykit::testing::Recorder) {
    /// let snapshot = recorder.snapshot().map(|mut request| {
    ///     request.query.retain(|(name, _)| name != "page");
    ///     request
    /// });
    /// # }
    /// ```
    pub fn map(
        mut self,
        change: impl Fn(RequestPreview) -> RequestPreview + Send + Sync + 'static,
    ) -> Self {
        self.maps.push(Arc::new(change));
        self
    }

    /// Shows replies too: status, the headers that matter, body, with the same names.
    pub fn with_replies(mut self) -> Self {
        self.replies = true;
        self
    }

    fn shown(&self) -> Vec<Shown> {
        let mut names = Names::default();
        let mut shown: Vec<Shown> = self
            .exchanges
            .iter()
            .map(|exchange| {
                let mut shown = names.exchange(exchange);
                self.add_headers(exchange, &mut shown, &mut names);
                shown
            })
            .collect();
        for exchange in &mut shown {
            let hidden = |name: &str| self.hidden_headers.iter().any(|hidden| hidden == name);
            exchange.request.headers.retain(|(name, _)| !hidden(name));
            for (value, name) in &self.names {
                ids::put_name(exchange, value, name);
            }
        }
        if self.ids {
            ids::name_all(&self.exchanges, &mut shown);
        }
        for exchange in &mut shown {
            for (field, value) in &self.fields {
                in_fields(&mut exchange.request.body, field, value);
                if let ShownCame::Reply(reply) = &mut exchange.came {
                    in_fields(&mut reply.body, field, value);
                }
            }
        }
        shown.retain(|exchange| self.is_wanted(&exchange.request));
        for exchange in &mut shown {
            for change in &self.maps {
                exchange.request = change(exchange.request.clone());
            }
        }
        shown
    }

    fn is_wanted(&self, request: &RequestPreview) -> bool {
        let id = request.operation.unwrap_or_default();
        let is = |name: &String| *name == id || *name == format!("{} {id}", request.api);
        (self.only.is_empty() || self.only.iter().any(is)) && !self.without.iter().any(is)
    }

    /// Headers that were asked for, as they were sent.
    fn add_headers(&self, exchange: &Exchange, shown: &mut Shown, names: &mut Names) {
        let Parts { headers, .. } = exchange.sent.parts();
        for wanted in &self.shown_headers {
            let credentials = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
            if credentials.iter().any(|name| name.as_str() == wanted) {
                continue;
            }
            shown.request.headers.retain(|(name, _)| name != wanted);
            for value in headers.get_all(wanted) {
                let value = value.to_str().unwrap_or_default();
                // That this value may be seen, the test says. That it is a credential as well, it
                // need not know.
                let repeats = |name| headers.get(name).is_some_and(|held| contains(held, value));
                let value = match credentials.iter().any(repeats) {
                    true => names.mask_all(value),
                    false => names.mask_but(value),
                };
                shown.request.headers.push((wanted.clone(), value));
            }
        }
        shown.request.headers.sort();
    }
}

fn contains(held: &http::HeaderValue, value: &str) -> bool {
    held.to_str().is_ok_and(|held| held.contains(value))
}

fn in_fields(body: &mut PreviewBody, field: &str, shown: &str) {
    if let PreviewBody::Json(value) = body {
        in_value(value, field, shown);
    }
}

fn in_value(value: &mut Value, field: &str, shown: &str) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| in_value(item, field, shown)),
        Value::Object(map) => {
            for (name, inner) in map {
                match name == field {
                    true => *inner = Value::String(shown.to_owned()),
                    false => in_value(inner, field, shown),
                }
            }
        }
        _ => {}
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, exchange) in self.shown().iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n---\n\n")?;
            }
            write!(f, "{}", exchange.request)?;
            if self.replies {
                write!(f, "\n\n=> {}", exchange.came)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for ShownCame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reply = match self {
            Self::Failure(words) => return f.write_str(words),
            Self::Reply(reply) => reply,
        };
        write!(f, "{}", reply.status)?;
        if reply.cut_off {
            f.write_str(", broken off")?;
        }
        for (name, value) in &reply.headers {
            write!(f, "\n{name}: {value}")?;
        }
        match reply.body.text() {
            _ if reply.binary => f.write_str("\n\n<not text>"),
            Some(body) => write!(f, "\n\n{}", body.trim_end_matches('\n')),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("requests", &self.exchanges.len())
            .finish_non_exhaustive()
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.shown();
        let mut list = serializer.serialize_seq(Some(shown.len()))?;
        for exchange in &shown {
            list.serialize_element(&Entry {
                exchange,
                replies: self.replies,
            })?;
        }
        list.end()
    }
}

/// One exchange: a line for each thing, so that two changes of it do not conflict.
struct Entry<'a> {
    exchange: &'a Shown,
    replies: bool,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = &self.exchange.request;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("api", request.api)?;
        if let Some(operation) = request.operation {
            map.serialize_entry("operation", operation)?;
        }
        map.serialize_entry("request", &format!("{} {}", request.method, request.path))?;
        if !request.query.is_empty() {
            map.serialize_entry("query", &lines(&request.query, " = "))?;
        }
        map.serialize_entry("headers", &lines(&request.headers, ": "))?;
        serialize_body(&mut map, &request.body)?;
        if self.replies {
            map.serialize_entry("reply", &Reply(&self.exchange.came))?;
        }
        map.end()
    }
}

struct Reply<'a>(&'a ShownCame);

impl Serialize for Reply<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            ShownCame::Failure(words) => map.serialize_entry("failure", words)?,
            ShownCame::Reply(reply) => {
                map.serialize_entry("status", &reply.status)?;
                if reply.cut_off {
                    map.serialize_entry("broken_off", &true)?;
                }
                if !reply.headers.is_empty() {
                    map.serialize_entry("headers", &lines(&reply.headers, ": "))?;
                }
                serialize_body(&mut map, &reply.body)?;
            }
        }
        map.end()
    }
}

fn serialize_body<M: SerializeMap>(map: &mut M, body: &PreviewBody) -> Result<(), M::Error> {
    match body {
        PreviewBody::None => Ok(()),
        PreviewBody::Json(value) => map.serialize_entry("body", &sorted(value)),
        PreviewBody::Text(text) => map.serialize_entry("body", text),
    }
}

fn lines(pairs: &[(String, String)], between: &str) -> Vec<String> {
    let line = |(name, value): &(String, String)| format!("{name}{between}{value}");
    pairs.iter().map(line).collect()
}
