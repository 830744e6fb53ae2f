//! docs/leak-matrix.md: which spellings of a credential are caught, in which place, however the
//! response is split. Measured here; the page is what comes out.
//!
//!     LEAK_MATRIX=write cargo test -p symbolon-connector --test leak_matrix

mod credential;

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use credential::Credential;
use symbolon_connector::body::Codings;
use symbolon_connector::redact::{Counts, Field, Filter, REPLACEMENT, redact_field};

/// A token of letters and digits, base64 with signs, a password with everything.
const SECRETS: [&str; 3] = [
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "p\"q\\r/s<t>u&v'w=x:y;z%41!@#$^*()[]{}|~",
];

type Spell = fn(&str) -> Vec<u8>;

/// What is promised: these must be caught everywhere.
const CAUGHT: &[(&str, Spell)] = &[
    ("raw", |s| s.into()),
    ("base64", |s| STANDARD.encode(s).into()),
    ("base64 inside of more, offset 1", |s| STANDARD.encode(format!("u{s}.")).into()),
    ("base64 inside of more, offset 2", |s| STANDARD.encode(format!("u:{s}..")).into()),
    ("base64url without padding", |s| URL_SAFE_NO_PAD.encode(s).into()),
    ("base64 in lines of 20", |s| wrapped(s, 20, "\r\n")),
    ("base64 in lines, in a JSON string", |s| wrapped(s, 20, "\\n")),
    ("hex, lower case", |s| hex::encode(s).into()),
    ("hex, upper case", |s| hex::encode_upper(s).into()),
    ("percent, reserved characters", |s| percent(s, |b| !b.is_ascii_alphanumeric(), "%")),
    ("percent, lower-case escapes", |s| lower_escapes(s)),
    ("percent, every character", |s| percent(s, |_| true, "%")),
    ("percent, every third character", |s| mixed(s, |b| format!("%{b:02x}"), "%\\&\"")),
    ("percent, twice over", |s| percent(s, |_| true, "%25")),
    ("JSON string", |s| json(s)),
    ("JSON string with `\\/`", |s| text(json(s)).replace('/', "\\/").into()),
    ("JSON `\\u0067`, every character", |s| each(s, |b| format!("\\u{b:04x}"))),
    ("JSON `\\u0067`, every third character", |s| mixed(s, |b| format!("\\u{b:04X}"), "\\\"")),
    ("JSON string in a JSON string", |s| json(&text(json(s)))),
    ("`\\x67`", |s| each(s, |b| format!("\\x{b:02x}"))),
    ("`\\147`", |s| each(s, |b| format!("\\{b:03o}"))),
    ("HTML `&#103;`", |s| each(s, |b| format!("&#{b};"))),
    ("HTML `&#x67;`", |s| each(s, |b| format!("&#x{b:X};"))),
    ("HTML text, `&quot;` and `&#39;`", |s| html(s).into()),
    ("HTML `&#103;` in HTML, `&amp;#103;`", |s| each(s, |b| format!("&amp;#{b};"))),
    ("base64, percent-encoded", |s| {
        percent(&STANDARD.encode(s), |b| !b.is_ascii_alphanumeric(), "%")
    }),
    ("base64, in a JSON string with `\\/`", |s| STANDARD.encode(s).replace('/', "\\/").into()),
    ("UTF-16, little endian", |s| s.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ("UTF-16, big endian", |s| s.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ("all lower case", |s| s.to_lowercase().into()),
    ("all upper case", |s| s.to_uppercase().into()),
    ("its first 20 characters", |s| s[..20].into()),
    ("its last 20 characters", |s| s[s.len() - 20..].into()),
];

/// What is not promised, and is shown as it is.
const REST: &[(&str, Spell)] = &[
    ("its first 12 characters", |s| s[..12].into()),
    ("hex with colons", |s| {
        text(hex::encode(s).into()).as_bytes().chunks(2).collect::<Vec<_>>().join(&b':')
    }),
    ("a blank between characters", |s| each(s, |b| format!("{} ", char::from(b)))),
    ("half of it upper case", |s| swapped(s)),
    ("reversed", |s| s.bytes().rev().collect()),
    ("ROT13", |s| s.bytes().map(rot13).collect()),
    ("a list of numbers", |s| each(s, |b| format!("{b},"))),
    ("quoted-printable, every character", |s| each(s, |b| format!("={b:02X}"))),
    ("quoted-printable, as mail has it", |s| quoted(s)),
    ("`%u0067`", |s| each(s, |b| format!("%u{b:04x}"))),
    ("CSS `\\67 `", |s| each(s, |b| format!("\\{b:x} "))),
    ("HTML `&#103` without its end", |s| each(s, |b| format!("&#{b}"))),
    ("base64 of UTF-16", |s| {
        STANDARD.encode(s.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()).into()
    }),
    ("hex of base64", |s| hex::encode(STANDARD.encode(s)).into()),
    ("base32", |s| base32(s)),
    ("UTF-32", |s| s.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()),
    ("base64, twice over", |s| STANDARD.encode(STANDARD.encode(s)).into()),
    ("gzip in base64", |s| STANDARD.encode(gzip(s.as_bytes())).into()),
    ("every byte plus one", |s| s.bytes().map(|b| b + 1).collect()),
];

/// A column of the page.
#[derive(Clone, Copy)]
enum Place {
    Body(&'static str),
    Value,
    Trailer,
    Name,
}

const PLACES: [(&str, Place); 9] = [
    ("body", Place::Body("identity")),
    ("gzip", Place::Body("gzip")),
    ("deflate", Place::Body("deflate")),
    ("br", Place::Body("br")),
    ("zstd", Place::Body("zstd")),
    ("br in gzip", Place::Body("br, gzip")),
    ("header", Place::Value),
    ("trailer", Place::Trailer),
    ("header name", Place::Name),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// It cannot stand there.
    Never,
    Caught,
    /// Some of it is left.
    Part,
    Missed,
}

#[test]
fn the_page_is_current() {
    let credentials = SECRETS.map(|secret| (secret, Credential::new(secret)));
    let mut page = String::from(HEAD);
    for (title, rows, must) in [("Caught", CAUGHT, true), ("Not promised", REST, false)] {
        let names: Vec<_> = PLACES.iter().map(|(name, _)| *name).collect();
        writeln!(page, "\n## {title}\n\n| spelling | {} |", names.join(" | ")).unwrap();
        writeln!(page, "|---|{}", "---|".repeat(names.len())).unwrap();
        for (name, spell) in rows {
            write!(page, "| {name} |").unwrap();
            for (place_name, place) in PLACES {
                let found = credentials.iter().map(|(s, c)| c.look(&spell(s), place));
                let worst = found.max().unwrap();
                // Base64 in lower case, as a header's name has it, does not decode to the secret.
                let must = must && !(matches!(place, Place::Name) && name.starts_with("base64"));
                assert!(!must || worst <= Found::Caught, "{name} in {place_name}");
                let mark = match worst {
                    Found::Never => "–",
                    Found::Caught => "yes",
                    Found::Part => "in part",
                    Found::Missed => "**no**",
                };
                write!(page, " {mark} |").unwrap();
            }
            page.push('\n');
        }
    }
    page.push_str(TAIL);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/leak-matrix.md");
    if std::env::var_os("LEAK_MATRIX").is_some_and(|how| how == "write") {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/leak-matrix.md is not what is measured: the first line here says how to write it"
    );
}

impl Credential {
    /// The worst that any way to split it makes of an echo in a place.
    fn look(&self, echo: &[u8], place: Place) -> Found {
        match place {
            Place::Body(codings) => {
                let plain = [&b"{\"a\":\""[..], echo, b"\"}\n"].concat();
                let body = codings.split(", ").fold(plain, |body, name| encode(name, &body));
                let whole = self.body(codings, &[&body]);
                let bytes: Vec<&[u8]> = body.chunks(1).collect();
                let mut worst = whole.max(self.body(codings, &bytes));
                // Where it is coded, some places: what is decoded comes in pieces all the same.
                let step = if codings == "identity" { 1 } else { body.len().div_ceil(12) };
                for cut in (1..body.len()).step_by(step) {
                    worst = worst.max(self.body(codings, &[&body[..cut], &body[cut..]]));
                }
                worst
            }
            Place::Value | Place::Trailer if echo.iter().any(|b| !(b' '..=b'~').contains(b)) => {
                Found::Never
            }
            Place::Name if !echo.iter().all(|b| is_token(*b)) => Found::Never,
            Place::Name => {
                // The HTTP stack has it in lower case.
                let name = format!("x-{}", String::from_utf8_lossy(echo).to_lowercase());
                match self.field(&name, b"1") {
                    (Field::Dropped, _) => Found::Caught,
                    _ => Found::Missed,
                }
            }
            Place::Value | Place::Trailer => match self.field("x-echo", echo) {
                (Field::Rewritten(value), counts) => judged(&value, b"", b"", counts),
                _ => Found::Missed,
            },
        }
    }

    fn body(&self, codings: &str, pieces: &[&[u8]]) -> Found {
        let codings = Codings::parse([codings.as_bytes()]).unwrap();
        let mut filter = Filter::new(self.pattern.clone(), self, &codings, 1 << 20);
        let mut out = Vec::new();
        for piece in pieces {
            filter.push(piece, &mut out).unwrap();
        }
        let counts = filter.finish(&mut out).unwrap();
        judged(&out, b"{\"a\":\"", b"\"}\n", counts)
    }

    fn field(&self, name: &str, value: &[u8]) -> (Field, Counts) {
        let mut counts = Counts::default();
        (redact_field(&self.pattern, self, name, value, &mut counts).unwrap(), counts)
    }
}

/// Caught is: the mark, and at most the eight characters of base64 at the edges that mix the
/// secret with its neighbours.
fn judged(out: &[u8], before: &[u8], after: &[u8], counts: Counts) -> Found {
    let left = out.strip_prefix(before).and_then(|out| out.strip_suffix(after)).unwrap_or(out);
    match counts.total() {
        0 => Found::Missed,
        1 if left.len() <= REPLACEMENT.len() + 8 => Found::Caught,
        _ => Found::Part,
    }
}

fn encode(name: &str, body: &[u8]) -> Vec<u8> {
    match name {
        "gzip" => gzip(body),
        "deflate" => {
            let level = flate2::Compression::default();
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            brotli::BrotliCompress(&mut &*body, &mut out, &Default::default()).unwrap();
            out
        }
        "zstd" => {
            ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest)
        }
        _ => body.to_vec(),
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(body).unwrap();
    writer.finish().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn json(s: &str) -> Vec<u8> {
    let quoted = serde_json::to_string(s).unwrap();
    quoted[1..quoted.len() - 1].into()
}

fn each(s: &str, way: fn(u8) -> String) -> Vec<u8> {
    s.bytes().map(way).collect::<String>().into()
}

/// Every third character escaped, and those that the way of escaping always escapes.
fn mixed(s: &str, way: fn(u8) -> String, always: &str) -> Vec<u8> {
    let one = |(i, b): (usize, u8)| match i % 3 == 1 || always.contains(char::from(b)) {
        true => way(b),
        false => char::from(b).to_string(),
    };
    s.bytes().enumerate().map(one).collect::<String>().into()
}

fn html(s: &str) -> String {
    let signs = s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    signs.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Lines of 20 with soft breaks, `=` as `=3D` (RFC 2045, section 6.7).
fn quoted(s: &str) -> Vec<u8> {
    let lines: Vec<_> =
        s.as_bytes().chunks(20).map(|line| text(line.into()).replace('=', "=3D")).collect();
    lines.join("=\r\n").into()
}

fn percent(s: &str, which: fn(u8) -> bool, sign: &str) -> Vec<u8> {
    let one = |b: u8| if which(b) { format!("{sign}{b:02X}") } else { char::from(b).to_string() };
    s.bytes().map(one).collect::<String>().into()
}

fn lower_escapes(s: &str) -> Vec<u8> {
    let one = |b: u8| match b.is_ascii_alphanumeric() {
        true => char::from(b).to_string(),
        false => format!("%{b:02x}"),
    };
    s.bytes().map(one).collect::<String>().into()
}

fn wrapped(s: &str, width: usize, with: &str) -> Vec<u8> {
    let plain = STANDARD.encode(s);
    plain.as_bytes().chunks(width).collect::<Vec<_>>().join(with.as_bytes())
}

fn swapped(s: &str) -> Vec<u8> {
    let one = |(i, b): (usize, u8)| {
        if i % 2 == 0 { b.to_ascii_uppercase() } else { b.to_ascii_lowercase() }
    };
    s.bytes().enumerate().map(one).collect()
}

fn rot13(b: u8) -> u8 {
    match b {
        b'a'..=b'z' => (b - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (b - b'A' + 13) % 26 + b'A',
        other => other,
    }
}

fn base32(s: &str) -> Vec<u8> {
    let bits: String = s.bytes().map(|b| format!("{b:08b}")).collect();
    let of = |group: &[u8]| {
        let group = str::from_utf8(group).unwrap();
        let value = usize::from_str_radix(&format!("{group:0<5}"), 2).unwrap();
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value]
    };
    bits.as_bytes().chunks(5).map(of).collect()
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

const HEAD: &str = "\
# Leak matrix: what of an echoed credential is caught

Measured, not written: `cargo test -p symbolon-connector --test leak_matrix` fails when this page says \
anything else. Three credentials (a token of letters and digits, base64 with signs, a password with every kind of sign) \
are spelled each way and put into each place. Bodies are taken whole, split into single bytes, and split in two: at every \
place where they are not coded, at a dozen places where they are. A cell shows the worst of all of these.

**yes**: all of it is replaced, but for at most eight characters of base64 at the edges, which mix the \
secret with its neighbours. **in part**: some of it is replaced. **no**: it comes out as it is. –: it cannot stand there.

[specs/redaction.md](../specs/redaction.md) says how the search works and what it promises.
";

const TAIL: &str = "
## What no table can show

- An upstream that wants to tell the secret can transform it in a way that nobody listed, or spread it over \
several answers. Redaction is for echoes: error pages, debug headers, mirrors, logs. An upstream that holds the \
credential is trusted with it.
- A header's name is in lower case when it comes here, so there the secret is looked for in that spelling too. \
Base64 is not: in lower case it does not decode, and of a token of 40 bytes some 2^40 others fit it. Its forms at three \
offsets in two alphabets would make the list longer by a quarter, and with it the shortest run of a long credential \
that is found.
- Places that are never passed on, whatever they hold: reason phrases, chunk extensions, interim (1xx) responses, \
comments and names in gzip headers, skippable frames of zstd.
- A multipart body is searched as any other; a part with a compression of its own is not opened.
- Binary files (archives, images) are searched as bytes; what is compressed in them is not.
- A response that cannot be decoded, is damaged, decodes to too much, or repeats the secret a thousand times is refused. Of a binary type that its operation lists, one in an unknown coding passes: searched as it came, and not under the coding.
";
