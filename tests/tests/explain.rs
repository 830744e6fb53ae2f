//! `symbolon policy explain`: every verdict, with the reasons and the next step, as people and as
//! programs read them; nothing is called or counted.

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

const LIST: &str = "upstream.notes.list";
const CREATE: &str = "upstream.notes.create";

fn connected() -> (Home, Upstream) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    (home, upstream)
}

fn explain(home: &Home, words: &[&str]) -> Value {
    home.json(&[&["policy", "explain"], words].concat())
}

/// What one rule says: held, not held, or not asked.
#[track_caller]
fn check<'v>(told: &'v Value, rule: &str) -> (&'v Value, &'v str) {
    let checks = told["checks"].as_array().expect("checks");
    let one = checks.iter().find(|check| check["rule"] == rule);
    let one = one.unwrap_or_else(|| panic!("nothing of {rule}: {told}"));
    (&one["held"], one["why"].as_str().expect("a reason"))
}

#[test]
fn each_verdict_names_the_rules_that_make_it() {
    let (home, upstream) = connected();
    let before = upstream.authorized();

    // Refused: nobody granted it. What has no grant to be asked of is not asked.
    let told = explain(&home, &[LIST, "--agent", "claude"]);
    assert_eq!((&told["outcome"], &told["grant"]), (&json!("refused"), &Value::Null));
    assert_eq!(check(&told, "connection").0, &json!(true));
    assert_eq!(check(&told, "operation").0, &json!(true));
    assert_eq!(check(&told, "parameters").0, &json!(true));
    assert_eq!(check(&told, "scope").0, &json!(false));
    assert_eq!(check(&told, "ttl").0, &Value::Null, "{told}");
    let next = told["next"].as_str().expect("a next step");
    assert!(next.starts_with("symbolon grant claude upstream.notes.read"), "{next}");

    // Allowed: the grant is named, and so is the command that makes the call.
    home.grant("claude", "upstream.notes.read");
    let told = explain(&home, &[LIST, "--agent", "claude"]);
    assert_eq!((&told["outcome"], &told["grant"]), (&json!("allowed"), &json!(1)));
    let checks = told["checks"].as_array().unwrap();
    assert!(checks.len() >= 7 && checks.iter().all(|c| c["held"] == true), "{told}");
    assert_eq!(told["next"], format!("symbolon call {LIST} --agent claude"));
    assert_eq!((&told["method"], &told["effect"]), (&json!("GET"), &json!("read")));
    assert_eq!(told["url"], format!("{}/v1/notes", upstream.base_url()));

    // By method and URL it is the same call.
    let url = told["url"].as_str().unwrap();
    assert_eq!(explain(&home, &["--agent", "claude", "--", "GET", url])["tool"], LIST);

    // Parameters that do not fit, and a limit that does not admit them.
    let told = explain(&home, &["upstream.notes.get", "--agent", "claude"]);
    assert_eq!(told["outcome"], "refused");
    assert_eq!(check(&told, "parameters").0, &json!(false));
    let limited = ["grant", "claude", CREATE, "--for", "1h", "--limit", "text=hello"];
    home.json(&[&limited[..2], &["upstream.notes.write"], &limited[3..]].concat());
    let told = explain(&home, &[CREATE, "text=goodbye", "--agent", "claude"]);
    assert_eq!((&told["outcome"], check(&told, "limit").0), (&json!("refused"), &json!(false)));
    let told = explain(&home, &[CREATE, "text=hello", "--agent", "claude"]);
    assert_eq!((&told["outcome"], check(&told, "limit").0), (&json!("allowed"), &json!(true)));

    // A person would be asked.
    home.grant("tidy", "upstream.notes.write");
    let told = explain(&home, &["upstream.notes.delete", "number=0", "--agent", "tidy"]);
    assert_eq!(told["outcome"], "allowed");
    assert!(check(&told, "approval").1.contains("destructive"), "{told}");

    // Nothing was called, and nothing is on record.
    assert_eq!(upstream.authorized(), before);
    assert!(home.receipts().is_empty());
}

#[test]
fn budgets_pauses_windows_and_ends_say_when_to_come_again() {
    let (home, _upstream) = connected();
    let grant = |agent: &str, more: &[&str]| {
        home.json(&[&["grant", agent, "upstream.notes.read", "--for", "1h"], more].concat());
    };
    grant("spender", &["--budget", "1 calls/total"]);
    grant("hasty", &["--cooldown", "1h"]);
    // A window of one minute that is twelve hours away.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let hour = (now.as_secs() / 3600 + 12) % 24;
    grant("owl", &["--hours", &format!("{hour:02}:00-{hour:02}:01 UTC")]);
    for (agent, rule) in [("spender", "budget"), ("hasty", "cooldown")] {
        let told = explain(&home, &[LIST, "--agent", agent]);
        assert_eq!((&told["outcome"], check(&told, rule).0), (&json!("allowed"), &json!(true)));
        home.ok(&["call", LIST, "--agent", agent]);
        let told = explain(&home, &[LIST, "--agent", agent]);
        assert_eq!((&told["outcome"], check(&told, rule).0), (&json!("refused"), &json!(false)));
        assert_eq!(home.refused(&["call", LIST, "--agent", agent]).code, rule);
        // A total never comes back; a pause does.
        let seconds = &told["retry_after_seconds"];
        assert_eq!(seconds.as_u64().is_some_and(|s| s > 3500), agent == "hasty", "{told}");
    }
    let told = explain(&home, &[LIST, "--agent", "owl"]);
    assert_eq!((&told["outcome"], check(&told, "window").0), (&json!("refused"), &json!(false)));
    assert!(told["retry_after_seconds"].as_u64().is_some_and(|s| s > 3600), "{told}");

    // A grant that was taken back is none.
    home.ok(&["revoke", "3"]);
    let told = explain(&home, &[LIST, "--agent", "owl"]);
    assert_eq!((&told["outcome"], check(&told, "scope").0), (&json!("refused"), &json!(false)));

    // Shadow mode lets through what does not hold, and the explanation says so.
    home.ok(&["policy", "shadow", "on", "--yes"]);
    let told = explain(&home, &[LIST, "--agent", "spender"]);
    assert_eq!((&told["outcome"], check(&told, "budget").0), (&json!("shadowed"), &json!(false)));
    let told = explain(&home, &["upstream.notes.get", "--agent", "spender"]);
    assert_eq!(told["outcome"], "refused", "parameters are no matter of shadow mode");
}

#[test]
fn what_no_connection_or_tool_answers_to_is_said_too() {
    let (home, upstream) = connected();
    let told = explain(&home, &["GET", "https://api.github.com/user"]);
    assert_eq!((&told["tool"], check(&told, "connection").0), (&Value::Null, &json!(false)));
    let step = told["checks"][0]["next"].as_str().expect("a next step");
    assert_eq!(step, "symbolon connect github", "a service of the catalogue leads there");
    let url = format!("{}/nowhere/at/all", upstream.base_url());
    let told = explain(&home, &["PATCH", &url]);
    assert_eq!(check(&told, "connection").0, &json!(true), "{told}");
    assert_eq!(check(&told, "operation").0, &json!(false), "{told}");
    assert_eq!(home.refused(&["policy", "explain", "upstream.no.such"]).code, "unknown_tool");

    // For people: the same in a sentence, a table and a verdict.
    let shown = home.ok(&["policy", "explain", LIST]).all();
    for part in ["cli would use upstream.notes.list (read)", "NOT HELD", "It would be refused."] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    home.grant("cli", "upstream.notes.read");
    let shown = home.ok(&["policy", "explain", LIST]).all();
    assert!(shown.contains("It would be let through.") && !shown.contains("NOT HELD"), "{shown}");
    let shown = home.ok(&["policy", "explain", "GET", "https://example.org/"]).all();
    assert!(shown.contains("It would be refused.") && shown.contains("NOT HELD"), "{shown}");
}
