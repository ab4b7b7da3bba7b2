//! Logging in by a code, the cookie that gives, and API tokens, which only that can make.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::{failure, flat, ok_with, page};
use crate::bounds::{MOST, cut};
use crate::model::{Reply, Request, text_field};
use crate::time::millis;

/// The code of every mail; there are no mails here.
pub(in crate::dployr) const CODE: &str = "SANDBX";
/// The token of the one CI job that is trusted: it has the form of one and is signed by nobody.
pub(in crate::dployr) const IDENTITY_TOKEN: &str =
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2FuZGJveA";
/// A session lives for seven days, whether it is used or not (seen in the cookie's Max-Age).
const LIFE: Duration = Duration::from_secs(7 * 24 * 3_600);
/// That of a job for an hour (dployr-io/dployr-base:src/routes/auth.ts).
const JOB_LIFE: Duration = Duration::from_secs(3_600);
/// After three wrong ones a code is dropped, after ten minutes too (dployr-io/dployr-base:src/services/auth.ts).
const ATTEMPTS: u32 = 3;
const CODE_LIFE: Duration = Duration::from_secs(600);

/// What a user has to get in with.
#[derive(Clone, Debug, Default)]
pub(in crate::dployr) struct Access {
    /// Until when a code holds, and how many attempts are left.
    code: Option<(Duration, u32)>,
    sessions: Vec<(String, Duration)>,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug)]
struct Token {
    id: String,
    name: String,
    secret: String,
    created_at: Duration,
    expires_at: Option<Duration>,
    used_at: Option<Duration>,
}

impl Access {
    /// Whether a bearer token is one that was made here.
    pub(in crate::dployr) fn knows_token(&self, secret: &str, now: Duration) -> bool {
        self.tokens
            .iter()
            .any(|token| token.secret == secret && token.expires_at.is_none_or(|ends| now < ends))
    }

    pub(super) fn bound(&mut self) {
        cut(&mut self.sessions, MOST, |_| false);
        cut(&mut self.tokens, MOST, |_| false);
    }

    /// A token's list says when it was used last (seen).
    pub(super) fn note_use(&mut self, request: &Request, now: Duration) {
        let header = request.header("authorization").unwrap_or_default();
        let secret = header.strip_prefix("Bearer ").unwrap_or_default();
        if self.knows_token(secret, now) {
            let mut tokens = self.tokens.iter_mut();
            if let Some(token) = tokens.find(|token| token.secret == secret) {
                token.used_at = Some(now);
            }
        }
    }

    /// Whether the request has the cookie of a session. A bearer token that begins like one goes before it, also when it
    /// is wrong (seen on a running control plane).
    pub(in crate::dployr) fn knows_cookie(&self, request: &Request, now: Duration) -> bool {
        let bearer = request.header("authorization").unwrap_or_default();
        if bearer.starts_with("Bearer dpat_") {
            return false;
        }
        let cookies = request.header("cookie").unwrap_or_default().split(';');
        let mut ids = cookies.filter_map(|cookie| cookie.trim().strip_prefix("session="));
        ids.any(|id| {
            let mut sessions = self.sessions.iter();
            sessions.any(|(session, ends)| session == id && now < *ends)
        })
    }
}

pub(super) fn route(
    state: &mut Dployr,
    request: &Request,
    method: &str,
    rest: &[&str],
    now: Duration,
) -> Option<Reply> {
    let signed_in = state.own.access.knows_cookie(request, now);
    // The check of credentials stands before the tokens as everywhere, and with a token goes on to their 403
    // (dployr-io/dployr-base:src/routes/auth-tokens.ts; the 403 was seen).
    if matches!(
        (method, rest),
        ("GET" | "POST", ["tokens"]) | ("DELETE", ["tokens", _])
    ) && !state.knows(request, now)
    {
        return Some(flat(401, "Not authenticated", "auth.bad_session"));
    }
    Some(match (method, rest) {
        ("POST", ["login", "email"]) => send_code(state, request, now),
        ("POST", ["login", "email", "verify"]) => verify(state, request, now),
        ("POST", ["oidc", "exchange"]) => exchange(state, request, now),
        ("GET", ["logout"]) => {
            if signed_in {
                // All of the user; API tokens go on.
                state.own.access.sessions.clear();
            }
            // The cookie is taken away from whoever asks (dployr-io/dployr-base:src/routes/auth.ts).
            ok_with(json!({}), "Logged out successfully")
                .with_header("set-cookie", "session=; Max-Age=0; Path=/")
        }
        ("POST", ["tokens"]) if signed_in => create_token(state, request, now),
        ("POST", ["tokens"]) => scoped("create other"),
        ("GET", ["tokens"]) if signed_in => {
            let tokens = state.own.access.tokens.iter();
            let items = tokens.map(|token| Value::Object(describe(state, token)));
            page(request, items.collect())
        }
        ("GET", ["tokens"]) => scoped("list"),
        ("DELETE", ["tokens", id]) if signed_in => {
            let before = state.own.access.tokens.len();
            state.own.access.tokens.retain(|token| token.id != *id);
            if state.own.access.tokens.len() == before {
                return Some(failure(404, "Token not found", "resource.missing_resource"));
            }
            ok_with(Value::Null, "Token revoked")
        }
        ("DELETE", ["tokens", _]) => scoped("revoke"),
        _ => return None,
    })
}

fn scoped(what: &str) -> Reply {
    let message = format!("Scoped tokens cannot {what} tokens");
    failure(403, &message, "permission.forbidden")
}

/// A body that is no JSON is not guarded against here: the framework's 500.
fn broken() -> Reply {
    Reply::text(500, "text/plain; charset=UTF-8", "Internal Server Error")
}

pub(super) fn is_email(text: &&str) -> bool {
    let domain = text.split_once('@').map(|(_, domain)| domain);
    domain.is_some_and(|domain| domain.contains('.'))
}

fn send_code(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let Ok(body) = request.json_object() else {
        return broken();
    };
    let Some(email) = text_field(&body, "email").filter(is_email) else {
        return failure(400, "Invalid email format", "request.bad_request");
    };
    // Only the owner can log in here: the sandbox has one user.
    if email == state.email {
        state.own.access.code = Some((now + CODE_LIFE, ATTEMPTS));
    }
    let data = json!({ "email": email, "requireTotp": false });
    ok_with(data, "OTP sent to your email")
}

fn verify(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let Ok(body) = request.json_object() else {
        return broken();
    };
    let email = text_field(&body, "email").filter(is_email);
    let code = text_field(&body, "code").filter(|code| (6..=15).contains(&code.chars().count()));
    let (Some(email), Some(code)) = (email, code) else {
        let message = "Invalid email or code format";
        return failure(400, message, "request.bad_request");
    };
    if email != state.email {
        return failure(404, "User not found", "resource.missing_resource");
    }
    match state.own.access.code {
        Some((ends, _)) if now < ends && code.eq_ignore_ascii_case(CODE) => {}
        code => {
            let left = code.map(|(ends, left)| (ends, left.saturating_sub(1)));
            state.own.access.code = left.filter(|(_, left)| *left > 0);
            return failure(400, "Invalid or expired code", "request.invalid_otp");
        }
    }
    state.own.access.code = None;
    // In the cookie alone, never in the body.
    let (_, cookie) = begin(state, now, LIFE);
    ok_with(json!({ "email": email }), "Login successful").with_header("set-cookie", cookie)
}

/// One job is trusted. Refusals were seen, with this code for a token that is none; their words were not kept. The success
/// was read in dployr-io/dployr-base:src/routes/auth.ts.
fn exchange(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let Ok(body) = request.json_object() else {
        return broken();
    };
    let Some(token) = text_field(&body, "token") else {
        // Not recorded; as the other bodies of this file that lack something.
        return failure(400, "token is required", "request.bad_request");
    };
    if token != IDENTITY_TOKEN {
        return failure(401, "Invalid identity token", "auth.oidc_invalid_token");
    }
    let (id, cookie) = begin(state, now, JOB_LIFE);
    let data = json!({ "sessionId": id, "expiresIn": JOB_LIFE.as_secs() });
    super::ok(data).with_header("set-cookie", cookie)
}

/// A session, and the cookie that says so.
fn begin(state: &mut Dployr, now: Duration, life: Duration) -> (String, String) {
    let id = state.ids.uuid();
    let cookie = format!(
        "session={id}; Max-Age={}; Path=/; HttpOnly; SameSite=Lax",
        life.as_secs()
    );
    state.own.access.sessions.push((id.clone(), now + life));
    (id, cookie)
}

fn create_token(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let body = request.json_object().unwrap_or_default();
    let name = text_field(&body, "name");
    // The one scope there is, though nothing looks at it later.
    let scopes = body.get("scopes") == Some(&json!(["oidc:bind"]));
    let life = match body.get("expiresIn") {
        None => Ok(None),
        Some(life) => life
            .as_i64()
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(Err(()), |seconds| Ok(Some(seconds))),
    };
    let (Some(name), true, Ok(life)) = (name, scopes, life) else {
        let message = "Invalid token parameters";
        return failure(400, message, "request.bad_request");
    };
    let token = Token {
        id: state.ids.uuid(),
        name: name.to_owned(),
        secret: format!("dpat_{}", state.ids.hex(64)),
        created_at: now,
        expires_at: life.map(|seconds| now + Duration::from_secs(seconds)),
        used_at: None,
    };
    let mut data = describe(state, &token);
    data.insert("token".to_owned(), Value::from(token.secret.clone()));
    state.own.access.tokens.push(token);
    let message = "Token created — save it now, it will not be shown again";
    let body = json!({ "success": true, "data": data, "message": message });
    Reply::json(201, &body)
}

fn describe(state: &Dployr, token: &Token) -> Map<String, Value> {
    super::object(json!({
        "id": token.id,
        "userId": state.user_id,
        "name": token.name,
        "scopes": ["oidc:bind"],
        "createdAt": millis(token.created_at),
        "expiresAt": token.expires_at.map(millis),
        "lastUsedAt": token.used_at.map(millis),
    }))
}
