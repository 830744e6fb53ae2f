//! Rows changed past the store, by who has the database and not the server's key.

use std::collections::BTreeSet;

use symbolon_account::oauth::OauthStore;
use symbolon_account::{AccountError, AccountStore, Chunk, Purpose, ShareTo, Viewer};
use symbolon_codec::Digest32;
use symbolon_possession::KeyStore;
use symbolon_store::Accounts;

use crate::assistants::{client, grant, proof as code_proof};
use crate::base::{Base, Cell, Raw, server_key};
use crate::make::{NOW, challenge, commit, credential, event, person, revision, share, vault};
use crate::{authorship, keys, proofs};

/// Something in every table; of each two rows, so that one can take another's place.
pub async fn fill(a: &Accounts) {
    for n in 1..=2 {
        a.sign_up(&person(n)).await.unwrap();
        a.put_challenge(&challenge(n)).await.unwrap();
        a.take_nonce([n; 16].into(), b"nonce", NOW + 100).await.unwrap();
        a.commit(commit(n, 0, vec![revision(1, 1, 20), revision(2, 1, 20)])).await.unwrap();
        a.commit(commit(n, 1, vec![revision(1, 2, 20)])).await.unwrap();
        for index in 0..2 {
            let sealed = vec![index as u8 + 1; 30];
            let chunk = Chunk { vault: vault(n), blob: [5; 16].into(), index, sealed };
            a.put_chunk(&chunk).await.unwrap();
        }
        a.put_share(&share(n, n, ShareTo::Link), &event("shared")).await.unwrap();
        a.server_secret(&format!("secret {n}"), &[n; 20]).await.unwrap();
        a.sign_up(&person(n + 100)).await.unwrap();
        a.delete_account([n + 100; 16].into(), NOW).await.unwrap();
        a.register_client(&client(n), 10).await.unwrap();
        a.put_grant(&grant(n, n), &event("assistant-allowed")).await.unwrap();
        let proof = code_proof(n);
        let hashes = [Digest32([n + 10; 32]), Digest32([n + 20; 32])];
        a.redeem_code(&Digest32([n; 32]), &proof, hashes, NOW).await.unwrap();
        keys::furnish(a, n).await;
        a.revoke_token([n; 16].into(), NOW + 100).await.unwrap();
        proofs::furnish(a, n).await;
        authorship::furnish(a, n).await;
    }
}

fn damaged<T>(r: Result<T, AccountError>) -> bool {
    matches!(r, Err(AccountError::Damaged(_)))
}

/// Another value of the same kind.
fn other(cell: &Cell) -> Cell {
    match cell {
        Cell::Int(n) => Cell::Int(Some(n.unwrap_or(0) + 1000)),
        Cell::Text(text) => Cell::Text(Some(text.clone().unwrap_or_default() + "x")),
        Cell::Bytes(None) => Cell::Bytes(Some(vec![1; 16])),
        Cell::Bytes(Some(bytes)) => {
            let mut bytes = bytes.clone();
            match bytes.last_mut() {
                Some(last) => *last ^= 1,
                None => bytes.push(1),
            }
            Cell::Bytes(Some(bytes))
        }
    }
}

async fn set(raw: &Raw, table: &str, column: &str, tag: &[u8], value: Cell) {
    let sql = format!("UPDATE {table} SET {column} = $1 WHERE tag = $2");
    raw.run(&sql, vec![value, Cell::Bytes(Some(tag.to_vec()))]).await;
}

pub async fn every_column_of_every_table_is_covered(base: Base) {
    let a = &base.accounts;
    fill(a).await;
    let whole = a.check().await.unwrap();
    let raw = base.raw().await;
    let columns = raw.columns().await;
    let tables: BTreeSet<_> = columns.iter().map(|(table, ..)| table.clone()).collect();
    assert_eq!((tables.len(), columns.len()), (27, 193), "{tables:?}");
    for (table, column, kind) in &columns {
        let tag = raw.tags(table).await.into_iter().next().unwrap();
        let was = raw.cell(table, (column, kind), &tag).await;
        let changed = other(&was);
        set(&raw, table, column, &tag, changed.clone()).await;
        let said = a.check().await;
        assert!(damaged(said), "{table}.{column}: {was:?} to {changed:?}");
        let now = if column == "tag" {
            let Cell::Bytes(Some(tag)) = &changed else { panic!("a tag is bytes") };
            tag.clone()
        } else {
            tag
        };
        set(&raw, table, column, &now, was).await;
    }
    assert_eq!(a.check().await.unwrap(), whole, "all is as it was");
}

pub async fn a_row_in_the_place_of_another_is_damage(base: Base) {
    let a = &base.accounts;
    fill(a).await;
    a.add_credential(&credential(1, 9), &event("added")).await.unwrap();
    let raw = base.raw().await;
    // The columns that name a row, from one to another, by way of a third name.
    let bytes = |n: u8| Cell::Bytes(Some(vec![n; 16]));
    for (table, column) in
        [("account", "id"), ("credential", "id"), ("session", "id"), ("share", "id")]
    {
        let sql = format!("UPDATE {table} SET {column} = $1 WHERE {column} = $2");
        for round in 0..2 {
            for (from, to) in [(1, 77), (2, 1), (77, 2)] {
                raw.run(&sql, vec![bytes(to), bytes(from)]).await;
            }
            assert_eq!(damaged(a.check().await), round == 0, "{table}");
        }
    }
    // A whole state of one credential, with its tag, under the id of another.
    let sql = "UPDATE credential SET (account, subject, state, name, created_unix_ms, tag) = \
               (SELECT account, $1, state, name, created_unix_ms, tag FROM credential WHERE id = $2) \
               WHERE id = $3";
    raw.run(sql, vec![Cell::Bytes(Some(vec![50; 20])), bytes(9), bytes(2)]).await;
    assert!(damaged(a.credentials([1; 16].into()).await));
    // Sealed bytes of one revision, item and account in the place of another's.
    for (from, to) in [
        ("vault = $1 AND item = $1 AND revision = 2", "vault = $1 AND item = $1 AND revision = 1"),
        ("vault = $1 AND item = $2 AND revision = 1", "vault = $1 AND item = $1 AND revision = 2"),
    ] {
        let was = a.revision(vault(1), [1; 16].into(), None).await.unwrap().sealed;
        let sql = format!(
            "UPDATE revision SET sealed = (SELECT sealed FROM revision WHERE {from}) WHERE {to}"
        );
        let args = if from.contains("$2") { vec![bytes(1), bytes(2)] } else { vec![bytes(1)] };
        raw.run(&sql, args).await;
        assert!(damaged(a.check().await), "{from}");
        if from.contains("$2") {
            assert!(damaged(a.revision(vault(1), [1; 16].into(), None).await));
        }
        assert_eq!(was, revision(1, 2, 20).sealed);
    }
}

pub async fn readers_refuse_what_was_changed(base: Base) {
    let a = &base.accounts;
    fill(a).await;
    let raw = base.raw().await;
    let me = || [1; 16].into();
    let run = |sql: &'static str| raw.run(sql, vec![]);
    run("UPDATE challenge SET purpose = 'confirm'").await;
    assert!(damaged(a.take_challenge([1; 16].into(), Purpose::Confirm, NOW).await));
    run("UPDATE share SET views_max = 100").await;
    assert!(damaged(a.view_share([1; 16].into(), Viewer::Link, NOW).await));
    assert!(damaged(a.shares_from(me()).await));
    run("UPDATE session SET expires_unix_ms = expires_unix_ms + 1").await;
    assert!(damaged(a.session_of(&person(1).session.token_hash).await));
    assert!(damaged(a.sessions(me(), NOW).await));
    assert!(damaged(a.touch_session([1; 16].into(), NOW, NOW).await));
    run("UPDATE item SET revision = 1 WHERE revision = 2").await;
    assert!(damaged(a.changes(vault(1), 0, 10).await));
    assert!(damaged(a.commit(commit(1, 2, vec![revision(1, 2, 20)])).await));
    run("UPDATE revision SET state = 'trashed'").await;
    assert!(damaged(a.history(vault(1), [1; 16].into()).await));
    run("UPDATE chunk SET number = number + 10").await;
    assert!(damaged(a.chunk(vault(1), [5; 16].into(), 10).await));
    assert!(damaged(a.chunks(vault(1), [5; 16].into()).await));
    run("UPDATE vault_state SET quota_bytes = 1000000").await;
    assert!(damaged(a.vault_of(me()).await));
    run("UPDATE account SET state = 'suspended'").await;
    assert!(damaged(a.account(me()).await));
    assert!(damaged(a.append_event(me(), &event("x")).await));
}

pub async fn another_server_key_is_told_apart(base: Base) {
    base.accounts.sign_up(&person(1)).await.unwrap();
    let said = base.reopen(server_key(2)).await.unwrap_err();
    assert!(said.to_string().contains("another server key"), "{said}");
    let again = base.reopen(server_key(1)).await.unwrap();
    again.account([1; 16].into()).await.unwrap();
}
