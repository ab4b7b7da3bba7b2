//! The test of the test: with what hides things switched off, the canaries are found. For each of the
//! switches by itself, since what is hidden twice would hide that one of the two is missing.

use crate::answers::BRIEF;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Each walk is a process of its own, so as many run at a time as there are processors.
fn found_with_each(all: &[&'static str]) -> Vec<(&'static str, usize)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(places) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push((*places, found_with(places)));
        }
        found
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let found = workers.into_iter().map(|worker| worker.join().unwrap());
        found.flatten().collect()
    })
}

#[test]
fn each_switch_by_itself_is_noticed() {
    let twice = HIDDEN_TWICE.map(|(places, _)| places);
    let all: Vec<_> = ["none"].into_iter().chain(SWITCHES).chain(twice).collect();
    let found = found_with_each(&all);
    assert_eq!(found.len(), all.len());
    for (places, count) in &found {
        if let Some((_, why)) = HIDDEN_TWICE.iter().find(|(place, _)| place == places) {
            println!("{places}: {count} ({why})");
        } else if *places == "none" {
            assert_eq!(*count, 0);
        }
    }
    let unnoticed: Vec<_> = found
        .iter()
        .filter(|(places, count)| SWITCHES.contains(places) && *count == 0)
        .collect();
    assert!(unnoticed.is_empty(), "nothing notices {unnoticed:?}");
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
