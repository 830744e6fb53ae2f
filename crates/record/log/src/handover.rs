//! A log whose operator's key gives way to another one: the checkpoint that both sign, and the line of such keys
//! (`specs/identity.md`, "Rotation").

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, b64, json};
use symbolon_crypto::{SigningKey, VerifyingKey};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::{self, NoteError, parse_vkey, vkey};

/// What the JSON of a succession says that it is.
pub const SUCCESSION_MEDIA_TYPE: &str = "application/vnd.symbolon.succession+json;version=1";
/// Longest succession that is read.
pub const SUCCESSION_BYTES_MAX: usize = 256 * 1024;
/// Handovers of one log.
pub const HANDOVERS_MAX: usize = 64;
/// Longest note of one: room for a dozen lines of witnesses.
const HANDOVER_BYTES_MAX: usize = 4096;
const DEPTH_MAX: usize = 2;
/// How the line begins that names the next key.
const SUCCESSOR: &str = "symbolon/successor/v1 ";

/// Why a handover, a succession, or a note under one was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuccessionError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the succession cannot be read: {0}")]
    Json(#[from] CodecError),
    /// Another kind of file, or another version.
    #[error("this is no succession of an operator's keys, of version 1")]
    MediaType,
    /// A field is missing, unknown or of another kind.
    #[error("the succession has not the right form: {0}")]
    Form(String),
    /// A checkpoint, or the signature of the key that it should be by.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint names no next key in the one form.
    #[error("the checkpoint names no successor")]
    Successor,
    /// The next key did not sign: nobody showed that they have it.
    #[error("the successor did not sign the handover: {0}")]
    NotTaken(#[source] CheckpointError),
    /// A key of the line comes again.
    #[error("the successor is a key of before")]
    Again,
    /// Its key ID is that of a key of the line: a signature of the one would be taken for a bad one of the other.
    #[error("the successor has the key ID of a key of before")]
    KeyId,
    /// The line would be written longer than it is read.
    #[error("the succession would be longer than {SUCCESSION_BYTES_MAX} bytes")]
    TooLong,
    /// A handover at fewer entries than the one before.
    #[error("a handover at {size} entries comes after one at {before}")]
    Order {
        /// Its entries.
        size: u64,
        /// Those of the one before.
        before: u64,
    },
}

impl From<NoteError> for SuccessionError {
    fn from(error: NoteError) -> Self {
        CheckpointError::from(error).into()
    }
}

/// The last checkpoint of a key, which names the next one and which both signed. Its signatures were checked: there is no
/// other value of this type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    checkpoint: Checkpoint,
    to: VerifyingKey,
    note: String,
}

impl Handover {
    /// Signs one.
    pub fn sign(checkpoint: &Checkpoint, from: &SigningKey, to: &SigningKey) -> Self {
        let next = to.verifying_key();
        let text = format!("{}{SUCCESSOR}{}\n", checkpoint.text(), b64::encode(next.as_bytes()));
        let note = note::sign_note(&text, &checkpoint.origin, from);
        let note = note + &note::own_line(&text, &checkpoint.origin, to);
        Self { checkpoint: checkpoint.clone(), to: next, note }
    }

    /// Reads one that this key of the log made, and checks both signatures. Lines by others under it are not kept: anybody can
    /// add some.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn open(note: &str, from: &VerifyingKey, origin: &str) -> Result<Self, SuccessionError> {
        if note.len() > HANDOVER_BYTES_MAX {
            return Err(SuccessionError::Form("a note is too long".into()));
        }
        let checkpoint = Checkpoint::open(note, from, origin)?;
        let (text, given) = note::open_line(note, origin, from)?;
        let mut named = text.lines().skip(3).filter_map(|line| line.strip_prefix(SUCCESSOR));
        let (Some(next), None) = (named.next(), named.next()) else {
            return Err(SuccessionError::Successor);
        };
        let next = b64::decode(next, 32).ok().and_then(|it| <[u8; 32]>::try_from(it).ok());
        let next = next.and_then(|it| VerifyingKey::from_bytes(&it).ok());
        let to = next.ok_or(SuccessionError::Successor)?;
        if to == *from {
            return Err(SuccessionError::Again);
        }
        let taken = note::open_line(note, origin, &to);
        let (_, taken) = taken.map_err(|error| SuccessionError::NotTaken(error.into()))?;
        Ok(Self { checkpoint, to, note: format!("{text}\n{given}\n{taken}\n") })
    }

    /// Whether a note could be one: it names a next key somewhere.
    pub fn may_be(note: &str) -> bool {
        note.contains(SUCCESSOR)
    }

    /// What it covers.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The next key.
    pub fn successor(&self) -> &VerifyingKey {
        &self.to
    }

    /// The signed note, with the lines of both keys.
    pub fn note(&self) -> &str {
        &self.note
    }
}

/// The keys of a log in their order, each but the last with its handover. With none of those it is one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    origin: String,
    first: VerifyingKey,
    handovers: Vec<Handover>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuccessionJson {
    #[serde(rename = "mediaType")]
    media_type: String,
    operator: String,
    handovers: Vec<String>,
}

impl Succession {
    /// Of a log with one key, which never gave way.
    pub fn new(origin: &str, key: VerifyingKey) -> Self {
        Self { origin: origin.to_owned(), first: key, handovers: Vec::new() }
    }

    /// Reads one, and checks every handover of it.
    ///
    /// # Errors
    /// [`SuccessionError`]: the first check that fails.
    pub fn parse(bytes: &[u8]) -> Result<Self, SuccessionError> {
        let value = json::parse_bounded(bytes, SUCCESSION_BYTES_MAX, DEPTH_MAX)?;
        if value.get("mediaType").and_then(|it| it.as_str()) != Some(SUCCESSION_MEDIA_TYPE) {
            return Err(SuccessionError::MediaType);
        }
        let read: SuccessionJson =
            serde_json::from_value(value).map_err(|e| SuccessionError::Form(e.to_string()))?;
        let (origin, first) = parse_vkey(&read.operator)?;
        let mut line = Self::new(&origin, first);
        for note in &read.handovers {
            line.push(Handover::open(note, line.newest(), &origin)?)?;
        }
        Ok(line)
    }

    /// The bytes that are handed over: JSON and a newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        let whole = SuccessionJson {
            media_type: SUCCESSION_MEDIA_TYPE.to_owned(),
            // The name was checked when this was made, or names nothing that a note could be by.
            operator: vkey(&self.origin, &self.first).unwrap_or_default(),
            handovers: self.handovers.iter().map(|it| it.note.clone()).collect(),
        };
        // Strings always serialize.
        let mut bytes = serde_json::to_vec_pretty(&whole).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Adds a handover of the newest key's.
    ///
    /// # Errors
    /// [`SuccessionError::Again`], [`SuccessionError::KeyId`], [`SuccessionError::Order`], [`CheckpointError::TwoRoots`], or
    /// where there are too many `Form` or [`SuccessionError::TooLong`]. The line is as it was.
    pub fn push(&mut self, handover: Handover) -> Result<(), SuccessionError> {
        let size = handover.checkpoint.size;
        if self.handovers.len() == HANDOVERS_MAX {
            return Err(SuccessionError::Form("too many handovers".into()));
        }
        if self.keys().any(|key| *key == handover.to) {
            return Err(SuccessionError::Again);
        }
        // Four bytes, which an operator can grind: with an older key's every document of that one would fail.
        let id = |key: &VerifyingKey| note::key_id(note::ED25519, &self.origin, key);
        if self.keys().any(|key| id(key) == id(&handover.to)) {
            return Err(SuccessionError::KeyId);
        }
        if let Some(last) = self.handovers.last().map(|it| &it.checkpoint) {
            if size < last.size {
                return Err(SuccessionError::Order { size, before: last.size });
            }
            if size == last.size && handover.checkpoint.root != last.root {
                return Err(CheckpointError::TwoRoots { size }.into());
            }
        }
        self.handovers.push(handover);
        // What is kept is read again: a line that is written longer than it was read would be lost.
        if self.to_bytes().len() > SUCCESSION_BYTES_MAX {
            self.handovers.pop();
            return Err(SuccessionError::TooLong);
        }
        Ok(())
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Every key, the oldest first.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        std::iter::once(&self.first).chain(self.handovers.iter().map(|it| &it.to))
    }

    /// The key that nothing came after.
    pub fn newest(&self) -> &VerifyingKey {
        self.handovers.last().map_or(&self.first, |it| &it.to)
    }

    /// The handovers, the oldest first.
    pub fn handovers(&self) -> &[Handover] {
        &self.handovers
    }

    /// How many keys came before this one; nothing where it is none of the line.
    pub fn place(&self, key: &VerifyingKey) -> Option<usize> {
        self.keys().position(|it| it == key)
    }

    /// Whether this line has all of another one: that, or what goes on from it, or from before it.
    pub fn goes_on_from(&self, other: &Self) -> bool {
        let same = |(a, b): (&Handover, &Handover)| a.checkpoint == b.checkpoint && a.to == b.to;
        let Some(own) = self.place(&other.first).and_then(|from| self.handovers.get(from..)) else {
            return false;
        };
        self.origin == other.origin
            && own.len() >= other.handovers.len()
            && own.iter().zip(&other.handovers).all(same)
    }

    /// The checkpoint in a note, and the place of the key that signed it: the newest of those that did.
    ///
    /// # Errors
    /// As [`Checkpoint::open`] where none did; [`CheckpointError::Retired`] where it had given way before, and
    /// [`CheckpointError::TwoRoots`] where the handover says another root.
    pub fn open(&self, note: &str) -> Result<(Checkpoint, usize), CheckpointError> {
        let (checkpoint, place) = self.open_signed(note)?;
        self.agrees(&checkpoint)?;
        Ok((checkpoint, place))
    }

    /// As [`Succession::open`], not held against the roots of the handovers: for who makes a proof of two that differ.
    ///
    /// # Errors
    /// As [`Succession::open`], without [`CheckpointError::TwoRoots`].
    pub fn open_signed(&self, note: &str) -> Result<(Checkpoint, usize), CheckpointError> {
        let newest_first = (0..=self.handovers.len()).rev();
        let mut unsigned = NoteError::Unsigned { name: self.origin.clone() };
        for place in newest_first {
            let key = if place == 0 { &self.first } else { &self.handovers[place - 1].to };
            match Checkpoint::open(note, key, &self.origin) {
                Ok(checkpoint) => {
                    self.may_sign(place, checkpoint.size)?;
                    return Ok((checkpoint, place));
                }
                Err(CheckpointError::Note(error @ NoteError::Unsigned { .. })) => unsigned = error,
                Err(error) => return Err(error),
            }
        }
        Err(unsigned.into())
    }

    /// Whether the key in this place may have signed so many entries.
    fn may_sign(&self, place: usize, size: u64) -> Result<(), CheckpointError> {
        match self.until(place) {
            Some(until) if size > until => Err(CheckpointError::Retired { size, until }),
            _ => Ok(()),
        }
    }

    /// Whether no handover says another root for as many entries.
    pub(crate) fn agrees(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let size = checkpoint.size;
        let mut told = self.handovers.iter().map(Handover::checkpoint);
        match told.any(|it| it.size == size && it.root != checkpoint.root) {
            true => Err(CheckpointError::TwoRoots { size }),
            false => Ok(()),
        }
    }

    /// Entries in the last checkpoint of the key in this place; nothing where it never gave way.
    pub fn until(&self, place: usize) -> Option<u64> {
        self.handovers.get(place).map(|it| it.checkpoint.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;
    use symbolon_codec::Digest32;

    const ORIGIN: &str = "example.test/log";

    fn key(seed: u64) -> SigningKey {
        SigningKey::make(&SeededRng::new(seed))
    }

    fn at(size: u64) -> Checkpoint {
        Checkpoint { origin: ORIGIN.into(), size, root: Digest32([size as u8; 32]) }
    }

    /// Key 1, then 2 at 5 entries, then 3 at 9.
    fn line() -> Succession {
        let mut line = Succession::new(ORIGIN, key(1).verifying_key());
        line.push(Handover::sign(&at(5), &key(1), &key(2))).unwrap();
        line.push(Handover::sign(&at(9), &key(2), &key(3))).unwrap();
        line
    }

    fn open(note: &str) -> Result<Handover, SuccessionError> {
        Handover::open(note, &key(1).verifying_key(), ORIGIN)
    }

    #[test]
    fn a_handover_is_an_ordinary_checkpoint_of_both_keys() {
        let made = Handover::sign(&at(5), &key(1), &key(2));
        for key in [key(1), key(2)] {
            assert_eq!(Checkpoint::open(made.note(), &key.verifying_key(), ORIGIN), Ok(at(5)));
        }
        assert_eq!(open(made.note()), Ok(made.clone()));
        assert_eq!(made.successor(), &key(2).verifying_key());
    }

    #[test]
    fn each_check_of_a_handover_refuses_what_breaks_it_alone() {
        let text = |line: &str| format!("{}{line}", at(5).text());
        let both = |text: &str, next: u64| {
            let note = note::sign_note(text, ORIGIN, &key(1));
            note + &note::own_line(text, ORIGIN, &key(next))
        };
        let named = |seed: u64| {
            format!("{SUCCESSOR}{}\n", b64::encode(key(seed).verifying_key().as_bytes()))
        };
        assert!(open(&both(&text(&named(2)), 2)).is_ok());
        // No successor, two, one that is no key, and the key itself.
        for line in [String::new(), named(2) + &named(3), format!("{SUCCESSOR}AAAA\n")] {
            assert_eq!(open(&both(&text(&line), 2)), Err(SuccessionError::Successor), "{line}");
        }
        assert_eq!(open(&both(&text(&named(1)), 1)), Err(SuccessionError::Again));
        // Somebody else signed as the next one, or nobody did.
        let alone = note::sign_note(&text(&named(2)), ORIGIN, &key(1));
        for note in [both(&text(&named(2)), 3), alone] {
            assert!(matches!(open(&note), Err(SuccessionError::NotTaken(_))));
        }
        // Not by the key that gives way; of another log; too long.
        let good = both(&text(&named(2)), 2);
        let by_other = Handover::open(&good, &key(4).verifying_key(), ORIGIN);
        assert!(matches!(by_other, Err(SuccessionError::Checkpoint(_))));
        let elsewhere = Handover::open(&good, &key(1).verifying_key(), "other.test/log");
        assert!(matches!(elsewhere, Err(SuccessionError::Checkpoint(_))));
        let long = good.clone() + &"\u{2014} w AAAAAAAA\n".repeat(400);
        assert!(matches!(open(&long), Err(SuccessionError::Form(_))));
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_in_no_other_order() {
        let line = line();
        let bytes = line.to_bytes();
        assert_eq!(Succession::parse(&bytes), Ok(line.clone()));
        let keys: Vec<_> = [1, 2, 3].map(|seed| key(seed).verifying_key()).into();
        assert_eq!(line.keys().copied().collect::<Vec<_>>(), keys);
        assert_eq!((line.newest(), line.place(&keys[1])), (&keys[2], Some(1)));
        let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        value["handovers"].as_array_mut().unwrap().reverse();
        let swapped = Succession::parse(value.to_string().as_bytes());
        assert!(matches!(swapped, Err(SuccessionError::Checkpoint(_))), "{swapped:?}");
        let again = Handover::sign(&at(9), &key(3), &key(1));
        assert_eq!(line.clone().push(again), Err(SuccessionError::Again));
        let back = Handover::sign(&at(8), &key(3), &key(4));
        assert_eq!(line.clone().push(back), Err(SuccessionError::Order { size: 8, before: 9 }));
        let other = Checkpoint { root: Digest32([0; 32]), ..at(9) };
        let other = Handover::sign(&other, &key(3), &key(4));
        assert_eq!(line.clone().push(other), Err(CheckpointError::TwoRoots { size: 9 }.into()));
    }

    #[test]
    fn a_key_with_the_id_of_one_of_before_is_no_successor() {
        // Found by trying.
        let (one, two) = (3_009, 129_510);
        let mut line = Succession::new(ORIGIN, key(one).verifying_key());
        let directly = Handover::sign(&at(5), &key(one), &key(two));
        assert_eq!(line.push(directly), Err(SuccessionError::KeyId));
        line.push(Handover::sign(&at(5), &key(one), &key(2))).unwrap();
        let later = Handover::sign(&at(9), &key(2), &key(two));
        assert_eq!(line.push(later), Err(SuccessionError::KeyId));
        assert_eq!(line.open(&at(4).sign(&key(one))), Ok((at(4), 0)));
    }

    /// A handover with an extension line that both keys signed.
    fn padded(size: u64, from: u64, line: &str) -> Handover {
        let next = key(from + 1).verifying_key();
        let text = at(size).text() + line + "\n";
        let text = format!("{text}{SUCCESSOR}{}\n", b64::encode(next.as_bytes()));
        let note = note::sign_note(&text, ORIGIN, &key(from));
        let note = note + &note::own_line(&text, ORIGIN, &key(from + 1));
        Handover::open(&note, &key(from).verifying_key(), ORIGIN).unwrap()
    }

    #[test]
    fn lines_that_others_put_under_a_handover_are_not_kept() {
        let made = Handover::sign(&at(5), &key(1), &key(2));
        let name = "\"".repeat(200);
        let padded = made.note().to_owned() + &note::own_line("else\n", &name, &key(9));
        assert_eq!(open(&padded), Ok(made));
    }

    #[test]
    fn a_line_is_never_written_longer_than_it_is_read() {
        // Each quote is one byte in the note and two in the file.
        let line = "\"".repeat(3_500);
        let mut whole = Succession::new(ORIGIN, key(1).verifying_key());
        let refused = (1..).find_map(|from| whole.push(padded(from, from, &line)).err());
        assert_eq!(refused, Some(SuccessionError::TooLong));
        assert!(whole.handovers().len() > 30);
        assert_eq!(Succession::parse(&whole.to_bytes()), Ok(whole.clone()));
        // Nor where it is read from a file that says the same without white space.
        let from = whole.handovers().len() as u64 + 1;
        let with = |pad: usize| {
            let mut with = whole.clone();
            with.push(padded(from, from, &"x".repeat(pad))).map(|()| with.to_bytes())
        };
        let room = SUCCESSION_BYTES_MAX - with(1).unwrap().len();
        let mut value: serde_json::Value =
            serde_json::from_slice(&with(1 + room).unwrap()).unwrap();
        assert!(Succession::parse(value.to_string().as_bytes()).is_ok());
        let next = padded(from, from, &"x".repeat(2 + room));
        value["handovers"][whole.handovers().len()] = next.note().into();
        assert!(value.to_string().len() < SUCCESSION_BYTES_MAX);
        let read = Succession::parse(value.to_string().as_bytes());
        assert_eq!(read, Err(SuccessionError::TooLong));
    }

    #[test]
    fn every_byte_of_the_file_that_is_changed_is_refused_or_says_the_same() {
        let line = line();
        let bytes = line.to_bytes();
        for at in 0..bytes.len() {
            for change in [1, 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                let read = Succession::parse(&damaged);
                assert!(read.is_err() || read == Ok(line.clone()), "{at}: {read:?}");
            }
        }
    }

    #[test]
    fn a_key_signs_up_to_its_handover_and_not_beyond() {
        let line = line();
        let open = |size: u64, seed: u64| line.open(&at(size).sign(&key(seed)));
        assert_eq!(open(4, 1), Ok((at(4), 0)));
        assert_eq!(open(5, 1), Ok((at(5), 0)));
        assert_eq!(open(6, 1), Err(CheckpointError::Retired { size: 6, until: 5 }));
        assert_eq!(open(9, 2), Ok((at(9), 1)));
        assert_eq!(open(10, 2), Err(CheckpointError::Retired { size: 10, until: 9 }));
        assert_eq!(open(1_000, 3), Ok((at(1_000), 2)));
        assert!(matches!(open(4, 4), Err(CheckpointError::Note(_))));
        // The handover's own note is the next key's too.
        assert_eq!(line.open(line.handovers()[0].note()), Ok((at(5), 1)));
        let forked = Checkpoint { root: Digest32([0; 32]), ..at(5) };
        for seed in [1, 2, 3] {
            let found = line.open(&forked.sign(&key(seed)));
            assert_eq!(found, Err(CheckpointError::TwoRoots { size: 5 }));
        }
    }

    #[test]
    fn a_longer_line_goes_on_and_another_one_does_not() {
        let whole = line();
        let mut shorter = Succession::new(ORIGIN, key(1).verifying_key());
        assert!(whole.goes_on_from(&shorter) && !shorter.goes_on_from(&whole));
        shorter.push(Handover::sign(&at(5), &key(1), &key(2))).unwrap();
        assert!(whole.goes_on_from(&shorter) && whole.goes_on_from(&whole));
        let mut other = Succession::new(ORIGIN, key(1).verifying_key());
        other.push(Handover::sign(&at(5), &key(1), &key(7))).unwrap();
        assert!(!whole.goes_on_from(&other));
        let middle = Succession::new(ORIGIN, key(2).verifying_key());
        assert!(whole.goes_on_from(&middle) && !middle.goes_on_from(&whole));
        let elsewhere = Succession::new("other.test/log", key(1).verifying_key());
        assert!(!whole.goes_on_from(&elsewhere));
    }
}
