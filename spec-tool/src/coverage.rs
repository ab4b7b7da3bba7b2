//! What a vendor's document offers and our spec does not have.

use crate::outline::{Fact, Outline};
use std::collections::BTreeSet;

/// The operations, parameters and fields that are missing in our outline, sorted.
///
/// The names of path parameters do not count. A field of a reply may be in an envelope of ours, so that only
/// its name counts.
pub fn missing(vendor: &Outline, ours: &Outline) -> Vec<String> {
    let have: BTreeSet<_> = ours.facts().map(|fact| key(fact, &fact.field)).collect();
    let found = vendor.facts().filter(|fact| counts(fact));
    let missing = found.filter(|fact| {
        let in_map = match fact.field.rsplit_once('.') {
            Some((around, _)) => format!("{around}.*"),
            None => "*".to_owned(),
        };
        !have.contains(&key(fact, &fact.field)) && !have.contains(&key(fact, &in_map))
    });
    let places: BTreeSet<_> = missing
        .map(|fact| Fact {
            value: String::new(),
            ..fact.clone()
        })
        .collect();
    // The facts of a missing operation are not listed one by one.
    let operations: BTreeSet<_> = places
        .iter()
        .filter(|fact| fact.place.is_empty())
        .map(|fact| fact.operation.clone())
        .collect();
    let listed = places
        .iter()
        .filter(|fact| fact.place.is_empty() || !operations.contains(&fact.operation));
    listed.map(ToString::to_string).collect()
}

/// Whether our spec should have the fact: an operation, a parameter, or a field of a request or success.
fn counts(fact: &Fact) -> bool {
    let is_field = !fact.field.is_empty() && fact.field != "body" && !fact.field.contains(' ');
    let place = fact.place.as_str();
    let is_place = ["request", "query", "header"].contains(&place) || place.starts_with('2');
    fact.operation != "*" && (place.is_empty() || is_field && is_place)
}

/// What a fact with this field is compared by.
fn key(fact: &Fact, field: &str) -> String {
    let (method, path) = fact.operation.split_once(' ').unwrap_or_default();
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => "{}",
        false => part,
    });
    let operation = format!("{method} {}", parts.collect::<Vec<_>>().join("/"));
    match fact.place.starts_with('2') {
        true => {
            let name = field.rsplit('.').next().unwrap_or(field);
            format!("{operation} reply {}", name.trim_end_matches("[]"))
        }
        false => format!("{operation} {} {field}", fact.place),
    }
}
