//! The table of all operations, with the calls of each.
//!
//! A test implements [`Setup`], creates [`Clients`] from it, and previews or sends the calls of [`rows`].
//! To add an operation, add its row to the file of its platform. In the rows, `to` is the [`Clients`] that
//! the call is sent with.

#![allow(dead_code)] // Each test uses only a part.

mod dployr;
mod edgegap;
mod nexlayer;
mod nodion;

use deploykit::{
    Call, ClientBuilder, Error, Platform, Result,
    logs::LogStream,
    operation::{OPERATIONS, Operation},
    preview::RequestPreview,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// The calls of one operation.
pub struct Row {
    pub operation: &'static Operation,
    pub variants: Vec<Variant>,
    /// Name and JSON pointer of the id in the reply. Later rows refer to the id by its name.
    pub reply_id: Option<(&'static str, &'static str)>,
}

/// One way to call an operation.
pub struct Variant {
    /// Empty for the first variant.
    pub name: &'static str,
    /// Whether the request has a snapshot.
    pub snapshot: bool,
    make: Box<dyn Fn(&Clients) -> AnyCall + Send + Sync>,
}

impl Variant {
    pub fn call(&self, clients: &Clients) -> AnyCall {
        (self.make)(clients)
    }
}

/// The rows of all platforms. If they are sent in this order, all succeed: a resource is created before
/// the rows that use it, and deleted after them.
pub fn rows() -> Vec<Row> {
    let platforms = [
        dployr::rows(),
        edgegap::rows(),
        nexlayer::rows(),
        nodion::rows(),
    ];
    let rows: Vec<_> = platforms.into_iter().flatten().collect();
    let missing: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| !rows.iter().any(|row| row.operation == *operation))
        .map(ToString::to_string)
        .collect();
    assert!(missing.is_empty(), "no row for {missing:#?}");
    rows
}

fn row(api: &str, id: &str, make: impl Fn(&Clients) -> AnyCall + Send + Sync + 'static) -> Row {
    let operation = OPERATIONS
        .iter()
        .find(|operation| operation.api == api && operation.id == id);
    let row = Row {
        operation: operation.unwrap_or_else(|| panic!("{api} has no operation {id}")),
        variants: Vec::new(),
        reply_id: None,
    };
    row.variant("", make)
}

impl Row {
    /// Adds another call of the operation, with its own snapshot.
    fn variant(
        mut self,
        name: &'static str,
        make: impl Fn(&Clients) -> AnyCall + Send + Sync + 'static,
    ) -> Self {
        self.variants.push(Variant {
            name,
            snapshot: true,
            make: Box::new(make),
        });
        self
    }

    /// Removes the snapshot of the last variant.
    fn without_snapshot(mut self) -> Self {
        self.variants.iter_mut().last().unwrap().snapshot = false;
        self
    }

    /// The id in a reply, with the name by which later rows refer to it.
    pub fn id_in(&self, success: &Success) -> Option<(&'static str, String)> {
        let (name, pointer) = self.reply_id?;
        let in_json = success.json.pointer(pointer).and_then(Value::as_str);
        let id = success.id.clone().or(in_json.map(str::to_owned))?;
        Some((name, id))
    }

    /// Names the id in the reply. The JSON pointer is unused if the call itself reads the id.
    fn names(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.reply_id = Some((name, pointer));
        self
    }
}

/// The clients and arguments of a test.
pub trait Setup: Send + Sync + 'static {
    /// Sets base URL, recorder and retries of a client.
    fn client<P: Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P>
    where
        Self: Sized;

    /// Sets the options that only dployr's builder has.
    fn dployr(
        &self,
        builder: deploykit::dployr::ClientBuilder,
    ) -> deploykit::dployr::ClientBuilder {
        builder
    }

    /// The secret for a place: `authorization`, `cookie`, or a place from [`Behaviour::secrets`].
    ///
    /// Places that begin with `url` or `path` need a text without special URL characters.
    /// `body.<manifest>` needs a plain YAML scalar. `body.email` and `body.users` become an e-mail address.
    ///
    /// [`Behaviour::secrets`]: deploykit::operation::Behaviour::secrets
    fn secret(&self, place: &str) -> String;

    /// An id in the path.
    fn id(&self, name: &str, default: &str) -> String {
        self.value(name, default)
    }

    /// Another non-secret argument, such as a region.
    fn value(&self, name: &str, default: &str) -> String {
        let _ = name;
        default.to_owned()
    }
}

/// Object-safe form of [`Setup`] for the rows, with builders that have no credentials.
pub trait Arguments: Setup {
    fn dployr_builder(&self) -> deploykit::dployr::ClientBuilder;
    fn edgegap_builder(&self) -> deploykit::edgegap::ClientBuilder;
    fn nexlayer_builder(&self) -> deploykit::nexlayer::ClientBuilder;
    fn nodion_builder(&self) -> deploykit::nodion::ClientBuilder;
}

impl<S: Setup> Arguments for S {
    fn dployr_builder(&self) -> deploykit::dployr::ClientBuilder {
        let builder = deploykit::dployr::Client::builder().base_url("https://dployr.example");
        self.dployr(self.client(builder))
    }

    fn edgegap_builder(&self) -> deploykit::edgegap::ClientBuilder {
        self.client(deploykit::edgegap::Client::builder())
    }

    fn nexlayer_builder(&self) -> deploykit::nexlayer::ClientBuilder {
        self.client(deploykit::nexlayer::Client::builder())
    }

    fn nodion_builder(&self) -> deploykit::nodion::ClientBuilder {
        self.client(deploykit::nodion::Client::builder())
    }
}

/// A client of each platform, and the arguments of the calls.
pub struct Clients {
    pub dployr: Lazy<deploykit::dployr::Client>,
    pub edgegap: Lazy<deploykit::edgegap::Client>,
    pub nexlayer: Lazy<deploykit::nexlayer::Client>,
    pub nodion: Lazy<deploykit::nodion::Client>,
    arguments: Arc<dyn Arguments>,
}

/// A client that is built on first use, because each client reads the root certificates.
type Lazy<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

impl Clients {
    pub fn new(setup: impl Setup) -> Self {
        let arguments: Arc<dyn Arguments> = Arc::new(setup);
        Self {
            dployr: lazy(&arguments, |to| {
                let token = to.secret("authorization");
                to.dployr_builder().token(token).build().unwrap()
            }),
            edgegap: lazy(&arguments, |to| {
                let token = to.secret("authorization");
                to.edgegap_builder().token(token).build().unwrap()
            }),
            nexlayer: lazy(&arguments, |to| to.nexlayer_builder().build().unwrap()),
            nodion: lazy(&arguments, |to| {
                let token = to.secret("authorization");
                to.nodion_builder().token(token).build().unwrap()
            }),
            arguments,
        }
    }
}

fn lazy<T: 'static>(arguments: &Arc<dyn Arguments>, build: fn(&dyn Arguments) -> T) -> Lazy<T> {
    let arguments = arguments.clone();
    LazyLock::new(Box::new(move || build(&*arguments)))
}

impl Deref for Clients {
    type Target = dyn Arguments;

    fn deref(&self) -> &Self::Target {
        &*self.arguments
    }
}

/// A call with its result type erased.
pub type AnyCall = Box<dyn Erased>;

/// A successful response.
#[derive(Debug)]
pub struct Success {
    pub status: u16,
    /// The result as JSON; `Null` if it contains a secret or does not implement `Serialize`.
    pub json: Value,
    /// `Debug` of the whole response.
    pub debug: String,
    /// The id, if it is not in the JSON.
    pub id: Option<String>,
    /// Errors that a log stream yielded.
    pub failures: Vec<Error>,
}

/// The parts of a response that tests compare.
#[derive(Default)]
struct Content {
    json: Value,
    id: Option<String>,
    failures: Vec<Error>,
}

type Sent = Pin<Box<dyn Future<Output = Result<Success>> + Send>>;

pub trait Erased: Send {
    fn header(self: Box<Self>, name: &str, value: &str) -> AnyCall;
    fn query(self: Box<Self>, name: &str, value: &str) -> AnyCall;
    fn preview(self: Box<Self>) -> Result<RequestPreview>;
    fn debug(&self) -> String;
    /// Sends the request. A stream is read to its end.
    fn send(self: Box<Self>) -> Sent;
}

struct Typed<T, R> {
    call: Call<T>,
    read: R,
}

impl<T, R, F> Erased for Typed<T, R>
where
    T: Debug + Send + 'static,
    R: FnOnce(T) -> F + Send + 'static,
    F: Future<Output = Content> + Send,
{
    fn header(mut self: Box<Self>, name: &str, value: &str) -> AnyCall {
        self.call = self.call.header(name, value);
        self
    }

    fn query(mut self: Box<Self>, name: &str, value: &str) -> AnyCall {
        self.call = self.call.query(name, value);
        self
    }

    fn preview(self: Box<Self>) -> Result<RequestPreview> {
        self.call.preview()
    }

    fn debug(&self) -> String {
        format!("{:?}", self.call)
    }

    fn send(self: Box<Self>) -> Sent {
        Box::pin(async move {
            let response = self.call.with_response().await?;
            let debug = format!("{response:?}");
            let status = response.status;
            let Content { json, id, failures } = (self.read)(response.value).await;
            Ok(Success {
                status,
                json,
                debug,
                id,
                failures,
            })
        })
    }
}

fn read<T: Debug + Send + 'static>(call: Call<T>, read: fn(T) -> Content) -> AnyCall {
    let read = move |value| std::future::ready(read(value));
    Box::new(Typed { call, read })
}

/// A call whose result becomes JSON; `Null` if it contains a secret.
fn json<T: Serialize + Debug + Send + 'static>(call: Call<T>) -> AnyCall {
    json_with_id(call, |_| None)
}

/// Like `json`, but also reads the id, because a result with a secret has no JSON.
fn json_with_id<T: Serialize + Debug + Send + 'static>(
    call: Call<T>,
    id: fn(&T) -> Option<String>,
) -> AnyCall {
    let read = move |value: T| {
        std::future::ready(Content {
            json: serde_json::to_value(&value).unwrap_or_default(),
            id: id(&value),
            failures: Vec::new(),
        })
    };
    Box::new(Typed { call, read })
}

/// A call whose result does not implement `Serialize`.
fn opaque<T: Debug + Send + 'static>(call: Call<T>) -> AnyCall {
    read(call, |_| Content::default())
}

/// Like [`opaque`], but also reads the id.
fn opaque_with_id<T: Debug + Send + 'static>(call: Call<T>, id: fn(&T) -> String) -> AnyCall {
    let read = move |value: T| {
        let id = Some(id(&value));
        std::future::ready(Content {
            id,
            ..Content::default()
        })
    };
    Box::new(Typed { call, read })
}

/// A log stream that is read to its end.
fn lines(call: Call<LogStream>) -> AnyCall {
    let read = |stream: LogStream| async move {
        let mut stream = stream.without_reconnecting();
        let (mut lines, mut failures) = (Vec::new(), Vec::new());
        while let Some(line) = stream.next().await {
            match line {
                Ok(line) => lines.push(json!(line)),
                Err(error) => failures.push(error),
            }
        }
        Content {
            json: Value::Array(lines),
            id: None,
            failures,
        }
    };
    Box::new(Typed { call, read })
}

/// A log stream that polls forever: only its first item is read.
fn endless(call: Call<LogStream>) -> AnyCall {
    let read = |mut stream: LogStream| async move {
        let mut content = Content::default();
        let first = tokio::time::timeout(Duration::from_secs(2), stream.next()).await;
        match first.ok().flatten() {
            Some(Ok(line)) => content.json = json!([line]),
            Some(Err(error)) => content.failures.push(error),
            None => {}
        }
        content
    };
    Box::new(Typed { call, read })
}
