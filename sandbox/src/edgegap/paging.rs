//! The pages of every list of edgegap/openapi-specification:edgegap-v1-openapi.yaml.

use serde_json::{Map, Value, json};

use super::message;
use crate::model::{Reply, Request};

/// One page of the items under this key; pages are numbered from 1. An error is the reply to it.
pub(super) fn page_of(
    request: &Request,
    key: &str,
    items: Vec<Value>,
) -> Result<Map<String, Value>, Reply> {
    described_page(request, key, items, |item| item)
}

/// The same of items of which only those on the page are described: there may be many thousands.
pub(super) fn described_page<T>(
    request: &Request,
    key: &str,
    items: Vec<T>,
    describe: impl Fn(T) -> Value,
) -> Result<Map<String, Value>, Reply> {
    let number = |name: &str, otherwise: usize| match request.query_value(name) {
        None => Some(otherwise),
        // `int64` in the file.
        Some(text) => {
            let number = text.parse::<i64>().ok().filter(|number| *number >= 1);
            number.and_then(|number| usize::try_from(number).ok())
        }
    };
    // How many there are on a page without `limit` is not published: ten is the sandbox's own.
    let (Some(page), Some(limit)) = (number("page", 1), number("limit", 10)) else {
        return Err(message(400, "page and limit must be at least 1"));
    };
    let total = items.len();
    let pages = total.div_ceil(limit).max(1);
    let first = (page - 1).saturating_mul(limit);
    let some = items.into_iter().skip(first).take(limit);
    let some: Vec<Value> = some.map(describe).collect();
    let pagination = json!({
        "number": page,
        "next_page_number": (page < pages).then(|| page + 1),
        "previous_page_number": (page > 1).then(|| page - 1),
        "paginator": { "num_pages": pages },
        "has_next": page < pages,
        "has_previous": page > 1,
    });
    Ok(Map::from_iter([
        (key.to_owned(), Value::Array(some)),
        ("total_count".to_owned(), json!(total)),
        ("pagination".to_owned(), pagination),
    ]))
}

/// The page as a reply.
pub(super) fn reply(request: &Request, key: &str, items: Vec<Value>) -> Reply {
    match page_of(request, key, items) {
        Ok(body) => Reply::json(200, &Value::Object(body)),
        Err(reply) => reply,
    }
}
