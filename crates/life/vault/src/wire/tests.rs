use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::{FIELD_OVERHEAD_BYTES, RecipientSecret, SigningKey};
use symbolon_secret::Secret;

use super::*;

const VAULT: [u8; 16] = [1; 16];

fn header(item: u8, number: u64) -> Header {
    Header {
        vault: VAULT.into(),
        item: [item; 16].into(),
        number,
        parent: None,
        epoch: 1,
        created_unix_ms: 5,
        updated_unix_ms: 6,
        state: State::Live,
        commitment: Digest32([7; 32]),
    }
}

fn fields() -> Vec<(u8, Vec<u8>)> {
    (1..=4).map(|n| (n, vec![n; FIELD_OVERHEAD_BYTES + 64])).collect()
}

fn revision(header: Header) -> SealedRevision {
    SealedRevision::new(&header, &fields()).expect("well formed")
}

fn key(seed: u64) -> SigningKey {
    SigningKey::make(&SeededRng::new(seed))
}

/// A vault at counter 3 with items 1 (revision 2) and 2 (erased), and a commit that it takes.
struct Scene {
    current: Head,
    key: SigningKey,
    next: Head,
    revisions: Vec<SealedRevision>,
    succession: Option<Succession>,
    base: u64,
}

impl Scene {
    fn new() -> Self {
        let mut current = Head::first(VAULT.into(), 1);
        current.counter = 3;
        let next = Head { counter: 4, previous: current.digest(), ..current };
        let revisions = vec![revision(header(1, 3)), revision(header(9, 1))];
        Self { current, key: key(1), next, revisions, succession: None, base: 3 }
    }

    fn commit(&self, signer: &SigningKey) -> Commit {
        let head = SignedHead::sign(self.next, signer);
        Commit::new(self.base, head, self.succession, self.revisions.clone()).expect("in bounds")
    }

    fn check_signed(&self, signer: &SigningKey) -> Result<(), CommitError> {
        self.commit(signer).check(&self.current, &self.key.verifying_key(), |item| {
            match item.as_bytes()[0] {
                1 => Some(Current { number: 2, state: State::Live }),
                2 => Some(Current { number: 5, state: State::Erased }),
                _ => None,
            }
        })
    }

    fn check(&self) -> Result<(), CommitError> {
        self.check_signed(&self.key)
    }
}

#[test]
fn a_commit_that_follows_is_taken() {
    assert_eq!(Scene::new().check(), Ok(()));
}

/// For each rule a commit that breaks it alone.
#[test]
fn each_rule_is_broken_alone() {
    let broken = |change: fn(&mut Scene)| {
        let mut scene = Scene::new();
        change(&mut scene);
        scene.check()
    };
    assert_eq!(broken(|s| s.next.vault = [2; 16].into()), Err(CommitError::Vault));
    let other = |s: &mut Scene| {
        s.revisions[0] = revision(Header { vault: [2; 16].into(), ..header(1, 3) });
    };
    assert_eq!(broken(other), Err(CommitError::Vault));
    assert_eq!(broken(|s| s.base = 2), Err(CommitError::Base { expected: 3, found: 2 }));
    assert_eq!(broken(|s| s.next.counter = 5), Err(CommitError::Counter));
    assert_eq!(broken(|s| s.next.previous.0[0] ^= 1), Err(CommitError::Previous));
    assert_eq!(broken(|s| s.next.epoch = 2), Err(CommitError::Epoch));
    let late = |s: &mut Scene| s.revisions[0] = revision(Header { epoch: 2, ..header(1, 3) });
    assert_eq!(broken(late), Err(CommitError::Epoch));
    let item = ItemId::from([1; 16]);
    for found in [1, 2, 4] {
        let mut scene = Scene::new();
        scene.revisions[0] = revision(header(1, found));
        let expected = CommitError::Revision { item, expected: 3, found };
        assert!(expected.is_conflict());
        assert_eq!(scene.check(), Err(expected));
    }
    let fresh = |s: &mut Scene| s.revisions[1] = revision(header(9, 2));
    assert!(matches!(broken(fresh), Err(CommitError::Revision { expected: 1, found: 2, .. })));
    let gone = |s: &mut Scene| s.revisions[0] = revision(header(2, 6));
    assert_eq!(broken(gone), Err(CommitError::Erased([2; 16].into())));
    assert_eq!(Scene::new().check_signed(&key(2)), Err(CommitError::Signature));
}

#[test]
fn a_head_whose_bytes_changed_is_not_signed() {
    let scene = Scene::new();
    let signed = SignedHead::sign(scene.next, &scene.key);
    assert_eq!(signed.verify(&scene.key.verifying_key()), Ok(&scene.next));
    let bytes = signed.encode();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let Ok(changed) = SignedHead::decode(&changed) else { continue };
        assert_eq!(changed.verify(&scene.key.verifying_key()), Err(HeadError), "byte {at}");
    }
}

#[test]
fn keys_change_by_a_succession_of_the_old_key_alone() {
    let (old, new) = (key(1), key(2));
    let share = RecipientSecret::derive(&Secret::<[u8; 32]>::make(|b| b.fill(3))).public();
    let succession = |vault: [u8; 16], epoch, signer| {
        Succession::sign(vault.into(), epoch, new.verifying_key(), share, signer)
    };
    let mut scene = Scene::new();
    scene.next.epoch = 2;
    scene.succession = Some(succession(VAULT, 2, &old));
    assert_eq!(scene.check_signed(&new), Ok(()));
    assert_eq!(scene.check_signed(&old), Err(CommitError::Signature));
    scene.revisions.clear();
    assert_eq!(scene.check_signed(&new), Ok(()), "a succession may come alone");
    for wrong in
        [succession(VAULT, 2, &new), succession([2; 16], 2, &old), succession(VAULT, 3, &old)]
    {
        scene.succession = Some(wrong);
        assert_eq!(scene.check_signed(&new), Err(CommitError::Succession));
    }
    scene.succession = Some(succession(VAULT, 2, &old));
    for epoch in [1, 3] {
        scene.next.epoch = epoch;
        assert_eq!(scene.check_signed(&new), Err(CommitError::Epoch));
    }
    let bytes = succession(VAULT, 2, &old).encode();
    assert_eq!(Succession::decode(&bytes), Ok(succession(VAULT, 2, &old)));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let changed = Succession::decode(&changed);
        assert!(!changed.is_ok_and(|c| c.is_signed_by(&old.verifying_key())), "byte {at}");
    }
}

#[test]
fn a_revision_is_read_as_it_was_written() {
    let full = Header { parent: Some([3; 16].into()), state: State::Trashed, ..header(1, 3) };
    let made = revision(full);
    assert_eq!((made.header(), made.field(2)), (&full, Some(&fields()[1].1[..])));
    assert_eq!(made.field(5), None);
    assert_eq!(SealedRevision::decode(made.as_bytes()), Ok(made.clone()));
    for cut in 0..made.as_bytes().len() {
        assert!(SealedRevision::decode(&made.as_bytes()[..cut]).is_err(), "{cut}");
    }
    let longer = [made.as_bytes(), b"\0"].concat();
    assert!(SealedRevision::decode(&longer).is_err());
}

#[test]
fn each_bound_of_a_revision_is_broken_alone() {
    let of = |change: fn(&mut Header), fields: &[(u8, Vec<u8>)]| {
        let mut header = header(1, 1);
        change(&mut header);
        SealedRevision::new(&header, fields).map(|_| ())
    };
    let gone: fn(&mut Header) = |h| (h.state, h.commitment) = (State::Erased, Digest32([0; 32]));
    assert_eq!(of(|_| (), &fields()), Ok(()));
    assert_eq!(of(gone, &[]), Ok(()));
    assert_eq!(of(|h| h.number = 0, &fields()), Err(WireError::Value("number")));
    assert_eq!(of(|h| h.epoch = 0, &fields()), Err(WireError::Value("epoch")));
    assert_eq!(of(|_| (), &[]), Err(WireError::State));
    assert_eq!(of(gone, &fields()), Err(WireError::State));
    assert_eq!(of(|h| h.state = State::Erased, &[]), Err(WireError::State));
    let parent: fn(&mut Header) = |h| {
        (h.state, h.commitment) = (State::Erased, Digest32([0; 32]));
        h.parent = Some([3; 16].into());
    };
    assert_eq!(of(parent, &[]), Err(WireError::State));
    let swapped: Vec<_> = fields().into_iter().rev().collect();
    assert_eq!(of(|_| (), &swapped), Err(WireError::Fields));
    assert_eq!(of(|_| (), &[(16, fields()[0].1.clone())]), Err(WireError::Fields));
    for len in [0, 115, FIELD_OVERHEAD_BYTES, FIELD_OVERHEAD_BYTES + 65] {
        assert_eq!(of(|_| (), &[(1, vec![0; len])]), Err(WireError::Padding(1)), "{len}");
    }
    let long = [(1, vec![0; REVISION_BYTES_MAX])];
    assert!(matches!(of(|_| (), &long), Err(WireError::Codec(_))));
}

#[test]
fn a_commit_is_bounded_in_count_bytes_and_items() {
    let scene = Scene::new();
    let head = SignedHead::sign(scene.next, &scene.key);
    let of = |revisions| Commit::new(3, head, None, revisions).map(|_| ());
    assert_eq!(of(vec![]), Err(WireError::Value("revisions")));
    let twice = vec![revision(header(1, 3)), revision(header(1, 4))];
    assert_eq!(of(twice), Err(WireError::Twice([1; 16].into())));
    let numbered = |n: usize, fields: &[(u8, Vec<u8>)]| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        let header = Header { item: id.into(), ..header(0, 1) };
        SealedRevision::new(&header, fields).expect("well formed")
    };
    let small = [(1, vec![0; FIELD_OVERHEAD_BYTES + 64])];
    let many: Vec<_> = (0..=COMMIT_REVISIONS_MAX).map(|n| numbered(n, &small)).collect();
    assert_eq!(of(many[1..].to_vec()), Ok(()));
    assert_eq!(of(many), Err(WireError::Value("revisions")));
    let large = [(1, vec![0; FIELD_OVERHEAD_BYTES + (1 << 20)])];
    let large: Vec<_> = (0..8).map(|n| numbered(n, &large)).collect();
    assert_eq!(of(large[..7].to_vec()), Ok(()));
    assert!(matches!(of(large), Err(WireError::Codec(_))));
}

#[test]
fn bytes_and_json_give_back_the_commit() {
    let scene = Scene::new();
    let commit = scene.commit(&scene.key);
    assert_eq!(Commit::decode(&commit.encode()), Ok(commit.clone()));
    let json = serde_json::to_string(&commit).expect("JSON");
    assert!(!json.contains("succession"));
    assert_eq!(serde_json::from_str::<Commit>(&json).expect("a commit"), commit);
    let twice = json.replace("\"revisions\":[", "\"revisions\":[\"\",");
    assert!(serde_json::from_str::<Commit>(&twice).is_err());
}

#[test]
fn a_root_is_of_a_set_of_revisions() {
    let a = (ItemId::from([1; 16]), 1, Digest32([1; 32]));
    let b = (ItemId::from([2; 16]), 7, Digest32([2; 32]));
    let both = root(&mut [a, b]);
    assert_eq!(root(&mut [b, a]), both);
    for other in [vec![a], vec![a, (b.0, 8, b.2)], vec![a, (b.0, 7, a.2)], vec![a, (a.0, 7, b.2)]] {
        assert_ne!(root(&mut other.clone()), both);
    }
}

proptest! {
    #[test]
    fn strangers_bytes_are_refused_or_canonical(bytes: Vec<u8>, at in 0usize..900, flip: u8) {
        let mut changed = revision(header(1, 3)).encode();
        let at = at % changed.len();
        changed[at] ^= flip;
        for bytes in [bytes, changed] {
            if let Ok(read) = SealedRevision::decode(&bytes) {
                prop_assert_eq!(SealedRevision::new(read.header(), &(1..=FIELDS_MAX)
                    .filter_map(|n| Some((n, read.field(n)?.to_vec()))).collect::<Vec<_>>()),
                    Ok(read.clone()));
                prop_assert_eq!(read.as_bytes(), &bytes[..]);
            }
        }
    }
}

#[test]
fn ids_are_hex() {
    let id: ItemId = "0102030405060708090a0b0c0d0e0f10".parse().expect("an id");
    assert_eq!(id.to_string(), "0102030405060708090a0b0c0d0e0f10");
    for bad in ["", "01", &"g".repeat(32), &"0".repeat(33)] {
        assert!(bad.parse::<ItemId>().is_err(), "{bad}");
        assert!(serde_json::from_value::<BlobId>((*bad).into()).is_err());
    }
}
