//! Prints `ok NAME` or `FAILED NAME` with its problems for each check, and a summary.

use std::collections::BTreeSet;
use std::fmt::Display;

#[derive(Default)]
pub struct Report {
    checks: usize,
    /// Checks without a problem.
    hold: usize,
}

impl Report {
    /// Prints the result of a check, with its first 40 problems. A check without problems holds.
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

    /// Prints the result of a check that has no details about its failure.
    pub fn holds(&mut self, name: impl Display, holds: bool) {
        let problem = (!holds).then(|| "the expectation in the name is not met".to_owned());
        self.check(name, problem.as_slice());
    }

    /// Prints the summary. Returns whether there were checks and all of them hold.
    pub fn finish(&self) -> bool {
        println!("{} of {} checks hold", self.hold, self.checks);
        self.checks > 0 && self.hold == self.checks
    }
}
