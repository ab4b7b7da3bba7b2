//! Regression tests on the corpus of the fuzz targets.

use super::checks;
use super::checks::replies::Case;
use super::values::examples;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

type Check = fn(&[u8]);

const TARGETS: [(&str, Check); 7] = [
    ("rate_limit_headers", checks::rate_limit_headers::check),
    ("inputs", checks::inputs::check),
    ("logs", checks::logs::check),
    ("manifests", checks::manifests::check),
    ("replies", checks::replies::check),
    ("nexlayer_messages", checks::nexlayer_messages::check),
    ("webhooks", checks::webhooks::check),
];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/corpus/{target}"))
}

#[test]
fn every_input_in_the_corpus_passes_its_check() {
    for (target, check) in TARGETS {
        let mut count = 0;
        for entry in std::fs::read_dir(folder(target)).unwrap() {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            let caught = std::panic::catch_unwind(|| check(&input));
            assert!(caught.is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 5, "{count} inputs for {target}");
    }
}

/// The files `found-*` are responses that once failed a check. `check` ignores input that does not parse.
#[test]
fn every_response_found_by_fuzzing_is_still_parsed() {
    let mut found = 0;
    for entry in std::fs::read_dir(folder("replies")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if name.starts_with("found-") {
            let case = Case::parse(&std::fs::read(&path).unwrap());
            assert!(case.is_some(), "{name} is not a response to an operation");
            found += 1;
        }
    }
    assert!(found >= 20, "{found} inputs");
}

/// Writes the examples of the specs to the corpus of the target `replies`.
#[test]
#[ignore = "writes files: cargo test --test properties write_examples -- --ignored"]
fn write_examples() {
    let mut seen = BTreeSet::new();
    for (number, example) in examples().iter().enumerate() {
        let (operation, status, body) = (example.operation, example.status, example.body());
        // A failure that many operations share is written once per platform.
        let success_of = if status < 300 { operation.id } else { "" };
        if seen.insert((operation.api, success_of, status, body.clone())) {
            let head = format!("{} {} {status}", operation.api, operation.id);
            let file = folder("replies").join(format!("example-{number:03}"));
            std::fs::write(file, format!("{head} {}\n{body}", example.media)).unwrap();
        }
    }
}
