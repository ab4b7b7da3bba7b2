//! A hyper server with a constant reply: the baseline that `conformance/speed` compares the sandbox with.
//!
//! `cargo run --release -p deploykit-sandbox --example hyper_baseline -- 600` answers every request with 600
//! bytes of JSON on a free port, whose URL it prints.

use std::convert::Infallible;
use std::error::Error;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let length: usize = std::env::args()
        .nth(1)
        .ok_or("the length of the body is missing")?
        .parse()?;
    let text = "x".repeat(length.saturating_sub(2));
    let body = Bytes::from(format!("\"{text}\""));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let body = body.clone();
            let service = service_fn(move |_: Request<Incoming>| {
                let mut response = Response::new(Full::new(body.clone()));
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, json);
                async { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(async move {
                // Ignore errors: the client may hang up at any time.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}
