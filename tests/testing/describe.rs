//! Conversion of received requests to the form of the recorder.

use deploykit::testing::describe;
use deploykit::{dployr, edgegap, http};

#[test]
fn a_received_request_is_described_like_a_recorded_one() {
    let request = http::Request::post("/sub/v1/deployments?clusterId=c-1&mine=hush&page=2")
        .header("authorization", "Bearer hush")
        .header("content-type", "application/json")
        .header("connection", "close")
        .header("host", "a.example")
        .body(r#"{"name":"a","env":{"A":"hush"}}"#)
        .unwrap();
    let shown = describe::<dployr::Dployr>(&request);
    assert_eq!(shown.operation, Some("create_deployment"));
    insta::assert_snapshot!(shown.to_string());
    let unknown = http::Request::get("/nope/x?token=hush&page=2")
        .body("")
        .unwrap();
    let shown = describe::<dployr::Dployr>(&unknown);
    assert_eq!(shown.operation, None);
    assert_eq!(
        shown.to_string(),
        "GET /nope/x\n? page = <redacted>\n? token = <redacted>"
    );
    // A literal segment of the path is percent-encoded.
    let escaped = http::Request::delete("/v1/self/sto%70/a69f8e3e0555/hush")
        .body("")
        .unwrap();
    let shown = describe::<edgegap::Edgegap>(&escaped);
    assert_eq!(shown.operation, Some("stop_own_deployment"));
    assert!(!shown.to_string().contains("hush"), "{shown}");
}
