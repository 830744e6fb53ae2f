//! Values for the tests.

use symbolon_account::{
    Account, Challenge, Commit, Credential, Event, Handle, ItemState, Purpose, Revision,
    RevisionInfo, Session, Share, ShareTo, SignIn, SignUp, SignedHead, Vault, VaultKeys,
};
use symbolon_codec::Digest32;
use symbolon_crypto::sha256;
use symbolon_custody::VaultId;

pub const NOW: u64 = 1_800_000_000_000;

pub fn event(kind: &str) -> Event {
    Event { at_unix_ms: NOW, kind: kind.into(), detail: "{}".into() }
}

/// A new person, all ids of whom begin with `n`.
pub fn person(n: u8) -> SignUp {
    let account = [n; 16].into();
    SignUp {
        account: Account::new(account, Some(Handle::parse(&format!("p{n}")).unwrap()), NOW),
        credential: credential(n, n),
        vault: Vault {
            id: [n; 16].into(),
            account,
            keys: VaultKeys {
                head_key: [n; 32],
                share_key: [n; 32],
                wraps: "[]".into(),
                ring: vec![n],
                epoch: 1,
            },
            keys_version: 1,
            head: SignedHead { counter: 0, bytes: vec![n; 100] },
            used_bytes: 0,
            quota_bytes: 10_000,
        },
        session: session(n, n),
        event: event("signed-up"),
    }
}

pub fn credential(account: u8, n: u8) -> Credential {
    Credential {
        id: [n; 16].into(),
        account: [account; 16].into(),
        method: SignIn::Passkey,
        subject: vec![n; 20],
        state: vec![n; 8],
        name: format!("key {n}"),
        created_unix_ms: NOW + u64::from(n),
        last_used_unix_ms: None,
    }
}

pub fn session(account: u8, n: u8) -> Session {
    Session {
        id: [n; 16].into(),
        token_hash: Digest32([n; 32]),
        account: [account; 16].into(),
        method: SignIn::Passkey,
        created_unix_ms: NOW + u64::from(n),
        seen_unix_ms: NOW,
        expires_unix_ms: NOW + 1000,
        confirmed_until_unix_ms: None,
        user_agent: "test".into(),
        revoked_unix_ms: None,
    }
}

pub fn challenge(n: u8) -> Challenge {
    Challenge {
        id: [n; 16].into(),
        purpose: Purpose::SignIn,
        method: SignIn::Password,
        account: Some([n; 16].into()),
        state: vec![n; 40],
        expires_unix_ms: NOW + 100,
    }
}

pub fn revision(item: u8, number: u64, size: usize) -> Revision {
    let mut sealed = vec![item; size];
    sealed[..8].copy_from_slice(&number.to_be_bytes());
    let info = RevisionInfo {
        item: [item; 16].into(),
        revision: number,
        parent: Some([200; 16].into()),
        epoch: 1,
        state: ItemState::Live,
        created_unix_ms: NOW,
        updated_unix_ms: NOW + number,
        digest: sha256(&sealed),
        size_bytes: size as u64,
    };
    Revision { info, counter: 0, sealed }
}

/// The next commit on `base` of the vault of person `n`.
pub fn commit(n: u8, base: u64, revisions: Vec<Revision>) -> Commit {
    let mut bytes = vec![n; 100];
    bytes[..8].copy_from_slice(&(base + 1).to_be_bytes());
    Commit { vault: vault(n), base, head: SignedHead { counter: base + 1, bytes }, revisions }
}

pub fn vault(n: u8) -> VaultId {
    [n; 16].into()
}

pub fn share(from: u8, n: u8, to: ShareTo) -> Share {
    Share {
        id: [n; 16].into(),
        from: [from; 16].into(),
        to,
        item: Some([n; 16].into()),
        sealed: vec![n; 50],
        created_unix_ms: NOW + u64::from(n),
        expires_unix_ms: Some(NOW + 1000),
        views_max: Some(3),
        views: 0,
        revoked_unix_ms: None,
    }
}
