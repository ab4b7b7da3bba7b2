//! The test of the test: with what hides things switched off, the canaries are found. For each of the
//! switches by itself, since what is hidden twice would hide that one of the two is missing.

use crate::answers::BRIEF;
use std::process::Command;

/// The switches of src/unredacted.rs.
const SWITCHES: [&str; 16] = [
    "secret",
    "personal",
    "url",
    "request headers",
    "reply headers",
    "query",
    "path",
    "body",
    "decode error",
    "repeated",
    "manifest",
    "webhook",
    "variable",
    "claim",
    "sentence",
    "address of an error",
];
/// A switch without a use at present, and why the place is hidden all the same.
const HIDDEN_TWICE: [(&str, &str); 1] = [(
    "redirect",
    "what the request held is left out of where it leads to all the same",
)];

/// Runs the walk with these places shown, and counts what it finds.
fn found_with(places: &str) -> usize {
    let run = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "no_canary_is_seen_but_on_the_wire",
            "--nocapture",
        ])
        .env("DEPLOYKIT_UNREDACTED", places)
        .env(BRIEF, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    let line = text
        .lines()
        .find(|line| line.starts_with("canaries found: "));
    let line = line.unwrap_or_else(|| panic!("it did not come to an end:\n{text}"));
    println!("{places}: {line}");
    let count: usize = line.split(' ').nth(2).unwrap().parse().unwrap();
    assert_eq!(run.status.success(), count == 0, "{places}: {text}");
    count
}

#[test]
fn each_switch_by_itself_is_noticed() {
    assert_eq!(found_with("none"), 0);
    let unnoticed: Vec<_> = SWITCHES
        .into_iter()
        .filter(|places| found_with(places) == 0)
        .collect();
    assert!(unnoticed.is_empty(), "nothing notices {unnoticed:?}");
    for (places, why) in HIDDEN_TWICE {
        println!("{places}: {} ({why})", found_with(places));
    }
}

#[test]
fn every_switch_is_named_here() {
    let mut named: Vec<_> = SWITCHES.into_iter().collect();
    named.extend(HIDDEN_TWICE.map(|(place, _)| place));
    named.sort_unstable();
    let mut found = Vec::new();
    crate::sources::each(|_, text| {
        for piece in text.split("shows(\"").skip(1) {
            found.push(piece.split('"').next().unwrap_or_default().to_owned());
        }
    });
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, named);
}
