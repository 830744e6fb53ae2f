//! Measures the hot paths of this crate on one thread; prints a line each.
//!
//!     cargo run --release -p symbolon-connector --example scan

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use symbolon_ambient::{Rng, SeededRng};
use symbolon_connector::inject::{Expected, Placeholder, Slot, inspect_head, wire_form};
use symbolon_connector::redact::{
    Confirm, Counts, Pattern, Redactor, Unconfirmed, Verdict, judge, judge_scratch_len,
    redact_value,
};
use symbolon_connector::ssrf::{Allow, base_url};
use symbolon_secret::{Secret, with_window};

fn main() {
    inspect();
    let words = text(8 << 20);
    let mut noise = vec![0; 8 << 20];
    SeededRng::new(3).fill(&mut noise);
    let spaces = vec![b' '; 8 << 20];
    for (name, length) in
        [("8", 8), ("9", 9), ("40", 40), ("200", 200), ("1000", 1000), ("4096", 4096)]
    {
        let credential = Credential::new(length);
        let pattern = credential.pattern();
        for (kind, body) in [("json text", &words), ("random bytes", &noise), ("spaces", &spaces)] {
            let (rate, confirmed) = rate(&credential, &pattern, body);
            println!("scan, {name}-byte credential, {kind}: {rate:.2} GB/s, {confirmed} confirmed");
        }
    }
    echoes();
}

fn inspect() {
    let slot = Slot::bearer();
    let base = base_url("https://api.github.com", Allow::default()).expect("a base URL");
    let placeholder = Placeholder::from_entropy([7; 16]);
    let head = format!(
        "POST /repos/octo/hello-world/issues?per_page=100&state=open HTTP/1.1\r\n\
         host: api.github.com\r\nauthorization: Bearer {}\r\naccept: application/vnd.github+json\r\n\
         accept-encoding: identity\r\nuser-agent: symbolon/0.1.0\r\nx-github-api-version: 2022-11-28\r\n\
         content-type: application/json; charset=utf-8\r\ncontent-length: 142\r\n\
         x-request-id: 7b4f2b1e-5b1a-4c6e-9d8e-1f2a3b4c5d6e\r\n\r\n",
        placeholder.as_str()
    );
    let expected = Expected { placeholder: &placeholder, slot: &slot, authority: base.authority() };
    let ns = best(5, || {
        let start = Instant::now();
        for _ in 0..100_000 {
            black_box(inspect_head(black_box(head.as_bytes()), &expected)).expect("a good head");
        }
        start.elapsed().as_nanos() as f64 / 100_000.0
    });
    println!("inspect_head, {} bytes: {ns:.0} ns", head.len());
}

fn echoes() {
    let credential = Credential::new(40);
    let pattern = credential.pattern();
    // EXPOSE: the measured credential is made up here.
    let raw = credential.wire.expose().to_vec();
    let body = [&raw[..], b"\n"].concat().repeat(10_000);
    let ns = best(3, || {
        let mut redactor = Redactor::new(Arc::clone(&pattern), &credential);
        let mut out = Vec::with_capacity(body.len());
        let start = Instant::now();
        redactor.push(&body, &mut out).expect("redacted");
        redactor.finish(&mut out).expect("redacted");
        start.elapsed().as_nanos() as f64 / 10_000.0
    });
    println!("an echo of a 40-byte credential: {ns:.0} ns each, confirmed in a window");
    let value = b"application/json; charset=utf-8";
    let mut counts = Counts::default();
    let ns = best(5, || {
        let start = Instant::now();
        for _ in 0..100_000 {
            let value = black_box(&value[..]);
            black_box(redact_value(&pattern, &credential, value, &mut counts)).expect("clean");
        }
        start.elapsed().as_nanos() as f64 / 100_000.0
    });
    println!("a clean header value of {} bytes: {ns:.0} ns", value.len());
    let ns = best(3, || {
        let start = Instant::now();
        for _ in 0..100 {
            black_box(credential.pattern());
        }
        start.elapsed().as_nanos() as f64 / 100.0
    });
    println!("learning a 40-byte credential: {ns:.0} ns");
}

fn rate(credential: &Credential, pattern: &Arc<Pattern>, body: &[u8]) -> (f64, u64) {
    let mut out = Vec::with_capacity(64 << 10);
    let before = credential.confirmed.get();
    let seconds = best(5, || {
        let mut redactor = Redactor::new(Arc::clone(pattern), credential);
        let start = Instant::now();
        for piece in body.chunks(16 << 10) {
            out.clear();
            redactor.push(piece, &mut out).expect("redacted");
            black_box(&out);
        }
        redactor.finish(&mut out).expect("redacted");
        start.elapsed().as_secs_f64()
    });
    let confirmed = (credential.confirmed.get() - before) / 5;
    (body.len() as f64 / seconds / 1e9, confirmed)
}

/// JSON with words of several lengths.
fn text(len: usize) -> Vec<u8> {
    let rng = SeededRng::new(5);
    let mut seed = [0; 4096];
    let mut text = Vec::with_capacity(len + 64);
    while text.len() < len {
        rng.fill(&mut seed);
        for word in seed.chunks(8) {
            let number = u64::from(word[0]) << 8 | u64::from(word[1]);
            let line = format!(
                "{{\"id\":{number},\"title\":\"{}\",\"state\":\"open\",\"url\":\"https://api.github.com/{}\"}},\n",
                word.escape_ascii(),
                number * 977,
            );
            text.extend_from_slice(line.as_bytes());
        }
    }
    text.truncate(len);
    text
}

fn best(rounds: usize, mut run: impl FnMut() -> f64) -> f64 {
    (0..rounds).map(|_| run()).fold(f64::INFINITY, f64::min)
}

struct Credential {
    slot: Slot,
    wire: Secret<[u8]>,
    confirmed: std::cell::Cell<u64>,
}

impl Credential {
    fn new(len: usize) -> Self {
        let rng = SeededRng::new(len as u64);
        let raw = Secret::make_slice(len, |out| {
            rng.fill(out);
            for b in out {
                *b = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                    [usize::from(*b & 63)];
            }
        });
        let slot = Slot::bearer();
        let wire = wire_form(&slot, &raw).expect("a usable credential");
        Self { slot, wire, confirmed: Default::default() }
    }

    fn pattern(&self) -> Arc<Pattern> {
        let pattern = Pattern::learn(&self.slot, &self.wire, &SeededRng::new(11));
        Arc::new(pattern.expect("a pattern"))
    }
}

impl Confirm for Credential {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        self.confirmed.set(self.confirmed.get() + 1);
        with_window(|window| {
            let scratch = window.take(judge_scratch_len(self.wire.len()));
            // EXPOSE: compared in the window.
            judge(&self.slot, self.wire.expose(), scratch, haystack, at)
        })
        .map_err(|_| Unconfirmed)?
    }
}
