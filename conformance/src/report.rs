//! Prints `ok NAME` or `FAILED NAME` with the problems for each check, and a summary.

use std::collections::BTreeSet;
use std::fmt::Display;

#[derive(Default)]
pub struct Report {
    checks: usize,
    hold: usize,
}

impl Report {
    /// Reports a check and its first problems.
    pub fn check(&mut self, name: impl Display, problems: &[String]) {
        const SHOWN: usize = 40;
        let problems: BTreeSet<_> = problems.iter().collect();
        self.checks += 1;
        if problems.is_empty() {
            self.hold += 1;
            println!("ok {name}");
            return;
        }
        println!("FAILED {name}: {} problems", problems.len());
        for problem in problems.iter().take(SHOWN) {
            println!("    {problem}");
        }
    }

    /// Reports a check without details.
    pub fn holds(&mut self, name: impl Display, holds: bool) {
        let problem = (!holds).then(|| "does not hold".to_owned());
        self.check(name, problem.as_slice());
    }

    /// Prints the summary; returns whether all checks hold.
    pub fn finish(&self) -> bool {
        println!("{} of {} checks hold", self.hold, self.checks);
        self.checks > 0 && self.hold == self.checks
    }
}
