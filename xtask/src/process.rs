//! Starting other programs: shown before they run, and named when they fail.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;

/// The cargo that started us, so that a pinned toolchain stays pinned.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.stdin(Stdio::null());
    command
}

/// Shows the command, runs it, and errs unless it succeeds.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    announce(command);
    let status = command.status().map_err(|error| start_failure(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{}` {status}", line(command))))
    }
}

/// Runs quietly and returns standard output; standard error comes with the failure.
pub fn capture(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| start_failure(command, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "`{}` {}\n{}",
            line(command),
            output.status,
            said.trim_end()
        )));
    }
    String::from_utf8(output.stdout).map_err(|_| {
        Failure::new(format!("`{}` printed something that is not text", line(command)))
    })
}

/// Runs with standard output passed through line by line, and shown to `each`.
pub fn run_watched(command: &mut Command, mut each: impl FnMut(&str)) -> Result<(), Failure> {
    announce(command);
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| start_failure(command, &error))?;
    if let Some(out) = child.stdout.take() {
        let mut reader = BufReader::new(out);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let mut stdout = std::io::stdout().lock();
            // A closed terminal must not stop the tests that are under way.
            let _ = stdout.write_all(&bytes).and_then(|()| stdout.flush());
            each(String::from_utf8_lossy(&bytes).trim_end());
            bytes.clear();
        }
    }
    let status = child.wait().map_err(|error| start_failure(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{}` {status}", line(command))))
    }
}

/// Where a program is on `PATH`, or in the folders of administrators that users do not search.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The command as one would type it: a program by its name, wherever it is.
pub fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = std::iter::once(program.file_name().unwrap_or(program.as_os_str()));
    words
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy();
            if word.contains(' ') { format!("'{word}'") } else { word.into_owned() }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn announce(command: &Command) {
    eprintln!("$ {}", line(command));
}

fn start_failure(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot run `{}`: {error}", line(command)))
}
