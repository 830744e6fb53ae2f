//! Sealed vaults over HTTP: commits, changes, history, attachments, shares, and what the server refuses of each.

use serde_json::{Value, json};
use symbolon_codec::b64url;
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::http::Response;

const NOTE: [u8; 16] = [1; 16];
const OTHER: [u8; 16] = [2; 16];

fn signed_up(server: &Accounts) -> (Page, Device, Holder) {
    let (mut page, mut device, holder) = (server.page(), Device::default(), Holder::default());
    page.sign_up(&mut device, &holder).expect(201);
    (page, device, holder)
}

fn commit(page: &mut Page, commit: &symbolon_vault::wire::Commit) -> Response {
    page.post("/api/vault/commit", &serde_json::to_value(commit).expect("JSON"))
}

#[test]
fn a_commit_is_taken_whole_and_what_came_first_wins() {
    let mut server = Accounts::start();
    let (mut page, _, first) = signed_up(&server);
    let (one, second) = first.commit(&[NOTE, OTHER]);
    assert_eq!(commit(&mut page, &one).expect(200).json(), json!({ "counter": 1 }));

    let late = commit(&mut page, &first.commit(&[NOTE]).0).expect(409).json();
    assert_eq!((&late["code"], &late["counter"]), (&json!("conflict"), &json!(1)));
    let now = page.get("/api/vault").expect(200).json();
    assert_eq!(late["head"], now["head"], "what a holder rebases on");

    let (two, _) = second.commit(&[NOTE]);
    commit(&mut page, &two).expect(200);
    let changes = page.get("/api/vault/changes?after=1").expect(200).json();
    assert_eq!(changes["revisions"].as_array().unwrap().len(), 1);
    assert_eq!((&changes["next"], &changes["more"]), (&json!(2), &json!(false)));
    let sent = serde_json::to_value(&two).unwrap();
    assert_eq!(changes["revisions"][0]["revision"], sent["revisions"][0]);

    let item = "01".repeat(16);
    let history = page.get(&format!("/api/vault/items/{item}/revisions")).expect(200).json();
    let numbers: Vec<&Value> =
        history["revisions"].as_array().unwrap().iter().map(|one| &one["number"]).collect();
    assert_eq!(numbers, [2, 1]);
    let old = page.get(&format!("/api/vault/items/{item}/revisions/1")).expect(200).json();
    assert_eq!(old["revision"], serde_json::to_value(&one).unwrap()["revisions"][0]);
    page.get(&format!("/api/vault/items/{item}/revisions/3")).expect(404);

    server.restart();
    let all = page.get("/api/vault/changes").expect(200).json();
    assert_eq!(all["revisions"].as_array().unwrap().len(), 2, "current ones, also after a restart");
}

#[test]
fn what_another_vault_signed_or_sealed_is_refused() {
    let server = Accounts::start();
    let (mut page, _, own) = signed_up(&server);
    let (mut other_page, _, other) = signed_up(&server);
    let (foreign, _) = other.commit(&[NOTE]);
    commit(&mut page, &foreign).expect(422);
    let (own_commit, _) = own.commit(&[NOTE]);
    let mut mixed = serde_json::to_value(&own_commit).unwrap();
    mixed["revisions"] = serde_json::to_value(&foreign).unwrap()["revisions"].clone();
    page.post("/api/vault/commit", &mixed).expect(422);
    let mut forged = serde_json::to_value(&own_commit).unwrap();
    let mut head = b64url::decode(forged["head"].as_str().unwrap(), 4096).unwrap();
    *head.last_mut().unwrap() ^= 1;
    forged["head"] = b64url::encode(&head).into();
    page.post("/api/vault/commit", &forged).expect(422);
    commit(&mut page, &own_commit).expect(200);

    let item = "01".repeat(16);
    other_page.get(&format!("/api/vault/items/{item}/revisions/1")).expect(404);
    assert_eq!(other_page.get("/api/vault").expect(200).json()["counter"], 0);
}

#[test]
fn wraps_change_by_compare_and_set_after_a_confirmation() {
    let server = Accounts::start();
    let (mut page, mut device, _) = signed_up(&server);
    let change = |base: u64, name: &str| json!({ "base_version": base, "wraps": [{ "id": name }] });
    let done = page.put("/api/vault/wraps", &change(1, "new")).expect(200).json();
    assert_eq!(done, json!({ "keys_version": 2 }));
    page.put("/api/vault/wraps", &change(1, "late")).expect(409);
    for bad in [json!([]), json!({}), json!(["text"]), json!(vec![json!({}); 33])] {
        page.put("/api/vault/wraps", &json!({ "base_version": 2, "wraps": bad })).expect(422);
    }
    page.confirm(&mut device).expect(200);
    assert_eq!(page.get("/api/vault").expect(200).json()["wraps"], json!([{ "id": "new" }]));
    let kinds = page.get("/api/audit").expect(200).json();
    assert!(kinds["events"].to_string().contains("wraps-changed"), "{kinds}");
}

#[test]
fn an_upload_that_was_cut_goes_on() {
    let server = Accounts::start();
    let (mut page, _, _) = signed_up(&server);
    let blob = format!("/api/vault/blobs/{}", "ab".repeat(16));
    let put = |page: &Page, chunk: &str, bytes: Vec<u8>| {
        page.request("PUT", &format!("{blob}/{chunk}")).bytes(bytes).answer()
    };
    let whole = (1 << 20) + 1024;
    put(&page, "0", vec![1; whole]).expect(204);
    put(&page, "0", vec![1; whole]).expect(204);
    put(&page, "0", vec![2; whole]).expect(409);
    put(&page, "2", vec![3; 9]).expect(204);
    // It is refused by its length, and the rest of it meets a closed connection.
    let too_long = page.request("PUT", &format!("{blob}/1")).bytes(vec![1; whole + 1]).send();
    assert!(too_long.map_or(true, |answer| answer.status == 413));
    for bad in ["101", "-1", "x"] {
        put(&page, bad, vec![1]).expect(422);
    }
    put(&page, "1", Vec::new()).expect(422);
    let there = page.get(&blob).expect(200).json();
    let indexes: Vec<&Value> =
        there["chunks"].as_array().unwrap().iter().map(|one| &one["index"]).collect();
    assert_eq!(indexes, [0, 2], "chunk 1 is missing");
    assert_eq!(page.get(&format!("{blob}/2")).expect(200).body, vec![3; 9]);
    let (mut other, ..) = signed_up(&server);
    other.get(&format!("{blob}/2")).expect(404);
    page.delete(&blob).expect(204);
    page.get(&format!("{blob}/2")).expect(404);
}

#[test]
fn a_link_is_seen_so_often_and_not_after_it_was_taken_back() {
    let server = Accounts::start();
    let (mut page, _, _) = signed_up(&server);
    let mut stranger = server.page();
    let soon = now_ms() + 60_000;
    let link = |views: Option<u32>| json!({ "sealed": b64url::encode(b"sealed"), "expires_unix_ms": soon, "views_max": views });
    let made = page.post("/api/shares", &link(Some(2))).expect(201).json();
    let path = format!("/api/shares/{}", made["id"].as_str().unwrap());
    let seen = stranger.get(&path).expect(200).json();
    assert_eq!(seen, json!({ "sealed": b64url::encode(b"sealed"), "views_left": 1 }));
    stranger.get(&path).expect(200);
    stranger.get(&path).expect(404);

    let made = page.post("/api/shares", &link(None)).expect(201).json();
    let path = format!("/api/shares/{}", made["id"].as_str().unwrap());
    stranger.get(&path).expect(200);
    let (mut other, ..) = signed_up(&server);
    other.delete(&path).expect(404);
    page.delete(&path).expect(204);
    stranger.get(&path).expect(404);

    for forever in [json!(null), json!(now_ms() + 91 * 24 * 3_600_000), json!(1)] {
        let share = json!({ "sealed": "AA", "expires_unix_ms": forever });
        page.post("/api/shares", &share).expect(422);
    }
    page.post("/api/shares", &json!({ "sealed": "AA", "to": "nobody" })).expect(404);
    stranger.post("/api/shares", &link(None)).expect(401);
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_millis().try_into().expect("soon")
}
