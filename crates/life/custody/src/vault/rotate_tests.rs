//! Rotation of the data key, with the power cut at every step.

use super::tests::{World, enrol, passphrase, same, world};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_crypto::{AeadKey, RecoveryCode, labels};

/// What is on a disk: the vault as JSON, and items that say under which epoch they are sealed.
#[derive(Clone)]
struct Disk {
    vault: String,
    items: Vec<(u32, Vec<u8>)>,
}

fn key(unlocked: &Unlocked) -> AeadKey {
    unlocked.derive_aead(&labels::KEY_STATE)
}

fn seal(unlocked: &Unlocked, item: usize, rng: &SeededRng) -> (u32, Vec<u8>) {
    let place = item.to_be_bytes();
    let sealed = key(unlocked).seal(&labels::STATE_ROW, &[&place], &place, rng);
    (unlocked.epoch(), sealed)
}

impl Disk {
    fn vault(&self) -> Vault {
        serde_json::from_str(&self.vault).unwrap()
    }

    fn write(&mut self, vault: &Vault) {
        self.vault = serde_json::to_string(vault).unwrap();
    }

    /// Opens the vault and every item, whatever epoch it is of.
    fn read_all(&self, opener: &Opener<'_>) -> Unlocked {
        let unlocked = self.vault().unlock(opener).unwrap();
        for (number, (epoch, sealed)) in self.items.iter().enumerate() {
            let key = if *epoch == unlocked.epoch() {
                key(&unlocked)
            } else {
                key(&unlocked.earlier(*epoch).unwrap())
            };
            let place = number.to_be_bytes();
            let plain = key.open(&labels::STATE_ROW, &[&place], sealed).unwrap();
            assert!(plain.ct_eq_bytes(&place));
        }
        unlocked
    }

    fn epochs(&self) -> BTreeSet<u32> {
        self.items.iter().map(|(epoch, _)| *epoch).collect()
    }
}

/// What a client does, one durable write a step.
#[derive(Debug, Clone, Copy)]
enum Step {
    Rotate,
    Reseal(usize),
    Add,
    Forget,
}

struct Client<'a> {
    ways: &'a [Opener<'a>],
    rng: SeededRng,
    clock: ManualClock,
}

impl Client<'_> {
    /// As after a restart: all it knows is on the disk.
    fn run(&self, disk: &mut Disk, step: Step) {
        let unlocked = disk.read_all(&self.ways[0]);
        match step {
            Step::Rotate => {
                let ways: Vec<_> = self.ways.iter().map(|way| enrol(*way)).collect();
                let (change, _) =
                    disk.vault().rotate_data_key(&unlocked, &ways, &self.rng, &self.clock).unwrap();
                disk.write(&change.vault);
            }
            Step::Reseal(number) => {
                let number = number % disk.items.len();
                disk.items[number] = seal(&unlocked, number, &self.rng);
            }
            Step::Add => {
                let item = seal(&unlocked, disk.items.len(), &self.rng);
                disk.items.push(item);
            }
            Step::Forget => {
                let change = disk.vault().forget_epochs(&unlocked, &disk.epochs()).unwrap();
                disk.write(&change.vault);
            }
        }
    }
}

fn arb_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Rotate),
        4 => any::<usize>().prop_map(Step::Reseal),
        2 => Just(Step::Add),
        2 => Just(Step::Forget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is done in whatever order, and wherever it is cut off: what is on the disk between
    /// two writes opens by every way, to all items; and the vault is then of the latest epoch.
    #[test]
    fn at_every_cut_every_way_opens_everything(steps in prop::collection::vec(arb_step(), 1..16)) {
        let rng = SeededRng::new(5);
        let codes = [RecoveryCode::make(&rng), RecoveryCode::make(&rng)];
        let ways = codes.each_ref().map(Opener::Recovery);
        let clock = ManualClock::at(1);
        let (vault, unlocked) = Vault::create(&enrol(ways[0]), &rng, &clock).unwrap();
        let vault = vault.add_wrap(&unlocked, &enrol(ways[1]), &rng, &clock).unwrap().vault;
        let mut disk = Disk { vault: String::new(), items: Vec::new() };
        disk.write(&vault);
        disk.items = (0..3).map(|item| seal(&unlocked, item, &rng)).collect();
        let client = Client { ways: &ways, rng, clock };
        let mut rotations = 0;
        for step in steps {
            client.run(&mut disk, step);
            rotations += u32::from(matches!(step, Step::Rotate));
            for way in &ways {
                prop_assert_eq!(disk.read_all(way).epoch(), 1 + rotations);
            }
        }
        // What is left to do after the last cut is always the same, and ends.
        for item in 0..disk.items.len() {
            client.run(&mut disk, Step::Reseal(item));
        }
        client.run(&mut disk, Step::Forget);
        disk.read_all(&ways[1]);
        prop_assert!(disk.vault().ring().is_empty());
    }
}

fn rotated(w: &World, ways: &[Enrol<'_>]) -> (Change, Unlocked) {
    w.vault.rotate_data_key(&w.unlocked, ways, &w.rng, &w.clock).unwrap()
}

#[test]
fn what_is_not_at_hand_is_dropped_and_named() {
    let w = world();
    let code = RecoveryCode::make(&w.rng);
    let recovery = enrol(Opener::Recovery(&code));
    let two = w.vault.add_wrap(&w.unlocked, &recovery, &w.rng, &w.clock).unwrap().vault;
    let words = enrol(Opener::Passphrase(&w.words));
    let (change, unlocked) = two.rotate_data_key(&w.unlocked, &[words], &w.rng, &w.clock).unwrap();
    assert_eq!(change.warnings, [Warning::Dropped { method: Method::Recovery }]);
    assert_eq!(change.removed, two.wraps().iter().map(Wrap::id).collect::<Vec<_>>());
    assert_eq!(change.vault.wraps(), change.inserted);
    assert_eq!((change.vault.epoch(), unlocked.epoch()), (2, 2));
    assert!(!same(&unlocked, &w.unlocked), "the key is another");
    assert!(same(&unlocked.earlier(1).unwrap(), &w.unlocked));
    let again = change.vault.unlock(&Opener::Passphrase(&w.words)).unwrap();
    assert!(same(&again, &unlocked) && same(&again.earlier(1).unwrap(), &w.unlocked));
    let gone = change.vault.unlock(&Opener::Recovery(&code));
    assert!(matches!(gone, Err(UnlockError::NoSuchMethod { .. })));
}

/// Rule 12: whoever was removed and kept an old wrap with its secret.
#[test]
fn an_old_wrap_put_back_opens_nothing() {
    let w = world();
    let words = passphrase("another long passphrase");
    let (change, _) = rotated(&w, &[enrol(Opener::Passphrase(&words))]);
    let old = w.vault.wraps()[0].clone();
    let wraps = vec![change.inserted[0].clone(), old.clone()];
    let both = Vault::from_parts(w.vault.id(), 0, wraps).unwrap();
    let both = both.with_ring(change.vault.ring().to_vec()).unwrap();
    // The present wrap says "wrong" of the old words, which weighs more than what the old one says.
    let refused = both.unlock(&Opener::Passphrase(&w.words));
    assert!(matches!(refused, Err(UnlockError::WrongSecret { .. })));
    assert!(both.unlock(&Opener::Passphrase(&words)).is_ok());

    // Nor does it come back by removing the one beside it; it can be removed itself.
    let present = both.unlock(&Opener::Passphrase(&words)).unwrap();
    let last = both.remove_wrap(&present, change.inserted[0].id());
    assert!(matches!(last, Err(WrapError::LastWrap)));
    let change = both.remove_wrap(&present, old.id()).unwrap();
    assert_eq!(change.vault.wraps().len(), 1);

    // Said to be of the present epoch, it is damaged.
    let text = serde_json::to_string(&old).unwrap().replace("\"method\"", "\"epoch\":2,\"method\"");
    let relabelled: Wrap = serde_json::from_str(&text).unwrap();
    let wraps = vec![relabelled.fitted(w.vault.id())];
    let vault = Vault::from_parts(w.vault.id(), 0, wraps).unwrap();
    let refused = vault.unlock(&Opener::Passphrase(&w.words));
    assert!(matches!(refused, Err(UnlockError::Damaged { .. })));

    let code = RecoveryCode::make(&w.rng);
    let two = w.vault.add_wrap(&w.unlocked, &enrol(Opener::Recovery(&code)), &w.rng, &w.clock);
    let stale = two.unwrap().inserted[0].clone();
    let wraps = vec![change.vault.wraps()[0].clone(), stale.clone()];
    let vault = Vault::from_parts(w.vault.id(), 0, wraps).unwrap();
    let refused = vault.unlock(&Opener::Recovery(&code)).unwrap_err();
    assert!(matches!(refused, UnlockError::Stale { wrap } if wrap == stale.id()), "{refused}");
}

#[test]
fn who_opened_it_before_a_rotation_changes_no_wraps_after_it() {
    let w = world();
    let words = enrol(Opener::Passphrase(&w.words));
    let (change, unlocked) = rotated(&w, &[words]);
    let vault = change.vault;
    let id = vault.wraps()[0].id();
    let needed = BTreeSet::new();
    for refused in [
        vault.add_wrap(&w.unlocked, &words, &w.rng, &w.clock),
        vault.rotate_wrap(&w.unlocked, id, &words, &w.rng, &w.clock),
        vault.remove_wrap(&w.unlocked, id),
        vault.forget_epochs(&w.unlocked, &needed),
        vault.rotate_data_key(&w.unlocked, &[words], &w.rng, &w.clock).map(|(change, _)| change),
    ] {
        assert!(matches!(refused, Err(WrapError::OldEpoch)), "{refused:?}");
    }
    assert!(vault.add_wrap(&unlocked, &words, &w.rng, &w.clock).is_ok());
}

#[test]
fn a_rotation_needs_a_way_in_and_has_bounds() {
    let w = world();
    let none = w.vault.rotate_data_key(&w.unlocked, &[], &w.rng, &w.clock);
    assert!(matches!(none, Err(WrapError::LastWrap)));
    let code = RecoveryCode::make(&w.rng);
    let way = enrol(Opener::Recovery(&code));
    let many = w.vault.rotate_data_key(&w.unlocked, &[way; 65], &w.rng, &w.clock);
    assert!(matches!(many, Err(WrapError::Full { max: 64 })));

    let (mut vault, mut unlocked) = (w.vault.clone(), w.unlocked);
    for _ in 0..64 {
        let (change, next) = vault.rotate_data_key(&unlocked, &[way], &w.rng, &w.clock).unwrap();
        (vault, unlocked) = (change.vault, next);
    }
    assert_eq!((vault.epoch(), vault.ring().len()), (65, 64));
    let more = vault.rotate_data_key(&unlocked, &[way], &w.rng, &w.clock);
    assert!(matches!(more, Err(WrapError::FullRing { max: 64 })));
    let change = vault.forget_epochs(&unlocked, &BTreeSet::from([3, 64])).unwrap();
    let kept: Vec<_> = change.vault.ring().iter().map(OldKey::epoch).collect();
    assert_eq!(kept, [3, 64]);
    assert!(change.vault.rotate_data_key(&unlocked, &[way], &w.rng, &w.clock).is_ok());
}

#[test]
fn a_key_of_the_ring_opens_in_its_own_place_alone() {
    let w = world();
    let words = enrol(Opener::Passphrase(&w.words));
    let (once, unlocked) = rotated(&w, &[words]);
    let (twice, latest) =
        once.vault.rotate_data_key(&unlocked, &[words], &w.rng, &w.clock).unwrap();
    let ring = twice.vault.ring().to_vec();
    assert_eq!(ring.iter().map(OldKey::epoch).collect::<Vec<_>>(), [1, 2]);
    for epoch in [1, 2] {
        assert!(latest.earlier(epoch).is_ok());
    }
    for epoch in [0, 3, 4] {
        assert_eq!(latest.earlier(epoch).err(), Some(RingError::NoSuchEpoch { epoch }));
    }

    let bad = |vault: &Vault, ring: &str| {
        let mut json = serde_json::to_value(vault).unwrap();
        json["ring"] = serde_json::from_str(ring).unwrap();
        serde_json::from_value::<Vault>(json)
    };
    let text = serde_json::to_string(&ring).unwrap();
    let swapped = text.replace("\"epoch\":1", "\"epoch\":9").replace("\"epoch\":2", "\"epoch\":1");
    let swapped = swapped.replace("\"epoch\":9", "\"epoch\":2");
    let before = serde_json::to_string(once.vault.ring()).unwrap();
    for changed in [swapped, before] {
        let vault = bad(&twice.vault, &changed).unwrap();
        let unlocked = vault.unlock(&Opener::Passphrase(&w.words)).unwrap();
        assert_eq!(unlocked.earlier(1).err(), Some(RingError::Damaged { epoch: 1 }));
    }
    let same_twice = text.replace("\"epoch\":2", "\"epoch\":1");
    let not_earlier = text.replace("\"epoch\":2", "\"epoch\":3");
    let zero = text.replace("\"epoch\":2", "\"epoch\":0");
    for changed in [same_twice, not_earlier, zero] {
        assert!(bad(&twice.vault, &changed).is_err());
    }
    let many = vec![ring[0].clone(); 65];
    assert_eq!(w.vault.clone().with_ring(many), Err(VaultError::Ring));
}

/// The bytes of `specs/custody.md`.
#[test]
fn worked_bytes_of_the_ring() {
    let spec = include_str!("../../../../../specs/custody.md");
    let (_, worked) = spec.rsplit_once("    old key of epoch 1").unwrap();
    let (_, worked) = worked.split_once("envelope   =").unwrap();
    let envelope: String = worked.split_whitespace().collect();
    let envelope = symbolon_codec::hex::decode(envelope).unwrap();
    let envelope = symbolon_codec::b64::encode(&envelope);
    let old: OldKey =
        serde_json::from_str(&format!(r#"{{"epoch":1,"envelope":"{envelope}"}}"#)).unwrap();
    let id = VaultId::from(std::array::from_fn(|i| 0x10 + i as u8));
    let page = |first: u8| {
        let bytes = std::array::from_fn(|i| first + i as u8);
        MasterKey::from_secret(symbolon_secret::Secret::<[u8; 32]>::make(|b| *b = bytes))
    };
    let two = NonZeroU32::new(2).unwrap();
    let opened = old.open(id, (two, &page(0))).unwrap();
    let key = |master: &MasterKey| *master.derive_aead(&labels::KEY_STATE, b"").commitment();
    assert_eq!(key(&opened), key(&page(0x90)));
    assert!(old.open(id, (wrap::first(), &page(0))).is_err());
}
