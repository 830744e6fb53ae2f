//! An account with a vault on a server, its holder elsewhere, and a process that a key is lent to.

use std::sync::Arc;

use symbolon_account::{
    Account, AccountId, AccountStore, Credential, Event, ServerKey, Session, SignIn, SignUp, Vault,
    VaultKeys,
};
use symbolon_ambient::{Clock, ManualClock, SeededRng};
use symbolon_codec::Digest32;
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Asked, Enrol, Opener, Terms, Unlocked};
use symbolon_lease::{
    Invitation, LeaseView, Leases, Offer, Purpose, Purposes, commit_rows, head_row,
};
use symbolon_secret::Secret;
use symbolon_store::Accounts;
use symbolon_vault::item::{Body, Contents, Hidden, Name, Title};
use symbolon_vault::wire::SealedRevision;
use symbolon_vault::{Item, Keys, Replica};
use tempfile::TempDir;

pub const NOW: u64 = 1_800_000_000_000;
pub const ORIGIN: &str = "http://localhost:7070";

pub struct Server {
    pub store: Arc<Accounts>,
    pub clock: Arc<ManualClock>,
    pub leases: Leases<Accounts>,
    _folder: TempDir,
}

impl Server {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = ServerKey::from_secret(Secret::<[u8; 32]>::make(|b| b.fill(1)));
        let file = folder.path().join("accounts.db");
        let store = Arc::new(Accounts::open_sqlite(&file, key).await.unwrap());
        let clock = Arc::new(ManualClock::at(NOW));
        let leases = process(&store, &clock, 1);
        Self { store, clock, leases, _folder: folder }
    }

    pub async fn kinds(&self, account: AccountId) -> Vec<String> {
        let all = self.store.events(account, 0, 100).await.unwrap();
        all.into_iter().map(|one| one.event.kind).filter(|kind| kind.starts_with("lease")).collect()
    }
}

/// A process over the same store: another one has another key.
pub fn process(store: &Arc<Accounts>, clock: &Arc<ManualClock>, seed: u64) -> Leases<Accounts> {
    Leases::new(store.clone(), ORIGIN, clock.clone(), Arc::new(SeededRng::new(seed))).unwrap()
}

/// Who has the vault, on a device of their own.
pub struct Holder {
    pub account: AccountId,
    pub unlocked: Unlocked,
    pub replica: Replica,
    pub rng: SeededRng,
    pub clock: Arc<ManualClock>,
}

impl Holder {
    /// Signs up; `n` tells people apart.
    pub async fn sign_up(server: &Server, n: u8) -> Self {
        let rng = SeededRng::new(u64::from(n));
        let code = RecoveryCode::make(&rng);
        let opener = Enrol::new(Opener::Recovery(&code));
        let (custody, unlocked) =
            symbolon_custody::Vault::create(&opener, &rng, &*server.clock).unwrap();
        let keys = Keys::new(&unlocked, 1);
        let keys_row = VaultKeys {
            head_key: *keys.head_key().as_bytes(),
            share_key: *keys.share_key().as_bytes(),
            wraps: serde_json::to_string(custody.wraps()).unwrap(),
            ring: Vec::new(),
            epoch: 1,
        };
        let replica = Replica::create(keys, &*server.clock);
        let account: AccountId = [n; 16].into();
        let vault = Vault {
            id: unlocked.vault_id(),
            account,
            keys: keys_row,
            keys_version: 1,
            head: head_row(replica.head().unwrap()),
            used_bytes: 0,
            quota_bytes: 3 << 20,
        };
        let sign_up = SignUp {
            account: Account::new(account, None, NOW),
            credential: credential(account, n),
            vault,
            session: session(account, n),
            event: Event { at_unix_ms: NOW, kind: "signed-up".into(), detail: "{}".into() },
        };
        server.store.sign_up(&sign_up).await.unwrap();
        Self { account, unlocked, replica, rng, clock: server.clock.clone() }
    }

    /// What a page or a program sends for an invitation.
    pub fn offer(&self, to: &Invitation, purposes: &[Purpose], minutes: u32) -> Offer {
        let purposes = Purposes::new(purposes.iter().copied()).unwrap();
        let asked = Asked { origin: &to.origin, key: &to.key, nonce: &to.nonce, minutes };
        let terms = Terms::lease(self.unlocked.vault_id(), self.unlocked.epoch(), &asked, purposes);
        let sealed = self.unlocked.hand_over(&to.key, &terms, &self.rng).unwrap();
        Offer { nonce: to.nonce, purposes, minutes, sealed }
    }

    pub async fn lend(&self, server: &Server, purposes: &[Purpose], minutes: u32) -> LeaseView {
        let offer = self.offer(&server.leases.invite(self.account), purposes, minutes);
        server.leases.grant(self.account, &offer).await.unwrap()
    }

    /// Fetches and sends, as a device does.
    pub async fn sync(&mut self, server: &Server) {
        let vault = server.store.vault_of(self.account).await.unwrap();
        let head = symbolon_vault::wire::SignedHead::decode(&vault.head.bytes).unwrap();
        let mut known = self.replica.head().map_or(0, |head| head.head().counter);
        let mut sealed = Vec::new();
        loop {
            let page = server.store.changes(vault.id, known, 1000).await.unwrap();
            let rows = page.revisions.iter();
            sealed.extend(rows.map(|r| SealedRevision::decode(&r.sealed).unwrap()));
            known = page.next;
            if !page.more {
                break;
            }
        }
        self.replica.apply(&head, &sealed, &self.rng).unwrap();
        while let Some(commit) = self.replica.commit(&*self.clock).unwrap() {
            server.store.commit(commit_rows(&commit)).await.unwrap();
            self.replica.accepted(&commit, &self.rng).unwrap();
        }
    }

    pub fn write(&mut self, item: &Item) -> symbolon_vault::wire::ItemId {
        self.replica.create_item(item, None, &*self.clock, &self.rng).unwrap()
    }
}

pub fn note(title: &str, text: &str) -> Item {
    Item::note(Title::new(title).unwrap(), Body::new(text).unwrap())
}

pub fn hidden(text: &[u8]) -> Hidden {
    Hidden::new(Secret::<[u8]>::make_slice(text.len(), |page| page.copy_from_slice(text))).unwrap()
}

pub fn login(title: &str, password: &[u8]) -> Item {
    let contents = Contents::Login {
        username: Name::new("me").unwrap(),
        uris: Vec::new(),
        password: hidden(password),
        totp: Hidden::empty(),
        fields: Vec::new(),
    };
    Item { contents, ..note(title, "") }
}

fn credential(account: AccountId, n: u8) -> Credential {
    Credential {
        id: [n; 16].into(),
        account,
        method: SignIn::Passkey,
        subject: vec![n; 20],
        state: Vec::new(),
        name: "key".into(),
        created_unix_ms: NOW,
        last_used_unix_ms: None,
    }
}

fn session(account: AccountId, n: u8) -> Session {
    Session {
        id: [n; 16].into(),
        token_hash: Digest32([n; 32]),
        account,
        method: SignIn::Passkey,
        created_unix_ms: NOW,
        seen_unix_ms: NOW,
        expires_unix_ms: NOW + 1000,
        confirmed_until_unix_ms: None,
        user_agent: "test".into(),
        revoked_unix_ms: None,
    }
}

/// Time as the leases see it.
pub fn minutes(clock: &ManualClock, n: u64) {
    clock.advance_ms(n * 60_000);
    let _ = clock.unix_ms();
}
