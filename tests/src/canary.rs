//! Searches for any 8-byte piece of a secret: raw, in base64 at each of three offsets, in hex, in UTF-16.
//!
//! Eight characters are a piece, but in hex and in UTF-16 sixteen bytes: eight are four of the secret,
//! which a log of some megabytes of digests, or a browser's profile, has by chance.
//!
//! Everything here is written for this search alone and shares no code with the product, so that a
//! mistake there cannot hide itself.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Secrets to look for.
#[derive(Clone, Default)]
pub struct Canaries {
    /// Eight bytes to the secret and the form that they are a piece of.
    windows: HashMap<u64, (String, &'static str)>,
    /// One bit for each value of a hash of four bytes: most places are passed with one look.
    filter: Vec<u64>,
}

/// Where a piece of a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The name that the secret was planted under.
    pub secret: String,
    /// `raw`, `base64`, `hex`, `HEX` or `UTF-16`.
    pub form: &'static str,
    /// File, or whatever the caller called the bytes.
    pub place: String,
    /// Offset of the first byte.
    pub offset: u64,
    /// How many bytes in a row belong to it; 8 or more, of hex and UTF-16 16 or more.
    pub length: usize,
}

const WINDOW: usize = 8;
/// Eight bytes in hex, or in UTF-16.
const WIDE_WINDOW: usize = 16;
const FILTER_BITS: u32 = 20;
const PAGE: usize = 4096;
static ZEROS: [u8; PAGE] = [0; PAGE];

impl Canaries {
    pub fn new() -> Self {
        Self { windows: HashMap::new(), filter: vec![0; (1 << FILTER_BITS) / 64] }
    }

    /// Adds a secret of at least 8 bytes. Give only bytes that are random: a token's fixed prefix
    /// is found everywhere and means nothing.
    #[must_use]
    pub fn plant(mut self, name: &str, secret: &[u8]) -> Self {
        assert!(secret.len() >= WINDOW, "a secret of {} bytes cannot be told apart", secret.len());
        for (form, text) in forms(secret) {
            for window in text.windows(WINDOW) {
                let hash = hash(window);
                self.filter[(hash / 64) as usize] |= 1 << (hash % 64);
                self.windows.entry(word(window)).or_insert_with(|| (name.to_owned(), form));
            }
        }
        self
    }

    /// Searches bytes in memory.
    pub fn find(&self, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.search(bytes, 0, "memory", &mut hits);
        hits
    }

    /// Searches a text and says where it came from.
    pub fn find_in(&self, place: &str, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.search(bytes, 0, place, &mut hits);
        hits
    }

    /// Searches a file of any size.
    pub fn find_in_file(&self, path: &Path) -> std::io::Result<Vec<Hit>> {
        const CHUNK: usize = 4 << 20;
        let mut file = File::open(path)?;
        let place = path.display().to_string();
        let (mut hits, mut buffer, mut kept, mut at) = (Vec::new(), vec![0; CHUNK], 0, 0_u64);
        loop {
            let read = file.read(&mut buffer[kept..])?;
            if read == 0 {
                return Ok(hits);
            }
            let filled = kept + read;
            self.search(&buffer[..filled], at, &place, &mut hits);
            // The last bytes may begin a piece that the next chunk ends.
            kept = filled.min(WIDE_WINDOW - 1);
            buffer.copy_within(filled - kept..filled, 0);
            at += (filled - kept) as u64;
        }
    }

    /// Searches every file below a folder, and every name.
    pub fn find_below(&self, folder: &Path) -> std::io::Result<Vec<Hit>> {
        let mut hits = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            self.search(entry.file_name().as_encoded_bytes(), 0, "a file's name", &mut hits);
            let found = if kind.is_dir() {
                self.find_below(&path)
            } else if kind.is_file() {
                self.find_in_file(&path)
            } else {
                continue;
            };
            match found {
                // A broker that still runs takes its temporary files away.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                found => hits.extend(found?),
            }
        }
        Ok(hits)
    }

    fn search(&self, bytes: &[u8], base: u64, place: &str, hits: &mut Vec<Hit>) {
        let (mut at, mut run_end) = (0, usize::MAX);
        while at + WINDOW <= bytes.len() {
            // Most of a core file is zeros, and comparing whole pages is fast in any build.
            if at.is_multiple_of(PAGE) && bytes[at..].starts_with(&ZEROS) {
                at += PAGE + 1 - WINDOW;
                continue;
            }
            let window = &bytes[at..at + WINDOW];
            let hash = hash(window);
            at += 1;
            if self.filter[(hash / 64) as usize] & 1 << (hash % 64) == 0 {
                continue;
            }
            let Some((secret, form)) = self.windows.get(&word(window)) else { continue };
            match hits.last_mut() {
                Some(hit)
                    if at - 1 == run_end
                        && hit.secret == *secret
                        && (hit.form == *form || is_hex(hit.form) && is_hex(form)) =>
                {
                    hit.length += 1;
                }
                _ => hits.push(Hit {
                    secret: secret.clone(),
                    form,
                    place: place.to_owned(),
                    offset: base + at as u64 - 1,
                    length: WINDOW,
                }),
            }
            run_end = at;
        }
        hits.retain(|hit| !is_wide(hit.form) || hit.length >= WIDE_WINDOW);
    }
}

/// Two bytes are one of the secret.
fn is_wide(form: &str) -> bool {
    is_hex(form) || form == "UTF-16"
}

/// Digits alone are in either case.
fn is_hex(form: &str) -> bool {
    form.eq_ignore_ascii_case("hex")
}

/// Names only: a canary that printed what it looks for would be a leak of its own.
impl fmt::Debug for Canaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canaries({} windows)", self.windows.len())
    }
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret, form, place, offset, length } = self;
        write!(f, "{length} bytes of {secret} ({form}) at {offset:#x} in {place}")
    }
}

/// Fails with every place, if there is one.
#[track_caller]
pub fn assert_clean(hits: &[Hit]) {
    let shown: Vec<String> = hits.iter().take(20).map(ToString::to_string).collect();
    assert!(hits.is_empty(), "{} place(s) hold a secret:\n{}", hits.len(), shown.join("\n"));
}

/// The forms that are searched for, apart from those that are too short to tell.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hex = |digits: &[u8; 16]| -> Vec<u8> {
        secret
            .iter()
            .flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]])
            .collect()
    };
    let mut forms = vec![
        ("raw", secret.to_vec()),
        ("hex", hex(b"0123456789abcdef")),
        ("HEX", hex(b"0123456789ABCDEF")),
        // Of what is no text this is a form that nobody writes, and finds nothing.
        ("UTF-16", secret.iter().flat_map(|byte| [*byte, 0]).collect()),
    ];
    // The secret may begin at any of three places in a group. Only whole groups of it are the same
    // whatever stands before and after.
    for skipped in 0..3 {
        let standard = base64_groups(&secret[skipped..]);
        let url = standard
            .iter()
            .map(|byte| match byte {
                b'+' => b'-',
                b'/' => b'_',
                other => *other,
            })
            .collect();
        forms.extend([("base64", standard), ("base64", url)]);
    }
    forms
}

fn base64_groups(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for group in bytes.chunks_exact(3) {
        let bits = usize::from(group[0]) << 16 | usize::from(group[1]) << 8 | usize::from(group[2]);
        text.extend([18, 12, 6, 0].map(|shift| ALPHABET[bits >> shift & 63]));
    }
    text
}

fn word(window: &[u8]) -> u64 {
    window.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn hash(window: &[u8]) -> u32 {
    let first = u32::from_le_bytes([window[0], window[1], window[2], window[3]]);
    first.wrapping_mul(0x9E37_79B1) >> (32 - FILTER_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"kQ3v9ZrT8mWx2LpYc5HdN7";

    fn canaries() -> Canaries {
        Canaries::new().plant("credential", SECRET)
    }

    fn forms_in(bytes: &[u8]) -> Vec<&'static str> {
        canaries().find(bytes).iter().map(|hit| hit.form).collect()
    }

    /// Base64 as any library writes it, padded.
    fn base64(bytes: &[u8]) -> Vec<u8> {
        let padding = (3 - bytes.len() % 3) % 3;
        let mut text = base64_groups(&[bytes, &[0; 2][..padding]].concat());
        let end = text.len() - padding;
        text[end..].fill(b'=');
        text
    }

    #[test]
    fn base64_agrees_with_known_texts() {
        assert_eq!(base64(b"foobar"), b"Zm9vYmFy");
        assert_eq!(base64(b"fooba"), b"Zm9vYmE=");
        assert_eq!(base64(b"foob"), b"Zm9vYg==");
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), b"+/+/");
    }

    #[test]
    fn finds_the_secret_in_every_form() {
        assert_eq!(forms_in(SECRET), ["raw"]);
        let hex: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(forms_in(hex.as_bytes()), ["hex"]);
        assert!(forms_in(hex.to_uppercase().as_bytes()).contains(&"HEX"));
        let wide: Vec<u8> = SECRET.iter().flat_map(|byte| [*byte, 0]).collect();
        assert_eq!(forms_in(&wide), ["UTF-16"]);
        assert!(forms_in(&wide[..14]).is_empty());
        for before in ["", "x", "xy", "user:"] {
            let text = base64(&[before.as_bytes(), SECRET, b" and more"].concat());
            assert_eq!(forms_in(&text), ["base64"], "behind {before:?}");
        }
    }

    #[test]
    fn finds_base64url_where_it_differs() {
        let secret: Vec<u8> = (0..24).map(|at| 0xf8 | (at % 8)).collect();
        let url: Vec<u8> = base64(&secret)
            .into_iter()
            .map(|byte| match byte {
                b'+' => b'-',
                b'/' => b'_',
                other => other,
            })
            .collect();
        let found = Canaries::new().plant("key", &secret).find(&url);
        assert_eq!(found[0].form, "base64");
    }

    #[test]
    fn finds_each_piece_of_eight_bytes_and_nothing_shorter() {
        for start in 0..=SECRET.len() - 8 {
            let text = [b"....", &SECRET[start..start + 8], b"...."].concat();
            let hits = canaries().find(&text);
            assert_eq!((hits.len(), hits[0].offset, hits[0].length), (1, 4, 8), "from {start}");
        }
        assert!(canaries().find(&SECRET[..7]).is_empty());
        assert!(canaries().find(&vec![b'k'; 10_000]).is_empty());
    }

    #[test]
    fn finds_each_eight_bytes_in_hex_and_no_fewer() {
        for digits in ["0123456789abcdef", "0123456789ABCDEF"] {
            let digits = digits.as_bytes();
            let hex = SECRET.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| digits[usize::from(d)]);
            let hex: Vec<u8> = hex.collect();
            for start in (0..=hex.len() - 16).step_by(2) {
                let text = [b"....", &hex[start..start + 16], b"...."].concat();
                let hits = canaries().find(&text);
                assert_eq!((hits.len(), hits[0].offset, hits[0].length), (1, 4, 16), "{start}");
                assert!(canaries().find(&hex[start..start + 15]).is_empty(), "from {start}");
            }
        }
    }

    #[test]
    fn pages_of_zeros_hide_nothing_beside_them() {
        let secret = [0, 0, 0, 9, 8, 7, 6, 5, 4, 3, 0, 0, 0];
        let canaries = Canaries::new().plant("key", &secret);
        for start in [4096, 8192 - 3, 8192 - 13, 8192 - 8, 8192, 8192 - 1, 20, 12_288 - 13] {
            let mut bytes = vec![0; 12_288];
            bytes[start..start + secret.len()].copy_from_slice(&secret);
            let hits = canaries.find(&bytes);
            assert_eq!((hits.len(), hits[0].offset), (1, start as u64), "at {start}");
        }
    }

    #[test]
    fn a_long_piece_is_one_hit_and_two_secrets_have_their_names() {
        let other = b"another-secret-of-mine";
        let both = canaries().plant("passphrase", other);
        let hits = both.find(&[SECRET, b"--", other].concat());
        let seen: Vec<(&str, usize)> = hits.iter().map(|it| (&*it.secret, it.length)).collect();
        assert_eq!(seen, [("credential", SECRET.len()), ("passphrase", other.len())]);
    }

    #[test]
    fn finds_a_piece_across_chunks_of_a_file_and_below_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        // Before, across and after the border of a chunk.
        for start in [(4 << 20) - 30, (4 << 20) - 10, (4 << 20) - 3, (4 << 20) + 5] {
            let mut bytes = vec![b'.'; (4 << 20) + 100];
            bytes[start..start + SECRET.len()].copy_from_slice(SECRET);
            std::fs::write(deep.join("core"), &bytes).unwrap();
            let hits = canaries().find_below(folder.path()).unwrap();
            let covered: usize = hits.iter().map(|hit| hit.length).sum();
            assert_eq!(hits[0].offset, start as u64);
            assert!(covered >= SECRET.len(), "at {start}: {hits:?}");
        }
        let hex: String = SECRET[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        for start in (4 << 20) - 17..=(4 << 20) + 1 {
            let mut bytes = vec![b'.'; (4 << 20) + 100];
            bytes[start..start + 16].copy_from_slice(hex.as_bytes());
            std::fs::write(deep.join("core"), &bytes).unwrap();
            assert!(!canaries().find_below(folder.path()).unwrap().is_empty(), "hex at {start}");
        }
        std::fs::remove_file(deep.join("core")).unwrap();
        std::fs::write(deep.join("kQ3v9ZrT8m"), b"").unwrap();
        assert_eq!(canaries().find_below(folder.path()).unwrap()[0].place, "a file's name");
    }

    #[test]
    fn never_prints_what_it_looks_for() {
        let canaries = canaries();
        let hits = canaries.find(SECRET);
        let said = format!("{canaries:?} {hits:?} {}", hits[0]);
        assert!(canaries.find(said.as_bytes()).is_empty(), "{said}");
    }
}
