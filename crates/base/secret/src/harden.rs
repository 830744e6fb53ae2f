//! What the process gives up so that others learn less from it.

/// Which of the measures of [`harden`] are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// The kernel writes no core file.
    pub no_core: bool,
    /// Other processes of the same user cannot attach or read `/proc/PID/mem`.
    pub not_dumpable: bool,
}

/// Turns core files off and makes the process one that others of the same user cannot trace.
///
/// For a binary's first lines. Root can still dump the process: that is what secret pages are for.
pub fn harden() -> Hardening {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a system call that reads one struct.
    let no_core = unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) } == 0;
    #[cfg(target_os = "linux")]
    // SAFETY: system calls with plain numbers.
    let not_dumpable = unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
            && libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
    };
    #[cfg(not(target_os = "linux"))]
    let not_dumpable = false;
    Hardening { no_core, not_dumpable }
}

/// Keeps asynchronous signals away from the calling thread.
///
/// A signal handler's frame has all registers in it, and the runtime may put that frame on a
/// signal stack in ordinary memory. So threads that open windows take no signals; call this where
/// such a thread starts, and leave another thread (the main one) to take them. Signals that a
/// thread causes itself (a fault) are not blocked.
pub fn shield_thread() {
    // SAFETY: the set is initialised by `sigfillset` before it is used.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut set);
        for own in [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGTRAP,
            libc::SIGABRT,
            libc::SIGSYS,
        ] {
            libc::sigdelset(&mut set, own);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
    }
}
