//! Pagination of each platform.

use crate::{json_reply, page_of, query_number};
use deploykit::testing::Recorder;
use deploykit::{Call, ErrorKind, Page, dployr, nodion};
use serde_json::{Value, json};

/// A control plane with these records. `on_every_page` is added as the first record of each page.
fn control_plane(records: Vec<Value>, on_every_page: Option<Value>) -> (Recorder, dployr::Client) {
    let recorder = crate::answering(move |request| {
        let at = page_of(request);
        let size = query_number(request, "pageSize").unwrap_or(20);
        let some = records.iter().skip((at - 1) * size).take(size).cloned();
        let items: Vec<Value> = on_every_page.iter().cloned().chain(some).collect();
        let pages = records.len().div_ceil(size);
        let body = json!({ "success": true, "data": { "items": items, "pagination": {
            "page": at, "pageSize": size, "totalItems": records.len(), "totalPages": pages,
            "hasNextPage": at < pages, "hasPreviousPage": at > 1,
        } } });
        json_reply(body)
    });
    let builder = dployr::Client::builder().base_url("https://dployr.example");
    let client = builder.cluster("c-1").token("x").recorder(&recorder);
    (recorder, client.build().unwrap())
}

#[tokio::test]
async fn pages_without_services_of_the_cluster_are_skipped() {
    // 300 pages; the cluster's services are on the first and the last.
    let service = |index: usize| {
        let cluster = if index.is_multiple_of(299) {
            "c-1"
        } else {
            "c-2"
        };
        json!({ "id": format!("s-{index}"), "name": "web", "clusterId": cluster })
    };
    let (recorder, client) = control_plane((0..300).map(service).collect(), None);
    let all = client.services().page_size(1).list().all().await.unwrap();
    let ids: Vec<_> = all.iter().map(|service| service.id.as_str()).collect();
    assert_eq!(ids, ["s-0", "s-299"]);
    assert_eq!(recorder.requests().len(), 300);
    assert_eq!(client.services().list().all().await.unwrap().len(), 2);
    assert_eq!(
        recorder.requests().len(),
        303,
        "at most 100 services on a page"
    );
    // A repeated page is detected even if all its records are filtered out.
    let foreign = json!({ "id": "s", "name": "web", "clusterId": "c-2" });
    let (recorder, client) = control_plane(vec![foreign; 4], None);
    let all = client.services().page_size(1).list().all().await;
    assert_eq!(all.unwrap_err().kind(), ErrorKind::Pagination);
    assert_eq!(recorder.requests().len(), 2);
}

#[tokio::test]
async fn the_pool_instance_is_listed_once() {
    let own = |index: usize| json!({ "id": format!("i-{index}"), "kind": "dedicated" });
    let pool = json!({ "id": "pool", "kind": "pool" });
    let (recorder, client) = control_plane((0..3).map(own).collect(), Some(pool));
    let all = client.instances().page_size(1).list().all().await.unwrap();
    let ids: Vec<_> = all.iter().map(|instance| instance.id.as_str()).collect();
    assert_eq!(ids, ["pool", "i-0", "i-1", "i-2"]);
    assert_eq!(recorder.requests().len(), 3);
}

#[tokio::test]
async fn a_page_without_a_number_counts_as_the_requested_one() {
    let recorder = crate::answering(|request| {
        let at = page_of(request);
        let body = json!({ "deployments": [{ "id": format!("d-{at}"), "name": "web" }],
            "pagination": { "hasNextPage": at < 3 } });
        json_reply(body)
    });
    let builder = dployr::Client::builder().base_url("https://dployr.example");
    let client = builder.token("x").recorder(&recorder).build().unwrap();
    let all = client.deployments().list().all().await.unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(client.deployments().page(2).list().await.unwrap().page, 2);
}

#[tokio::test]
async fn a_list_whose_next_page_cannot_be_requested_is_an_error() {
    async fn assert_pagination_error<T: std::fmt::Debug + Send + 'static>(
        recorder: &Recorder,
        list: impl Fn() -> Call<Page<T>>,
    ) {
        assert!(list().await.unwrap().has_next);
        let mut stream = list().stream();
        assert!(stream.next().await.unwrap().is_ok());
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Pagination, "{error}");
        assert!(error.to_string().contains("cannot request it"), "{error}");
        assert!(stream.next().await.is_none());
        assert!(list().all().await.is_err());
        assert_eq!(
            list().stream().limit(1).try_collect().await.unwrap().len(),
            1
        );
        assert_eq!(recorder.requests().len(), 4);
    }
    let hosts = crate::answering(|_| {
        let body = json!({ "data": [{ "host_id": "h" }], "pagination": { "has_next": true } });
        json_reply(body)
    });
    let client = crate::client(&hosts);
    assert_pagination_error(&hosts, || client.fleet("f").hosts().list()).await;
    let projects = crate::answering(|_| {
        let body =
            json!({ "items": [{ "id": "p", "name": "a" }], "pagination": { "totalPages": 2 } });
        json_reply(body)
    });
    let builder = dployr::Client::builder().base_url("https://dployr.example");
    let client = builder.token("x").recorder(&projects).build().unwrap();
    assert_pagination_error(&projects, || client.projects().list()).await;
}

#[tokio::test]
async fn a_list_without_pagination_is_one_page() {
    let body = json!({ "regions": [{ "id": "r-1" }, { "id": "r-2" }] });
    let recorder = crate::answering(move |_| json_reply(body.clone()));
    let builder = nodion::Client::builder().token("x").recorder(&recorder);
    let nodion = builder.build().unwrap();
    let page = nodion.regions().list().await.unwrap();
    assert_eq!((page.items.len(), page.page, page.has_next), (2, 1, false));
    assert_eq!(nodion.regions().list().all().await.unwrap().len(), 2);
}
