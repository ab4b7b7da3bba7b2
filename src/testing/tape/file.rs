//! What a tape looks like on disk: JSON for people to read in a review, one line for each thing.

use crate::error::{Error, Result};
use crate::preview::{CANONICAL_VERSION, PreviewBody, RequestPreview, sorted};
use crate::testing::exchange::Came;
use crate::testing::shown::{Shown, ShownCame};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, Write as _};
use std::path::Path;

/// The version of the form. A reader refuses what is newer.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct File {
    deploykit_tape: u32,
    pub exchanges: Vec<Entry>,
}

/// One exchange, without its secrets.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    api: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    request: Request,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<Reply>,
    /// What happened in the place of a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Request {
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    query: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<String>,
    #[serde(flatten)]
    body: Body,
}

#[derive(Clone, Serialize, Deserialize)]
struct Reply {
    status: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<String>,
    #[serde(flatten)]
    body: Body,
    /// The connection broke within the body, or nobody read on.
    #[serde(default, skip_serializing_if = "is_false")]
    broken_off: bool,
    /// The body was no text, and is not here.
    #[serde(default, skip_serializing_if = "is_false")]
    not_text: bool,
}

/// JSON, or the lines of a text.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<String>>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl From<&PreviewBody> for Body {
    fn from(body: &PreviewBody) -> Self {
        let lines = |text: &str| Some(text.split('\n').map(str::to_owned).collect());
        match body {
            PreviewBody::None => Self::default(),
            // As a value it could not be told from none.
            PreviewBody::Json(Value::Null) => Self {
                json: None,
                lines: lines("null"),
            },
            PreviewBody::Json(value) => Self {
                json: Some(sorted(value)),
                lines: None,
            },
            PreviewBody::Text(text) => Self {
                json: None,
                lines: lines(text),
            },
        }
    }
}

impl Body {
    fn to_preview(&self) -> PreviewBody {
        match (&self.json, &self.lines) {
            (Some(value), _) => PreviewBody::Json(value.clone()),
            (None, Some(lines)) => PreviewBody::Text(lines.join("\n")),
            (None, None) => PreviewBody::None,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self.to_preview() {
            PreviewBody::None => Vec::new(),
            PreviewBody::Json(value) => value.to_string().into_bytes(),
            PreviewBody::Text(text) => text.into_bytes(),
        }
    }
}

impl From<&Shown> for Entry {
    fn from(shown: &Shown) -> Self {
        let request = &shown.request;
        let (reply, failure) = match &shown.came {
            ShownCame::Failure(words) => (None, Some(words.clone())),
            ShownCame::Reply(reply) => {
                let reply = Reply {
                    status: reply.status,
                    headers: lines(&reply.headers, ": "),
                    body: (&reply.body).into(),
                    broken_off: reply.cut_off,
                    not_text: reply.binary,
                };
                (Some(reply), None)
            }
        };
        Self {
            api: request.api.to_owned(),
            operation: request.operation.map(str::to_owned),
            request: Request {
                method: request.method.clone(),
                path: request.path.clone(),
                query: lines(&request.query, " = "),
                headers: lines(&request.headers, ": "),
                body: (&request.body).into(),
            },
            reply,
            failure,
        }
    }
}

impl Entry {
    /// The request in the one form in which requests are compared. `like` has what a file cannot hold.
    pub fn request(&self, like: &RequestPreview) -> RequestPreview {
        let known = crate::OPERATIONS.iter().find(|operation| {
            operation.api == self.api && Some(operation.id) == self.operation.as_deref()
        });
        let apis = ["nexlayer", "dployr", "nodion", "edgegap"];
        let api = apis.into_iter().find(|api| *api == self.api);
        RequestPreview {
            version: CANONICAL_VERSION,
            api: api.unwrap_or("unknown"),
            operation: known.map(|operation| operation.id),
            method: self.request.method.clone(),
            base_url: like.base_url.clone(),
            path: self.request.path.clone(),
            query: pairs(&self.request.query, " = "),
            headers: pairs(&self.request.headers, ": "),
            body: self.request.body.to_preview(),
        }
    }

    /// What came of it.
    ///
    /// # Errors
    /// When the tape does not say, or was edited so that it cannot be.
    pub fn came(&self) -> Result<Came> {
        let wrong = |what: &str| {
            Error::configuration(format!(
                "the tape has no use for {} {}: {what}",
                self.request.method, self.request.path
            ))
        };
        let Some(reply) = &self.reply else {
            let words = self.failure.as_deref().unwrap_or_default();
            return Came::from_failure(words)
                .ok_or_else(|| wrong("it has neither a reply nor a failure that is known"));
        };
        if reply.not_text {
            return Err(wrong("the reply was no text and was not kept"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in pairs(&reply.headers, ": ") {
            let name = HeaderName::try_from(name).map_err(|_| wrong("a header has no name"))?;
            let value = HeaderValue::try_from(value).map_err(|_| wrong("a header is malformed"))?;
            headers.append(name, value);
        }
        Ok(Came::Reply {
            status: reply.status,
            headers,
            body: reply.body.to_bytes(),
            cut_off: reply.broken_off,
        })
    }

    /// Everything of the reply that may hold a name.
    pub fn reply_text(&self) -> String {
        let Some(reply) = &self.reply else {
            return String::new();
        };
        let body = String::from_utf8_lossy(&reply.body.to_bytes()).into_owned();
        format!("{}\n{body}", reply.headers.join("\n"))
    }
}

fn lines(pairs: &[(String, String)], between: &str) -> Vec<String> {
    let line = |(name, value): &(String, String)| format!("{name}{between}{value}");
    pairs.iter().map(line).collect()
}

fn pairs(lines: &[String], between: &str) -> Vec<(String, String)> {
    let pair = |line: &String| match line.split_once(between) {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (line.clone(), String::new()),
    };
    lines.iter().map(pair).collect()
}

pub(super) fn read(path: &Path) -> Result<File> {
    let failed = |what: String| Error::configuration(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path)
        .map_err(|error| failed(format!("the tape cannot be read: {error}")).with_source(error))?;
    let version = serde_json::from_str::<Value>(&text).ok();
    let version = version.and_then(|value| value.get("deploykit_tape")?.as_u64());
    match version {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            return Err(failed(format!(
                "the tape is of version {version}, and this reads {VERSION}: record it anew"
            )));
        }
        None => {
            return Err(failed(
                "it is no tape: `deploykit_tape` is missing".to_owned(),
            ));
        }
    }
    serde_json::from_str(&text)
        .map_err(|error| failed(format!("the tape does not fit: {error}")).with_source(error))
}

/// Writes the whole file or none of it.
pub(super) fn write(path: &Path, exchanges: Vec<Entry>) -> io::Result<()> {
    let file = File {
        deploykit_tape: VERSION,
        exchanges,
    };
    let mut text = serde_json::to_string_pretty(&file)?;
    text.push('\n');
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let written = std::fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written
        .and_then(|()| std::fs::rename(&beside, path))
        .inspect_err(|_| {
            // What is left of it is of no use, and if it cannot be removed, that changes nothing.
            let _ = std::fs::remove_file(&beside);
        })
}
