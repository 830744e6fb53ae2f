//! Runs the built command in a throw-away home and writes down all that a person would see.
#![allow(dead_code)] // each test file uses some of it

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder with a home that may be made in it. Its broker ends when this is dropped.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A file beside the home.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_symbolon"));
        command
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SYMBOLON_HOME", self.home())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    pub fn run_with(&self, words: &[&str], stdin: &[u8]) -> Output {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        // A command that refuses early may not read it.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        child.wait_with_output().unwrap()
    }

    /// A command that must succeed, and its JSON.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        let output = self.run(&[&["--json"], words].concat());
        assert!(output.status.success(), "{}", self.seen(words, &output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a person sees of a run.
    pub fn see(&self, words: &[&str]) -> String {
        self.seen(words, &self.run(words))
    }

    pub fn see_with(&self, words: &[&str], stdin: &[u8]) -> String {
        self.seen(words, &self.run_with(words, stdin))
    }

    /// Every error that is seen is a pair, whichever test sees it.
    fn seen(&self, words: &[&str], output: &Output) -> String {
        let mut text = format!("$ symbolon {}\n", words.join(" "));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("error: ") || said.contains("\nnext: "), "no next step: {said}");
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                text.push_str(&format!("--- {name}\n{}", String::from_utf8_lossy(bytes)));
            }
        }
        text.push_str(&format!("--- exit {}\n", output.status.code().unwrap_or(-1)));
        self.redacted(&text)
    }

    /// Without what differs from run to run.
    fn redacted(&self, text: &str) -> String {
        let text = text
            .replace(&*self.folder.path().to_string_lossy(), "[FOLDER]")
            .replace(env!("CARGO_BIN_EXE_symbolon"), "[PROGRAM]")
            .replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = next_time(rest) {
            out.push_str(&rest[..at]);
            out.push_str("[TIME]");
            rest = &rest[at + TIME_LEN..];
        }
        out + rest
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if Path::new(&self.home()).join("run/broker.sock").exists() {
            let _ = self.run(&["lock", "--stop"]);
        }
    }
}

const TIME_LEN: usize = "2026-11-20T10:06:00.000Z".len();

fn next_time(text: &str) -> Option<usize> {
    text.match_indices("20").map(|(at, _)| at).find(|at| is_time(&text[*at..]))
}

fn is_time(text: &str) -> bool {
    let shape = b"dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() >= TIME_LEN
        && text.bytes().zip(shape).all(|(is, wanted)| match wanted {
            b'd' => is.is_ascii_digit(),
            other => is == *other,
        })
}
