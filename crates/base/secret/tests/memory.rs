//! What others can read of this process, each with a positive control.
//!
//! Not under Miri: it has neither `memfd_secret` nor a second stack.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use symbolon_secret::scan::{MASK, Needle, own_memory};
use symbolon_secret::{Protection, Secret, on_stack, protection, with_window};

/// A random value that exists only masked; `write` puts the plain one somewhere.
struct Canary([u8; 48]);

impl Canary {
    fn new() -> Self {
        let mut masked = [0; 48];
        File::open("/dev/urandom").expect("urandom").read_exact(&mut masked).expect("entropy");
        Canary(masked)
    }
    fn write(&self, out: &mut [u8]) {
        for (to, from) in out.iter_mut().zip(self.0) {
            *to = from ^ MASK;
        }
    }
    fn hits(&self) -> usize {
        let found = own_memory(&Needle::masked(&self.0)).expect("own memory");
        assert!(found.bytes > 1 << 20, "something was searched");
        found.hits.iter().map(|(_, n)| n).sum()
    }
}

fn unreadable() -> bool {
    // In a process of its own: another test of this binary may have asked for the weaker kind.
    let strong = protection() == Protection::MemfdSecret;
    if !strong {
        eprintln!("skipped: no memfd_secret on this kernel");
    }
    strong
}

#[test]
fn the_kernel_refuses_to_read_a_secret_but_reads_a_vec() {
    if !unreadable() {
        return;
    }
    let secret = Secret::<[u8; 32]>::make(|b| b.fill(0x61));
    let vec = Box::new([0x61u8; 32]);
    let memory = File::open("/proc/self/mem").expect("mem");
    let mut out = [0; 32];
    // EXPOSE: its address alone.
    let at = secret.expose().as_ptr() as u64;
    assert!(memory.read_at(&mut out, at).is_err(), "a secret page was read through the kernel");
    memory.read_exact_at(&mut out, vec.as_ptr() as u64).expect("control");
    assert_eq!(out, [0x61; 32]);
}

#[test]
fn a_value_is_found_in_a_vec_and_not_when_it_is_secret() {
    if !unreadable() {
        return;
    }
    let canary = Canary::new();
    assert_eq!(canary.hits(), 0, "nothing yet");
    let mut vec = vec![0u8; 48];
    canary.write(&mut vec);
    assert!(canary.hits() >= 41, "control: every window of the value in a Vec is found");
    symbolon_secret::wipe(black_box(&mut vec));
    assert_eq!(canary.hits(), 0, "and gone when wiped");

    let secret = Secret::<[u8; 48]>::make(|b| canary.write(b));
    assert_eq!(canary.hits(), 0, "while it is in a Secret");
    let other = on_stack(|| {
        // EXPOSE: copied on the secret stack, to another secret.
        let copy = *black_box(secret.expose());
        Secret::<[u8; 48]>::make(|b| b.copy_from_slice(black_box(&copy)))
    });
    assert!(secret.ct_eq(&other));
    assert_eq!(canary.hits(), 0, "after a copy on the secret stack");
    drop((secret, other));
    assert_eq!(canary.hits(), 0, "after its end");
}

#[test]
fn nothing_is_readable_while_a_window_is_held_open() {
    if !unreadable() {
        return;
    }
    static STATE: AtomicU8 = AtomicU8::new(0);
    let canary = Canary::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            with_window(|w| {
                w.opened();
                canary.write(w.take(48));
                let copy = black_box(w.take(48).to_owned().len()); // only its length is on the heap
                let local: [u8; 48] = black_box(w.take(48).try_into().expect("48 bytes"));
                STATE.store(1, Ordering::SeqCst);
                while STATE.load(Ordering::SeqCst) == 1 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                black_box((copy, &local));
            })
            .expect("window");
        });
        while STATE.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let hits = canary.hits();
        STATE.store(2, Ordering::SeqCst);
        // The control: the heap copy of `to_owned` above was freed, not wiped (this binary has the
        // ordinary allocator), so most of it is still there.
        assert!(hits >= 20, "the careless copy is found, {hits}");
    });
    let careful = Canary::new();
    STATE.store(0, Ordering::SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            with_window(|w| {
                w.opened();
                careful.write(w.take(48));
                let local: [u8; 48] = black_box(w.take(48).try_into().expect("48 bytes"));
                STATE.store(1, Ordering::SeqCst);
                while STATE.load(Ordering::SeqCst) == 1 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                black_box(&local);
            })
            .expect("window");
        });
        while STATE.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let hits = careful.hits();
        STATE.store(2, Ordering::SeqCst);
        assert_eq!(hits, 0, "in the clear, and not readable");
    });
    assert_eq!(careful.hits(), 0);
}

#[test]
fn a_dropped_secret_is_wiped() {
    let (at, len) = {
        let secret = Secret::<[u8]>::make_slice(5000, |b| b.fill(0x77));
        // EXPOSE: its address alone.
        (secret.expose().as_ptr(), secret.len())
    };
    // SAFETY: slab pages are never unmapped; another test may have taken the block meanwhile, and
    // none of them writes 0x77.
    let left = unsafe { std::slice::from_raw_parts(at, len) };
    assert!(!left.contains(&0x77));
}

#[test]
fn the_inner_value_is_dropped_and_placed_on_the_secret_stack() {
    struct Noisy<'a>(&'a AtomicU8);
    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let drops = AtomicU8::new(0);
    let placed = Secret::place(|| Noisy(&drops));
    assert_eq!(drops.load(Ordering::SeqCst), 0);
    drop(placed);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn slices_are_cut_read_and_converted() {
    let cut = Secret::<[u8]>::try_make_slice(100, |b| {
        b.fill(9);
        Ok::<_, symbolon_secret::MemoryError>(3)
    })
    .expect("memory");
    assert_eq!(cut.len(), 3);
    assert!(cut.ct_eq_bytes(&[9; 3]) && !cut.ct_eq_bytes(&[9; 4]) && !cut.ct_eq_bytes(&[9, 9, 8]));
    let back = cut.into_array::<4>().expect_err("three are not four");
    let array = back.into_array::<3>().expect("three");
    assert_eq!(array.into_slice().len(), 3);

    let read = Secret::<[u8]>::read_from(&b"pass phrase"[..], 64).expect("read");
    assert!(read.ct_eq_bytes(b"pass phrase"));
    let error = Secret::<[u8]>::read_from(&b"pass phrase"[..], 10).expect_err("one too many");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(Secret::<[u8]>::read_from(&b"0123456789"[..], 10).is_ok());
    let (from, mut to) = std::io::pipe().expect("pipe");
    std::io::Write::write_all(&mut to, b"0123").expect("write");
    drop(to);
    assert!(Secret::<[u8]>::read_fd(from.as_fd(), 8).expect("read").ct_eq_bytes(b"0123"));
    assert!(Secret::<[u8]>::read_from(std::io::empty(), 8).expect("read").is_empty());
}

#[test]
fn debug_shows_the_type_alone() {
    let secret = Secret::<[u8]>::make_slice(4, |b| b.copy_from_slice(b"ABCD"));
    assert_eq!(format!("{secret:?}"), "Secret<[u8]>");
    let failed = Secret::<[u8; 4]>::try_make(|b| {
        b.fill(1);
        Err(Failed)
    });
    assert!(failed.is_err());
}

#[derive(Debug)]
struct Failed;
impl From<symbolon_secret::MemoryError> for Failed {
    fn from(_: symbolon_secret::MemoryError) -> Self {
        Failed
    }
}

#[test]
fn many_threads_at_once() {
    std::thread::scope(|scope| {
        for t in 0..16u8 {
            scope.spawn(move || {
                let mut kept = Vec::new();
                for i in 0..300usize {
                    let fill = t.wrapping_mul(31).wrapping_add(i as u8) | 1;
                    kept.push((
                        fill,
                        Secret::<[u8]>::make_slice(1 + i * 7 % 3000, |b| b.fill(fill)),
                    ));
                    if i % 2 == 0 {
                        kept.swap_remove(i * 13 % kept.len());
                    }
                    let sum = with_window(|w| {
                        w.opened();
                        w.take(100).fill(fill);
                        let sum = w.take(100).iter().map(|b| u32::from(*b)).sum::<u32>();
                        w.sealed();
                        sum
                    });
                    assert_eq!(sum.expect("window"), 100 * u32::from(fill));
                }
                for (fill, secret) in &kept {
                    // EXPOSE: compared with what was written.
                    assert!(secret.expose().iter().all(|b| b == fill));
                }
            });
        }
    });
}

/// Runs one `#[ignore]`d test of this file in a process of its own.
fn child(test: &str, set_up: &str) -> (std::process::ExitStatus, String) {
    let me = std::env::current_exe().expect("exe");
    let out = Command::new("sh")
        .args(["-c", &format!("{set_up} exec \"$0\" \"$@\"")])
        .arg(me)
        .args(["--ignored", "--exact", test, "--nocapture"])
        .output()
        .expect("a shell");
    (
        out.status,
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr),
    )
}

#[test]
fn a_stack_overflow_ends_on_the_guard_page() {
    let (status, out) = child("overflow_in_child", "ulimit -c 0;");
    assert_eq!(status.signal(), Some(libc::SIGSEGV), "{out}");
}

#[test]
#[ignore = "ends its process; run by a_stack_overflow_ends_on_the_guard_page"]
fn overflow_in_child() {
    #[allow(unconditional_recursion)]
    fn down(n: u64) -> u64 {
        black_box([n; 64]);
        down(n + 1) + 1
    }
    on_stack(|| down(0));
}

#[test]
fn hardening_is_in_force() {
    let (status, out) = child("harden_in_child", "");
    assert!(status.success(), "{out}");
}

#[test]
#[ignore = "changes its process; run by hardening_is_in_force"]
fn harden_in_child() {
    let hardening = symbolon_secret::harden();
    assert!(hardening.no_core && hardening.not_dumpable);
    let limits = std::fs::read_to_string("/proc/self/limits").expect("limits");
    let core = limits.lines().find(|l| l.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().nth(4), Some("0"));
    symbolon_secret::shield_thread();
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("status");
    let blocked = status.lines().find(|l| l.starts_with("SigBlk")).expect("a line");
    let blocked =
        u64::from_str_radix(blocked.split_whitespace().nth(1).expect("set"), 16).expect("hex");
    assert_ne!(blocked & 1 << (libc::SIGTERM - 1), 0);
    assert_eq!(blocked & 1 << (libc::SIGSEGV - 1), 0);
}

#[test]
fn a_child_process_does_not_have_the_pages() {
    let (status, out) = child("fork_in_child", "ulimit -c 0;");
    assert!(status.success(), "{out}");
}

#[test]
#[ignore = "forks; run by a_child_process_does_not_have_the_pages"]
fn fork_in_child() {
    let secret = Secret::<[u8; 32]>::make(|b| b.fill(3));
    // EXPOSE: its address alone.
    let at = secret.expose().as_ptr();
    // SAFETY: the child makes only system calls and ends.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            // `mincore` fails with ENOMEM where nothing is mapped.
            let mut there = [0u8; 1];
            let page = (at as usize & !4095) as *mut libc::c_void;
            let mapped = libc::mincore(page, 4096, there.as_mut_ptr()) == 0;
            libc::_exit(i32::from(mapped));
        }
        let mut status = 0;
        libc::waitpid(pid, &mut status, 0);
        assert_eq!(libc::WEXITSTATUS(status), 0, "the child has the page");
        let mut there = [0u8; 1];
        let page = (at as usize & !4095) as *mut libc::c_void;
        assert_eq!(libc::mincore(page, 4096, there.as_mut_ptr()), 0, "control: the parent has it");
    }
}

#[test]
#[cfg(feature = "hold")]
fn without_memfd_secret_the_fallback_works_and_says_so() {
    let (status, out) =
        child("fallback_in_child", "SYMBOLON_NO_MEMFD_SECRET=1;export SYMBOLON_NO_MEMFD_SECRET;");
    assert!(status.success(), "{out}");
}

#[test]
#[ignore = "needs its environment; run by without_memfd_secret_the_fallback_works_and_says_so"]
fn fallback_in_child() {
    assert_eq!(protection(), Protection::Locked);
    let secret = Secret::<[u8; 32]>::make(|b| b.fill(3));
    assert!(on_stack(|| secret.ct_eq_bytes(&[3; 32])));
    assert!(with_window(|w| w.buffer().len()).is_ok());
    let smaps = std::fs::read_to_string("/proc/self/smaps").expect("smaps");
    assert!(
        smaps.lines().any(|l| l.starts_with("VmFlags") && l.contains(" lo ") && l.contains(" dd "))
    );
}

#[test]
fn too_little_lockable_memory_is_an_error_with_the_limit_in_it() {
    let (status, out) = child("starved_in_child", "");
    assert!(status.success(), "{out}");
}

#[test]
#[ignore = "gives up root; run by too_little_lockable_memory_is_an_error_with_the_limit_in_it"]
fn starved_in_child() {
    // Root may lock more than the limit, so become somebody else first.
    // SAFETY: plain system calls.
    unsafe {
        let limit = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
        assert_eq!(libc::setrlimit(libc::RLIMIT_MEMLOCK, &limit), 0);
        if libc::geteuid() == 0 {
            assert_eq!(libc::setuid(65_534), 0);
        }
    }
    let mut kept = Vec::new();
    let error = loop {
        match Secret::<[u8]>::try_make_slice(30_000, |b| {
            Ok::<_, symbolon_secret::MemoryError>(b.len())
        }) {
            Ok(secret) => kept.push(secret),
            Err(error) => break error,
        }
        assert!(kept.len() < 1000, "the limit was not felt");
    };
    assert!(!kept.is_empty());
    assert!(error.to_string().contains("1048576"), "{error}");
    assert!(
        matches!(with_window(|_| ()), Err(symbolon_secret::WindowError::Memory(_))),
        "the stack needs memory too"
    );
    kept.clear();
    assert!(
        Secret::<[u8]>::try_make_slice(30_000, |b| Ok::<_, symbolon_secret::MemoryError>(b.len()))
            .is_ok()
    );
}
