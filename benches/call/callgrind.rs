//! Runs the cases under valgrind, which writes one dump per measured round.

use crate::Result;
use std::path::Path;
use std::process::Command;

/// Command-line argument that runs the cases without printing a table.
pub const MEASURE: &str = "--measure";

/// Valgrind counts instructions only in this function, and writes a dump when it returns.
#[unsafe(export_name = "callgrind_measured_round")]
#[inline(never)]
pub fn measured(round: &mut dyn FnMut()) {
    round();
    // Prevents a tail call, which would hide the return from valgrind.
    std::hint::black_box(());
}

/// Instructions of each round, in the order of the rounds.
pub fn instructions(base_url: &str) -> Result<Vec<u64>> {
    let folder = std::env::temp_dir().join(format!("deploykit-call-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let totals = run_valgrind(base_url, &folder).and_then(|()| read_dumps(&folder));
    std::fs::remove_dir_all(&folder)?;
    totals
}

fn run_valgrind(base_url: &str, folder: &Path) -> Result<()> {
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--toggle-collect=callgrind_measured_round",
            "--dump-after=callgrind_measured_round",
        ])
        .arg(format!("--callgrind-out-file={}/dump", folder.display()))
        .arg(std::env::current_exe()?)
        .args([MEASURE, base_url])
        .output()
        .map_err(|error| format!("cannot run valgrind (is it installed?): {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into())
    }
}

/// Valgrind names the dumps `dump.1`, `dump.2` and so on; the last one is written at exit.
fn read_dumps(folder: &Path) -> Result<Vec<u64>> {
    let mut totals = Vec::new();
    for number in 1.. {
        let Ok(dump) = std::fs::read_to_string(folder.join(format!("dump.{number}"))) else {
            break;
        };
        if dump.contains("desc: Trigger: --dump-after=") {
            let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
            totals.push(total.ok_or("a dump without totals")?.trim().parse()?);
        }
    }
    Ok(totals)
}
