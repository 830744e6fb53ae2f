//! What must be true of the process that runs a capsule, what was measured of it, and whether the
//! one satisfies the other.

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError, is_set};

/// The one set of system calls of version 1 (`specs/capsule.md`).
pub const SYSCALL_PROFILE: &str = "capsule-1";

/// Names of CPU features that a policy can speak of, sorted.
pub const CPU_FEATURES: [&str; 15] = [
    "aes",
    "avx",
    "avx2",
    "avx512f",
    "bmi1",
    "bmi2",
    "fma",
    "lse",
    "lzcnt",
    "neon",
    "pclmulqdq",
    "popcnt",
    "sse3",
    "sse4.1",
    "sse4.2",
];

/// A manifest's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Features that the processor must not offer to the capsule's code. Sorted.
    pub cpu_forbidden: Vec<String>,
    /// Features that the processor must have. Sorted.
    pub cpu_required: Vec<String>,
    /// The oldest Landlock that may shut the process in; 0 where none is needed.
    pub landlock_abi: u8,
    /// No core dump, and nobody of the same user may trace the process.
    pub no_dumps: bool,
    /// No program that it starts could gain rights.
    pub no_new_privileges: bool,
    /// The set of system calls that alone are let through, where one is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syscalls: Option<String>,
}

/// What was read back from the kernel after the process had tightened itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Features of the processor, of [`CPU_FEATURES`]. Sorted.
    pub cpu: Vec<String>,
    /// The Landlock version in force; 0 where opening a file was not refused.
    pub landlock_abi: u8,
    /// Whether dumps and tracing are off.
    pub no_dumps: bool,
    /// `NoNewPrivs` of `/proc/self/status`.
    pub no_new_privileges: bool,
    /// `Seccomp` of `/proc/self/status`: 2 is a filter.
    pub seccomp_mode: u8,
    /// The set of system calls that the filter lets through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syscalls: Option<String>,
}

/// Where what was measured does not satisfy the policy. The first that does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A feature is missing.
    #[error("the policy requires the CPU feature {0}, which this processor has not")]
    CpuMissing(String),
    /// A feature is there.
    #[error("the policy forbids the CPU feature {0}, which this processor has")]
    CpuForbidden(String),
    /// An older Landlock, or none.
    #[error("the policy requires Landlock ABI {required}; {found} is in force")]
    Landlock {
        /// What the policy asks for.
        required: u8,
        /// What was measured.
        found: u8,
    },
    /// The process can be dumped or traced.
    #[error("the policy requires that the process cannot be dumped; it can")]
    Dumps,
    /// The process could gain rights.
    #[error("the policy requires no_new_privs; it is not set")]
    NewPrivileges,
    /// No filter, or another set of system calls.
    #[error(
        "the policy requires the system calls of `{required}`; seccomp is in mode {mode}{found}"
    )]
    Syscalls {
        /// What the policy asks for.
        required: String,
        /// The mode that was measured.
        mode: u8,
        /// The set that was measured, in words.
        found: String,
    },
}

/// Evidence that what was measured satisfies a policy. Only [`Policy::satisfied_by`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Satisfied {
    measured: Measured,
}

impl Satisfied {
    /// What was measured.
    pub fn measured(&self) -> &Measured {
        &self.measured
    }
}

impl Policy {
    /// All that version 1 can ask for of the process, and nothing of the processor.
    pub fn strict() -> Self {
        Self {
            cpu_forbidden: Vec::new(),
            cpu_required: Vec::new(),
            landlock_abi: 1,
            no_dumps: true,
            no_new_privileges: true,
            syscalls: Some(SYSCALL_PROFILE.to_owned()),
        }
    }

    /// The one spelling, as statements name it.
    pub fn to_bytes(&self) -> Vec<u8> {
        document::to_bytes(self)
    }

    /// The state gate: whether each thing that the policy asks for was measured.
    ///
    /// # Errors
    /// [`PolicyError`]: the first that was not.
    pub fn satisfied_by(&self, measured: Measured) -> Result<Satisfied, PolicyError> {
        let has = |feature: &String| measured.cpu.contains(feature);
        if let Some(missing) = self.cpu_required.iter().find(|it| !has(it)) {
            return Err(PolicyError::CpuMissing(missing.clone()));
        }
        if let Some(there) = self.cpu_forbidden.iter().find(|it| has(it)) {
            return Err(PolicyError::CpuForbidden(there.clone()));
        }
        if measured.landlock_abi < self.landlock_abi {
            let (required, found) = (self.landlock_abi, measured.landlock_abi);
            return Err(PolicyError::Landlock { required, found });
        }
        if self.no_dumps && !measured.no_dumps {
            return Err(PolicyError::Dumps);
        }
        if self.no_new_privileges && !measured.no_new_privileges {
            return Err(PolicyError::NewPrivileges);
        }
        if let Some(required) = &self.syscalls
            && (measured.seccomp_mode != FILTER || measured.syscalls.as_ref() != Some(required))
        {
            let found = measured.syscalls.as_ref().map(|it| format!(" with those of `{it}`"));
            return Err(PolicyError::Syscalls {
                required: required.clone(),
                mode: measured.seccomp_mode,
                found: found.unwrap_or_default(),
            });
        }
        Ok(Satisfied { measured })
    }

    pub(crate) fn check_form(&self) -> Result<(), DocumentError> {
        let known = |list: &[String]| {
            is_set(list, CPU_FEATURES.len())
                && list.iter().all(|it| CPU_FEATURES.contains(&it.as_str()))
        };
        if !known(&self.cpu_required) {
            return Err(DocumentError::Field("policy.cpu_required"));
        }
        let both = self.cpu_forbidden.iter().any(|it| self.cpu_required.contains(it));
        if !known(&self.cpu_forbidden) || both {
            return Err(DocumentError::Field("policy.cpu_forbidden"));
        }
        if self.syscalls.as_ref().is_some_and(|it| it != SYSCALL_PROFILE) {
            return Err(DocumentError::Field("policy.syscalls"));
        }
        Ok(())
    }
}

/// `SECCOMP_MODE_FILTER`.
const FILTER: u8 = 2;
