//! The table: every fault, and how each kind of operation comes out of it.

mod connection;
mod hints;
mod redirect;
mod reply;
mod status;
mod stream;

use super::fault::Fault;

/// All rows, in the order in which a call meets them.
pub fn faults() -> Vec<Fault> {
    let mut all = connection::faults();
    all.extend(reply::faults());
    all.extend(status::faults());
    all.extend(hints::faults());
    all.extend(redirect::faults());
    all.extend(stream::faults());
    all
}
