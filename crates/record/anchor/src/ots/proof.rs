//! A detached proof: a file's digest, and where it leads.

use symbolon_codec::Digest32;

use super::attestation::Attestation;
use super::error::OtsError;
use super::operation::{Operation, SHA256};
use super::read::{Reader, write_number};
use super::timestamp::{DEPTH_MAX, Timestamp};

/// A detached proof of a file that was hashed with SHA-256, as `.ots` files hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    digest: Digest32,
    timestamp: Timestamp,
}

/// What a calendar has, and has not led to a block yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What the calendar knows it by.
    pub commitment: Vec<u8>,
    /// Where to ask.
    pub calendar: String,
}

/// A block that the proof leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The block's height.
    pub height: u64,
    /// What must be its Merkle root, in the order of bytes that a header has.
    pub merkle_root: Digest32,
}

impl Proof {
    /// One that leads nowhere yet.
    pub fn new(digest: Digest32) -> Self {
        Self { digest, timestamp: Timestamp::default() }
    }

    /// Reads a `.ots` file.
    ///
    /// # Errors
    /// [`OtsError`].
    pub fn read(bytes: &[u8]) -> Result<Self, OtsError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(OtsError::TooMuch { what: "bytes", max: PROOF_BYTES_MAX });
        }
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len()).ok() != Some(MAGIC) {
            return Err(OtsError::Magic);
        }
        match reader.number()? {
            VERSION => {}
            other => return Err(OtsError::Version(other)),
        }
        if reader.byte()? != SHA256 {
            return Err(OtsError::FileHash);
        }
        let digest = Digest32(reader.array()?);
        let timestamp = Timestamp::read(&mut reader, 0)?;
        reader.finish()?;
        Ok(Self { digest, timestamp })
    }

    /// As a `.ots` file. One that leads nowhere yet has no such form: join a calendar's answer first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        write_number(&mut bytes, VERSION);
        bytes.push(SHA256);
        bytes.extend_from_slice(&self.digest.0);
        self.timestamp.write(&mut bytes);
        bytes
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> Digest32 {
        self.digest
    }

    /// Goes on by 16 random bytes and a hash, and gives what calendars are sent: they learn nothing of the
    /// file's digest, and of two files of one digest not that they are the same.
    pub fn blind(&mut self, nonce: [u8; 16]) -> Vec<u8> {
        let append = Operation::Append(nonce.to_vec());
        let blinded = [&self.digest.0[..], &nonce].concat();
        let next = self.timestamp.steps.entry(append).or_default();
        next.steps.entry(Operation::Sha256).or_default();
        symbolon_crypto::sha256(&blinded).0.to_vec()
    }

    /// Joins what a calendar answered for a commitment, at each place that has it.
    ///
    /// # Errors
    /// [`OtsError`]: the answer is no timestamp, or the proof has no such commitment. Nothing is changed then.
    pub fn join(&mut self, commitment: &[u8], answer: &[u8]) -> Result<(), OtsError> {
        if answer.len() > PROOF_BYTES_MAX {
            return Err(OtsError::TooMuch { what: "bytes", max: PROOF_BYTES_MAX });
        }
        let mut reader = Reader::new(answer);
        let more = Timestamp::read(&mut reader, 0)?;
        reader.finish()?;
        let mut joined = self.timestamp.clone();
        let mut found = false;
        joined.walk_mut(&self.digest.0, &mut |message, here| {
            if message == commitment {
                here.merge(more.clone());
                found = true;
            }
        });
        if !found {
            return Err(OtsError::Elsewhere);
        }
        if joined.depth() > DEPTH_MAX {
            return Err(OtsError::TooMuch { what: "steps one behind the other", max: DEPTH_MAX });
        }
        let whole = Self { digest: self.digest, timestamp: joined };
        if whole.to_bytes().len() > PROOF_BYTES_MAX {
            return Err(OtsError::TooMuch { what: "bytes", max: PROOF_BYTES_MAX });
        }
        *self = whole;
        Ok(())
    }

    /// Everything that is said, with the message that it is said of.
    pub fn attestations(&self) -> Vec<(Vec<u8>, Attestation)> {
        let mut all = Vec::new();
        self.timestamp.walk(&self.digest.0, &mut |message, here| {
            all.extend(here.attestations.iter().map(|said| (message.to_vec(), said.clone())));
        });
        all
    }

    /// What calendars have, and have not led to a block.
    pub fn pending(&self) -> Vec<Pending> {
        let pending = |(commitment, said)| match said {
            Attestation::Pending { calendar } => Some(Pending { commitment, calendar }),
            _ => None,
        };
        self.attestations().into_iter().filter_map(pending).collect()
    }

    /// The blocks that it leads to, the earliest first. A message that is no Merkle root reaches none.
    pub fn reached(&self) -> Vec<Reached> {
        let reached = |(message, said): (Vec<u8>, _)| match said {
            Attestation::Bitcoin { height } => {
                let root = Digest32(message.try_into().ok()?);
                Some(Reached { height, merkle_root: root })
            }
            _ => None,
        };
        let mut all: Vec<_> = self.attestations().into_iter().filter_map(reached).collect();
        all.sort_by_key(|reached| reached.height);
        all
    }

    /// Takes the word of a calendar out where it led to a block: the block's is better, and needs nobody.
    pub fn drop_pending(&mut self, done: &Pending) {
        self.timestamp.walk_mut(&self.digest.0, &mut |message, here| {
            if message == done.commitment && !here.steps.is_empty() {
                here.attestations.remove(&Attestation::Pending { calendar: done.calendar.clone() });
            }
        });
    }
}

const MAGIC: &[u8] = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94";
const VERSION: u64 = 1;
/// The longest proof that is read.
pub const PROOF_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pending(calendar: &str) -> Vec<u8> {
        let mut bytes = vec![0];
        Attestation::Pending { calendar: calendar.to_owned() }.write(&mut bytes);
        bytes
    }

    fn bitcoin(height: u64) -> Vec<u8> {
        let mut bytes = vec![0];
        Attestation::Bitcoin { height }.write(&mut bytes);
        bytes
    }

    /// A proof with two calendars, one of which led to a block.
    fn proof() -> (Proof, Vec<u8>) {
        let mut proof = Proof::new(Digest32([3; 32]));
        let commitment = proof.blind([9; 16]);
        proof.join(&commitment, &pending("https://b.example")).unwrap();
        proof.join(&commitment, &pending("https://a.example")).unwrap();
        let led = [&[0xf1, 1, 0x55, 0x08][..], &bitcoin(700_000)].concat();
        proof.join(&commitment, &led).unwrap();
        (proof, commitment)
    }

    #[test]
    fn what_is_written_is_read_again_as_it_was() {
        let (proof, commitment) = proof();
        assert_eq!(Proof::read(&proof.to_bytes()), Ok(proof.clone()));
        assert_eq!(Proof::read(&proof.to_bytes()).unwrap().to_bytes(), proof.to_bytes());
        let waiting = proof.pending();
        assert_eq!(waiting.len(), 2);
        assert!(waiting.iter().all(|one| one.commitment == commitment));
        let root = symbolon_crypto::sha256(&[&[0x55], &commitment[..]].concat());
        assert_eq!(proof.reached(), [Reached { height: 700_000, merkle_root: root }]);
    }

    #[test]
    fn a_calendars_word_goes_when_its_block_is_there() {
        let (mut proof, commitment) = proof();
        let calendar = "https://a.example".to_owned();
        proof.drop_pending(&Pending { commitment: commitment.clone(), calendar });
        assert_eq!(proof.pending().len(), 1);
        // Where nothing leads on, the word is all there is.
        let mut only = Proof::new(Digest32([1; 32]));
        let here = only.blind([0; 16]);
        only.join(&here, &pending("https://a.example")).unwrap();
        only.drop_pending(&only.pending()[0].clone());
        assert_eq!(only.pending().len(), 1);
    }

    #[test]
    fn an_answer_for_something_else_changes_nothing() {
        let (mut proof, _) = proof();
        let before = proof.clone();
        assert_eq!(proof.join(&[1; 32], &bitcoin(1)), Err(OtsError::Elsewhere));
        assert_eq!(proof, before);
    }

    #[test]
    fn a_step_that_can_be_forged_leads_nowhere() {
        let mut proof = Proof::new(Digest32([3; 32]));
        let commitment = proof.blind([9; 16]);
        // RIPEMD-160, then 12 bytes to make 32 of it.
        let weak = [&[0x03, 0xf0, 12][..], &[0; 12], &bitcoin(5)].concat();
        proof.join(&commitment, &weak).unwrap();
        assert_eq!(proof.reached(), []);
        assert_eq!(Proof::read(&proof.to_bytes()), Ok(proof), "it is kept all the same");
    }

    #[test]
    fn each_kind_of_damage_has_its_error() {
        let (proof, _) = proof();
        let good = proof.to_bytes();
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Proof::read(&bytes)
        };
        assert_eq!(with(0, 1), Err(OtsError::Magic));
        assert_eq!(with(31, 2), Err(OtsError::Version(2)));
        assert_eq!(with(32, 0x02), Err(OtsError::FileHash));
        assert_eq!(with(65, 0x77), Err(OtsError::Operation(0x77)));
        assert_eq!(Proof::read(&good[..good.len() - 1]), Err(OtsError::Short));
        assert_eq!(Proof::read(&[&good[..], &[0]].concat()), Err(OtsError::Trailing(1)));
        let long = vec![0; PROOF_BYTES_MAX + 1];
        assert_eq!(
            Proof::read(&long),
            Err(OtsError::TooMuch { what: "bytes", max: PROOF_BYTES_MAX })
        );
        let head = &good[..65];
        let twice = [head, &[0xff], &bitcoin(5), &bitcoin(5)].concat();
        assert_eq!(Proof::read(&twice), Err(OtsError::Twice));
        let nothing_added = [head, &[0xf0, 0], &bitcoin(5)].concat();
        assert_eq!(Proof::read(&nothing_added), Err(OtsError::Number));
        let deep = [head, &[0x08; 300], &bitcoin(5)].concat();
        let too_deep = OtsError::TooMuch { what: "steps one behind the other", max: DEPTH_MAX };
        assert_eq!(Proof::read(&deep), Err(too_deep));
        let mut address = vec![0];
        Attestation::Pending { calendar: "http://x/?y".to_owned() }.write(&mut address);
        assert_eq!(Proof::read(&[head, &address].concat()), Err(OtsError::Calendar));
        let many: Vec<u8> = (0..4097u64).flat_map(|n| [vec![0xff], bitcoin(n)].concat()).collect();
        let too_many = OtsError::TooMuch { what: "steps", max: 4096 };
        assert_eq!(Proof::read(&[head, &many, &bitcoin(9999)].concat()), Err(too_many));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_as_it_came_or_sorted(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let whole = [&proof().0.to_bytes()[..65], &bytes].concat();
            if let Ok(read) = Proof::read(&whole) {
                prop_assert_eq!(Proof::read(&read.to_bytes()), Ok(read));
            }
        }
    }
}
