//! What a foreign file holds, in our words: connections that can be made, what is left, what is unsafe.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use symbolon_secret::Secret;

use crate::located::Located;
use crate::report::Remark;

/// A connection that a file's credential can become. Nothing of it is made yet.
#[derive(Debug)]
pub struct Draft {
    /// The name that the connection would have.
    pub name: String,
    /// The service's id in the catalogue.
    pub service: String,
    /// A base URL of its own, for services that take one.
    pub base_url: Option<String>,
    /// Variables of the service's base URL.
    pub variables: BTreeMap<String, String>,
    /// The user name beside the credential, where the service wants one.
    pub user: Option<String>,
    /// The credential.
    pub credential: Secret<[u8]>,
    /// Which file, line or item it is of.
    pub from: String,
}

/// A workflow, or a command that names one, with the place of each value. It is no credential: it lies
/// in ordinary memory, and nothing beside it in its file does.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// The file's name, as it is shown.
    pub file: String,
    /// What it is called where it does not say so itself: the file without its ending, or the command.
    pub name: String,
    /// Whether it is a command of a SWITCH file, which may name a workflow in place of having steps.
    pub is_command: bool,
    /// All of it.
    pub node: Located,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Connections that can be made, in the order of the files.
    pub drafts: Vec<Draft>,
    /// Workflows and commands, in the order of the files.
    pub workflows: Vec<Workflow>,
    /// What is not converted, and why.
    pub left_out: Vec<Remark>,
    /// What is unsafe in the files as they lie there.
    pub risks: Vec<Risk>,
}

/// How bad a risk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Who has the file, or reads it, has the credential.
    High,
    /// A guess, a copy or a change is cheaper than it seems.
    Medium,
    /// Good to know.
    Low,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        })
    }
}

/// Something that is unsafe, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Risk {
    /// How bad.
    pub severity: Severity,
    /// A stable word for programs.
    pub code: &'static str,
    /// Which file or item.
    pub at: String,
    /// What is unsafe; never a value.
    pub what: String,
    /// What to do: an exact command where there is one.
    pub next: String,
}

impl Findings {
    pub(super) fn leave(&mut self, at: impl Into<String>, why: impl Into<String>) {
        self.left_out.push(Remark::new(at, why));
    }

    pub(super) fn risk(
        &mut self,
        severity: Severity,
        code: &'static str,
        at: &str,
        what: impl Into<String>,
        next: impl Into<String>,
    ) {
        let (what, next) = (what.into(), next.into());
        self.risks.push(Risk { severity, code, at: at.to_owned(), what, next });
    }

    /// Adds all of another file's.
    pub fn append(&mut self, mut other: Self) {
        self.drafts.append(&mut other.drafts);
        self.workflows.append(&mut other.workflows);
        self.left_out.append(&mut other.left_out);
        self.risks.append(&mut other.risks);
    }
}
