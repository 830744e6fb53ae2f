//! The system's Chromium, driven by a script of `web/tests`.

use std::process::{Command, Stdio};

use crate::home::Home;
use crate::place;

/// Runs a script against what is served at `base`, and fails with what it said. The script has the home's
/// command line and its operator's key.
#[track_caller]
pub fn drive(script: &str, home: &Home, base: &str, more: &[(&str, &str)]) {
    let browser = home.beside("browser");
    std::fs::create_dir_all(&browser).expect("a folder for the browser");
    let mut command = Command::new(place::node());
    command
        .arg(place::web().join("tests").join(script))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        // Where Chromium keeps what it keeps.
        .env("HOME", &browser)
        .env("BASE", base)
        .env("SHOTS", place::shots())
        .env("SYMBOLON", place::symbolon())
        .env("SYMBOLON_HOME", home.path())
        .env("OPERATOR_PUB", home.operator_key())
        .envs(more.iter().copied())
        .stdin(Stdio::null());
    let ran = command.output().expect("node starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    print!("{said}");
    assert!(ran.status.success(), "{script}:\n{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("\nok ") || said.starts_with("ok "), "{script} ran no test");
}
