//! How fast a response is searched for one credential in all its spellings, and how long its first
//! bytes wait. The peer searches for the same spellings with an Aho-Corasick automaton that holds
//! them in ordinary memory, and undoes no escapes.

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use symbolon_ambient::{Rng, SeededRng};
use symbolon_connector::body::Codings;
use symbolon_connector::inject::{Slot, wire_form};
use symbolon_connector::redact::{
    Confirm, Filter, Pattern, REPLACEMENT, Unconfirmed, Verdict, judge, judge_scratch_len,
};
use symbolon_secret::{Secret, with_window};

use crate::meter::Meter;
use crate::row::{Report, Row};
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let rounds = options.iterations.unwrap_or(200);
    let raw = token(40);
    let credential = Credential::new(&raw)?;
    let spellings = spellings(&raw);
    let peer = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .build(&spellings)
        .map_err(BenchError::new)?;
    for (name, body) in bodies() {
        // An echo in each megabyte, so that a search which finds nothing is noticed.
        let planted = planted(&body, &spellings);
        let theirs = measure(rounds, &planted, |body, out| replaced(&peer, body, out));
        let ours =
            measure(rounds, &planted, |body, out| credential.filtered("identity", body, out));
        let ratio = busy_us(&theirs) / busy_us(&ours);
        for (who, mut row) in [("aho-corasick", theirs), ("symbolon", ours)] {
            row.case = format!("{who}, {name}");
            let rate = planted.bytes.len() as f64 / busy_us(&row) / 1e3;
            let compared = match who {
                "symbolon" => format!(", {ratio:.1} x the peer"),
                _ => String::new(),
            };
            row.note = Some(format!("{rate:.2} GB/s a core{compared}"));
            report.row(&row);
        }
    }
    for (name, body) in bodies().into_iter().take(1) {
        let planted = planted(&body, &spellings);
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(&planted.bytes)?;
        let coded = Planted { bytes: writer.finish()?, ..planted };
        let mut row = measure(rounds, &coded, |body, out| credential.filtered("gzip", body, out));
        row.case = format!("symbolon, {name}, gzip");
        let rate = body.len() as f64 / busy_us(&row) / 1e3;
        row.note = Some(format!("{rate:.2} GB/s a core, of what is decoded"));
        report.row(&row);
    }
    report.row(&first_bytes(&credential, rounds));
    Ok(())
}

/// Processor time of a pass, which other programs on the machine change less than the clock's; for
/// too few passes to have any, the clock's.
fn busy_us(row: &Row) -> f64 {
    if row.cpu_us_per_op > 0.0 { row.cpu_us_per_op } else { row.p50_us }
}

/// How long an event of a stream takes through the filter, and that all of it comes out at once.
fn first_bytes(credential: &Credential, rounds: usize) -> Row {
    let event = b"data: {\"choices\":[{\"delta\":{\"content\":\"a few words\"}}]}\n\n";
    let mut filter = credential.filter("identity");
    let meter = Meter::start(std::process::id());
    let mut held = 0;
    let mut out = Vec::with_capacity(4096);
    for _ in 0..rounds * 100 {
        out.clear();
        let start = Instant::now();
        let pushed = filter.push(black_box(event), &mut out);
        meter.record(start);
        held += usize::from(pushed.is_err() || out != event);
    }
    let mut row = meter.row("redact", "symbolon, one event", 1, "none", held == 0);
    row.note = Some(format!("{held} of {} events held back", rounds * 100));
    row
}

fn measure(
    rounds: usize,
    planted: &Planted,
    mut pass: impl FnMut(&[u8], &mut Vec<u8>) -> Option<()>,
) -> Row {
    // One buffer for all passes: what is measured is the search, not the system's zeroing of pages.
    let mut out = Vec::with_capacity(planted.bytes.len() * 2);
    let found = pass(&planted.bytes, &mut out);
    let mut correct = found.is_some() && planted.is_clean(&out);
    let len = out.len();
    let meter = Meter::start(std::process::id());
    for _ in 0..rounds {
        out.clear();
        let start = Instant::now();
        let found = pass(black_box(&planted.bytes), &mut out);
        meter.record(start);
        correct &= found.is_some() && black_box(&out).len() == len;
    }
    meter.row("redact", "", 1, "none", correct)
}

/// A body with echoes in it.
struct Planted {
    bytes: Vec<u8>,
    spellings: Vec<Vec<u8>>,
    echoes: usize,
    len: usize,
}

impl Planted {
    fn is_clean(&self, out: &[u8]) -> bool {
        let holds = |needle: &[u8]| out.windows(needle.len()).any(|w| w == needle);
        let marks = out.windows(REPLACEMENT.len()).filter(|w| *w == REPLACEMENT.as_bytes()).count();
        marks == self.echoes
            && out.len() == self.len
            && !self.spellings.iter().any(|spelling| holds(spelling))
    }
}

fn planted(body: &[u8], spellings: &[Vec<u8>]) -> Planted {
    let mut bytes = Vec::with_capacity(body.len() + 4096);
    let mut len = 0;
    let step = body.len() / spellings.len();
    for (piece, spelling) in body.chunks(step + 1).zip(spellings) {
        bytes.extend_from_slice(piece);
        bytes.push(b'"');
        bytes.extend_from_slice(spelling);
        bytes.push(b'"');
        len += piece.len() + 2 + REPLACEMENT.len();
    }
    Planted { bytes, spellings: spellings.to_vec(), echoes: spellings.len(), len }
}

/// Each of the spellings that can be listed, by other people's encoders.
fn spellings(raw: &[u8]) -> Vec<Vec<u8>> {
    // Only the characters that depend on the secret alone, as the filter has them.
    let inner = |before: &[u8], from: usize| {
        let text = STANDARD.encode([before, raw].concat());
        text.as_bytes()[from..(before.len() + raw.len()) * 8 / 6].to_vec()
    };
    let wide = |one: fn(u16) -> [u8; 2]| raw.iter().flat_map(|b| one(u16::from(*b))).collect();
    let mut all = vec![
        raw.to_vec(),
        inner(b"", 0),
        inner(b".", 2),
        inner(b"..", 3),
        URL_SAFE_NO_PAD.encode(raw).as_bytes()[..raw.len() * 8 / 6].to_vec(),
        hex::encode(raw).into_bytes(),
        hex::encode_upper(raw).into_bytes(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
        raw.to_ascii_lowercase(),
        raw.to_ascii_uppercase(),
    ];
    all.dedup();
    all
}

fn replaced(peer: &AhoCorasick, body: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut from = 0;
    for found in peer.find_iter(body) {
        out.extend_from_slice(&body[from..found.start()]);
        out.extend_from_slice(REPLACEMENT.as_bytes());
        from = found.end();
    }
    out.extend_from_slice(&body[from..]);
    Some(())
}

/// A mebibyte each.
fn bodies() -> [(&'static str, Vec<u8>); 13] {
    const LEN: usize = 1 << 20;
    let rng = SeededRng::new(5);
    let mut noise = vec![0; LEN];
    rng.fill(&mut noise);
    let words = |line: fn(u64) -> String| {
        let mut text = Vec::with_capacity(LEN + 512);
        while text.len() < LEN {
            let number = u64::from_le_bytes(rng.bytes::<8>());
            text.extend_from_slice(line(number).as_bytes());
        }
        text.truncate(LEN);
        text
    };
    let json = words(|n| {
        format!(
            "{{\"id\":{},\"title\":\"Issue {:x}\",\"state\":\"open\",\"url\":\"https://api.github.com/repos/a/b/issues/{}\"}},",
            n >> 40,
            n,
            n % 977
        )
    });
    let pretty = words(|n| {
        format!(
            "    {{\n      \"id\": {},\n      \"name\": \"{n:x}\",\n      \"private\": false\n    }},\n",
            n >> 40
        )
    });
    let escaped =
        words(|n| format!("{{\"body\":\"a \\\"line\\\"\\nand {n:x}\\n\\u00e9 \\u2026\"}},"));
    let prose =
        words(|n| format!("It was the {} of times,\nand the {:x}th of them all\n", n % 7, n >> 50));
    let html = words(|n| {
        format!(
            "<li class=\"item\"><a href=\"/issues/{}?a=1&amp;b=2\">Tom &amp; J&eacute;r&ocirc;me &#8212; {n:x}</a></li>\r\n",
            n % 977
        )
    });
    let form = words(|n| {
        format!(
            "id={}&title=Issue%20{n:x}%3A%20a%2C%20b&url=https%3A%2F%2Fa.example%2F%3Fq%3D1&",
            n >> 40
        )
    });
    let percent = words(|n| each(&format!("{n:x} some words in it"), |b| format!("%{b:02X}")));
    let urls = words(|n| {
        format!(
            "{{\"id\":{},\"url\":\"https:\\/\\/api.github.com\\/repos\\/a\\/b\\/issues\\/{}\"}},",
            n >> 40,
            n % 977
        )
    });
    let slashes = words(|n| each(&format!("{n:x}"), |b| format!("{}\\/", char::from(b))));
    let units = words(|n| each(&format!("{n:x} some words"), |b| format!("\\u{b:04x}")));
    let blob = STANDARD.encode(&noise[..LEN / 4 * 3]).into_bytes();
    let wrapped = blob.chunks(76).flat_map(|line| [line, b"\n"].concat()).take(LEN).collect();
    [
        ("JSON", json),
        ("pretty JSON", pretty),
        ("escaped JSON", escaped),
        ("lines of text", prose),
        ("HTML", html),
        ("random bytes", noise),
        ("base64", blob),
        ("base64 in lines", wrapped),
        ("percent-encoded form", form),
        ("percent-encoded throughout", percent),
        ("`\\/` in URLs", urls),
        ("`\\/` throughout", slashes),
        ("`\\u0067` throughout", units),
    ]
}

fn each(text: &str, way: fn(u8) -> String) -> String {
    text.bytes().map(way).collect()
}

fn token(len: usize) -> Vec<u8> {
    let rng = SeededRng::new(11);
    let mut raw = vec![0; len];
    rng.fill(&mut raw);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    raw.iter_mut().for_each(|b| *b = letters[usize::from(*b & 63)]);
    raw
}

struct Credential {
    slot: Slot,
    wire: Secret<[u8]>,
    pattern: Arc<Pattern>,
}

impl Credential {
    fn new(raw: &[u8]) -> Result<Self, BenchError> {
        let secret = Secret::make_slice(raw.len(), |out| out.copy_from_slice(raw));
        let slot = Slot::bearer();
        let wire = wire_form(&slot, &secret).map_err(BenchError::new)?;
        let pattern = Pattern::learn(&slot, &wire, &SeededRng::new(13)).map_err(BenchError::new)?;
        Ok(Self { slot, wire, pattern: Arc::new(pattern) })
    }

    fn filter(&self, coding: &str) -> Filter<&Self> {
        let codings = Codings::parse([coding.as_bytes()]).unwrap_or_default();
        Filter::new(self.pattern.clone(), self, &codings, u64::MAX)
    }

    /// As a proxy does it: 16 KiB come, what is safe goes.
    fn filtered(&self, coding: &str, body: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let mut filter = self.filter(coding);
        for piece in body.chunks(16 << 10) {
            filter.push(piece, out).ok()?;
        }
        filter.finish(out).ok().map(drop)
    }
}

impl Confirm for Credential {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        with_window(|window| {
            let scratch = window.take(judge_scratch_len(self.wire.len()));
            // EXPOSE: compared in the window.
            judge(&self.slot, self.wire.expose(), scratch, haystack, at)
        })
        .map_err(|_| Unconfirmed)?
    }
}
