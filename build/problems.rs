//! Mistakes in a spec, each with its place and the remedy.

use std::fmt;

/// A mistake in a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Collects the problems of one spec.
#[derive(Default)]
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
}

/// All problems of one spec, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSpec {
    pub file: String,
    pub problems: Vec<Problem>,
}

impl InvalidSpec {
    pub fn one(file: &str, problem: Problem) -> Self {
        Self {
            file: file.to_owned(),
            problems: vec![problem],
        }
    }

    /// One line per problem, for the output of the build.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.problems.iter().map(|problem| {
            format!(
                "{}: {}: {}. Remedy: {}.",
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
