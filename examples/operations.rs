//! Prints all operations of all specs: wrapper, evidence and behaviour.
//!
//! `cargo run --example operations`

use deploykit::operation::{OPERATIONS, Operation};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};

fn main() -> io::Result<()> {
    match print_all(&mut io::stdout().lock()) {
        // The reader of a pipe has read enough: `| head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn print_all(out: &mut impl Write) -> io::Result<()> {
    for operation in OPERATIONS {
        print(out, operation)?;
    }
    let mut seen = BTreeSet::new();
    for api in OPERATIONS.iter().map(|operation| operation.api) {
        if !seen.insert(api) {
            continue;
        }
        let all: Vec<_> = OPERATIONS.iter().filter(|one| one.api == api).collect();
        let wrapped = all.iter().filter(|one| !one.wrapper.is_empty()).count();
        let documented = all.iter().filter(|one| one.documented).count();
        writeln!(
            out,
            "{api} {wrapped} of {} operations wrapped, {documented} of them documented",
            all.len()
        )?;
    }
    Ok(())
}

fn print(out: &mut impl Write, operation: &Operation) -> io::Result<()> {
    let behaviour = &operation.behaviour;
    writeln!(out, "{operation}")?;
    writeln!(out, "    {}", operation.summary)?;
    writeln!(out, "    wrapper     {}", operation.wrapper)?;
    writeln!(
        out,
        "    evidence    {} ({})",
        operation.evidence, operation.source
    )?;
    let idempotent = if behaviour.idempotent { "yes" } else { "no" };
    writeln!(out, "    idempotent  {idempotent}: {}", behaviour.why)?;
    writeln!(
        out,
        "    changes     {}",
        behaviour.side_effects.unwrap_or("nothing")
    )?;
    if behaviour.spends {
        writeln!(
            out,
            "    spends      yes: costs money or counts against a quota"
        )?;
    }
    if !behaviour.applied_on.is_empty() {
        writeln!(out, "    applied on  {:?}", behaviour.applied_on)?;
    }
    if !behaviour.final_on.is_empty() {
        writeln!(out, "    final on    {:?}", behaviour.final_on)?;
    }
    if let Some(pace) = behaviour.pace {
        writeln!(out, "    pace        {pace}")?;
    }
    if !behaviour.secrets.is_empty() {
        writeln!(out, "    secrets     {}", behaviour.secrets.join(", "))?;
    }
    writeln!(out)
}
