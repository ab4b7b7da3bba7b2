//! Lines of logs that are cut anywhere, as a server really sends them.

use super::checks::logs;
use super::generated::{holds, line};
use super::support::{LAST_CHUNK, Server, chunks};
use deploykit::Pacing;
use deploykit::dployr::Client;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

#[test]
fn logs_cut_anywhere() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let pieces = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let sent = pieces.clone();
    let server = runtime.block_on(Server::answers(move |_| {
        let mut reply = chunks("200 OK", &[], &*sent.lock().unwrap());
        reply.extend_from_slice(LAST_CHUNK);
        reply
    }));
    let builder = Client::builder()
        .base_url(&server.base_url)
        .token("t")
        .pacing(Pacing::off());
    let service = builder.build().unwrap().service("s");
    holds(
        60,
        (vec(line(), 0..6), vec(any::<usize>(), 0..8)),
        |(lines, cuts)| {
            let text = lines.join("\n").into_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let cut = cuts.windows(2).map(|ends| text[ends[0]..ends[1]].to_vec());
            *pieces.lock().unwrap() = cut.collect();
            runtime.block_on(async {
                let stream = service.follow_logs().await.unwrap();
                logs::follows(&text, stream.without_reconnecting()).await;
            });
        },
    );
}
