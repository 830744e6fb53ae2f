//! An error in two parts: what went wrong, and the next step.

use std::fmt;

/// What a command ends with when it did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    what: String,
    next: Option<String>,
    is_told: bool,
}

impl Failure {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), next: None, is_told: false }
    }

    /// A failure whose story is on the screen already: the exit status is all that is left to say.
    pub fn told() -> Self {
        Self { is_told: true, ..Self::new("it is said above") }
    }

    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// Adds the command or the act that comes next.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// For `map_err` on I/O: says which act on which thing failed.
    pub fn io(act: &str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Failure {
        let text = format!("cannot {act} {}", path.display());
        move |error| Failure::new(format!("{text}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match &self.next {
            Some(next) => write!(f, "\n next: {next}"),
            None => Ok(()),
        }
    }
}
