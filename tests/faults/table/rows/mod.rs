//! The rows of the table: one file per group of faults.

mod connection;
mod http2;
mod rate_limited;
mod redirect;
mod response;
mod status;
mod stream;

use super::fault::Fault;

/// All rows, in the order in which a call meets them.
pub fn faults() -> Vec<Fault> {
    let mut all = connection::faults();
    all.extend(http2::faults());
    all.extend(response::faults());
    all.extend(status::faults());
    all.extend(rate_limited::faults());
    all.extend(redirect::faults());
    all.extend(stream::faults());
    all
}
