//! The owner's account (`specs/page.md`): joined by both sessions alone, kept, and then as good as a link.

use serde_json::Value;
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::http::{Request, Response};
use symbolon_tests::owner::{Owner, SESSION};

const ACCOUNT: &str = "/api/owner/account";

/// A page with an account of its own.
fn signed_up(server: &Accounts) -> Page {
    let mut page = server.page();
    page.sign_up(&mut Device::default(), &Holder::default()).expect(201);
    page
}

fn word(page: &Page) -> &str {
    page.csrf.as_deref().expect("a session")
}

/// Asks for the owner's session with the account's alone.
fn open_as(page: &Page) -> Response {
    let alone = Page { csrf: None, ..page.clone() };
    alone.request("POST", SESSION).header("x-symbolon-account-csrf", word(page)).answer()
}

fn code(answer: Response, status: u16) -> Value {
    answer.expect(status).json()["code"].clone()
}

#[test]
fn an_account_is_made_the_owners_by_both_sessions_and_then_opens_the_owners() {
    let mut server = Accounts::start();
    let (page, other) = (signed_up(&server), signed_up(&server));
    let owner = Owner::by_link(&server);
    assert_eq!(code(open_as(&page), 403), "not_owner");

    let join = |page: &Page, word: &str| owner.with(page, "POST", ACCOUNT, word).answer();
    assert_eq!(code(join(&page, word(&other)), 403), "bad_csrf");
    assert_eq!(code(join(&server.page(), word(&page)), 401), "no_session");
    assert_eq!(code(owner.alone(&server, "POST", ACCOUNT).answer(), 401), "no_session");
    let stranger = Owner { cookie: "a=b".into(), word: "A".repeat(43) };
    assert_eq!(
        code(stranger.with(&page, "POST", ACCOUNT, word(&page)).answer(), 401),
        "no_session"
    );
    assert_eq!(
        owner.alone(&server, "GET", ACCOUNT).answer().expect(200).json()["account"],
        Value::Null
    );

    join(&page, word(&page)).expect(204);
    join(&page, word(&page)).expect(204);
    assert_eq!(code(join(&other, word(&other)), 409), "joined");
    assert_eq!(code(open_as(&other), 403), "not_owner");

    server.restart();
    owner.alone(&server, "GET", "/api/owner/status").answer().expect(401);
    let again = Owner::of(open_as(&page));
    again.alone(&server, "GET", "/api/owner/status").answer().expect(200);

    again.alone(&server, "DELETE", ACCOUNT).answer().expect(204);
    assert_eq!(code(open_as(&page), 403), "not_owner");
}

#[test]
fn a_session_of_an_account_is_asked_for_by_its_own_page_alone() {
    let server = Accounts::start();
    let page = signed_up(&server);
    let owner = Owner::by_link(&server);
    owner.with(&page, "POST", ACCOUNT, word(&page)).answer().expect(204);
    let cookie = page.cookie.as_deref().expect("a session");
    let from = |origin: Option<&str>| {
        let asked = Request::post(server.port, SESSION)
            .header("host", &format!("localhost:{}", server.port))
            .header("cookie", cookie)
            .header("x-symbolon-account-csrf", word(&page));
        origin.map_or(asked.clone(), |origin| asked.header("origin", origin)).answer()
    };
    assert_eq!(code(from(None), 403), "bad_origin");
    from(Some("https://evil.example")).expect(403);
    from(Some(&server.origin())).expect(200);
    let body = page.request("POST", SESSION).header("x-symbolon-account-csrf", word(&page));
    assert_ne!(body.bytes(b"a code".to_vec()).answer().status, 200, "a body beside it");
}

#[test]
fn a_deleted_account_is_nobodys_and_another_one_can_be_the_owners() {
    let server = Accounts::start();
    let (mut page, mut other, next) = (signed_up(&server), signed_up(&server), signed_up(&server));
    let owner = Owner::by_link(&server);
    let joined = || owner.alone(&server, "GET", ACCOUNT).answer().expect(200).json();
    owner.with(&page, "POST", ACCOUNT, word(&page)).answer().expect(204);
    let is = joined()["account"].clone();
    assert!(is.is_string());
    other.delete("/api/account").expect(204);
    assert_eq!(joined()["account"], is, "somebody else's account");
    page.delete("/api/account").expect(204);
    assert_eq!(joined()["account"], Value::Null);
    owner.with(&next, "POST", ACCOUNT, word(&next)).answer().expect(204);
}
