//! Tokens that the broker gets and renews itself, from an authorization server that others wrote.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::oidc::{CLIENT_SECRET, Connecting, Oidc, database};

/// Longer than the access token of these tests lives.
const OVER: Duration = Duration::from_millis(3_300);
const LIFE_SECONDS: u32 = 3;

/// Connects by the flow `code`, the test as the browser.
fn connect(oidc: &Oidc, home: &Home, more: &[&str], stdin: &str) -> (bool, Value, String) {
    let words = [&["--oauth", "code", "--oauth-scope", "openid"], more].concat();
    let mut connecting = Connecting::start(&mut oidc.connect(home, &words), stdin);
    let url = connecting.line("Open");
    assert!(url.contains("code_challenge_method=S256"), "{url}");
    let page = oidc.browse(&[&url]);
    assert!(page.contains("onnected"), "{page}");
    connecting.end()
}

fn public(oidc: &Oidc) -> Home {
    let home = oidc.home();
    let (succeeded, made, all) = connect(oidc, &home, &["--client-id", "public"], "");
    assert!(succeeded, "{all}");
    assert_eq!(made["auth"], "oauth2 (code)", "{made}");
    home.grant("cli", "oidc.*");
    home
}

#[track_caller]
fn who(home: &Home) -> Value {
    home.json(&["call", "oidc.me"])["body"]["who"].clone()
}

/// No token, code or secret in clear: in the home, its logs, or what was printed.
#[track_caller]
fn assert_kept_secret(oidc: &Oidc, home: &Home) {
    let tokens = oidc.tokens();
    assert!(!tokens.is_empty(), "no token was given out");
    let mut canaries = Canaries::new().plant("client secret", CLIENT_SECRET.as_bytes());
    for (nth, token) in tokens.iter().enumerate() {
        canaries = canaries.plant(&format!("token {nth}"), token.as_bytes());
    }
    assert_clean(&canaries.find_below(&home.path()).expect("the home can be read"));
    assert_clean(&canaries.find_in("what was printed", &home.said()));
}

#[test]
fn a_code_is_exchanged_and_its_token_used_renewed_and_redacted() {
    let oidc = Oidc::start(LIFE_SECONDS);
    let home = public(&oidc);
    assert_eq!(who(&home), "somebody");
    assert_eq!(oidc.asked("authorization_code"), 1);
    let reply = home.json(&["call", "oidc.echo"]);
    assert_eq!(reply["redactions"], 2, "access and refresh token: {reply}");
    let before = oidc.tokens().len();
    for round in 1..=3 {
        thread::sleep(OVER);
        assert_eq!(who(&home), "somebody", "round {round}");
        assert_eq!(oidc.asked("refresh_token"), round);
    }
    assert_eq!(oidc.tokens().len(), before + 6, "each renewal brings two");
    // Another process goes on with what the store has.
    home.ok(&["lock", "--stop"]);
    thread::sleep(OVER);
    assert_eq!(who(&home), "somebody");
    assert_eq!(oidc.asked("refresh_token"), 4);
    assert_kept_secret(&oidc, &home);
}

#[test]
fn a_confidential_client_shows_its_secret_and_never_tells_it() {
    let oidc = Oidc::start(LIFE_SECONDS);
    let home = oidc.home();
    let more = ["--client-id", "basic", "--from-stdin", "--verify"];
    let (succeeded, made, all) = connect(&oidc, &home, &more, CLIENT_SECRET);
    assert!(succeeded, "{all}");
    assert_eq!(made["verified"], 200, "{made}");
    home.grant("cli", "oidc.*");
    thread::sleep(OVER);
    let reply = home.json(&["call", "oidc.echo"]);
    assert_eq!(reply["redactions"], 3, "both tokens and the client's secret: {reply}");
    assert_kept_secret(&oidc, &home);
}

#[test]
fn a_device_is_confirmed_elsewhere() {
    let oidc = Oidc::start(LIFE_SECONDS);
    let home = oidc.home();
    let words = ["--oauth", "device", "--client-id", "television"];
    let mut connecting = Connecting::start(&mut oidc.connect(&home, &words), "");
    let page = connecting.line("Open");
    assert_eq!(page, format!("{}/device", oidc.tls.base_url()));
    let complete = connecting.line("or open");
    let form = oidc.browse(&[&complete]);
    let value = |name: &str| {
        let from = form.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("{form}"));
        let value = form[from..].split("value=\"").nth(1).unwrap_or_else(|| panic!("{form}"));
        value.split('"').next().expect("a value ends").to_owned()
    };
    let (xsrf, code) =
        (format!("xsrf={}", value("xsrf")), format!("user_code={}", value("user_code")));
    let done = oidc.browse(&[
        "--data-urlencode",
        &xsrf,
        "--data-urlencode",
        &code,
        "--data",
        "confirm=yes",
        &page,
    ]);
    assert!(done.contains("Success"), "{done}");
    let (succeeded, made, all) = connecting.end();
    assert!(succeeded, "{all}");
    assert_eq!(made["auth"], "oauth2 (device)");
    home.grant("cli", "oidc.*");
    assert_eq!(who(&home), "somebody");
    thread::sleep(OVER);
    assert_eq!((who(&home), oidc.asked("refresh_token")), (json!("somebody"), 1));
    assert_kept_secret(&oidc, &home);
}

#[test]
fn a_machine_gets_a_token_by_its_secret_and_another_when_it_is_over() {
    let oidc = Oidc::start(LIFE_SECONDS);
    let home = oidc.home();
    let words = [
        "--oauth",
        "client-credentials",
        "--client-id",
        "machine",
        "--client-auth",
        "post",
        "--oauth-scope",
        "api",
        "--from-stdin",
    ];
    let (succeeded, made, all) =
        Connecting::start(&mut oidc.connect(&home, &words), CLIENT_SECRET).end();
    assert!(succeeded, "{all}");
    assert_eq!(made["auth"], "oauth2 (client-credentials)");
    home.grant("cli", "oidc.*");
    assert_eq!(who(&home), "machine");
    thread::sleep(OVER);
    assert_eq!((who(&home), oidc.asked("client_credentials")), (json!("machine"), 2));
    let wrong = Connecting::start(
        &mut oidc.connect(&home, &[&words[..], &["--replace"]].concat()),
        "another secret",
    );
    let (succeeded, error, all) = wrong.end();
    assert!(!succeeded && error["error"]["code"] == "token_refused", "{all}");
    assert_eq!(who(&home), "machine", "what was connected stays");
    assert_kept_secret(&oidc, &home);
}

#[test]
fn many_calls_at_the_end_of_a_token_make_one_request() {
    let oidc = Oidc::start(LIFE_SECONDS);
    let home = public(&oidc);
    for round in 1..=2 {
        thread::sleep(OVER);
        oidc.fault("hold");
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let mut command = home.command(&["--json", "call", "oidc.me"]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn().expect("symbolon starts")
            })
            .collect();
        wait_for(|| oidc.asked("held") == 1);
        thread::sleep(Duration::from_millis(500));
        oidc.fault("none");
        for call in calls {
            let output = call.wait_with_output().expect("a call ends");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && said.contains("somebody"), "{said}");
        }
        assert_eq!(oidc.asked("refresh_token"), round, "one for all of them");
    }
}

#[test]
fn a_token_that_the_service_refuses_early_is_replaced_and_the_call_made_again() {
    let oidc = Oidc::start(3600);
    let home = public(&oidc);
    assert_eq!(who(&home), "somebody");
    oidc.forget();
    // Many find out at once.
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let mut command = home.command(&["--json", "call", "oidc.me"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("symbolon starts")
        })
        .collect();
    for call in calls {
        let output = call.wait_with_output().expect("a call ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("somebody"), "{said}");
    }
    assert_eq!(oidc.asked("refresh_token"), 1, "one for all of them");
    assert!(oidc.asked("refused") > 0);
    // An answer is searched for the token that it came by.
    assert_eq!(home.json(&["call", "oidc.echo"])["redactions"], 2);
    assert_kept_secret(&oidc, &home);
}

#[test]
fn a_write_whose_token_was_refused_is_done_once() {
    let oidc = Oidc::start(3600);
    let home = public(&oidc);
    oidc.forget();
    let before = oidc.asked("api");
    let reply = home.json(&["call", "oidc.note", "text=a fig"]);
    assert_eq!((&reply["status"], &reply["body"]["note"]), (&json!(201), &json!(1)), "{reply}");
    assert_eq!((oidc.asked("api") - before, oidc.asked("notes")), (2, 1));
    let number = reply["receipt"].as_u64().expect("a number");
    let file = home.export_receipt(number);
    let (file, key) = (file.to_str().unwrap(), home.operator_key());
    let verified = home.json(&["verify", file, "--key", key.to_str().unwrap()]);
    assert!(verified.to_string().contains("\"retries\":1"), "{verified}");
}

#[test]
fn a_service_that_refuses_every_token_is_not_asked_for_ever() {
    let oidc = Oidc::start(3600);
    let home = public(&oidc);
    // Without a word about the token there is nothing to mend.
    oidc.api("shrug");
    assert_eq!(home.run(&["--json", "call", "oidc.me"]).json()["status"], 401);
    assert_eq!((oidc.asked("api"), oidc.asked("refresh_token")), (1, 0));
    oidc.api("deny");
    for call in 1..=5 {
        assert_eq!(home.run(&["--json", "call", "oidc.me"]).json()["status"], 401);
        // The first of them tried once more with a new token; the others let that one be.
        assert_eq!((oidc.asked("api"), oidc.asked("refresh_token")), (call + 2, 1));
    }
    oidc.api("none");
    assert_eq!(who(&home), "somebody");
}

#[test]
fn where_the_grant_ended_with_its_token_the_refusal_is_the_answer() {
    let oidc = Oidc::start(3600);
    let home = public(&oidc);
    oidc.revoke();
    for _ in 0..2 {
        assert_eq!(home.run(&["--json", "call", "oidc.me"]).json()["status"], 401);
        assert_eq!(oidc.asked("refresh_token"), 1, "a refusal is not asked for again");
        thread::sleep(Duration::from_millis(1_300));
    }
    assert_eq!(home.json(&["connections"])[0]["ended"], "invalid_grant");
}

#[test]
fn a_program_gets_the_refusal_and_its_next_request_another_token() {
    let oidc = Oidc::start(3600);
    let home = public(&oidc);
    oidc.forget();
    let url = format!("{}/api/me", oidc.tls.base_url());
    let line = format!(
        "for i in 1 2; do curl -sS -o /dev/null -w '%{{http_code}} ' \
         -H \"Authorization: Bearer $SYMREF_OIDC\" {url}; done"
    );
    let ran = home.ok(&["run", "--agent", "sh", "--grant", "oidc.*", "--", "sh", "-c", &line]);
    assert_eq!(ran.stdout(), "401 200 ", "{}", ran.all());
    assert_eq!(oidc.asked("refresh_token"), 1);
}

#[test]
fn while_the_server_is_down_a_valid_token_is_used_and_nothing_is_lost() {
    let oidc = Oidc::start(30);
    let home = public(&oidc);
    for mode in ["down", "500"] {
        oidc.fault(mode);
        assert_eq!(who(&home), "somebody", "{mode}");
    }
    oidc.fault("500");
    // In the last tenth of its life it is renewed where that is possible, and used where not.
    while oidc.asked("refresh_token") == 0 {
        assert_eq!(who(&home), "somebody");
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_secs(4));
    let refused = home.refused(&["call", "oidc.me"]);
    assert_eq!(refused.code, "token_endpoint", "{}", refused.error);
    assert!(refused.next.is_some() && refused.error["receipt"].is_u64(), "{}", refused.error);
    oidc.fault("none");
    wait_for(|| home.run(&["call", "oidc.me"]).is_success());
    assert_kept_secret(&oidc, &home);
}

#[test]
fn a_token_that_was_used_twice_ends_the_connection_until_it_is_made_again() {
    let oidc = Oidc::start(LIFE_SECONDS);
    let home = public(&oidc);
    assert_eq!(who(&home), "somebody");
    home.ok(&["lock", "--stop"]);
    let backup = std::fs::read(database(&home)).expect("the state is a file");
    thread::sleep(OVER);
    assert_eq!(who(&home), "somebody");
    home.ok(&["lock", "--stop"]);
    // A state of before: its refresh token has been used.
    std::fs::write(database(&home), backup).expect("the state can be written");
    thread::sleep(OVER);
    for _ in 0..2 {
        let refused = home.refused(&["call", "oidc.me"]);
        assert_eq!(refused.code, "token_ended", "{}", refused.error);
        assert!(refused.message.contains("invalid_grant"), "{}", refused.message);
        assert!(refused.next.unwrap().contains("symbolon connect oidc"), "{}", refused.error);
        // Past the second in which nobody asks after any failure.
        thread::sleep(Duration::from_millis(1_300));
    }
    assert_eq!(oidc.asked("refresh_token"), 2, "a refusal is not asked for again");
    let listed = home.json(&["connections"]);
    assert_eq!(listed[0]["ended"], "invalid_grant", "{listed}");
    assert!(home.ok(&["connections"]).all().contains("connect again"));
    let again = ["--client-id", "public", "--replace"];
    let (succeeded, _, all) = connect(&oidc, &home, &again, "");
    assert!(succeeded, "{all}");
    assert_eq!(who(&home), "somebody");
    assert_eq!(home.json(&["connections"])[0]["ended"], Value::Null);
}

#[test]
fn a_broker_that_is_killed_around_a_renewal_goes_on() {
    let oidc = Oidc::start(LIFE_SECONDS);
    let home = public(&oidc);
    // Killed while the server thinks: the token was not taken yet.
    thread::sleep(OVER);
    oidc.fault("hold");
    let mut waiting = home.command(&["call", "oidc.me"]).spawn().expect("symbolon starts");
    wait_for(|| oidc.asked("held") == 1);
    home.kill_broker();
    let _ = waiting.wait();
    oidc.fault("down"); // the held request goes on, and nobody hears its answer
    oidc.fault("none");
    thread::sleep(Duration::from_millis(300));
    // The server has taken the old token by now, and gave the new one to nobody: the protocol has no
    // way back from there, and the refusal says so.
    let refused = home.refused(&["call", "oidc.me"]);
    assert_eq!(refused.code, "token_ended", "{}", refused.error);
    let (succeeded, _, all) = connect(&oidc, &home, &["--client-id", "public", "--replace"], "");
    assert!(succeeded, "{all}");
    // Killed at any other moment: before the request, or when the answer is kept.
    for _ in 0..3 {
        thread::sleep(OVER);
        home.kill_broker();
        assert_eq!(who(&home), "somebody");
        home.kill_broker();
        assert_eq!(who(&home), "somebody");
    }
    assert_kept_secret(&oidc, &home);
}

#[test]
fn a_redirect_that_is_not_the_flows_own_ends_nothing_and_nobody_waits_forever() {
    let oidc = Oidc::start(LIFE_SECONDS);
    let home = oidc.home();
    let words = ["--oauth", "code", "--client-id", "public"];
    let mut connecting = Connecting::start(&mut oidc.connect(&home, &words), "");
    let url = connecting.line("Open");
    let redirect = url.split("redirect_uri=").nth(1).and_then(|rest| rest.split('&').next());
    let redirect = redirect.expect("a redirect").replace("%3A", ":").replace("%2F", "/");
    let foreign = oidc.browse(&[&format!("{redirect}?code=stolen&state=guessed")]);
    assert!(foreign.contains("not what is waited for"), "{foreign}");
    let other = oidc.browse(&[&redirect.replace("callback", "")]);
    assert!(other.contains("not what is waited for"), "{other}");
    assert!(oidc.browse(&[&url]).contains("Connected"));
    let (succeeded, _, all) = connecting.end();
    assert!(succeeded, "{all}");
    // A name that is taken, before anybody is asked.
    let (succeeded, error, all) = Connecting::start(&mut oidc.connect(&home, &words), "").end();
    assert!(!succeeded && error["error"]["code"] == "exists" && !all.contains("Open"), "{all}");
    // Without anybody who agrees.
    let words = [&words[..], &["--name", "other", "--wait", "1s"]].concat();
    let (succeeded, error, all) = Connecting::start(&mut oidc.connect(&home, &words), "").end();
    assert!(!succeeded && error["error"]["code"] == "oauth_timeout", "{all}");
    // From another server than the one that was asked (RFC 9207).
    let words = [&words[..4], &["--name", "other", "--issuer", "https://id.example"]].concat();
    let mut mixed = Connecting::start(&mut oidc.connect(&home, &words), "");
    let url = mixed.line("Open");
    assert!(oidc.browse(&[&url]).contains("Not connected"));
    let (succeeded, error, all) = mixed.end();
    assert!(!succeeded && error["error"]["code"] == "oauth_issuer", "{all}");
    assert_eq!(home.json(&["connections"]).as_array().map(Vec::len), Some(1));
}

#[track_caller]
fn wait_for(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "it does not come");
        thread::sleep(Duration::from_millis(50));
    }
}
