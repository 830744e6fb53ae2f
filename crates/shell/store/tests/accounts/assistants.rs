//! Assistants: what a person allowed ends as one, and nothing of it is taken twice.

use symbolon_account::oauth::{
    ACCESS_MS, Client, ClientId, CodeChallenge, CodeProof, GRANTS_MAX, Grant, OauthStore,
    REFRESH_MS, Redeemed, RedirectUri, Refusal, Rotated, Scopes, TokenKind,
};
use symbolon_account::{AccountError, AccountStore};
use symbolon_codec::Digest32;

use crate::base::Base;
use crate::make::{NOW, event, person};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn uri() -> RedirectUri {
    RedirectUri::parse("https://app.example/cb").unwrap()
}

pub fn client(n: u8) -> Client {
    Client {
        id: ClientId::parse(&format!("symo_{}", format!("{n:02x}").repeat(16))).unwrap(),
        name: format!("client {n}"),
        redirect_uris: vec![uri(), RedirectUri::parse("http://localhost:1/cb").unwrap()],
        created_unix_ms: NOW,
        expires_unix_ms: NOW + 1000,
    }
}

/// A grant of person `account` to client `account`, whose code is `n`.
pub fn grant(account: u8, n: u8) -> Grant {
    Grant {
        id: [n; 16].into(),
        account: [account; 16].into(),
        client: client(account).id,
        client_name: "An assistant".into(),
        redirect_uri: uri(),
        scopes: Scopes::ALL,
        resource: "https://vault.example/mcp".into(),
        created_unix_ms: NOW,
        ends_unix_ms: NOW + 2 * REFRESH_MS,
        used_unix_ms: None,
        revoked_unix_ms: None,
        code_hash: Digest32([n; 32]),
        code_challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
            .unwrap(),
        code_used_unix_ms: None,
    }
}

pub fn proof(account: u8) -> CodeProof {
    CodeProof {
        client: client(account).id,
        redirect_uri: Some(uri().as_str().into()),
        verifier: VERIFIER.into(),
        resource: None,
    }
}

fn hash(n: u8) -> Digest32 {
    Digest32([n; 32])
}

async fn kinds(base: &Base, account: u8) -> Vec<String> {
    let events = base.accounts.events([account; 16].into(), 1, 100).await.unwrap();
    events.into_iter().map(|one| one.event.kind).collect()
}

pub async fn a_code_gives_tokens_once_and_shown_again_ends_them(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.put_grant(&grant(1, 7), &event("assistant-allowed")).await.unwrap();
    assert_eq!(
        a.redeem_code(&hash(9), &proof(1), [hash(20), hash(21)], NOW).await.unwrap(),
        Redeemed::Unknown
    );
    let given = a.redeem_code(&hash(7), &proof(1), [hash(20), hash(21)], NOW + 1).await.unwrap();
    let Redeemed::Tokens(given) = given else { panic!("{given:?}") };
    let (access, of) = a.token(&hash(20)).await.unwrap().unwrap();
    assert_eq!((access.kind, &of), (TokenKind::Access, &*given));
    assert!(of.opens(&access, "https://vault.example/mcp", NOW + ACCESS_MS));
    let (refresh, _) = a.token(&hash(21)).await.unwrap().unwrap();
    assert_eq!((refresh.kind, refresh.expires_unix_ms), (TokenKind::Refresh, NOW + 1 + REFRESH_MS));

    let again = a.redeem_code(&hash(7), &proof(1), [hash(22), hash(23)], NOW + 2).await.unwrap();
    assert_eq!(again, Redeemed::Refused(Refusal::Reused));
    let (access, of) = a.token(&hash(20)).await.unwrap().unwrap();
    assert!(!of.opens(&access, "https://vault.example/mcp", NOW + 3), "what it gave is ended");
    assert!(a.token(&hash(22)).await.unwrap().is_none());
    let refused =
        a.rotate(&hash(21), &client(1).id, None, None, [hash(24), hash(25)], NOW + 3).await;
    assert_eq!(refused.unwrap(), Rotated::Refused(Refusal::Over));
    a.redeem_code(&hash(7), &proof(1), [hash(22), hash(23)], NOW + 4).await.unwrap();
    let wanted = ["assistant-allowed", "assistant-connected", "assistant-ended"];
    assert_eq!(kinds(&base, 1).await, wanted, "ended once");
    assert!(a.oauth_grants([1; 16].into(), NOW + 5).await.unwrap().is_empty());
    a.check().await.unwrap();
}

pub async fn a_code_shown_wrongly_is_gone(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    let wrong = [
        (CodeProof { client: client(2).id, ..proof(1) }, Refusal::OtherClient),
        (CodeProof { verifier: "x".repeat(43), ..proof(1) }, Refusal::OtherVerifier),
        (
            CodeProof { redirect_uri: Some("https://app.example/c".into()), ..proof(1) },
            Refusal::OtherRedirectUri,
        ),
        (
            CodeProof { resource: Some("https://other.example/mcp".into()), ..proof(1) },
            Refusal::OtherResource,
        ),
    ];
    for (n, (proof_of, refusal)) in (10..).zip(wrong) {
        a.put_grant(&grant(1, n), &event("assistant-allowed")).await.unwrap();
        let said = a.redeem_code(&hash(n), &proof_of, [hash(50), hash(51)], NOW + 1).await.unwrap();
        assert_eq!(said, Redeemed::Refused(refusal));
        let then = a.redeem_code(&hash(n), &proof(1), [hash(50), hash(51)], NOW + 2).await.unwrap();
        assert_eq!(then, Redeemed::Refused(Refusal::Reused), "a code that was shown is gone");
        assert!(a.token(&hash(50)).await.unwrap().is_none());
    }
}

pub async fn a_refresh_token_is_used_once_and_shown_again_ends_the_grant(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.put_grant(&grant(1, 7), &event("assistant-allowed")).await.unwrap();
    a.redeem_code(&hash(7), &proof(1), [hash(20), hash(21)], NOW).await.unwrap();
    let own = client(1).id;
    let more = a.rotate(&hash(20), &own, None, None, [hash(30), hash(31)], NOW + 1).await.unwrap();
    assert_eq!(more, Rotated::Refused(Refusal::Over), "an access token renews nothing");
    let read = Scopes::asked("notes.read");
    let next = a.rotate(&hash(21), &own, None, Some(read), [hash(30), hash(31)], NOW + 1).await;
    assert!(matches!(next.unwrap(), Rotated::Tokens(_, given) if given == read));
    assert_eq!(a.token(&hash(30)).await.unwrap().unwrap().0.scopes, read);
    assert_eq!(a.token(&hash(31)).await.unwrap().unwrap().0.scopes, Scopes::ALL);

    // Of many at once one gets the next tokens, and the others end them.
    let mut all = Vec::new();
    for n in 0..6 {
        let (a, own) = (a.clone(), own.clone());
        all.push(tokio::spawn(async move {
            let hashes = [hash(60 + 2 * n), hash(61 + 2 * n)];
            a.rotate(&hash(31), &own, None, None, hashes, NOW + 2).await.unwrap()
        }));
    }
    let mut given = 0;
    for one in all {
        match one.await.unwrap() {
            Rotated::Tokens(..) => given += 1,
            Rotated::Refused(Refusal::Reused | Refusal::Over) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(given, 1);
    assert!(a.oauth_grants([1; 16].into(), NOW + 3).await.unwrap().is_empty());

    a.put_grant(&grant(1, 8), &event("assistant-allowed")).await.unwrap();
    a.redeem_code(&hash(8), &proof(1), [hash(80), hash(81)], NOW).await.unwrap();
    let stolen =
        a.rotate(&hash(81), &client(2).id, None, None, [hash(82), hash(83)], NOW + 1).await;
    assert_eq!(stolen.unwrap(), Rotated::Refused(Refusal::OtherClient));
    let own = a.rotate(&hash(81), &own, None, None, [hash(82), hash(83)], NOW + 2).await.unwrap();
    assert_eq!(own, Rotated::Refused(Refusal::Over), "and its grant with it");
}

pub async fn grants_are_bounded_listed_and_taken_back_by_their_owner(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.sign_up(&person(2)).await.unwrap();
    a.register_client(&client(1), 2).await.unwrap();
    a.register_client(&client(2), 2).await.unwrap();
    let full = a.register_client(&client(3), 2).await;
    assert!(matches!(full, Err(AccountError::TooLong { max: 2, .. })));
    assert_eq!(a.client(&client(1).id).await.unwrap(), Some(client(1)));
    assert_eq!(a.client(&client(3).id).await.unwrap(), None);

    for n in 0..GRANTS_MAX as u8 {
        a.put_grant(&grant(1, 100 + n), &event("assistant-allowed")).await.unwrap();
    }
    let more = a.put_grant(&grant(1, 99), &event("assistant-allowed")).await;
    assert!(matches!(more, Err(AccountError::TooLong { .. })));
    let (me, other, one) = ([1; 16].into(), [2; 16].into(), [100; 16].into());
    let by_other = a.revoke_grant(other, one, &event("assistant-revoked")).await;
    assert!(matches!(by_other, Err(AccountError::Missing(_))));
    a.revoke_grant(me, one, &event("assistant-revoked")).await.unwrap();
    let again = a.revoke_grant(me, one, &event("assistant-revoked")).await;
    assert!(matches!(again, Err(AccountError::Missing(_))));
    assert_eq!(a.oauth_grants(me, NOW).await.unwrap().len(), GRANTS_MAX - 1);
    let said = a.redeem_code(&hash(100), &proof(1), [hash(20), hash(21)], NOW).await.unwrap();
    assert_eq!(said, Redeemed::Refused(Refusal::Over), "its code too");
    a.touch_grant([101; 16].into(), NOW + 5).await.unwrap();
    let listed = a.oauth_grants(me, NOW).await.unwrap();
    let touched = listed.iter().find(|one| one.id == [101; 16].into()).unwrap();
    assert_eq!(touched.used_unix_ms, Some(NOW + 5));

    // What is unused goes, and what has a grant stays as long.
    let purged = a.purge_oauth(NOW + 1000).await.unwrap();
    assert_eq!((purged.clients, purged.grants), (1, 0));
    assert!(a.client(&client(1).id).await.unwrap().is_some());
    let purged = a.purge_oauth(NOW + 2 * REFRESH_MS).await.unwrap();
    assert_eq!((purged.clients, purged.grants), (1, GRANTS_MAX as u64));
    a.check().await.unwrap();
}
