//! Where secrets come from: a hidden prompt or standard input. Where they go: a private file or
//! the terminal, once.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use symbolon_secret::Secret;
use symbolon_server::control::SECRET_BYTES_MAX;

use crate::failure::Failure;
use crate::{out, prompt};

/// Catches a secret on the command line, to refuse it without repeating it.
#[derive(Debug, clap::Args)]
pub struct NotHere {
    #[arg(hide = true)]
    words: Vec<OsString>,
    #[arg(
        long = "token",
        aliases = ["key", "api-key", "secret", "password", "passphrase-value", "seed-phrase", "mnemonic"],
        hide = true
    )]
    flag: Option<OsString>,
}

impl NotHere {
    /// Refuses what was caught. `next` is the command that works.
    pub fn refuse(&self, what: &str, next: &str) -> Result<(), Failure> {
        if self.words.is_empty() && self.flag.is_none() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "a {what} is not an argument: the shell keeps it in its history and the system shows \
             it to every process. If this was a real one, replace it where it was issued"
        ))
        .next(next))
    }
}

/// All of standard input, without one trailing end of line.
pub fn from_stdin(what: &str) -> Result<Secret<[u8]>, Failure> {
    let max = SECRET_BYTES_MAX - 1;
    let secret = Secret::<[u8]>::read_fd(rustix::stdio::stdin(), max).map_err(|error| {
        Failure::environment("stdin", format!("cannot read the {what}: {error}"))
    })?;
    let secret = without_newline(secret)?;
    if secret.is_empty() {
        return Err(Failure::usage(format!("standard input holds no {what}"))
            .next("the same command with < FILE"));
    }
    Ok(secret)
}

/// The lines of standard input, each in a page of its own; one trailing end of line is none.
pub fn lines_from_stdin(what: &str) -> Result<Vec<Secret<[u8]>>, Failure> {
    let all = from_stdin(what)?;
    // EXPOSE: copied line by line from one page to others.
    let lines = all.expose().split(|b| *b == b'\n');
    let page = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Secret::<[u8]>::try_make_slice(line.len(), |page| {
            page.copy_from_slice(line);
            Ok(line.len())
        })
    };
    let lines: Result<Vec<_>, symbolon_secret::MemoryError> =
        lines.take(LINES_MAX).map(page).collect();
    lines.map_err(|error| Failure::environment("memory", format!("no secret memory: {error}")))
}

/// A certificate chain and its private key, both PEM, as one credential. The key's file must be its
/// owner's alone; the descriptor that is asked is the one that is read.
pub fn client_certificate(chain: &Path, key: &Path) -> Result<Secret<[u8]>, Failure> {
    let open = |path: &Path| File::open(path).map_err(|error| Failure::file("read", path, &error));
    let (chain_file, key_file) = (open(chain)?, open(key)?);
    let about = key_file.metadata().map_err(|error| Failure::file("read", key, &error))?;
    if about.mode() & 0o077 != 0 {
        let message = format!("others can read {}", key.display());
        return Err(Failure::environment("key_too_open", message)
            .next(format!("chmod 600 {}", key.display())));
    }
    let read = |file: &File, path: &Path| {
        Secret::<[u8]>::read_fd(file.as_fd(), SECRET_BYTES_MAX / 2 - 1)
            .map_err(|error| Failure::file("read", path, &error))
    };
    let (chain, key) = (read(&chain_file, chain)?, read(&key_file, key)?);
    // EXPOSE: joined, from two secret pages into a third.
    let (chain, key) = (chain.expose(), key.expose());
    Ok(Secret::<[u8]>::make_slice(chain.len() + 1 + key.len(), |out| {
        out[..chain.len()].copy_from_slice(chain);
        out[chain.len()] = b'\n';
        out[chain.len() + 1..].copy_from_slice(key);
    }))
}

/// Asks for a secret that exists already. `flag` is the command for where nobody can be asked.
pub fn ask(what: &str, question: &str, flag: &str) -> Result<Secret<[u8]>, Failure> {
    if !prompt::is_possible() {
        return Err(Failure::usage(format!("nobody is at a terminal to type the {what}"))
            .next(flag.to_owned()));
    }
    let secret = prompt::hidden(question)?;
    if secret.is_empty() {
        return Err(Failure::usage(format!("the {what} is empty")).next(AGAIN));
    }
    Ok(secret)
}

/// Asks for a new passphrase, twice.
pub fn ask_new_passphrase(flag: &str) -> Result<Secret<[u8]>, Failure> {
    let first = ask("passphrase", "New passphrase (not shown): ", flag)?;
    check_passphrase(&first)?;
    let second = ask("passphrase", "The same again (not shown): ", flag)?;
    if !first.ct_eq(&second) {
        let differ = "the two passphrases differ; nothing was changed";
        return Err(Failure::usage(differ).next(AGAIN));
    }
    Ok(first)
}

/// Refuses passphrases that are guessed at once.
pub fn check_passphrase(passphrase: &Secret<[u8]>) -> Result<(), Failure> {
    if passphrase.len() < PASSPHRASE_BYTES_MIN {
        let least = format!("a passphrase has at least {PASSPHRASE_BYTES_MIN} characters");
        return Err(Failure::usage(least).next("a longer one, such as five words"));
    }
    Ok(())
}

/// Where a recovery code will go; decided before anything is made, so that it is never lost.
#[derive(Debug)]
pub enum Shown {
    /// On standard output, which is a terminal.
    Terminal,
    /// Into a new file that only its owner can read.
    File(PathBuf, std::fs::File),
}

impl Shown {
    /// Refuses where the code would end up in a pipe or a log.
    pub fn plan(file: Option<&Path>, command: &str) -> Result<Self, Failure> {
        let Some(path) = file else {
            if io::stdout().is_terminal() {
                return Ok(Self::Terminal);
            }
            return Err(Failure::usage(
                "the recovery code is shown once, and standard output is not a terminal",
            )
            .next(format!("{command} --recovery-file FILE")));
        };
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let made = made.map_err(|error| {
            Failure::file("make", path, &error).next(format!("{command} --recovery-file NEW_FILE"))
        })?;
        Ok(Self::File(path.to_owned(), made))
    }

    /// Gives a planned file back where nothing came to stand in it.
    pub fn give_up(self) {
        if let Self::File(path, _) = self {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Shows the code.
    pub fn show(self, code: &Secret<[u8]>) -> Result<Option<PathBuf>, Failure> {
        match self {
            Self::Terminal => {
                out::say("Recovery code: it opens the home where all else is lost.");
                out::say("Write it on paper; it is not shown again.\n");
                out::secret("", code, "\n")?;
                out::say("");
                Ok(None)
            }
            Self::File(path, mut file) => {
                // EXPOSE: written once to the new private file that the owner named.
                let written = file.write_all(code.expose());
                written
                    .and_then(|()| file.write_all(b"\n"))
                    .and_then(|()| file.sync_all())
                    .map_err(|error| Failure::file("write", &path, &error))?;
                Ok(Some(path))
            }
        }
    }
}

fn without_newline(secret: Secret<[u8]>) -> Result<Secret<[u8]>, Failure> {
    // EXPOSE: looked at for its line end, and copied from page to page without it.
    let bytes = secret.expose();
    let kept = match bytes {
        [kept @ .., b'\r', b'\n'] | [kept @ .., b'\n'] => kept,
        _ => return Ok(secret),
    };
    Secret::<[u8]>::try_make_slice(kept.len(), |page| {
        page.copy_from_slice(kept);
        Ok(kept.len())
    })
    .map_err(|error: symbolon_secret::MemoryError| {
        Failure::environment("memory", format!("no secret memory: {error}"))
    })
}

/// More than anything is asked for at once.
const LINES_MAX: usize = 8;
const AGAIN: &str = "the same command again";
const PASSPHRASE_BYTES_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(bytes: &[u8]) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
    }

    #[test]
    fn one_end_of_line_is_taken_off() {
        for (given, kept) in [
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a", "a"),
            ("\n", ""),
            ("a\n ", "a\n "),
        ] {
            let left = without_newline(secret(given.as_bytes())).unwrap();
            assert!(left.ct_eq_bytes(kept.as_bytes()), "{given:?}");
        }
    }
}
