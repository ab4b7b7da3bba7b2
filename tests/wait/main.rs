//! Waiting, under a clock that stands still unless somebody waits: what is asked, when, and what comes
//! of it.
#![cfg(all(feature = "dployr", feature = "edgegap", feature = "nodion"))]

mod cursor;
mod engine;
mod errors;
mod many;
mod script;
