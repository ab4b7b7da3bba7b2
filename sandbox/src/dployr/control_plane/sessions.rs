//! Login by code, session cookies, and API tokens.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::{
    bad_request, body_or_500, handler_error, not_found, ok, ok_with_message, page, unauthenticated,
};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::{object, text_field};
use crate::time::millis;

/// The login code of every user: the sandbox sends no e-mail.
pub(in crate::dployr) const CODE: &str = "SANDBX";
/// The identity token of the trusted CI job. It has the format of a JWT, but no valid signature.
pub(in crate::dployr) const IDENTITY_TOKEN: &str =
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2FuZGJveA";
/// Sessions last seven days (observed in the cookie's Max-Age).
const SESSION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);
/// CI sessions last one hour (dployr-io/dployr-base:src/routes/auth.ts).
const CI_SESSION_LIFETIME: Duration = Duration::from_secs(3_600);
/// A code is dropped after three wrong attempts or ten minutes
/// (dployr-io/dployr-base:src/services/auth/index.ts).
const CODE_ATTEMPTS: u32 = 3;
const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// Login code, sessions and API tokens of the user.
#[derive(Clone, Debug, Default)]
pub(in crate::dployr) struct Credentials {
    /// Expiry of the current login code, and attempts left.
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

impl Token {
    /// Whether the secret matches and the token has not expired.
    fn accepts(&self, secret: &str, now: Duration) -> bool {
        self.secret == secret && self.expires_at.is_none_or(|ends| now < ends)
    }
}

impl Credentials {
    /// Whether an API token with this secret exists and has not expired.
    pub(in crate::dployr) fn has_api_token(&self, secret: &str, now: Duration) -> bool {
        self.tokens.iter().any(|token| token.accepts(secret, now))
    }

    /// Records when a token was last used (observed in the token list).
    pub(super) fn record_token_use(&mut self, call: &Call) {
        let header = call.request.header("authorization").unwrap_or_default();
        let secret = header.strip_prefix("Bearer ").unwrap_or_default();
        let mut tokens = self.tokens.iter_mut();
        if let Some(token) = tokens.find(|token| token.accepts(secret, call.now)) {
            token.used_at = Some(call.now);
        }
    }

    /// Whether the request has the cookie of a session.
    ///
    /// Observed: a bearer token with the API-token prefix has priority, even if it is wrong.
    pub(in crate::dployr) fn has_session_cookie(&self, call: &Call) -> bool {
        let bearer = call.request.header("authorization").unwrap_or_default();
        if bearer.starts_with("Bearer dpat_") {
            return false;
        }
        let cookies = call.request.header("cookie").unwrap_or_default().split(';');
        let mut ids = cookies.filter_map(|cookie| cookie.trim().strip_prefix("session="));
        ids.any(|id| {
            let mut sessions = self.sessions.iter();
            sessions.any(|(session, ends)| session == id && call.now < *ends)
        })
    }
}

/// Checks that the caller has a session: only sessions may manage API tokens.
///
/// The general credential check runs first. A caller with an API token passes it and gets this 403
/// (dployr-io/dployr-base:src/routes/auth-tokens.ts; the 403 was observed).
fn require_session(
    state: &Dployr,
    call: &Call,
    authenticated: bool,
    action: &str,
) -> Result<(), Reply> {
    if !authenticated {
        return Err(unauthenticated());
    }
    if !state.control_plane.credentials.has_session_cookie(call) {
        let message = format!("Scoped tokens cannot {action} tokens");
        return Err(handler_error(403, &message, "permission.forbidden"));
    }
    Ok(())
}

pub(super) fn is_email(text: &&str) -> bool {
    let domain = text.split_once('@').map(|(_, domain)| domain);
    domain.is_some_and(|domain| domain.contains('.'))
}

pub(super) fn send_code(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body_or_500(call)?;
    let email = text_field(&body, "email").filter(is_email);
    let email = email.ok_or_else(|| bad_request("Invalid email format"))?;
    // Only the owner can log in: the sandbox has one user.
    if email == state.email {
        state.control_plane.credentials.code = Some((call.now + CODE_LIFETIME, CODE_ATTEMPTS));
    }
    let data = json!({ "email": email, "requireTotp": false });
    Ok(ok_with_message(200, data, "OTP sent to your email"))
}

pub(super) fn verify(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body_or_500(call)?;
    let email = text_field(&body, "email").filter(is_email);
    let code = text_field(&body, "code").filter(|code| (6..=15).contains(&code.chars().count()));
    let (Some(email), Some(code)) = (email, code) else {
        return Err(bad_request("Invalid email or code format"));
    };
    if email != state.email {
        return Err(not_found("User not found"));
    }
    match state.control_plane.credentials.code.take() {
        Some((ends, _)) if call.now < ends && code.eq_ignore_ascii_case(CODE) => {}
        code => {
            let left = code.map(|(ends, left)| (ends, left.saturating_sub(1)));
            state.control_plane.credentials.code = left.filter(|(_, left)| *left > 0);
            return Err(handler_error(
                400,
                "Invalid or expired code",
                "request.invalid_otp",
            ));
        }
    }
    // The session id is only in the cookie.
    let (_, cookie) = start_session(state, call, SESSION_LIFETIME);
    let reply = ok_with_message(200, json!({ "email": email }), "Login successful");
    Ok(reply.with_header("set-cookie", cookie))
}

/// Exchanges the identity token of the trusted CI job for a session.
///
/// The code of the 401 was observed; its message is made up. The success is from
/// dployr-io/dployr-base:src/routes/auth.ts.
pub(super) fn exchange(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body_or_500(call)?;
    // The reply to a missing token was not recorded; assumed to be like other replies to incomplete bodies.
    let token = text_field(&body, "token").ok_or_else(|| bad_request("token is required"))?;
    if token != IDENTITY_TOKEN {
        return Err(handler_error(
            401,
            "Invalid identity token",
            "auth.oidc_invalid_token",
        ));
    }
    let (id, cookie) = start_session(state, call, CI_SESSION_LIFETIME);
    let data = json!({ "sessionId": id, "expiresIn": CI_SESSION_LIFETIME.as_secs() });
    Ok(ok(data).with_header("set-cookie", cookie))
}

/// Starts a session. Returns its id and its `Set-Cookie` header.
fn start_session(state: &mut Dployr, call: &Call, life: Duration) -> (String, String) {
    let id = state.ids.uuid();
    let seconds = life.as_secs();
    let cookie = format!("session={id}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax");
    state
        .control_plane
        .credentials
        .sessions
        .push((id.clone(), call.now + life));
    (id, cookie)
}

/// Ends all sessions of the user; API tokens stay valid.
///
/// The reply clears the cookie even if the caller has no session (dployr-io/dployr-base:src/routes/auth.ts).
pub(super) fn logout(state: &mut Dployr, call: &Call) -> HandlerResult {
    if state.control_plane.credentials.has_session_cookie(call) {
        state.control_plane.credentials.sessions.clear();
    }
    let reply = ok_with_message(200, json!({}), "Logged out successfully");
    Ok(reply.with_header("set-cookie", "session=; Max-Age=0; Path=/"))
}

pub(super) fn list_tokens(state: &Dployr, call: &Call, authenticated: bool) -> HandlerResult {
    require_session(state, call, authenticated, "list")?;
    let tokens = state.control_plane.credentials.tokens.iter();
    let items = tokens.map(|token| describe(state, token).into());
    Ok(page(call, items.collect()))
}

pub(super) fn delete_token(state: &mut Dployr, call: &Call, authenticated: bool) -> HandlerResult {
    require_session(state, call, authenticated, "revoke")?;
    let tokens = &mut state.control_plane.credentials.tokens;
    let at = tokens.iter().position(|token| token.id == call.path("id"));
    tokens.remove(at.ok_or_else(|| not_found("Token not found"))?);
    Ok(ok_with_message(200, Value::Null, "Token revoked"))
}

pub(super) fn create_token(state: &mut Dployr, call: &Call, authenticated: bool) -> HandlerResult {
    require_session(state, call, authenticated, "create other")?;
    let body = call.request.json_object().unwrap_or_default();
    // `oidc:bind` is the only scope. The server does not check the scope of a token later.
    let scopes = body.get("scopes") == Some(&json!(["oidc:bind"]));
    let name = text_field(&body, "name").filter(|_| scopes);
    let seconds = |life: &Value| u64::try_from(life.as_i64()?).ok();
    let life = body
        .get("expiresIn")
        .map(|life| seconds(life).ok_or(()))
        .transpose();
    let (Some(name), Ok(life)) = (name, life) else {
        return Err(bad_request("Invalid token parameters"));
    };
    let token = Token {
        id: state.ids.uuid(),
        name: name.to_owned(),
        secret: format!("dpat_{}", state.ids.hex(64)),
        created_at: call.now,
        expires_at: life.map(|seconds| call.now + Duration::from_secs(seconds)),
        used_at: None,
    };
    let mut data = describe(state, &token);
    data.insert("token".to_owned(), json!(token.secret));
    state.control_plane.credentials.tokens.push(token);
    let message = "Token created — save it now, it will not be shown again";
    Ok(ok_with_message(201, data.into(), message))
}

fn describe(state: &Dployr, token: &Token) -> Map<String, Value> {
    object(json!({
        "id": token.id,
        "userId": state.user_id,
        "name": token.name,
        "scopes": ["oidc:bind"],
        "createdAt": millis(token.created_at),
        "expiresAt": token.expires_at.map(millis),
        "lastUsedAt": token.used_at.map(millis),
    }))
}
