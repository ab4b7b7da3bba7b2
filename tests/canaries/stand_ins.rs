//! What stands in the place of a platform sees every secret: nothing that it keeps or shows has one,
//! and it shows the same as the client does.

use crate::answers;
use crate::planted::Plant;
use crate::walk::{Row, Target, Walk};
use deploykit::http::{Request, Response};
use deploykit::testing::{Recorder, describe};
use deploykit::{Call, RequestPreview, dployr, edgegap, nexlayer, nodion};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

pub async fn walk<C, T>(walk: &mut Walk, plant: &Plant, row: &Row<'_, C, T>)
where
    C: Debug,
    T: Debug + Send + 'static,
{
    received(walk, plant, row).await;
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

fn call<C, T: Send + 'static>(row: &Row<'_, C, T>, client: &C, plant: &Plant) -> Call<T> {
    (row.call)(client, plant)
        .query("extra", &plant.wide("query.extra"))
        .header("x-extra", &plant.ascii("header x-extra"))
}
