//! What may be printed shows nothing that opens a platform.

mod common;

use common::World;
use deploykit_sandbox::{Platform, Request, Sandbox};

/// How a request to this path is shown.
fn shown(platform: Platform, method: &str, path: &str) -> String {
    let mut world = World::new(platform, Sandbox::builder());
    world.raw(&Request::new(method, path).with_header("authorization", "Bearer sent/it"));
    let recorded = world.state.requests().remove(0);
    let open = recorded.open_path();
    assert!(recorded.to_string().contains(&format!(" {open} ")));
    open
}

#[test]
fn a_path_hides_what_opens_something_however_it_is_written() {
    use Platform::{Dployr, Edgegap, Nexlayer, Nodion};
    for (platform, method, path, open) in [
        (Nodion, "GET", "/", "/"),
        (
            Nodion,
            "GET",
            "/v1/applications/a-1",
            "/v1/applications/a-1",
        ),
        (
            Nodion,
            "GET",
            "/v1/applications/sent%2Fit",
            "/v1/applications/***",
        ),
        (
            Nodion,
            "GET",
            "/v1/applications/sent%2fi%74",
            "/v1/applications/***",
        ),
        (
            Nodion,
            "GET",
            "/v1/applications/key/",
            "/v1/applications/***/",
        ),
        (Nodion, "PUT", "/v1/regions/key", "/v1/regions/***"),
        (Dployr, "GET", "/v1/%73ervices/web", "/v1/%73ervices/web"),
        (Dployr, "GET", "/v1/domains/verify", "/v1/domains/verify"),
        (
            Edgegap,
            "DELETE",
            "/v1/self/stop/abc/key",
            "/v1/self/stop/abc/***",
        ),
        (
            Edgegap,
            "DELETE",
            "/v1/self/sto%70/abc/key",
            "/v1/self/sto%70/abc/***",
        ),
        (
            Edgegap,
            "DELETE",
            "/v1//self/stop/abc/key",
            "/v1//self/stop/***/***",
        ),
        (
            Edgegap,
            "DELETE",
            "/v1/self/stop/abc/key/",
            "/v1/self/stop/***/***/",
        ),
        (
            Edgegap,
            "GET",
            "/v1/self/stop/abc/key",
            "/v1/self/stop/***/***",
        ),
        (
            Edgegap,
            "DELETE",
            "v1/self/stop/abc/key",
            "v1/self/stop/abc/***",
        ),
        (
            Nexlayer,
            "POST",
            "/startUserDeployment/key",
            "/startUserDeployment/***",
        ),
        (
            Nexlayer,
            "POST",
            "/startUserDeploymen%74/key",
            "/startUserDeploymen%74/***",
        ),
        (
            Nexlayer,
            "POST",
            "/startUserDeployment//key",
            "/startUserDeployment//***",
        ),
        (Nexlayer, "POST", "//key", "//***"),
        (Nexlayer, "OPTIONS", "*", "***"),
    ] {
        assert_eq!(shown(platform, method, path), open, "{method} {path}");
    }
}
