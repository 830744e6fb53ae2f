//! Questions on a terminal. Answers that are secret go key by key into a secret page: no line
//! buffer, no `String`, no echo.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use symbolon_secret::{MemoryError, Secret};

use crate::failure::Failure;

/// Whether somebody is there to answer.
pub fn is_possible() -> bool {
    io::stdin().is_terminal()
}

/// Asks for a secret without showing it. For callers that saw [`is_possible`].
pub fn hidden(question: &str) -> Result<Secret<[u8]>, Failure> {
    ask(question);
    let quiet = Quiet::begin().map_err(terminal)?;
    let typed = Secret::<[u8]>::try_make_slice(SECRET_BYTES_MAX, |page| {
        let mut line = Line { page, len: 0 };
        loop {
            let mut key = [0u8; 1];
            let read = rustix::io::read(rustix::stdio::stdin(), &mut key);
            let step = match read {
                Ok(0) => Step::End,
                Ok(_) => line.press(key[0]),
                Err(rustix::io::Errno::INTR) => Step::More,
                Err(error) => return Err(TypingError::Io(error.into())),
            };
            symbolon_secret::wipe(&mut key);
            match step {
                Step::More => {}
                Step::End => return Ok(line.len),
                Step::Stop => return Err(TypingError::Stopped),
                Step::Full => return Err(TypingError::Full),
            }
        }
    });
    drop(quiet);
    let _ = writeln!(io::stderr());
    typed.map_err(|error| match error {
        TypingError::Stopped => Failure::refused("stopped", "stopped; nothing was changed")
            .next("the same command again"),
        TypingError::Full => {
            Failure::usage(format!("a secret has at most {SECRET_BYTES_MAX} bytes"))
        }
        TypingError::Io(error) => terminal(error),
        TypingError::Memory(error) => {
            Failure::environment("memory", format!("no secret memory: {error}"))
        }
    })
}

/// Asks for a line that is not secret.
pub fn line(question: &str) -> Result<String, Failure> {
    ask(question);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(terminal)?;
    Ok(answer.trim().to_owned())
}

fn ask(question: &str) {
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
}

fn terminal(error: io::Error) -> Failure {
    Failure::environment("terminal", format!("cannot read from the terminal: {error}"))
        .next("the same command with --from-stdin, the secret on standard input")
}

/// The terminal without echo and line editing, until dropped.
///
/// Signals from keys are off as well, so that Ctrl-C cannot leave the terminal silent.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(rustix::stdio::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing can be done where the terminal has gone away.
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// What was typed so far, in its page.
struct Line<'a> {
    page: &'a mut [u8],
    len: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    More,
    End,
    Stop,
    Full,
}

impl Line<'_> {
    fn press(&mut self, key: u8) -> Step {
        match key {
            b'\r' | b'\n' | CTRL_D => return Step::End,
            CTRL_C => return Step::Stop,
            BACKSPACE | DELETE => self.erase_one(),
            CTRL_U => {
                symbolon_secret::wipe(&mut self.page[..self.len]);
                self.len = 0;
            }
            // Escapes and other control keys: a secret has none, and a typist did not mean them.
            0..=0x1f => {}
            _ if self.len == self.page.len() => return Step::Full,
            _ => {
                self.page[self.len] = key;
                self.len += 1;
            }
        }
        Step::More
    }

    /// Takes back one character, which in UTF-8 can be several bytes.
    fn erase_one(&mut self) {
        while self.len > 0 {
            self.len -= 1;
            let gone = std::mem::take(&mut self.page[self.len]);
            if gone & 0xc0 != 0x80 {
                break;
            }
        }
    }
}

enum TypingError {
    Stopped,
    Full,
    Io(io::Error),
    Memory(MemoryError),
}

impl From<MemoryError> for TypingError {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

const SECRET_BYTES_MAX: usize = symbolon_server::control::SECRET_BYTES_MAX;
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const CTRL_U: u8 = 21;
const DELETE: u8 = 127;

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> (Vec<u8>, Option<Step>) {
        let mut page = [0; 8];
        let mut line = Line { page: &mut page, len: 0 };
        let last = keys.iter().map(|key| line.press(*key)).find(|step| *step != Step::More);
        let len = line.len;
        assert!(page[len..].iter().all(|b| *b == 0), "what was taken back is still there");
        (page[..len].to_vec(), last)
    }

    #[test]
    fn keys_edit_the_line() {
        assert_eq!(typed(b"abc\r"), (b"abc".to_vec(), Some(Step::End)));
        assert_eq!(typed("aé\x7f\x08x\n".as_bytes()), (b"x".to_vec(), Some(Step::End)));
        assert_eq!(typed(b"wrong\x15ok\n"), (b"ok".to_vec(), Some(Step::End)));
        assert_eq!(typed(b"\x7f\x7fa\x1b\n"), (b"a".to_vec(), Some(Step::End)));
        assert_eq!(typed(b"ab\x03"), (b"ab".to_vec(), Some(Step::Stop)));
        assert_eq!(typed(b"123456789").1, Some(Step::Full));
    }
}
