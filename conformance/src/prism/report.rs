//! One line per check: `ok NAME` or `FAILED NAME: why`.

use std::collections::BTreeSet;
use std::fmt::Display;

#[derive(Default)]
pub struct Report {
    failed: bool,
}

impl Report {
    /// A check and what is wrong, if anything is. Only the first few problems are shown in full.
    pub fn check(&mut self, name: impl Display, problems: &[String]) {
        const SHOWN: usize = 40;
        let problems: BTreeSet<_> = problems.iter().collect();
        if problems.is_empty() {
            println!("ok {name}");
            return;
        }
        self.failed = true;
        println!("FAILED {name}: {} problems", problems.len());
        for problem in problems.iter().take(SHOWN) {
            println!("    {problem}");
        }
        if problems.len() > SHOWN {
            println!("    and {} more", problems.len() - SHOWN);
        }
    }

    /// Whether every check held.
    pub fn holds(&self) -> bool {
        !self.failed
    }
}
