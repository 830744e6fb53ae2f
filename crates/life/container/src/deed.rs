//! Deeds: who had a container, and who has it, as a chain of signed events (`specs/container.md`).

use serde::{Deserialize, Serialize};
use symbolon_codec::{Digest32, Fields, hex, json};
use symbolon_crypto::{VerifyingKey, labels, sha256};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An owner begins a deed.
    Create,
    /// The owner says which container it is about.
    Package,
    /// The owner offers it to one key.
    Escrow,
    /// The key that it was offered to takes it.
    Accept,
    /// That key has opened it.
    Import,
    /// That key is the owner.
    Flip,
}

impl Kind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Package => "package",
            Self::Escrow => "escrow",
            Self::Accept => "accept",
            Self::Import => "import",
            Self::Flip => "flip",
        }
    }

    /// What may follow.
    const fn next(self) -> Self {
        match self {
            Self::Create | Self::Flip => Self::Package,
            Self::Package => Self::Escrow,
            Self::Escrow => Self::Accept,
            Self::Accept => Self::Import,
            Self::Import => Self::Flip,
        }
    }
}

/// One event before it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// When, in Unix milliseconds; said by the actor.
    pub at_unix_ms: u64,
    /// Who did it.
    pub actor: VerifyingKey,
    /// Of `package`: the digest of the container's signed bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Digest32>,
    /// Of `escrow`: the key that it is offered to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<VerifyingKey>,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The deed, by the digest that its maker drew.
    pub deed: Digest32,
    /// Its number, from 0.
    pub number: u64,
    /// The hash of the event before; zeros of the first.
    pub previous: Digest32,
}

impl Event {
    /// What its actor signs.
    pub fn message(&self, place: &Place) -> Vec<u8> {
        Fields::new(labels::DEED_EVENT.as_str())
            .bytes(place.deed.as_bytes())
            .u64(place.number)
            .bytes(place.previous.as_bytes())
            .str(self.kind.as_str())
            .u64(self.at_unix_ms)
            .bytes(self.actor.as_bytes())
            .bytes(self.container.as_ref().map_or(&[][..], |it| it.as_bytes()))
            .bytes(self.to.as_ref().map_or(&[][..], |it| it.as_bytes()))
            .finish()
    }
}

/// A deed whose every event was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    id: Digest32,
    events: Vec<Signed>,
    head: Digest32,
    owner: Option<VerifyingKey>,
    container: Option<Digest32>,
    offered_to: Option<VerifyingKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    event: Event,
    signature: String,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    id: Digest32,
    events: Vec<Signed>,
}

/// Why a deed was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeedError {
    /// Not a deed's JSON.
    #[error("this is no deed: {0}")]
    Form(String),
    /// An event does not follow from those before.
    #[error("event {number}: {why}")]
    Order {
        /// From 0.
        number: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// An event's signature does not hold.
    #[error("event {number}: the signature does not hold: the deed was changed")]
    Signature {
        /// From 0.
        number: u64,
    },
}

impl Deed {
    /// A deed without an event. `id` is random.
    pub const fn new(id: Digest32) -> Self {
        let head = Digest32([0; 32]);
        Self { id, events: Vec::new(), head, owner: None, container: None, offered_to: None }
    }

    /// Reads a deed and checks all of it: order, actors, hashes, signatures.
    ///
    /// # Errors
    /// [`DeedError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DeedError> {
        let form = |e: &dyn std::fmt::Display| DeedError::Form(e.to_string());
        let value = json::parse_bounded(bytes, DEED_BYTES_MAX, 8).map_err(|e| form(&e))?;
        let file: File = serde_json::from_value(value).map_err(|e| form(&e))?;
        if file.format != FORMAT || file.events.is_empty() {
            return Err(DeedError::Form(format!("its format is not {FORMAT}, or it has no event")));
        }
        let mut deed = Self::new(file.id);
        for one in file.events {
            let mut signature = [0; 64];
            let number = deed.events.len() as u64;
            hex::decode_to_slice(&one.signature, &mut signature)
                .map_err(|_| DeedError::Signature { number })?;
            deed = deed.join(one.event, &signature)?;
        }
        Ok(deed)
    }

    /// The file.
    pub fn to_json(&self) -> String {
        let (format, id) = (FORMAT.to_owned(), self.id);
        let file = File { format, id, events: self.events.clone() };
        // INFALLIBLE: texts, numbers and lists, and every key is a text.
        let mut text = serde_json::to_string_pretty(&file).expect("a deed is JSON");
        text.push('\n');
        text
    }

    /// Where the next event stands.
    pub fn place(&self) -> Place {
        Place { deed: self.id, number: self.events.len() as u64, previous: self.head }
    }

    /// Adds an event with its actor's signature.
    ///
    /// # Errors
    /// [`DeedError::Order`], [`DeedError::Signature`].
    pub fn join(mut self, event: Event, signature: &[u8; 64]) -> Result<Self, DeedError> {
        self.check(&event)?;
        let place = self.place();
        let message = event.message(&place);
        event
            .actor
            .verify(&message, signature)
            .map_err(|_| DeedError::Signature { number: place.number })?;
        match event.kind {
            Kind::Create => self.owner = Some(event.actor),
            Kind::Package => self.container = event.container,
            Kind::Escrow => self.offered_to = event.to,
            Kind::Accept | Kind::Import => {}
            Kind::Flip => {
                self.owner = Some(event.actor);
                self.offered_to = None;
            }
        }
        self.head = sha256(&[&message[..], signature].concat());
        self.events.push(Signed { event, signature: hex::encode(signature) });
        Ok(self)
    }

    /// Whether an event may stand next.
    ///
    /// # Errors
    /// [`DeedError::Order`].
    pub fn check(&self, event: &Event) -> Result<(), DeedError> {
        let number = self.events.len() as u64;
        let refuse = |why| Err(DeedError::Order { number, why });
        if self.events.len() == EVENTS_MAX {
            return refuse("a deed has no more events");
        }
        if event.kind != self.next() {
            return refuse("it does not follow the event before");
        }
        if event.container.is_some() != (event.kind == Kind::Package) {
            return refuse("a container is named by `package`, and by that alone");
        }
        if event.to.is_some() != (event.kind == Kind::Escrow) {
            return refuse("a key is named by `escrow`, and by that alone");
        }
        let may = match event.kind {
            Kind::Create => true,
            Kind::Package | Kind::Escrow => self.owner == Some(event.actor),
            Kind::Accept | Kind::Import | Kind::Flip => self.offered_to == Some(event.actor),
        };
        if !may {
            return refuse("it is by a key whose turn it is not");
        }
        if event.to.is_some() && event.to == self.owner {
            return refuse("it is offered to its owner");
        }
        if self.events.last().is_some_and(|last| last.event.at_unix_ms > event.at_unix_ms) {
            return refuse("it is older than the event before");
        }
        Ok(())
    }

    /// What comes next.
    pub fn next(&self) -> Kind {
        self.events.last().map_or(Kind::Create, |last| last.event.kind.next())
    }

    /// Its id.
    pub const fn id(&self) -> &Digest32 {
        &self.id
    }

    /// Whose it is.
    pub const fn owner(&self) -> Option<&VerifyingKey> {
        self.owner.as_ref()
    }

    /// Whom it is offered to, until they own it.
    pub const fn offered_to(&self) -> Option<&VerifyingKey> {
        self.offered_to.as_ref()
    }

    /// The container that it is about.
    pub const fn container(&self) -> Option<&Digest32> {
        self.container.as_ref()
    }

    /// Its events, the oldest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().map(|one| &one.event)
    }
}

/// The longest deed file, in bytes.
pub const DEED_BYTES_MAX: usize = 256 << 10;

const EVENTS_MAX: usize = 256;
const FORMAT: &str = "symbolon/deed/v1";

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;
    use symbolon_crypto::SigningKey;

    fn key(seed: u64) -> SigningKey {
        SigningKey::make(&SeededRng::new(seed))
    }

    fn step(
        deed: Deed,
        kind: Kind,
        by: &SigningKey,
        to: Option<&SigningKey>,
    ) -> Result<Deed, DeedError> {
        let event = Event {
            kind,
            at_unix_ms: 1000 + deed.place().number,
            actor: by.verifying_key(),
            container: (kind == Kind::Package).then_some(Digest32([7; 32])),
            to: to.map(SigningKey::verifying_key),
        };
        let signature = by.sign(&event.message(&deed.place()));
        deed.join(event, &signature)
    }

    fn offered(owner: &SigningKey, to: &SigningKey) -> Deed {
        let deed = step(Deed::new(Digest32([1; 32])), Kind::Create, owner, None).unwrap();
        let deed = step(deed, Kind::Package, owner, None).unwrap();
        step(deed, Kind::Escrow, owner, Some(to)).unwrap()
    }

    fn taken(deed: Deed, by: &SigningKey) -> Deed {
        [Kind::Accept, Kind::Import, Kind::Flip]
            .into_iter()
            .fold(deed, |deed, kind| step(deed, kind, by, None).unwrap())
    }

    #[test]
    fn a_deed_goes_from_owner_to_owner() {
        let (a, b, c) = (key(1), key(2), key(3));
        let deed = taken(offered(&a, &b), &b);
        assert_eq!(deed.owner(), Some(&b.verifying_key()));
        let deed = step(deed, Kind::Package, &b, None).unwrap();
        let deed = taken(step(deed, Kind::Escrow, &b, Some(&c)).unwrap(), &c);
        assert_eq!((deed.owner(), deed.events().count()), (Some(&c.verifying_key()), 11));
        assert_eq!(Deed::parse(deed.to_json().as_bytes()).unwrap(), deed);
    }

    #[test]
    fn nobody_acts_out_of_turn() {
        let (a, b, c) = (key(1), key(2), key(3));
        let deed = || offered(&a, &b);
        let order = |r: Result<Deed, DeedError>| {
            assert!(matches!(r, Err(DeedError::Order { .. })), "{r:?}")
        };
        order(step(deed(), Kind::Accept, &c, None));
        order(step(deed(), Kind::Accept, &a, None));
        order(step(deed(), Kind::Flip, &b, None));
        order(step(deed(), Kind::Package, &a, None));
        order(step(taken(deed(), &b), Kind::Package, &a, None));
        order(step(taken(deed(), &b), Kind::Escrow, &b, Some(&c)));
        let packaged = step(taken(deed(), &b), Kind::Package, &b, None).unwrap();
        order(step(packaged, Kind::Escrow, &b, Some(&b)));
        let event = |actor: &SigningKey, at_unix_ms| Event {
            kind: Kind::Accept,
            at_unix_ms,
            actor: actor.verifying_key(),
            container: None,
            to: None,
        };
        order(deed().join(event(&b, 1), &[0; 64]));
        let forged =
            deed().join(event(&b, 5000), &a.sign(&event(&b, 5000).message(&deed().place())));
        assert!(matches!(forged, Err(DeedError::Signature { number: 3 })), "{forged:?}");
    }

    #[test]
    fn every_character_of_a_deed_counts() {
        let (a, b) = (key(1), key(2));
        let deed = taken(offered(&a, &b), &b);
        let text = deed.to_json().into_bytes();
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            // White space, and hex digits of the other case, are read as the same deed.
            if let Ok(same) = Deed::parse(&changed) {
                assert_eq!(same, deed, "byte {at}");
            }
        }
        let mut value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        for cut in 1..6 {
            let mut cut_out = value.clone();
            cut_out["events"].as_array_mut().unwrap().remove(cut);
            let last = cut == 5;
            assert_eq!(Deed::parse(cut_out.to_string().as_bytes()).is_ok(), last, "event {cut}");
        }
        value["events"].as_array_mut().unwrap().swap(1, 2);
        assert!(Deed::parse(value.to_string().as_bytes()).is_err());
        // What happened under another deed's id is another deed's.
        let mut other: serde_json::Value = serde_json::from_slice(&text).unwrap();
        other["id"] = Digest32([2; 32]).to_string().into();
        assert!(matches!(
            Deed::parse(other.to_string().as_bytes()),
            Err(DeedError::Signature { number: 0 })
        ));
    }
}
