//! Rows of escapes, which are read many at a time: against the plain search, and by cases.

use proptest::prelude::*;

use super::*;

/// One character in one shape of those that come in rows, or nearly.
fn in_row(c: char, shape: usize) -> String {
    let code = u32::from(c);
    match shape {
        0 => format!("%{code:02x}"),
        1 => format!("%{code:02X}"),
        2 => format!("\\x{code:02x}"),
        3 => format!("\\u{code:04x}"),
        4 => format!("\\u{code:04X}"),
        5 => format!("%25{code:02x}"),
        6 => format!("\\\\u{code:04x}"),
        _ => format!("&#x{code:02x};"),
    }
}

/// A row of escapes of one shape with a stretch of the secret somewhere in it, in front of it, behind
/// it or over an edge; and what may break it: at some places another text.
#[derive(Clone, Debug)]
pub(super) struct InRow {
    shape: usize,
    /// What stands around, and how many of it in front and behind.
    filler: String,
    front: usize,
    behind: usize,
    /// Of the secret: from where, and how many characters.
    stretch: (usize, usize),
    /// So many characters of the secret at its front and at its end are not escaped.
    bare: (usize, usize),
    breaks: Vec<(usize, String)>,
}

pub(super) fn arb_row() -> impl Strategy<Value = InRow> {
    let breaks = prop_oneof![
        "(%4g|%|%2|\\\\u00|\\\\x4|\\\\u00e9|%25|%2541|\\\\u005c|\\\\u0025|%5c|\n|a|[!-~]{1,3}){1,2}",
        "[ -~]{0,40}",
    ];
    (
        0usize..8,
        prop_oneof!["[a-z ]{1,30}", "[ !-~]{1,30}", "[A-Za-z0-9+/]{1,60}", "[\u{1}-\u{ff}]{1,20}"],
        0usize..150,
        0usize..150,
        (0usize..40, prop_oneof![0usize..40, Just(80)]),
        (prop_oneof![Just(0), 0usize..30], prop_oneof![Just(0), 0usize..30]),
        prop::collection::vec((0usize..300, breaks), 0..3),
    )
        .prop_map(|(shape, filler, front, behind, stretch, bare, breaks)| InRow {
            shape,
            filler,
            front,
            behind,
            stretch,
            bare,
            breaks,
        })
}

impl InRow {
    pub(super) fn spelled(&self, secret: &str) -> String {
        let secret: Vec<char> = secret.chars().collect();
        let from = self.stretch.0.min(secret.len());
        let to = secret.len().min(from + self.stretch.1);
        let escaped = |c: &char| in_row(*c, self.shape);
        let filler = |count: usize| self.filler.chars().cycle().take(count).collect::<Vec<_>>();
        let (front, behind) = (filler(self.front), filler(self.behind));
        let mut parts: Vec<String> = front.iter().map(escaped).collect();
        parts.extend(secret[from..to].iter().enumerate().map(|(at, c)| {
            let is_bare = at < self.bare.0 || at + self.bare.1 >= to - from;
            // Both at once would leave nothing of a short one.
            if is_bare && (self.bare.0 == 0 || self.bare.1 == 0) {
                c.to_string()
            } else {
                escaped(c)
            }
        }));
        parts.extend(behind.iter().map(escaped));
        for (at, text) in &self.breaks {
            parts.insert((*at).min(parts.len()), text.clone());
        }
        parts.concat()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// As it is in a body that is escaped throughout: rows over several blocks, cut anywhere.
    #[test]
    fn the_quick_search_takes_out_of_rows_what_the_plain_one_does(
        secret in arb_secret(),
        rows in prop::collection::vec(arb_row(), 1..12),
        filler in "[ -~]{1,8}",
        lead in 0usize..3000,
        sizes in prop::collection::vec(1usize..4000, 1..4),
    ) {
        let credential = Credential::new(&secret);
        let pattern = credential.pattern();
        let shape = rows.first().map_or(0, |row| row.shape);
        let lead = filler.chars().cycle().take(lead).map(|c| in_row(c, shape)).collect();
        let rows = rows.into_iter().map(|row| Piece::Row(InRow { shape, ..row }));
        let pieces: Vec<_> = std::iter::once(Piece::Text(lead)).chain(rows).collect();
        let body = body(&secret, &pieces);
        let (expected, counts) = naive(&credential, &pattern, &body);
        for sizes in [&[usize::MAX][..], &sizes[..], &[61]] {
            let (out, found) = quick(&credential, &pattern, &body, sizes);
            prop_assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
            prop_assert_eq!(&found, &counts);
        }
    }
}

/// A row of every shape with the secret at every place across a border of blocks, of rows that are
/// read at once, and of what of them is quiet; escaped from the first character or from the middle
/// on, or up to there.
#[test]
fn wherever_the_secret_is_in_a_row_it_is_taken_out() {
    let secret = "0020tok/en+u0025";
    let credential = Credential::new(secret);
    let pattern = credential.pattern();
    let is_quiet = pattern.has_all_windows() && pattern.wall().is_some();
    assert!(is_quiet && !pattern.has_unit() && !pattern.looks_escaped());
    for shape in 0..8 {
        let row = |count: usize| "a word, ".chars().cycle().take(count).map(|c| in_row(c, shape));
        for bare in [0..0, 0..8, 8..16] {
            let spelled = |(at, c): (usize, char)| match bare.contains(&at) {
                true => c.to_string(),
                false => in_row(c, shape),
            };
            let echo: String = secret.chars().enumerate().map(spelled).collect();
            // The border of the first block is here, and that of a row of the shortest near it.
            let border = BLOCK_BYTES / in_row('a', shape).len();
            let fronts = (0..16).chain(border - 24..border + 12);
            for (front, behind) in fronts.flat_map(|front| [0, 20, 47].map(|b| (front, b))) {
                let row = |count| row(count).collect::<String>();
                let body = format!("{}{echo}{}", row(front), row(behind)).into_bytes();
                let (expected, counts) = naive(&credential, &pattern, &body);
                let (out, found) = quick(&credential, &pattern, &body, &[usize::MAX]);
                assert_eq!(counts.total(), 1, "{shape} {bare:?} {front} {behind}");
                assert!(out == expected && found == counts, "{shape} {bare:?} {front} {behind}");
            }
        }
    }
}

/// What is left alone in a row stands there as it came: the last digits of an escape for a byte that no
/// spelling has may be the first of the secret, and its first signs those of a spelling's escape.
#[test]
fn a_match_that_begins_inside_of_an_escape_of_a_row_is_taken_out() {
    for (secret, echo, shapes) in [
        ("20ok/en+uwxyz34", " ok/en+uwxyz34 ", 0..5),
        ("0020ok/en+uwxyz", " ok/en+uwxyz ", 3..5),
        ("0020abcdefg<hijklmnop", " abcdefg=", 3..5),
    ] {
        let credential = Credential::new(secret);
        let pattern = credential.pattern();
        for (shape, front) in shapes.flat_map(|shape| (24..40).map(move |front| (shape, front))) {
            let filler = "a".repeat(front);
            let text = format!("{filler}{echo}{filler}");
            let body: Vec<u8> = text.chars().flat_map(|c| in_row(c, shape).into_bytes()).collect();
            let (expected, counts) = naive(&credential, &pattern, &body);
            let (out, found) = quick(&credential, &pattern, &body, &[usize::MAX]);
            assert_eq!(counts.total(), 1, "{secret} {shape} {front}");
            assert!(out == expected && found == counts, "{secret} {shape} {front}");
        }
    }
}

/// One character of the secret is escaped twice, or looks like a byte and is a character of two.
#[test]
fn an_escape_of_another_kind_ends_a_row() {
    let secret = "tok/en+0123456789";
    let credential = Credential::new(secret);
    let pattern = credential.pattern();
    for (front, other) in (0..34).flat_map(|front| (0..17).map(move |other| (front, other))) {
        let echo = secret.chars().enumerate();
        let echo: String = echo.map(|(at, c)| in_row(c, if at == other { 5 } else { 0 })).collect();
        let filler: String = "a ".chars().cycle().take(front).map(|c| in_row(c, 0)).collect();
        let body = format!("{filler}{echo}{filler}{filler}{filler}").into_bytes();
        let (out, counts) = quick(&credential, &pattern, &body, &[usize::MAX]);
        assert_eq!(counts.total(), 1, "{front} {other}");
        assert_eq!(out.len() + secret.len() * 3 + 2, body.len() + REPLACEMENT.len());
    }
    // The bytes of the secret, as if each were a character.
    let secret = "t\u{f6}k\u{e4}n+0123456789";
    let credential = Credential::new(secret);
    let pattern = credential.pattern();
    for front in 0..34 {
        let filler = "\\u0061".repeat(front);
        let echo: String = secret.bytes().map(|b| format!("\\u{b:04x}")).collect();
        let body = format!("{filler}{echo}{filler}{filler}{filler}").into_bytes();
        let (expected, counts) = naive(&credential, &pattern, &body);
        let (out, found) = quick(&credential, &pattern, &body, &[usize::MAX]);
        assert!(out == expected && found == counts, "{front}");
    }
}

/// What stands on both sides of the quiet part of a row does not stand together.
#[test]
fn halves_of_the_secret_far_apart_in_a_row_are_left() {
    // Neither half has a window where one is looked at.
    let secret = "tok/en+01234567";
    let credential = Credential::new(secret);
    let pattern = credential.pattern();
    for (shape, front) in (0..5).flat_map(|shape| (0..16).map(move |front| (shape, front))) {
        for behind in 8..28 {
            let gap = 82 - front - behind;
            let (front, gap, behind) = ("a".repeat(front), "a".repeat(gap), "a".repeat(behind));
            let text = format!("{front}{}{gap}{}{behind}", &secret[..7], &secret[7..]);
            let body: String = text.chars().map(|c| in_row(c, shape)).collect();
            let (out, counts) = quick(&credential, &pattern, body.as_bytes(), &[usize::MAX]);
            assert!(out == body.as_bytes() && counts.total() == 0, "{shape} {text}");
        }
    }
}
