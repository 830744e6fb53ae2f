//! The owner of the demo: a headless browser, told one step a line.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::{Failure, process, web, workspace};

/// What a browser needs, where it is all there.
pub struct Found {
    chromium: std::path::PathBuf,
}

/// The system's browser, and npm for what drives it. Nothing is installed on the machine for a demo.
pub fn find() -> Option<Found> {
    process::find_program("npm")?;
    process::find_program("chromium").map(|chromium| Found { chromium })
}

/// A page that does what it is told.
pub struct Browser {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Browser {
    /// `base` is the page's origin, `folder` is where the browser may write.
    pub fn start(found: &Found, base: &str, folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(Failure::io("make", folder))?;
        let modules = web::install()?;
        let mut command = Command::new(web::node(&modules)?);
        command
            .arg(workspace::root()?.join("web/tests/demo.mjs"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("BASE", base)
            .env("CHROMIUM", &found.chromium)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| Failure::new(format!("cannot start the browser: {error}")))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| Failure::new("no standard output"))?;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    /// Does one step and gives what was seen.
    pub fn step(&mut self, step: &str, mut given: Value) -> Result<Value, Failure> {
        given["step"] = step.into();
        let mut line = String::new();
        let told = self.stdin.as_mut().is_some_and(|stdin| writeln!(stdin, "{given}").is_ok());
        if !told || !matches!(self.stdout.read_line(&mut line), Ok(1..)) {
            return Err(self.why(step));
        }
        let mut answer: Value = serde_json::from_str(&line)
            .map_err(|error| Failure::new(format!("the browser at `{step}`: {error}: {line}")))?;
        Ok(answer["saw"].take())
    }

    /// Ends it. It fails where the page erred, broke its policy, or asked somebody else for anything.
    pub fn finish(mut self) -> Result<(), Failure> {
        drop(self.stdin.take());
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            _ => Err(self.why("the end")),
        }
    }

    fn why(&mut self, step: &str) -> Failure {
        drop(self.stdin.take());
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            // What it said is all there is to tell.
            let _ = stderr.read_to_string(&mut said);
        }
        Failure::new(format!("the browser failed at `{step}`\n{}", said.trim_end()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It has ended already where the demo came to its end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
