//! The search for escapes against a plain one: every byte is read by [`fold::token`], every escape
//! is undone, every window is looked at.

mod rows;

use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_secret::Secret;

use rows::{InRow, arb_row};

use super::*;
use crate::inject::Slot;
use crate::redact::fold::{self, Next};
use crate::redact::{judge, judge_scratch_len};

#[derive(Default)]
struct Naive(Folded);

impl Text for Naive {
    const ESCAPE_REST: usize = Folded::ESCAPE_REST;

    fn take(&mut self, block: &[u8], is_last: bool, pattern: &Pattern) {
        let folded = &mut self.0;
        folded.raw.extend_from_slice(block);
        let mut at = folded.read;
        while at < folded.raw.len() {
            match fold::token(&folded.raw, at, folded.before, is_last) {
                Next::More => break,
                Next::Plain => at += 1,
                Next::Token(token) => {
                    if token.bytes().iter().all(|b| pattern.may_hold(*b)) {
                        folded.mark(at, token.len, token.bytes());
                    }
                    at += token.len;
                }
            }
        }
        folded.read_to(at);
    }

    fn candidate(&self, pattern: &Pattern, _: u64, at: usize) -> Option<usize> {
        pattern.candidate(self.view(), at)
    }

    fn view(&self) -> &[u8] {
        self.0.view()
    }

    fn owns(&self, found: &Match) -> bool {
        self.0.owns(found)
    }

    fn settle(&self, found: Match) -> Match {
        self.0.settle(found)
    }

    fn raw_at(&self, place: usize, side: Side) -> usize {
        self.0.raw_at(place, side)
    }

    fn view_at(&self, raw: usize, side: Side) -> usize {
        self.0.view_at(raw, side)
    }

    fn raw(&self) -> &[u8] {
        self.0.raw()
    }

    fn floor(&self, place: usize) -> usize {
        self.0.floor(place)
    }

    fn forget(&mut self, at: usize) {
        self.0.forget(at);
    }
}

struct Credential(Slot, Secret<[u8]>);

impl Credential {
    fn new(raw: &str) -> Self {
        let wire = Secret::make_slice(raw.len(), |out| out.copy_from_slice(raw.as_bytes()));
        Self(Slot::bearer(), wire)
    }

    fn pattern(&self) -> Arc<Pattern> {
        Arc::new(Pattern::learn(&self.0, &self.1, &SeededRng::new(3)).unwrap())
    }
}

impl Confirm for Credential {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        let mut scratch = vec![0; judge_scratch_len(self.1.len())];
        // EXPOSE: a test's own credential, compared in ordinary memory.
        judge(&self.0, self.1.expose(), &mut scratch, haystack, at)
    }
}

/// All at once, through the plain search and then the one for what stands there as it is.
fn naive(credential: &Credential, pattern: &Pattern, body: &[u8]) -> (Vec<u8>, Counts) {
    let (mut out, mut between, mut counts) = (Vec::new(), Vec::new(), Counts::default());
    let mut search = Search { pattern, confirm: credential, counts: &mut counts, is_last: true };
    let mut undone = Stage::<Naive>::default();
    undone.take(body, &mut search, &mut between).unwrap();
    Stage::<Plain>::default().take(&between, &mut search, &mut out).unwrap();
    (out, counts)
}

fn quick(
    credential: &Credential,
    pattern: &Arc<Pattern>,
    body: &[u8],
    sizes: &[usize],
) -> (Vec<u8>, Counts) {
    let mut redactor = Redactor::new(Arc::clone(pattern), credential);
    let (mut out, mut rest) = (Vec::new(), body);
    for size in sizes.iter().cycle() {
        let (piece, next) = rest.split_at((*size).min(rest.len()));
        redactor.push(piece, &mut out).unwrap();
        rest = next;
        if rest.is_empty() {
            break;
        }
    }
    let counts = redactor.finish(&mut out).unwrap();
    (out, counts)
}

/// One character in some spelling.
fn spelled(c: char, way: usize) -> String {
    let code = u32::from(c);
    match way {
        0 => format!("%{code:02x}"),
        1 => format!("%25{code:02X}"),
        2 => format!("\\u{code:04x}"),
        3 => format!("\\x{code:02x}"),
        4 => format!("\\{code:03o}"),
        5 => format!("&#{code};"),
        6 => format!("&amp;#x{code:x};"),
        7 if !c.is_ascii_alphanumeric() => format!("\\{c}"),
        8 => format!("\n{c}"),
        9 => format!("\r\n  {c}"),
        10 => format!("\\n{c}"),
        11 => format!("\\u{{{code:x}}}"),
        12 => format!("\n{:16}{c}", ""),
        13 => format!("\r\n\t\t{c}"),
        _ => c.to_string(),
    }
}

fn arb_secret() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9_]{8,40}",
        4 => "[A-Za-z0-9+/]{20,40}",
        4 => "[!-~]{8,40}",
        4 => "[\\\\%&#;/\"<>'nrux0-3A+]{8,30}",
        // Of these only longer runs are found, and windows stand further from an escape.
        1 => "[A-Za-z0-9+/]{300,600}",
    ]
}

/// Pieces of a response: what an ordinary one has, what nearly is an escape, and of the secret (by
/// two places in it) a stretch with some characters spelled.
#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Secret(usize, usize, Vec<usize>),
    Row(InRow),
}

/// A way of [`spelled`] that escapes nothing.
const PLAINLY: usize = usize::MAX;

fn arb_piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        "[ -~\n]{0,90}".prop_map(Piece::Text),
        "[a-z%\\\\&;#0-9\n\r]{0,60}".prop_map(Piece::Text),
        "(\\\\n|\\\\r|\\\\u00e9|\\\\u0041|%41|%2|&amp;|&#8212;|&#39;|&lt;|\r\n|\n  |\\\\\"|\\\\|x){0,30}"
            .prop_map(Piece::Text),
        "[A-Za-z0-9+/]{0,76}\n[A-Za-z0-9+/]{0,76}".prop_map(Piece::Text),
        // Little else, over several blocks.
        ("(%20|%2F|%7e|%25|%4|a|%61){9,40}", 1usize..40).prop_map(repeated),
        ("(\\\\/|\\\\\"|\\\\ |\\\\\\\\|\\\\x61|a|\\\\u0062){9,40}", 1usize..40).prop_map(repeated),
        ("(&#97;|&amp;|%26|\\\\&|\n|b|\\\\n){9,40}", 1usize..40).prop_map(repeated),
        (0usize..40, 8usize..80, prop::collection::vec(0usize..24, 80))
            .prop_map(|(from, len, ways)| Piece::Secret(from, len, ways)),
        arb_row().prop_map(Piece::Row),
        // One escape alone: what tells of it may be far away.
        (0usize..500, 8usize..120, 0usize..120, 0usize..14).prop_map(|(from, len, at, way)| {
            let ways = (0..120).map(|place| if place == at { way } else { PLAINLY });
            Piece::Secret(from, len, ways.collect())
        }),
        (Just(0usize), Just(80usize), prop::collection::vec(0usize..24, 80))
            .prop_map(|(from, len, ways)| Piece::Secret(from, len, ways)),
    ]
}

fn repeated((text, times): (String, usize)) -> Piece {
    Piece::Text(text.repeat(times))
}

fn body(secret: &str, pieces: &[Piece]) -> Vec<u8> {
    let mut body = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => body.push_str(text),
            Piece::Secret(from, len, ways) => {
                let stretch = secret.chars().skip(*from).take(*len).zip(ways);
                body.extend(stretch.map(|(c, way)| spelled(c, *way)));
                body.push('\u{1}');
            }
            Piece::Row(row) => body.push_str(&row.spelled(secret)),
        }
    }
    body.into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_quick_search_takes_out_what_the_plain_one_does(
        secret in arb_secret(),
        pieces in prop::collection::vec(arb_piece(), 0..8),
        sizes in prop::collection::vec(1usize..200, 1..8),
    ) {
        let credential = Credential::new(&secret);
        let pattern = credential.pattern();
        let body = body(&secret, &pieces);
        let (expected, counts) = naive(&credential, &pattern, &body);
        for sizes in [&[usize::MAX][..], &sizes[..], &[1]] {
            let (out, found) = quick(&credential, &pattern, &body, sizes);
            prop_assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
            prop_assert_eq!(&found, &counts);
        }
    }
}

/// Bodies of little but escapes, with the secret among them in ways that are cut at every place: a
/// cut moves all blocks behind it, and what is held back with them.
#[test]
fn wherever_a_body_of_escapes_is_cut_the_same_comes_out() {
    let secret = "tok/en+0123456789";
    let credential = Credential::new(secret);
    let pattern = credential.pattern();
    for (filler, ways) in
        [("%20%2F", 0), ("\\/", 7), ("\\\"\\u0074", 2), ("&#32;&#116;", 5), ("YWJj\nZGVm", 8)]
    {
        let echo: String = secret.chars().map(|c| spelled(c, ways)).collect();
        // Blocks are 64 bytes and 2 KiB.
        let lead = filler.repeat(2 * 1024 / filler.len());
        let body = format!("{lead}\u{1}{echo}\u{1}{filler}{filler}").into_bytes();
        let (expected, counts) = naive(&credential, &pattern, &body);
        assert_eq!(counts.total(), 1, "{filler}");
        for cut in 1..body.len() {
            let (out, found) = quick(&credential, &pattern, &body, &[cut, body.len()]);
            assert!(out == expected && found == counts, "{filler} cut at {cut}");
        }
    }
}
