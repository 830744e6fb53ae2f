//! A registration from its commit to its next owner, and what is refused on the way.

use std::sync::Arc;

use symbolon_ambient::SeededRng;
use symbolon_codec::{Digest32, b64url};
use symbolon_crypto::SigningKey;
use symbolon_log::{Log, MemoryStorage, vkey};
use symbolon_receipt::OperatorKey;

use crate::*;

const LOG: &str = "example.test/log";

struct World {
    rng: SeededRng,
    operator: Arc<SigningKey>,
    log: Log<MemoryStorage>,
}

impl World {
    fn new() -> Self {
        let rng = SeededRng::new(7);
        let operator = Arc::new(SigningKey::make(&rng));
        let log = Log::open(MemoryStorage::new(), LOG, Some(operator.clone())).unwrap();
        for n in 0..5 {
            log.append(format!("a receipt {n}").as_bytes()).unwrap();
        }
        Self { rng, operator, log }
    }

    fn key(&self) -> OperatorKey {
        OperatorKey::parse(&vkey(LOG, &self.operator.verifying_key()).unwrap()).unwrap()
    }

    fn write(&self, entry: &Entry) -> u64 {
        self.log.append(&entry.write()).unwrap().index()
    }

    fn certificate(&self, standing: &Standing, salt: Option<Salt>) -> Certificate {
        let newest = self.log.prove(standing.newest()).unwrap();
        let entries = standing.indices().iter().map(|index| CertificateEntry {
            index: *index,
            entry: self.log.entry(*index).unwrap(),
            path: self.log.prove_against(*index, &newest.checkpoint).unwrap().path,
        });
        Certificate {
            entries: entries.collect(),
            checkpoint: newest.checkpoint.clone(),
            operator: vkey(LOG, &self.operator.verifying_key()).unwrap(),
            salt,
        }
    }

    fn commit(&self, owner: &OwnerSecrets, text: &CanonicalText, at: u64) -> Standing {
        let digest = owner.salt().digest(text);
        let act = commit(owner, &digest);
        let entry = Entry::new(at, act.clone(), owner.sign(&act), None).unwrap();
        Standing::begin(self.write(&entry), &entry).unwrap()
    }

    fn reveal(&self, owner: &OwnerSecrets, standing: Standing, digest: Digest32) -> Standing {
        let act = reveal(owner, &standing, digest);
        let entry = Entry::new(2_000, act.clone(), owner.sign(&act), None).unwrap();
        standing.allows(entry.act()).unwrap();
        standing.after(self.write(&entry), &entry).unwrap()
    }
}

fn text() -> CanonicalText {
    CanonicalText::of("The quick brown fox jumps over the lazy dog.").unwrap()
}

fn commit(owner: &OwnerSecrets, digest: &Digest32) -> Act {
    Act::from(Commit {
        log: LOG.to_owned(),
        author: owner.public(),
        holder: owner.holder(&[1; 16]),
        commitment: commitment_of(&owner.public(), digest),
    })
}

fn reveal(owner: &OwnerSecrets, standing: &Standing, digest: Digest32) -> Act {
    let (log, registration) = (LOG.to_owned(), standing.index());
    Act::from(Reveal { log, registration, owner: owner.public(), digest })
}

fn transfer(owner: &OwnerSecrets, standing: &Standing, next: &OwnerSecrets) -> Act {
    Act::from(Transfer {
        log: LOG.to_owned(),
        registration: standing.index(),
        previous: standing.newest(),
        owner: owner.public(),
        next: next.public(),
        holder: next.holder(&[2; 16]),
    })
}

#[test]
fn a_text_is_registered_shown_handed_over_and_certified() {
    let world = World::new();
    let (ada, text) = (OwnerSecrets::make(&world.rng), text());
    let digest = ada.salt().digest(&text);
    let standing = world.commit(&ada, &text, 1_000);
    assert_eq!((standing.index(), standing.digest()), (5, None));
    assert_eq!(*standing.holder(), holder_of(&[1; 16], &ada.public()));
    world.log.append(b"a receipt between").unwrap();

    let standing = world.reveal(&ada, standing, digest);
    let bob = OwnerSecrets::with_salt(ada.salt().clone(), &world.rng);
    let act = transfer(&ada, &standing, &bob);
    let entry = Entry::new(3_000, act.clone(), ada.sign(&act), Some(bob.accept(&act))).unwrap();
    let standing = standing.after(world.write(&entry), &entry).unwrap();
    assert_eq!((standing.author(), standing.owner()), (&ada.public(), &bob.public()));
    assert_eq!(standing.indices(), [5, 7, 8]);

    let certificate = world.certificate(&standing, Some(bob.salt().clone())).to_json();
    assert!(Certificate::is_one(&certificate) && certificate.len() < 8 * 1024);
    let verified = verify(&certificate, &world.key()).unwrap();
    assert_eq!(verified.standing(), &standing);
    assert_eq!(verified.standing().digest(), Some(&digest));
    assert_eq!(verified.is_of(&text), Some(true));
    let other = CanonicalText::of("The quick brown fox jumps over the lazy cat.").unwrap();
    assert_eq!(verified.is_of(&other), Some(false));

    let without = world.certificate(&standing, None).to_json();
    assert_eq!(verify(&without, &world.key()).unwrap().is_of(&text), None);
    // The log has neither the text nor the salt, however it is looked for.
    for index in 0..world.log.appended_size() {
        let entry = world.log.entry(index).unwrap();
        let has = |bytes: &[u8]| entry.windows(bytes.len()).any(|it| it == bytes);
        assert!(!has(ada.salt().as_bytes()) && !has(b"quick brown"), "{index}");
    }
}

#[test]
fn two_registrations_of_one_text_have_nothing_in_common() {
    let world = World::new();
    let (one, two) = (OwnerSecrets::make(&world.rng), OwnerSecrets::make(&world.rng));
    let first = world.commit(&one, &text(), 1_000);
    let second = world.commit(&two, &text(), 1_000);
    assert_ne!(first.commitment(), second.commitment());
    assert_ne!(first.holder(), second.holder(), "of one account");
    assert_ne!(one.salt().digest(&text()), two.salt().digest(&text()));
    assert!(first.index() < second.index(), "the log says who came first");
}

#[test]
fn who_copies_a_commitment_or_a_digest_has_nothing() {
    let world = World::new();
    let (ada, eve) = (OwnerSecrets::make(&world.rng), OwnerSecrets::make(&world.rng));
    let digest = ada.salt().digest(&text());
    let act = commit(&ada, &digest);

    // Another's act under one's own signature.
    assert_eq!(Entry::new(1, act.clone(), eve.sign(&act), None), Err(EntryError::Signature));
    // Another's commitment under one's own key is one that its digest does not open.
    let stolen = Act::from(Commit {
        log: LOG.to_owned(),
        author: eve.public(),
        holder: eve.holder(&[3; 16]),
        commitment: commitment_of(&ada.public(), &digest),
    });
    let entry = Entry::new(1, stolen.clone(), eve.sign(&stolen), None).unwrap();
    let standing = Standing::begin(world.write(&entry), &entry).unwrap();
    let act = reveal(&eve, &standing, digest);
    assert_eq!(standing.allows(&act), Err(StandingError::Digest));
    // A digest that was seen can be committed to, later.
    let ada_has = world.commit(&ada, &text(), 2);
    let ada_has = world.reveal(&ada, ada_has, digest);
    let act = commit(&eve, &digest);
    let entry = Entry::new(3, act.clone(), eve.sign(&act), None).unwrap();
    let late = Standing::begin(world.write(&entry), &entry).unwrap();
    let late = world.reveal(&eve, late, digest);
    assert_eq!(late.digest(), ada_has.digest());
    assert!(late.index() > ada_has.index());
}

#[test]
fn what_does_not_follow_is_refused() {
    let world = World::new();
    let (ada, bob) = (OwnerSecrets::make(&world.rng), OwnerSecrets::make(&world.rng));
    let digest = ada.salt().digest(&text());
    let standing = world.commit(&ada, &text(), 1_000);
    let allows = |act: &Act| standing.allows(act).unwrap_err();

    assert_eq!(allows(&commit(&ada, &digest)), StandingError::Begin);
    assert_eq!(allows(&reveal(&bob, &standing, digest)), StandingError::Owner);
    let Act::Reveal(it) = reveal(&ada, &standing, digest) else { panic!() };
    let elsewhere = Reveal { log: "other.test/log".to_owned(), ..it.clone() };
    assert_eq!(allows(&elsewhere.into()), StandingError::Other);
    assert_eq!(allows(&Reveal { registration: 4, ..it.clone() }.into()), StandingError::Other);
    let act = Act::from(it);
    let entry = |at| Entry::new(at, act.clone(), ada.sign(&act), None).unwrap();
    assert_eq!(standing.clone().after(5, &entry(1_000)), Err(StandingError::Order));
    assert_eq!(standing.clone().after(6, &entry(999)), Err(StandingError::Order));
    let begun = Standing::begin(6, &entry(1_000));
    assert_eq!(begun, Err(StandingError::Begin));
    let shown = standing.clone().after(6, &entry(1_000)).unwrap();
    assert_eq!(shown.allows(&act), Err(StandingError::Revealed));

    // The transfer that was made before something else happened is good no more.
    let early = transfer(&ada, &standing, &bob);
    let expected = StandingError::Previous { newest: 6, found: 5 };
    assert_eq!(shown.allows(&early), Err(expected));
    let act = transfer(&ada, &shown, &bob);
    let by_ada = ada.sign(&act);
    assert_eq!(Entry::new(1, act.clone(), by_ada, None), Err(EntryError::Acceptance));
    let by_ada_twice = Entry::new(1, act.clone(), by_ada, Some(by_ada));
    assert_eq!(by_ada_twice, Err(EntryError::Acceptance));
    let plain = Entry::new(1, act.clone(), by_ada, Some(bob.sign(&act)));
    assert_eq!(plain, Err(EntryError::Acceptance), "a signature is no acceptance");
    let entry = Entry::new(2_000, act.clone(), by_ada, Some(bob.accept(&act))).unwrap();
    let bobs = shown.after(9, &entry).unwrap();
    assert_eq!(bobs.allows(&transfer(&ada, &bobs, &ada)), Err(StandingError::Owner));

    // As often as there is room, and no more.
    let mut standing = bobs;
    for index in 10..10 + (ENTRIES_MAX as u64 - 3) {
        let act = transfer(&bob, &standing, &bob);
        let entry = Entry::new(2_000, act.clone(), bob.sign(&act), Some(bob.accept(&act)));
        standing = standing.after(index, &entry.unwrap()).unwrap();
    }
    assert_eq!(standing.indices().len(), ENTRIES_MAX);
    assert_eq!(standing.allows(&transfer(&bob, &standing, &bob)), Err(StandingError::Full));
}

#[test]
fn entries_read_back_and_no_changed_byte_does() {
    let world = World::new();
    let (ada, bob) = (OwnerSecrets::make(&world.rng), OwnerSecrets::make(&world.rng));
    let standing = world.commit(&ada, &text(), 1_000);
    let act = transfer(&ada, &standing, &bob);
    let entry = Entry::new(9, act.clone(), ada.sign(&act), Some(bob.accept(&act))).unwrap();
    let bytes = entry.write();
    assert!(Entry::is(&bytes) && bytes.len() <= ENTRY_BYTES_MAX);
    assert_eq!(Entry::parse(&bytes).unwrap(), entry);
    let time = 4 + "symbolon/authorship-entry/v1".len() + 4;
    let time = time..time + 8;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        // The time is the server's word, which the log binds.
        assert_eq!(Entry::parse(&changed).is_err(), !time.contains(&at), "byte {at}");
        assert!(Entry::parse(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(Entry::parse(&[&bytes[..], b"z"].concat()).is_err());
}

#[test]
fn certificates_that_lie_are_refused_at_their_step() {
    let world = World::new();
    let ada = OwnerSecrets::make(&world.rng);
    let digest = ada.salt().digest(&text());
    let standing = world.commit(&ada, &text(), 1_000);
    let standing = world.reveal(&ada, standing, digest);
    let whole = world.certificate(&standing, None);
    let says = |it: &Certificate| verify(&it.to_json(), &world.key()).unwrap_err();

    let eve = SigningKey::make(&world.rng);
    let operator = vkey(LOG, &eve.verifying_key()).unwrap();
    assert_eq!(says(&Certificate { operator, ..whole.clone() }), CertificateError::Operator);
    let other = OperatorKey::from(eve.verifying_key());
    assert_eq!(verify(&whole.to_json(), &other).unwrap_err(), CertificateError::Operator);

    let checkpoint = whole.checkpoint.replacen("\n7\n", "\n8\n", 1);
    assert_ne!(checkpoint, whole.checkpoint);
    let forged = Certificate { checkpoint, ..whole.clone() };
    assert!(matches!(says(&forged), CertificateError::Checkpoint(_)));

    let mut moved = whole.clone();
    moved.entries[0].index = 4;
    assert!(matches!(says(&moved), CertificateError::Inclusion { index: 4, .. }));
    let mut receipt = whole.clone();
    receipt.entries[0].entry = b"a receipt 0".to_vec();
    receipt.entries[0].index = 0;
    receipt.entries[0].path = world.log.prove_against(0, &whole.checkpoint).unwrap().path;
    assert!(matches!(says(&receipt), CertificateError::Entry { index: 0, .. }));

    let mut headless = whole.clone();
    headless.entries.remove(0);
    let expected = CertificateError::Standing { index: 6, source: StandingError::Begin };
    assert_eq!(says(&headless), expected);
    let mut doubled = whole.clone();
    doubled.entries.push(whole.entries[1].clone());
    let expected = CertificateError::Standing { index: 6, source: StandingError::Revealed };
    assert_eq!(says(&doubled), expected);

    let json = String::from_utf8(whole.to_json()).unwrap();
    for (from, to) in [("version=1", "version=2"), ("\"operator\"", "\"operators\"")] {
        assert!(verify(json.replace(from, to).as_bytes(), &world.key()).is_err(), "{to}");
    }
    let twice = json.replacen('{', "{\"salt\": \"\", \"salt\": \"\",", 1);
    assert!(matches!(verify(twice.as_bytes(), &world.key()), Err(CertificateError::Json(_))));
    let none = Certificate { entries: Vec::new(), ..whole };
    assert!(matches!(says(&none), CertificateError::Form(_)));
}

#[test]
fn an_entry_of_another_log_is_no_evidence_in_this_one() {
    let world = World::new();
    let ada = OwnerSecrets::make(&world.rng);
    let Act::Commit(it) = commit(&ada, &Digest32([1; 32])) else { panic!() };
    let act = Act::from(Commit { log: "other.test/log".to_owned(), ..it });
    let entry = Entry::new(1, act.clone(), ada.sign(&act), None).unwrap();
    let standing = Standing::begin(world.write(&entry), &entry).unwrap();
    let said = verify(&world.certificate(&standing, None).to_json(), &world.key());
    let expected = CertificateError::Standing { index: 5, source: StandingError::Other };
    assert_eq!(said.unwrap_err(), expected);
}

#[test]
fn what_an_owner_keeps_reads_back() {
    let rng = SeededRng::new(3);
    let ada = OwnerSecrets::make(&rng);
    let record = ada.write();
    // EXPOSE: the test looks at the record's form.
    let bytes = record.expose().to_vec();
    assert_eq!((bytes.len(), &bytes[..22]), (150, &b"symbolon-authorship-1:"[..]));
    let again = OwnerSecrets::parse(&record).unwrap();
    assert_eq!((again.public(), again.salt()), (ada.public(), ada.salt()));
    assert_eq!(format!("{ada:?} {:?}", ada.salt()), "OwnerSecrets Salt");
    for (at, byte) in [(0, b'S'), (30, b'x'), (149, b' ')] {
        let mut wrong = bytes.clone();
        wrong[at] = byte;
        assert_eq!(OwnerSecrets::parse(&secret(&wrong)).unwrap_err(), RecordError, "{at}");
    }
    assert_eq!(OwnerSecrets::parse(&secret(&bytes[..149])).unwrap_err(), RecordError);
}

fn secret(bytes: &[u8]) -> symbolon_secret::Secret<[u8]> {
    symbolon_secret::Secret::<[u8]>::make_slice(bytes.len(), |out| out.copy_from_slice(bytes))
}

#[test]
fn what_passes_between_owners_reads_back_and_nothing_else_does() {
    let world = World::new();
    let (ada, bob) = (OwnerSecrets::make(&world.rng), OwnerSecrets::make(&world.rng));
    let standing = world.commit(&ada, &text(), 1_000);
    let invitation = Invitation { key: bob.public(), holder: bob.holder(&[2; 16]) };
    assert_eq!(Invitation::parse(&invitation.to_json()).unwrap(), invitation);
    let act = transfer(&ada, &standing, &bob);
    let offer = Offer {
        commitment: *standing.commitment(),
        signature: ada.sign(&act),
        transfer: act,
        salt: ada.salt().clone(),
    };
    let json = offer.to_json();
    assert_eq!(Offer::parse(&json).unwrap(), offer);
    assert!(Invitation::parse(&json).is_err() && Offer::parse(&invitation.to_json()).is_err());
    let reveal = b64url::encode(&reveal(&ada, &standing, Digest32([1; 32])).write());
    let transfer = b64url::encode(&offer.transfer.write());
    let other = String::from_utf8(json).unwrap().replace(&transfer, &reveal);
    assert!(matches!(Offer::parse(other.as_bytes()), Err(HandoverError::Form(_))));
}

/// The bytes of the spec: what another program must come to.
#[test]
fn the_bytes_are_those_of_the_spec() {
    let salt = Salt::from_bytes([7; 32]);
    let seed =
        secret(format!("symbolon-authorship-1:{}{}", "01".repeat(32), "07".repeat(32)).as_bytes());
    let ada = OwnerSecrets::parse(&seed).unwrap();
    let digest = salt.digest(&CanonicalText::of("hello\r\n").unwrap());
    let commitment = commitment_of(&ada.public(), &digest);
    let holder = ada.holder(&[9; 16]);
    let said = format!("{digest}\n{commitment}\n{holder}");
    assert_eq!(said, WORKED.trim());
}

const WORKED: &str = "
daf182198a86eb913e453e82ad81f36b861ff1f49d547f03a9bcf602236ccb92
e1d58e73ebd7312eace6c8bfd459b002c02b913388e50f216b9c3f82187ef023
949c7ab103509e32a41e0321eb354b132c2197949f29955ad32c6f1319c7bbe1
";
