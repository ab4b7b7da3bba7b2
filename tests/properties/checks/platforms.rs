//! Calls of every operation, with a secret in each secret part.

use super::operations::{Clients, Row, Setup, Variant, rows};
use super::{EMAIL, NUMBER, PASSWORD, QUERY, SESSION, TOKEN, USER, VALUE};
use deploykit::dployr;
use deploykit::operation::TimeClass;
use deploykit::testing::CannedReply;
use deploykit::{
    ClientBuilder, Platform, Result,
    operation::{OPERATIONS, Operation},
    preview::RequestPreview,
};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex};

/// An address without a server. Plain http on loopback, so that clients do not initialize TLS.
pub const UNUSED_URL: &str = "http://127.0.0.1:9";

/// Uses one id for every path and puts a canary in every secret place. Records which canaries were used.
#[derive(Clone, Default)]
struct Planted {
    /// The reply to every request.
    reply: Arc<Mutex<Option<CannedReply>>>,
    /// The id in every path.
    id: Arc<Mutex<String>>,
    /// The canaries that were used.
    secrets: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Setup for Planted {
    fn client<P: Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        let reply = self.reply.clone();
        let builder = builder.base_url(UNUSED_URL).token(TOKEN);
        builder.in_process(move |_| reply.lock().unwrap().clone().expect("a reply is set"))
    }

    fn dployr(&self, builder: dployr::ClientBuilder) -> dployr::ClientBuilder {
        builder.cluster("c-1")
    }

    fn secret(&self, place: &str) -> String {
        let secret = match place {
            // Not recorded: some requests are sent without the token.
            "authorization" => return TOKEN.to_owned(),
            "authorization (container)" => TOKEN,
            "cookie" | "path.stop_key" => SESSION,
            "query.sessionToken" | "body.sessionToken" | "body.sessionID" => SESSION,
            "body.password" | "body.code" => PASSWORD,
            "body.email" | "body.users" => EMAIL,
            _ if place.ends_with("(query)") => QUERY,
            _ if place.starts_with("url") => USER,
            _ if place.starts_with("body.secrets") || place.ends_with("(second)") => NUMBER,
            _ => VALUE,
        };
        self.secrets.lock().unwrap().insert(secret);
        secret.to_owned()
    }

    fn id(&self, _: &str, _: &str) -> String {
        self.id.lock().unwrap().clone()
    }

    fn value(&self, name: &str, default: &str) -> String {
        match name {
            "self_stop_url" => UNUSED_URL.to_owned(),
            _ => default.to_owned(),
        }
    }
}

/// A client of each platform.
pub struct Platforms {
    clients: Clients,
    planted: Planted,
}

impl Deref for Platforms {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.clients
    }
}

impl Platforms {
    fn new() -> Self {
        let planted = Planted::default();
        let clients = Clients::new(planted.clone());
        Self { clients, planted }
    }

    /// Sets the reply to all requests.
    pub fn answer(&self, reply: CannedReply) {
        *self.planted.reply.lock().unwrap() = Some(reply);
    }

    /// Calls an operation. Returns the `Debug` output of its result.
    pub async fn call(&self, operation: &Operation, id: &str, follow: bool) -> Result<String> {
        self.planted.id.lock().unwrap().replace_range(.., id);
        let called = called(operation);
        let variant = if follow { called.follow } else { None };
        let variant = variant.unwrap_or(called.secrets);
        let success = variant.call(&self.clients).send().await?;
        if let Some(failure) = success.failures.into_iter().next() {
            return Err(failure);
        }
        // 410 means already stopped, 400 and 422 an invalid manifest. Both are results, not errors.
        let status = success.status;
        let expected = (200..300).contains(&status) || [400, 410, 422].contains(&status);
        assert!(expected, "{status} is not a success");
        Ok(success.debug)
    }

    /// The preview of an operation.
    pub fn preview(&self, operation: &Operation, id: &str) -> Result<RequestPreview> {
        self.planted.id.lock().unwrap().replace_range(.., id);
        called(operation).secrets.call(&self.clients).preview()
    }
}

/// The variants of an operation that are called here.
struct Called {
    /// The variant with the most secrets.
    secrets: &'static Variant,
    /// The variant that follows logs in one response.
    follow: Option<&'static Variant>,
    /// The canaries in the request of that variant.
    carried: &'static [&'static str],
}

fn called(operation: &Operation) -> &'static Called {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(rows);
    static ALL: LazyLock<Vec<Called>> =
        LazyLock::new(|| ROWS.iter().map(select_variants).collect());
    let row = ROWS.iter().position(|row| row.operation == operation);
    &ALL[row.unwrap()]
}

fn select_variants(row: &'static Row) -> Called {
    let planted = Planted::default();
    planted.id.lock().unwrap().push_str("an-id");
    let clients = Clients::new(planted.clone());
    let carried = |variant: &Variant| -> Vec<&'static str> {
        planted.secrets.lock().unwrap().clear();
        let preview = variant.call(&clients).preview().unwrap();
        let mut secrets = std::mem::take(&mut *planted.secrets.lock().unwrap());
        if preview
            .headers
            .iter()
            .any(|(name, _)| name == "authorization")
        {
            secrets.insert(TOKEN);
        }
        secrets.into_iter().collect()
    };
    let variants = row.variants.iter().rev();
    let secrets = variants
        .max_by_key(|variant| carried(variant).len())
        .unwrap();
    let streams = row.operation.behaviour.time == TimeClass::Stream;
    let follow = |variant: &&Variant| streams && variant.name == "follow";
    Called {
        secrets,
        follow: row.variants.iter().find(follow),
        carried: carried(secrets).leak(),
    }
}

/// The secrets in the request of an operation.
pub fn secrets_of(operation: &Operation) -> &'static [&'static str] {
    called(operation).carried
}

/// The operation with this number, modulo their count.
pub fn operation(number: u8) -> &'static Operation {
    &OPERATIONS[usize::from(number) % OPERATIONS.len()]
}

/// Runs a function with the clients of this thread, which are expensive to create.
pub fn with<T>(run: impl FnOnce(&Platforms) -> T) -> T {
    thread_local! {
        static PLATFORMS: Platforms = Platforms::new();
    }
    PLATFORMS.with(run)
}
