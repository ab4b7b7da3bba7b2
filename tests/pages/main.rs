//! Pagination: pages, streams and whole lists, and their requests.

mod options;
mod platforms;
mod properties;
mod stream;

use deploykit::edgegap::{Client, DeploymentSummary};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Call, Page, Result, page::PageStream, preview::RequestPreview};
use serde_json::{Value, json};

/// A number in the query of a request.
pub fn query_number(request: &RequestPreview, name: &str) -> Option<usize> {
    let (_, value) = request.query.iter().find(|(other, _)| other == name)?;
    Some(value.parse().unwrap())
}

/// Number of the requested page.
pub fn page_of(request: &RequestPreview) -> usize {
    query_number(request, "page").unwrap_or(1)
}

/// A page in Edgegap's format.
pub fn page(ids: &[String], number: usize, has_next: bool, total: usize) -> CannedReply {
    let data: Vec<Value> = ids.iter().map(|id| json!({ "request_id": id })).collect();
    json_reply(json!({
        "data": data,
        "total_count": total,
        "pagination": { "number": number, "has_next": has_next },
    }))
}

pub fn json_reply(body: Value) -> CannedReply {
    CannedReply::json(200, body.to_string())
}

/// A platform with the deployments d-0, d-1, ….
pub fn platform_with(total: usize) -> Recorder {
    answering(move |request| {
        let at = page_of(request);
        let size = query_number(request, "limit").unwrap_or(10);
        let ids = ids((0..total).skip((at - 1) * size).take(size));
        page(&ids, at, at * size < total, total)
    })
}

/// A recorder that answers with a function.
pub fn answering(
    answer: impl Fn(&RequestPreview) -> CannedReply + Send + Sync + 'static,
) -> Recorder {
    let recorder = Recorder::new();
    recorder.answer_with(answer);
    recorder
}

pub fn client(recorder: &Recorder) -> Client {
    let builder = Client::builder().token("canary-5d1f").recorder(recorder);
    builder.build().unwrap()
}

/// The deployments in pages of two.
pub fn pages_of_two(recorder: &Recorder) -> Call<Page<DeploymentSummary>> {
    client(recorder).deployments().page_size(2).list()
}

/// Reads a stream to its end. Returns the ids and the error.
pub async fn rest(
    stream: &mut PageStream<DeploymentSummary>,
) -> (Vec<String>, Option<deploykit::Error>) {
    let mut ids = Vec::new();
    let mut failure = None;
    while let Some(item) = stream.next().await {
        assert!(failure.is_none(), "an item after an error");
        match item {
            Ok(one) => ids.push(one.request_id.into()),
            Err(error) => failure = Some(error),
        }
    }
    assert!(stream.next().await.is_none(), "an item after the end");
    (ids, failure)
}

pub fn ids(range: impl IntoIterator<Item = usize>) -> Vec<String> {
    let range = range.into_iter();
    range.map(|index| format!("d-{index}")).collect()
}

/// The ids of a list that was read without an error.
pub fn ids_of(all: Result<Vec<DeploymentSummary>>) -> Vec<String> {
    let all = all.unwrap().into_iter();
    all.map(|one| one.request_id.into()).collect()
}

/// Numbers of the requested pages; 0 for a request without a number.
pub fn requested_pages(recorder: &Recorder) -> Vec<usize> {
    let requests = recorder.requests();
    let pages = requests.iter().map(|request| query_number(request, "page"));
    pages.map(Option::unwrap_or_default).collect()
}
