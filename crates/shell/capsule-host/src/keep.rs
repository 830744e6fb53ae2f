//! Shuts the calling process in, and measures what is in force then.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, Ruleset,
    RulesetAttr, Scope,
};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, set_dumpable_behavior, setrlimit,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads,
};
use symbolon_capsule::{Measured, SYSCALL_PROFILE};

use crate::error::KeepError;

/// The system calls of `capsule-1` (`specs/capsule.md`).
pub const SYSCALLS: [(&str, i64); 33] = [
    ("brk", libc::SYS_brk),
    ("clock_gettime", libc::SYS_clock_gettime),
    ("clock_nanosleep", libc::SYS_clock_nanosleep),
    ("close", libc::SYS_close),
    ("exit", libc::SYS_exit),
    ("exit_group", libc::SYS_exit_group),
    ("fstat", libc::SYS_fstat),
    ("futex", libc::SYS_futex),
    ("getpid", libc::SYS_getpid),
    ("getrandom", libc::SYS_getrandom),
    ("gettid", libc::SYS_gettid),
    ("lseek", libc::SYS_lseek),
    ("madvise", libc::SYS_madvise),
    ("mmap", libc::SYS_mmap),
    ("mprotect", libc::SYS_mprotect),
    ("mremap", libc::SYS_mremap),
    ("munmap", libc::SYS_munmap),
    ("nanosleep", libc::SYS_nanosleep),
    ("pread64", libc::SYS_pread64),
    ("read", libc::SYS_read),
    ("restart_syscall", libc::SYS_restart_syscall),
    ("rseq", libc::SYS_rseq),
    ("rt_sigaction", libc::SYS_rt_sigaction),
    ("rt_sigprocmask", libc::SYS_rt_sigprocmask),
    ("rt_sigreturn", libc::SYS_rt_sigreturn),
    ("sched_getaffinity", libc::SYS_sched_getaffinity),
    ("sched_yield", libc::SYS_sched_yield),
    ("set_robust_list", libc::SYS_set_robust_list),
    ("sigaltstack", libc::SYS_sigaltstack),
    ("tgkill", libc::SYS_tgkill),
    ("write", libc::SYS_write),
    ("writev", libc::SYS_writev),
    ("fcntl", libc::SYS_fcntl),
];

/// Shuts this process in, for good, and gives what was measured after. `threads` starts the threads
/// that it needs: they come after Landlock, which they inherit, and before seccomp, which lets no
/// thread be started.
///
/// # Errors
/// [`KeepError`]: nothing of a stranger may run in the process then.
pub fn keep(threads: impl FnOnce() -> io::Result<()>) -> Result<Measured, KeepError> {
    limit().map_err(KeepError::Limit)?;
    // Opened before files are shut out: what it reads is of the moment of reading.
    let status = File::open(STATUS).map_err(KeepError::Measure)?;
    let landlock_abi = landlock()?;
    threads().map_err(KeepError::Limit)?;
    // Nothing changes these any more: the system calls that could are not let through.
    let no_dumps = !matches!(dumpable_behavior(), Ok(DumpableBehavior::Dumpable));
    seccomp()?;
    measure(&status, landlock_abi, no_dumps).map_err(KeepError::Measure)
}

fn limit() -> io::Result<()> {
    let set =
        |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    set(Resource::Core, 0)?;
    set(Resource::Fsize, 0)?;
    set(Resource::Nofile, 16)?;
    set(Resource::As, ADDRESS_BYTES_MAX)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// A ruleset without rules: every right that the kernel knows is handled, and none is given. Gives
/// the version in force, or 0 where the kernel has none, or a file could still be opened.
fn landlock() -> Result<u8, KeepError> {
    let failed = |e: landlock::RulesetError| KeepError::Landlock(e.to_string());
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .map_err(failed)?
        .handle_access(AccessNet::from_all(NEWEST))
        .map_err(failed)?
        .scope(Scope::from_all(NEWEST))
        .map_err(failed)?
        .create()
        .map_err(failed)?
        .restrict_self()
        .map_err(failed)?;
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else { return Ok(0) };
    let refused = File::open(STATUS).is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied);
    Ok(if refused { effective_abi as u8 } else { 0 })
}

fn seccomp() -> Result<(), KeepError> {
    let failed = |e: &dyn std::fmt::Display| KeepError::Seccomp(e.to_string());
    let mut rules: BTreeMap<i64, Vec<_>> =
        SYSCALLS.iter().map(|(_, number)| (*number, Vec::new())).collect();
    // The standard library asks before it closes a descriptor whether it is one; no more than that.
    let asks = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, F_GETFD)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|e| failed(&e))?;
    rules.insert(libc::SYS_fcntl, vec![asks]);
    let arch = std::env::consts::ARCH.try_into().map_err(|e| failed(&e))?;
    let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch);
    let program: BpfProgram = filter.map_err(|e| failed(&e))?.try_into().map_err(|e| failed(&e))?;
    apply_filter_all_threads(&program).map_err(|e| failed(&e))
}

fn measure(status: &File, landlock_abi: u8, no_dumps: bool) -> io::Result<Measured> {
    let mut buffer = [0; 8192];
    let length = status.read_at(&mut buffer, 0)?;
    let text = String::from_utf8_lossy(&buffer[..length]);
    let value = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u8>().ok())
    };
    let seccomp_mode = value("Seccomp:").unwrap_or(0);
    Ok(Measured {
        cpu: cpu_features(),
        landlock_abi,
        no_dumps,
        no_new_privileges: value("NoNewPrivs:") == Some(1),
        seccomp_mode,
        syscalls: (seccomp_mode == 2).then(|| SYSCALL_PROFILE.to_owned()),
    })
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<String> {
    macro_rules! found {
        ($($name:tt),*) => {
            [$(($name, std::arch::is_x86_feature_detected!($name))),*]
        };
    }
    let all = found!(
        "aes",
        "avx",
        "avx2",
        "avx512f",
        "bmi1",
        "bmi2",
        "fma",
        "lzcnt",
        "pclmulqdq",
        "popcnt",
        "sse3",
        "sse4.1",
        "sse4.2"
    );
    all.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> Vec<String> {
    let all = [
        ("aes", std::arch::is_aarch64_feature_detected!("aes")),
        ("lse", std::arch::is_aarch64_feature_detected!("lse")),
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
    ];
    all.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> Vec<String> {
    Vec::new()
}

const F_GETFD: u64 = libc::F_GETFD as u64;
const STATUS: &str = "/proc/self/status";
const NEWEST: ABI = ABI::V6;
/// Reserved around linear memories, mostly: four gigabytes each, of which little is ever used.
const ADDRESS_BYTES_MAX: u64 = 64 << 30;
