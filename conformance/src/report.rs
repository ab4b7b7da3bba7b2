//! One line per check, and how many hold.

use std::fmt::Display;

#[derive(Default)]
pub struct Report {
    checks: usize,
    hold: usize,
}

impl Report {
    /// Prints what was found under this name, and counts it.
    pub fn check(&mut self, name: impl Display, holds: bool, found: impl Display) {
        self.checks += 1;
        self.hold += usize::from(holds);
        let word = if holds { "ok  " } else { "FAIL" };
        println!("{word} {:<56} {found}", name.to_string());
    }

    /// Prints the last line; whether everything holds.
    pub fn finish(&self) -> bool {
        println!(
            "{} of {} conformance fault checks hold",
            self.hold, self.checks
        );
        self.checks > 0 && self.hold == self.checks
    }
}
