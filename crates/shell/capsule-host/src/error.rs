//! Why a capsule did not run to its end.

use symbolon_capsule::PolicyError;

/// Why a run gave no output. Each has a stable word, [`RunError::code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The bytes are no component that this engine takes.
    #[error("this is not a component that can run: {0}")]
    Component(String),
    /// It wants something that it is not given.
    #[error(
        "the capsule imports `{0}`, which its manifest does not ask for or no capsule is given"
    )]
    Import(String),
    /// It exports neither `wasi:cli/run` nor `handle`.
    #[error("the capsule exports neither `wasi:cli/run` nor `handle`")]
    Entry,
    /// Its instructions are used up.
    #[error("the capsule used up its fuel")]
    Fuel,
    /// Its time is over.
    #[error("the capsule's time was over before it was done")]
    Time,
    /// It wanted more memory than it may have.
    #[error("the capsule wanted more memory than its limit")]
    Memory,
    /// It called itself too deep.
    #[error("the capsule's calls went too deep")]
    Stack,
    /// It wrote more than it may.
    #[error("the capsule's output is longer than its limit")]
    Output,
    /// It broke a rule of WebAssembly, or of an interface.
    #[error("the capsule was stopped: {0}")]
    Trap(String),
    /// It ended as a program that failed.
    #[error("the capsule ended as a program that failed")]
    Exit,
    /// It said that it failed.
    #[error("the capsule says: {0}")]
    Guest(String),
    /// The child process ended, or spoke out of turn.
    #[error("the process of the capsule ended: {0}")]
    Process(String),
    /// What was measured does not satisfy the manifest's policy.
    #[error("{0}")]
    Policy(#[from] PolicyError),
    /// The engine, or the machine.
    #[error("the engine failed: {0}")]
    Engine(String),
}

impl RunError {
    /// A stable word for programs and receipts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Component(_) => "component",
            Self::Import(_) => "import",
            Self::Entry => "entry",
            Self::Fuel => "fuel",
            Self::Time => "time",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Output => "output",
            Self::Trap(_) => "trap",
            Self::Exit => "exit",
            Self::Guest(_) => "guest",
            Self::Process(_) => "process",
            Self::Policy(_) => "policy",
            Self::Engine(_) => "engine",
        }
    }

    /// What stands beside the word, as it goes over the pipe.
    pub(crate) fn detail(&self) -> &str {
        match self {
            Self::Component(it)
            | Self::Import(it)
            | Self::Trap(it)
            | Self::Guest(it)
            | Self::Process(it)
            | Self::Engine(it) => it,
            _ => "",
        }
    }

    /// Back from the pipe. What a child cannot say of itself is a failure of the process.
    pub(crate) fn from_wire(code: &str, detail: &str) -> Self {
        let detail = detail.to_owned();
        match code {
            "component" => Self::Component(detail),
            "import" => Self::Import(detail),
            "entry" => Self::Entry,
            "fuel" => Self::Fuel,
            "time" => Self::Time,
            "memory" => Self::Memory,
            "stack" => Self::Stack,
            "output" => Self::Output,
            "trap" => Self::Trap(detail),
            "exit" => Self::Exit,
            "guest" => Self::Guest(detail),
            "engine" => Self::Engine(detail),
            _ => Self::Process(format!("it said `{code}`")),
        }
    }
}

/// Why a process could not be shut in. Nothing may run in it then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// A limit of its own.
    #[error("the process cannot limit itself: {0}")]
    Limit(std::io::Error),
    /// Landlock.
    #[error("Landlock: {0}")]
    Landlock(String),
    /// Seccomp.
    #[error("seccomp: {0}")]
    Seccomp(String),
    /// What is in force cannot be read back.
    #[error("what is in force cannot be measured: {0}")]
    Measure(std::io::Error),
}
