//! A definition that was read and checked.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::backoff::Retry;
use crate::condition::Condition;
use crate::error::FlowError;
use crate::inputs::Input;
use crate::shape::Shape;

/// A flow. Inside, every reference is of a step that is there and comes before.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    pub(crate) name: FlowName,
    pub(crate) kind: Kind,
    pub(crate) description: String,
    pub(crate) inputs: Vec<Input>,
    pub(crate) concurrency: usize,
    pub(crate) on_failure: OnFailure,
    pub(crate) rollback: Rollback,
    pub(crate) steps: Vec<Step>,
    pub(crate) output: Option<Shape>,
}

/// The name of a flow: `[a-z][a-z0-9_-]*`, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowName(Box<str>);

/// In which order steps run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One after another, as they stand.
    Pipeline,
    /// Each as soon as what it needs is over, so many at once.
    AssemblyLine,
    /// In waves: all steps that need nothing at once; the next wave when this one is over. A failure
    /// ends what is on its way.
    RadialBurst,
}

/// What becomes of the rest where a step fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing new begins.
    #[default]
    Stop,
    /// What does not need it goes on.
    Continue,
    /// Nothing new begins, and what happened is undone as [`Rollback`] says.
    Rollback,
}

/// What is undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rollback {
    /// Every step that happened and has an undoing, the last first.
    #[default]
    Reverse,
    /// Of these only what the failed steps stood on.
    Selective,
    /// Nothing, until a person says so.
    Manual,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub(crate) id: Box<str>,
    pub(crate) call: Call,
    pub(crate) when: Option<Condition>,
    pub(crate) retry: Retry,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) undo: Option<Call>,
    /// Places of the steps that it needs, each once, in order.
    pub(crate) needs: Vec<usize>,
    /// Steps on the longest way to it.
    pub(crate) wave: usize,
    /// Something names what it gives.
    pub(crate) is_named: bool,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The tool, such as `github.issues.list`.
    pub tool: Box<str>,
    /// The connection, where it is named.
    pub connection: Option<Box<str>>,
    pub(crate) with: Shape,
    /// Where the tool is named, as line and column.
    pub(crate) at: (u64, u64),
}

impl Call {
    /// Where the tool is named, as line and column.
    #[must_use]
    pub fn at(&self) -> (u64, u64) {
        self.at
    }

    /// Names of its arguments.
    pub fn argument_names(&self) -> impl Iterator<Item = &str> {
        let members = match &self.with {
            Shape::Map(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, _)| &**name)
    }
}

impl Flow {
    /// Reads a definition in YAML or JSON.
    ///
    /// # Errors
    /// [`FlowError`] with line and column: bounds, names that are not known, cycles, templates that
    /// reach for anything but inputs, earlier steps, time and ids.
    pub fn parse(bytes: &[u8]) -> Result<Self, FlowError> {
        let root = symbolon_import::read_located(bytes, FLOW_BYTES_MAX)?;
        crate::parse::flow(&root)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &FlowName {
        &self.name
    }

    /// In which order its steps run.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What its author says of it; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Its inputs, in the order of the definition.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Its steps, in the order of the definition.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Calls that are on their way at once, at most.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// The place of a step.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| *step.id == *id)
    }
}

impl Step {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it calls.
    #[must_use]
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// What undoes it.
    #[must_use]
    pub fn undo(&self) -> Option<&Call> {
        self.undo.as_ref()
    }

    /// How often it is tried again.
    #[must_use]
    pub fn retry(&self) -> &Retry {
        &self.retry
    }

    /// How long its call may take, from its release on.
    #[must_use]
    pub fn timeout_ms(&self) -> Option<u64> {
        self.timeout_ms
    }

    /// Places of the steps that must be over before.
    #[must_use]
    pub fn needs(&self) -> &[usize] {
        &self.needs
    }

    /// Whether anything names what it gives. What nothing names is not kept.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.is_named
    }
}

impl FlowName {
    /// Reads a name.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_plain = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if is_plain { Ok(Self(text.into())) } else { Err(NAME) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FlowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Kind {
    /// The word that definitions and receipts carry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline",
            Self::AssemblyLine => "assembly_line",
            Self::RadialBurst => "radial_burst",
        }
    }
}

/// A definition, in bytes.
pub const FLOW_BYTES_MAX: usize = 768 * 1024;
/// Steps of a flow.
pub const STEPS_MAX: usize = 10_000;
/// Calls of a run that are on their way at once.
pub const CONCURRENCY_MAX: usize = 1000;
/// The same for a radial burst that does not say.
pub const BURST_AT_ONCE: usize = 256;
/// The same for an assembly line that does not say.
pub(crate) const LINE_AT_ONCE: usize = 8;

pub(crate) const NAME: &str =
    "a name begins with a letter and has only a-z, 0-9, _ and -, at most 64 of them";
