//! Webhooks: their events, and the secret in the callback URL.

mod callback_secret;
mod events;
#[path = "../support/mod.rs"]
mod support;
