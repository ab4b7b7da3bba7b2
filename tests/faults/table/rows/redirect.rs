//! Redirects, which are never followed.

use crate::table::fault::{Fault, fault, reply};
use deploykit::ErrorKind::Redirected;

pub fn faults() -> Vec<Fault> {
    let with_headers = |name: &str, status: &'static str, headers: &'static [&'static str]| {
        fault(name, move |_| reply(status, headers, ""))
    };
    let mut all = vec![
        with_headers(
            "302 to the same path",
            "302 Found",
            &["location: /v1/again"],
        ),
        with_headers("302 without a location", "302 Found", &[]),
        with_headers(
            "302 to an invalid URL",
            "302 Found",
            &["location: http://[::"],
        ),
        with_headers(
            "304 to a request without a condition",
            "304 Not Modified",
            &[],
        ),
    ];
    all.extend([301, 302, 303, 307, 308].map(|status| {
        fault(format!("{status} to another server"), move |setting| {
            let location = format!("location: {}/v1/elsewhere?token=1", setting.elsewhere);
            reply(
                &format!("{status} Elsewhere"),
                &[&location],
                "<html>moved</html>",
            )
        })
    }));
    let all = all.into_iter();
    all.map(|fault| fault.permanent(Redirected)).collect()
}
