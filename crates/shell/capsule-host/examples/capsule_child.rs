//! The child process of the tests: what `symbolon capsule-child` is in the program. With `open`,
//! `socket` or `spawn` it does what no capsule can ask of it, after it was shut in: so the tests see
//! that the kernel would end it.

fn main() {
    #[cfg(target_os = "linux")]
    if let Some(what) = std::env::args().nth(1) {
        let Ok(_measured) = symbolon_capsule_host::keep(|| Ok(())) else { std::process::exit(3) };
        let refused = match what.as_str() {
            "open" => std::fs::File::open("/etc/hostname").is_err(),
            "socket" => std::net::TcpListener::bind("127.0.0.1:0").is_err(),
            "spawn" => std::process::Command::new("/bin/true").status().is_err(),
            _ => true,
        };
        std::process::exit(if refused { 4 } else { 0 });
    }
    if symbolon_capsule_host::serve_child().is_err() {
        std::process::exit(3);
    }
}
