//! A snapshot of the surface of each generated client.

use deploykit_specs::{build, surface};
use std::path::Path;

#[test]
fn surface_of_the_generated_clients() {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    for api in ["nexlayer", "dployr", "nodion", "edgegap"] {
        let text = std::fs::read_to_string(specs.join(format!("{api}.yaml"))).unwrap();
        let client = build::run(api, api, &text).unwrap().client;
        insta::assert_snapshot!(api, surface::of(&client).unwrap());
    }
}
