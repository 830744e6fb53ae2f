use symbolon_account::oauth::Scopes;
use symbolon_account::{
    Account, AccountId, AccountStore, Credential, Event, ServerKey, Session, SignIn, SignUp, Vault,
    VaultKeys,
};
use symbolon_ambient::{SeededRng, SystemClock};
use symbolon_codec::Digest32;
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Asked, Enrol, Opener, Purposes, Terms, Unlocked};
use symbolon_lease::{Ended, LeaseId, Offer, head_row};
use symbolon_secret::Secret;
use symbolon_store::Accounts;
use symbolon_vault::{Keys, Replica};
use tempfile::TempDir;

use super::*;
use crate::http::accounts::{AccountsOptions, PublicOrigin};

const ORIGIN: &str = "http://localhost:7070";

fn key() -> ServerKey {
    ServerKey::from_secret(Secret::<[u8; 32]>::make(|bytes| bytes.fill(1)))
}

async fn server() -> (Service<Accounts>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Accounts::open_sqlite(&folder.path().join("accounts.db"), key()).await.unwrap();
    let options = AccountsOptions::at(PublicOrigin::parse(ORIGIN).unwrap());
    (Service::open(store, key(), &options).await.unwrap(), folder)
}

/// Who has a vault on the server; `n` tells people apart.
struct Person {
    account: AccountId,
    unlocked: Unlocked,
    rng: SeededRng,
}

impl Person {
    async fn sign_up(service: &Service<Accounts>, n: u8) -> Self {
        let rng = SeededRng::new(n.into());
        let code = RecoveryCode::make(&rng);
        let opener = Enrol::new(Opener::Recovery(&code));
        let made = symbolon_custody::Vault::create(&opener, &rng, &SystemClock);
        let (custody, unlocked) = made.unwrap();
        let keys = Keys::new(&unlocked, 1);
        let kept = VaultKeys {
            head_key: *keys.head_key().as_bytes(),
            share_key: *keys.share_key().as_bytes(),
            wraps: serde_json::to_string(custody.wraps()).unwrap(),
            ring: Vec::new(),
            epoch: 1,
        };
        let replica = Replica::create(keys, &SystemClock);
        let account: AccountId = [n; 16].into();
        let now = service.now();
        let sign_up = SignUp {
            account: Account::new(account, None, now),
            credential: Credential {
                id: [n; 16].into(),
                account,
                method: SignIn::Passkey,
                subject: vec![n; 20],
                state: Vec::new(),
                name: "key".into(),
                created_unix_ms: now,
                last_used_unix_ms: None,
            },
            vault: Vault {
                id: unlocked.vault_id(),
                account,
                keys: kept,
                keys_version: 1,
                head: head_row(replica.head().unwrap()),
                used_bytes: 0,
                quota_bytes: 10 << 20,
            },
            session: Session {
                id: [n; 16].into(),
                token_hash: Digest32([n; 32]),
                account,
                method: SignIn::Passkey,
                created_unix_ms: now,
                seen_unix_ms: now,
                expires_unix_ms: now + 1000,
                confirmed_until_unix_ms: None,
                user_agent: "test".into(),
                revoked_unix_ms: None,
            },
            event: Event { at_unix_ms: now, kind: "signed-up".into(), detail: "{}".into() },
        };
        service.store.sign_up(&sign_up).await.unwrap();
        Self { account, unlocked, rng }
    }

    async fn lend(&self, service: &Service<Accounts>) -> LeaseId {
        let to = service.leases.invite(self.account);
        let purposes = Purposes::new([Purpose::Notes]).unwrap();
        let asked = Asked { origin: &to.origin, key: &to.key, nonce: &to.nonce, minutes: 5 };
        let terms = Terms::lease(self.unlocked.vault_id(), self.unlocked.epoch(), &asked, purposes);
        let sealed = self.unlocked.hand_over(&to.key, &terms, &self.rng).unwrap();
        let offer = Offer { nonce: to.nonce, purposes, minutes: 5, sealed };
        service.leases.grant(self.account, &offer).await.unwrap().id
    }

    fn assistant(&self, scopes: &str) -> Assistant {
        Assistant {
            account: self.account,
            grant: [9; 16].into(),
            client: "https://app.example/c".into(),
            scopes: Scopes::asked(scopes),
        }
    }
}

/// A call as the door reads it.
async fn call(
    service: &Service<Accounts>,
    who: &Assistant,
    tool: VaultTool,
    arguments: serde_json::Value,
) -> Result<NoteReply, &'static str> {
    let arguments = serde_json::from_value(arguments).unwrap();
    let call = NoteCall::read(tool, arguments).map_err(|fault| fault.code)?;
    service.note(who, tool, call).await.map_err(|fault| fault.code)
}

fn id(reply: Result<NoteReply, &'static str>) -> String {
    match reply {
        Ok(NoteReply::Saved(saved)) => saved.id,
        other => panic!("{other:?}"),
    }
}

async fn outcomes(service: &Service<Accounts>, account: AccountId) -> Vec<String> {
    let all = service.store.events(account, 0, 100).await.unwrap();
    let called = all.into_iter().filter(|one| one.event.kind == "assistant-called");
    let detail = |one: symbolon_account::AuditEvent| {
        let detail: serde_json::Value = serde_json::from_str(&one.event.detail).unwrap();
        assert_eq!(detail.as_object().unwrap().len(), 4, "tool, client, grant, outcome: {detail}");
        format!("{} {}", detail["tool"].as_str().unwrap(), detail["outcome"].as_str().unwrap())
    };
    called.map(detail).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notes_are_written_found_read_changed_and_trashed_under_a_lease() {
    let (service, _folder) = server().await;
    let person = Person::sign_up(&service, 1).await;
    let lease = person.lend(&service).await;
    let who = person.assistant("notes.read notes.write notes.delete");
    let tags = json!(["home", "food"]);
    let new = json!({ "title": "Groceries", "body": "rye bread", "tags": tags });
    let first = id(call(&service, &who, VaultTool::SaveNote, new).await);
    for n in 0..3 {
        let new = json!({ "title": format!("Note {n}") });
        id(call(&service, &who, VaultTool::SaveNote, new).await);
    }

    let page = call(&service, &who, VaultTool::ListNotes, json!({ "limit": 3 })).await.unwrap();
    let NoteReply::Listed(notes, Some(next)) = page else { panic!("{page:?}") };
    let rest = json!({ "cursor": next.to_string(), "limit": 3 });
    let rest = call(&service, &who, VaultTool::ListNotes, rest).await.unwrap();
    let NoteReply::Listed(rest, None) = rest else { panic!("{rest:?}") };
    assert_eq!((notes.len(), rest.len()), (3, 1));
    let tagged =
        call(&service, &who, VaultTool::ListNotes, json!({ "tag": "food" })).await.unwrap();
    assert!(
        matches!(&tagged, NoteReply::Listed(all, None) if all.len() == 1 && all[0].id == first)
    );
    let found = call(&service, &who, VaultTool::SearchNotes, json!({ "query": "rye" })).await;
    let NoteReply::Found(found) = found.unwrap() else { panic!() };
    assert!(found.len() == 1 && found[0].row.id == first && found[0].snippet.contains("rye"));

    let more = json!({ "id": first, "append": "oat milk", "title": "Shopping" });
    id(call(&service, &who, VaultTool::UpdateNote, more).await);
    let read = async |from: usize| {
        let asked = json!({ "id": first, "from": from });
        match call(&service, &who, VaultTool::ReadNote, asked).await.unwrap() {
            NoteReply::Note(note) => *note,
            other => panic!("{other:?}"),
        }
    };
    let note = read(0).await;
    assert_eq!((note.row.title.as_str(), note.body.as_str()), ("Shopping", "rye bread\noat milk"));
    assert_eq!(note.row.tags, ["food", "home"], "what was not named stays");

    // A long text comes in pieces that join, whatever is asked for.
    let long = "ä€".repeat(40_000);
    let whole = json!({ "id": first, "body": long });
    id(call(&service, &who, VaultTool::UpdateNote, whole).await);
    let (mut joined, mut from) = (String::new(), Some(0));
    while let Some(at) = from {
        let piece = read(at).await;
        assert!(piece.body.len() <= 64 * 1024 && piece.body_bytes == long.len());
        joined.push_str(&piece.body);
        from = piece.next_from;
    }
    assert_eq!(joined, long);
    assert_eq!(read(usize::MAX).await.body, "");

    id(call(&service, &who, VaultTool::DeleteNote, json!({ "id": first })).await);
    assert!(read(0).await.trashed);
    let listed = call(&service, &who, VaultTool::ListNotes, json!({})).await.unwrap();
    assert!(matches!(listed, NoteReply::Listed(all, None) if all.len() == 3));

    assert!(service.leases.end(person.account, lease, Ended::Revoked).await);
    let over = call(&service, &who, VaultTool::ListNotes, json!({})).await;
    assert_eq!(over.unwrap_err(), "locked", "in the middle of everything");
    let outcomes = outcomes(&service, person.account).await;
    assert_eq!(outcomes.first().map(String::as_str), Some("save_note done"));
    assert_eq!(outcomes.last().map(String::as_str), Some("list_notes locked"));
    let events = service.store.events(person.account, 0, 100).await.unwrap();
    let said: String = events.iter().map(|one| one.event.detail.as_str()).collect();
    for word in ["Groceries", "rye", "food", first.as_str()] {
        assert!(!said.contains(word), "{word} is in the audit");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assistant_reaches_its_persons_notes_alone_and_by_its_rights_alone() {
    let (service, _folder) = server().await;
    let (one, other) = (Person::sign_up(&service, 1).await, Person::sign_up(&service, 2).await);
    one.lend(&service).await;
    let all = "notes.read notes.write notes.delete";
    let theirs = json!({ "title": "Theirs" });
    let theirs = id(call(&service, &one.assistant(all), VaultTool::SaveNote, theirs).await);

    let stranger = other.assistant(all);
    let read = call(&service, &stranger, VaultTool::ReadNote, json!({ "id": theirs })).await;
    assert_eq!(read.unwrap_err(), "locked", "the lease is another account's");
    other.lend(&service).await;
    for (tool, arguments) in [
        (VaultTool::ReadNote, json!({ "id": theirs })),
        (VaultTool::UpdateNote, json!({ "id": theirs, "append": "x" })),
        (VaultTool::DeleteNote, json!({ "id": theirs })),
        (VaultTool::ReadNote, json!({ "id": "nonsense" })),
    ] {
        let said = call(&service, &stranger, tool, arguments).await;
        assert_eq!(said.unwrap_err(), "not_found", "{tool:?}");
    }
    let in_it = json!({ "title": "x", "folder": theirs });
    assert!(call(&service, &stranger, VaultTool::SaveNote, in_it).await.is_err());

    let reader = one.assistant("notes.read");
    for (tool, arguments) in [
        (VaultTool::SaveNote, json!({ "title": "x" })),
        (VaultTool::UpdateNote, json!({ "id": theirs, "append": "x" })),
        (VaultTool::DeleteNote, json!({ "id": theirs })),
    ] {
        let said = call(&service, &reader, tool, arguments).await;
        assert_eq!(said.unwrap_err(), "insufficient_scope", "{tool:?}");
    }
    let writer = one.assistant("notes.write");
    let said = call(&service, &writer, VaultTool::ReadNote, json!({ "id": theirs })).await;
    assert_eq!(said.unwrap_err(), "insufficient_scope");
    let tags: Vec<String> = (0..65).map(|n| format!("t{n}")).collect();
    for bad in [
        json!({ "title": "a\nb" }),
        json!({ "title": "x", "tags": ["a", "a"] }),
        json!({ "title": "x", "tags": tags }),
    ] {
        let said = call(&service, &writer, VaultTool::SaveNote, bad).await;
        assert_eq!(said.unwrap_err(), "invalid_arguments");
    }
    let note = call(&service, &reader, VaultTool::ReadNote, json!({ "id": theirs })).await.unwrap();
    assert!(matches!(note, NoteReply::Note(note) if note.body.is_empty() && !note.trashed));
}
