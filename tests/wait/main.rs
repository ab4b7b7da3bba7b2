//! Waiting, under a clock that stands still unless somebody waits: what is asked, when, and what comes
//! of it.
#![cfg(feature = "edgegap")]

mod cursor;
mod engine;
mod errors;
mod script;
