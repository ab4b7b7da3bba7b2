//! What stands in the place of a platform sees every secret: nothing that it keeps or shows has one,
//! and it shows the same as the client does.

use crate::answers;
use crate::planted::Plant;
use crate::walk::{Row, Target, Walk};
use deploykit::http::{Request, Response};
use deploykit::testing::{CannedReply, Recorder, Tape, describe};
use deploykit::{Call, Error, ErrorKind, RequestPreview, dployr, edgegap, nexlayer, nodion};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

pub async fn walk<C, T>(walk: &mut Walk, plant: &Plant, row: &Row<'_, C, T>)
where
    C: Debug,
    T: Debug + Send + 'static,
{
    received(walk, plant, row).await;
    taped(walk, plant, row).await;
}

/// What a platform in this process receives is, brought into the recorder's shape, what the recorder
/// has of it.
async fn received<C, T>(walk: &mut Walk, plant: &Plant, row: &Row<'_, C, T>)
where
    C: Debug,
    T: Debug + Send + 'static,
{
    let (recorder, received) = (Recorder::new(), Arc::new(Mutex::new(Vec::new())));
    let (kept, body) = (received.clone(), row.reply.clone());
    recorder.answer_in_process(move |request| {
        let shown: Request<Vec<u8>> = request;
        kept.lock().unwrap().push(shown);
        let reply = Response::builder().header("content-type", "application/json");
        reply.body(body.clone().into_bytes()).unwrap()
    });
    let client = (row.connect)(&Target::Recorder(recorder.clone()), plant);
    // It may fail for want of a cookie; what was sent is the same.
    let _ = call(row, &client, plant).await;
    let platform = plant.operation.split(' ').next().unwrap_or_default();
    let requests = recorder.requests();
    let received = received.lock().unwrap();
    if requests.is_empty() || requests.len() != received.len() {
        let problem = format!("{}: {} were received", plant.operation, received.len());
        walk.problems.push(problem);
    }
    for (sent, received) in requests.iter().zip(received.iter()) {
        let described = as_recorded(platform, received);
        let (sent, described) = (format!("{:?}\n{sent}", sent.operation), described);
        let described = format!("{:?}\n{described}", described.operation);
        if sent != described {
            let problem = format!("{}: sent\n{sent}\nreceived\n{described}", plant.operation);
            walk.problems.push(problem);
        }
    }
}

fn as_recorded(platform: &str, request: &Request<Vec<u8>>) -> RequestPreview {
    match platform {
        "nexlayer" => describe::<nexlayer::Nexlayer>(request),
        "dployr" => describe::<dployr::Dployr>(request),
        "nodion" => describe::<nodion::Nodion>(request),
        _ => describe::<edgegap::Edgegap>(request),
    }
}

/// A tape of a call with every kind of reply has no secret on it, and replays.
async fn taped<C, T>(walk: &mut Walk, plant: &Plant, row: &Row<'_, C, T>)
where
    C: Debug,
    T: Debug + Send + 'static,
{
    let file = format!("canaries-{}.json", plant.operation.replace(' ', "-"));
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let recorder = Recorder::new();
    let mut replies = vec![CannedReply::json(200, row.reply.clone())];
    if let Some(cookie) = &walk.set_cookie {
        let reply = CannedReply::json(200, row.reply.clone());
        replies[0] = reply.header("set-cookie", cookie.clone());
    }
    let mut canned = answers::canned(&plant.all_texts());
    canned.retain(|(_, status, ..)| matches!(status, 200 | 500));
    let mut is_text = vec![false];
    for (_, status, content_type, body) in canned {
        is_text.push(content_type == "text/plain");
        replies.push(CannedReply::new(status, body).header("content-type", content_type));
    }
    let count = replies.len();
    let replies = Mutex::new(replies.into_iter());
    recorder.answer_with(move |_| replies.lock().unwrap().next().unwrap());

    let tape = Tape::record(&path);
    let recorded = ends(row, plant, &recorder, &tape, count).await;
    walk.debug("tape", &tape);
    tape.finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    walk.findings.look("tape", &text);
    let snapshot = recorder.snapshot().name_ids().with_replies();
    walk.debug("snapshot", &snapshot);
    walk.findings.look("snapshot", &snapshot.to_string());
    let json = serde_json::to_string(&snapshot).unwrap();
    walk.findings.look("snapshot JSON", &json);

    let tape = Tape::replay(&path).unwrap();
    let replayed = ends(row, plant, &recorder, &tape, count).await;
    for (index, (recorded, replayed)) in recorded.iter().zip(&replayed).enumerate() {
        let problem = match replayed {
            Err(error) if error.kind() == ErrorKind::Configuration => Some(error.to_string()),
            // A name has an angle, and some texts that have one are taken for a page.
            _ if recorded.is_ok() && is_text[index] => None,
            _ if status_of(recorded) != status_of(replayed) => {
                Some(format!("{recorded:?}, and then {replayed:?}"))
            }
            _ => None,
        };
        if let Some(problem) = problem {
            let problem = format!("{}, reply {index}: {problem}", plant.operation);
            walk.problems.push(problem);
        }
    }
    if let Err(error) = tape.finish() {
        walk.problems.push(format!("{}: {error}", plant.operation));
    }
    std::fs::remove_file(&path).unwrap();
}

/// How so many calls end.
async fn ends<C, T>(
    row: &Row<'_, C, T>,
    plant: &Plant,
    recorder: &Recorder,
    tape: &Tape,
    count: usize,
) -> Vec<Result<String, Error>>
where
    C: Debug,
    T: Debug + Send + 'static,
{
    let client = (row.connect)(&Target::Taped(recorder.clone(), tape.clone()), plant);
    let mut ends = Vec::new();
    for _ in 0..count {
        let end = call(row, &client, plant).await;
        ends.push(end.map(|value| format!("{value:?}")));
    }
    ends
}

fn status_of(end: &Result<String, Error>) -> Option<(ErrorKind, Option<u16>)> {
    end.as_ref()
        .err()
        .map(|error| (error.kind(), error.status()))
}

fn call<C, T: Send + 'static>(row: &Row<'_, C, T>, client: &C, plant: &Plant) -> Call<T> {
    (row.call)(client, plant)
        .query("extra", &plant.wide("query.extra"))
        .header("x-extra", &plant.ascii("header x-extra"))
}
