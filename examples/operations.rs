//! Prints all operations of all specs: wrapper, evidence and behaviour.
//!
//! `cargo run --example operations`

use deploykit::operation::{OPERATIONS, Operation};
use std::collections::BTreeSet;

fn main() {
    for operation in OPERATIONS {
        print(operation);
    }
    let mut seen = BTreeSet::new();
    for api in OPERATIONS.iter().map(|operation| operation.api) {
        if !seen.insert(api) {
            continue;
        }
        let all: Vec<_> = OPERATIONS.iter().filter(|one| one.api == api).collect();
        let wrapped = all.iter().filter(|one| !one.wrapper.is_empty()).count();
        let documented = all.iter().filter(|one| one.documented).count();
        println!(
            "{api} {wrapped} of {} operations wrapped, {documented} of them documented",
            all.len()
        );
    }
}

fn print(operation: &Operation) {
    let behaviour = &operation.behaviour;
    println!("{operation}");
    println!("    {}", operation.summary);
    println!("    wrapper     {}", operation.wrapper);
    println!(
        "    evidence    {} ({})",
        operation.evidence, operation.source
    );
    let idempotent = if behaviour.idempotent { "yes" } else { "no" };
    println!("    idempotent  {idempotent}: {}", behaviour.why);
    println!(
        "    changes     {}",
        behaviour.side_effects.unwrap_or("nothing")
    );
    if behaviour.spends {
        println!("    spends      yes: costs money or counts against a quota");
    }
    if !behaviour.applied_on.is_empty() {
        println!("    applied on  {:?}", behaviour.applied_on);
    }
    if !behaviour.final_on.is_empty() {
        println!("    final on    {:?}", behaviour.final_on);
    }
    if let Some(pace) = behaviour.pace {
        println!("    pace        {pace}");
    }
    if !behaviour.secrets.is_empty() {
        println!("    secrets     {}", behaviour.secrets.join(", "));
    }
    println!();
}
