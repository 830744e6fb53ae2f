//! What a person or a program reads: results on standard output, talk on standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use symbolon_secret::Secret;

use crate::failure::Failure;

/// Prints one JSON value on one line.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value)
        .map_err(|error| Failure::refused("internal", format!("no JSON form: {error}")))?;
    text_raw(&text)
}

/// Prints text and an end of line. On a terminal, control characters are shown as a mark: text may
/// come from an upstream, and a terminal obeys them.
pub fn text(text: &str) -> Result<(), Failure> {
    if io::stdout().is_terminal() { text_raw(&plain(text)) } else { text_raw(text) }
}

/// Prints a secret that is shown once, with no buffer of ours in between.
///
/// `before` and `after` are written around it, such as the rest of a JSON object.
pub fn secret(before: &str, secret: &Secret<[u8]>, after: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(before.as_bytes()).and_then(|()| stdout.flush()).or_else(gone)?;
    // EXPOSE: shown once to its owner, who asked for it; written from its page to the descriptor.
    let mut rest = secret.expose();
    while !rest.is_empty() {
        match rustix::io::write(&stdout, rest) {
            Ok(n) => rest = &rest[n..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return gone(error.into()),
        }
    }
    stdout.write_all(after.as_bytes()).and_then(|()| stdout.flush()).or_else(gone)
}

/// Says something on standard error.
pub fn say(text: &str) {
    // Where standard error is gone there is nobody to say it to.
    let _ = writeln!(io::stderr(), "{}", plain(text));
}

/// `error: …`
pub fn say_error(text: &str) {
    let (on, off) = paint(Style::new().bold().fg_color(Some(AnsiColor::Red.into())));
    let _ = writeln!(io::stderr(), "{on}error:{off} {}", plain(text));
}

/// `next: …`
pub fn say_next(text: &str) {
    let (on, off) = paint(Style::new().bold());
    let _ = writeln!(io::stderr(), "{on}next:{off} {}", plain(text));
}

/// Columns, aligned. Nothing where there are no rows.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let mut widths: Vec<usize> = headers.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count()));
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut headers.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    text(&lines.join("\n"))
}

/// Names and values, aligned.
pub fn pairs(rows: &[(&str, String)]) -> Result<(), Failure> {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<_> =
        rows.iter().map(|(name, value)| format!("{name:<width$}  {value}")).collect();
    text(&lines.join("\n"))
}

/// Text whose control characters a terminal does not obey.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c })
        .collect()
}

fn text_raw(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).or_else(gone)
}

/// Whoever read our output has enough: that is no failure.
fn gone(error: io::Error) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::environment("output", format!("cannot write the result: {error}"))),
    }
}

/// Nothing where standard error is no terminal, or `NO_COLOR` says so (no-color.org).
fn paint(style: Style) -> (String, String) {
    let wanted =
        std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) && io::stderr().is_terminal();
    if wanted {
        (style.render().to_string(), style.render_reset().to_string())
    } else {
        (String::new(), String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_terminal_gets_no_control_characters() {
        assert_eq!(plain("a\x1b[2Jb\u{9b}c\r\n\td"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\n\td");
    }
}
