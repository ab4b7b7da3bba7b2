//! Mistakes in a spec, each with its place and the remedy.

use super::lines::Lines;
use std::fmt;

/// A mistake in a spec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// JSON path from the root of the document, such as `$.paths./v1/x.get`.
    pub path: String,
    /// The mistake.
    pub message: String,
    /// How to correct it.
    pub remedy: String,
}

impl Problem {
    pub fn new(
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// Collects the problems of one spec.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub fn add(
        &mut self,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Problem::new(path, message, remedy));
    }

    /// Adds the problem if `is_valid` is false.
    pub fn require(
        &mut self,
        is_valid: bool,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if !is_valid {
            self.add(path, message, remedy);
        }
    }

    /// An error if there are any.
    pub fn check(self) -> Result<(), Self> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(self),
        }
    }
}

/// All problems of one spec, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSpec {
    file: String,
    /// Each with its line in the file, in the order of the file.
    problems: Vec<(Option<u64>, Problem)>,
}

impl InvalidSpec {
    /// `text` is the content of the file.
    pub fn new(file: &str, text: &str, problems: Problems) -> Self {
        let lines = Lines::of(text);
        let with_line = |problem: Problem| (lines.line(&problem.path), problem);
        let mut problems: Vec<_> = problems.0.into_iter().map(with_line).collect();
        problems.sort();
        // A mistake in a shared part is found by every operation that uses it.
        problems.dedup();
        Self {
            file: file.to_owned(),
            problems,
        }
    }

    /// One line per problem, for the output of the build.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.problems.iter().map(|(line, problem)| {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            format!(
                "{}{line}: {}: {}. Remedy: {}.",
                self.file, problem.path, problem.message, problem.remedy
            )
        })
    }
}

impl fmt::Display for InvalidSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().collect::<Vec<_>>().join("\n"))
    }
}
