//! Credentials that a registry makes: the program that asked has a placeholder, and uses it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::http::Request;
use symbolon_tests::mcp::Revision;
use symbolon_tests::random;
use symbolon_tests::service::{Service, free_port};
use symbolon_tests::upstream::Upstream;
use symbolon_tests::verdaccio::Verdaccio;

/// What passes between the broker and a registry, in the clear, both ways.
struct Tap {
    port: u16,
    asked: Arc<Mutex<Vec<u8>>>,
    answered: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    fn before(plain_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let tap = Self { port, asked: Arc::default(), answered: Arc::default() };
        let (asked, answered) = (tap.asked.clone(), tap.answered.clone());
        thread::spawn(move || {
            for program in listener.incoming().flatten() {
                let Ok(registry) = TcpStream::connect(("127.0.0.1", plain_port)) else { continue };
                let ways = [(&program, &registry, &asked), (&registry, &program, &answered)];
                for (from, to, seen) in ways {
                    let from = from.try_clone().expect("a descriptor");
                    let to = to.try_clone().expect("a descriptor");
                    let seen = seen.clone();
                    thread::spawn(move || copy(from, to, &seen));
                }
            }
        });
        tap
    }

    /// The tokens that the registry gave out, the oldest first.
    fn tokens(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.answered.lock().unwrap()).replace(' ', "");
        let found = text.split("\"token\":\"").skip(1);
        found.map(|rest| rest.split('"').next().expect("split").to_owned()).collect()
    }

    fn was_asked_with(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.asked.lock().unwrap()).contains(text)
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, seen: &Mutex<Vec<u8>>) {
    let mut piece = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        seen.lock().unwrap().extend_from_slice(&piece[..n]);
        if to.write_all(&piece[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A home with a registry whose words are heard.
struct At {
    home: Home,
    tap: Tap,
    _verdaccio: Verdaccio,
    tls: Upstream,
}

impl At {
    fn new() -> Self {
        let verdaccio = Verdaccio::start();
        let token = verdaccio.make_token();
        let tap = Tap::before(verdaccio.plain_port);
        let tls = Upstream::tls_for(tap.port);
        let home = Home::new();
        home.connect("npm", &tls, &token);
        Self { home, tap, _verdaccio: verdaccio, tls }
    }

    fn sh(&self, agent: &str, line: &str) -> Ran {
        let options = ["run", "--agent", agent, "--grant", "npm.*", "--", "sh", "-c", line];
        self.home.run(&options)
    }

    /// What curl gets, with this in the place of the credential.
    #[track_caller]
    fn curl(&self, agent: &str, credential: &str, options: &str, path: &str) -> (u16, String) {
        let line = format!(
            "curl -sS -w '\\n%{{http_code}}' -H 'Accept: application/json' \
             -H \"Authorization: Bearer {credential}\" {options} '{}{path}'",
            self.tls.base_url()
        );
        let ran = self.sh(agent, &line);
        let said = ran.stdout();
        let (body, status) = said.rsplit_once('\n').unwrap_or_else(|| panic!("{}", ran.all()));
        (status.parse().unwrap_or_else(|_| panic!("{}", ran.all())), body.to_owned())
    }

    /// Logs a new user in; the user's name and what the program has in place of the token.
    #[track_caller]
    fn log_in(&self, agent: &str) -> (String, String) {
        let name = format!("user-{}", random::secret(8).to_lowercase());
        let user = json!({ "name": name, "password": random::secret(24), "type": "user" });
        let options = format!("-X PUT -H 'Content-Type: application/json' -d '{user}'");
        let path = format!("/-/user/org.couchdb.user:{name}");
        let (status, body) = self.curl(agent, "$SYMREF_NPM", &options, &path);
        assert_eq!(status, 201, "{body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let placeholder = answer["token"].as_str().expect("a placeholder").to_owned();
        assert!(placeholder.starts_with("symmint_") && placeholder.len() == 40, "{answer}");
        assert!(answer["ok"].as_str().is_some_and(|ok| ok.contains(&name)), "{answer}");
        (name, placeholder)
    }

    /// Whose name the registry says.
    #[track_caller]
    fn who(&self, agent: &str, credential: &str) -> (u16, String) {
        let (status, body) = self.curl(agent, credential, "", "/-/whoami");
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{body}"));
        let said = if status == 200 { &answer["username"] } else { &answer["code"] };
        (status, said.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned())
    }

    /// Nothing that the registry gave out is anywhere but at the registry.
    #[track_caller]
    fn assert_clean(&self) {
        let tokens = self.tap.tokens();
        assert!(!tokens.is_empty(), "nothing was minted");
        let mut canaries = Canaries::new();
        for token in &tokens {
            canaries = canaries.plant("minted", token.as_bytes());
        }
        assert_clean(&canaries.find_in("what programs saw", &self.home.said()));
        assert_clean(&canaries.find_below(&self.home.path()).expect("a readable home"));
    }

    #[track_caller]
    fn receipt(&self, tool: &str) -> Value {
        receipt(&self.home, tool)
    }
}

/// What the newest receipt of a tool says, verified.
#[track_caller]
fn receipt(home: &Home, tool: &str) -> Value {
    let rows = home.receipts();
    let row = rows.iter().find(|row| row["tool"] == tool);
    let row = row.unwrap_or_else(|| panic!("no receipt of {tool}: {rows:?}"));
    let file = home.export_receipt(row["number"].as_u64().expect("a number"));
    let (file, key) = (file.to_str().unwrap(), home.operator_key());
    home.json(&["verify", file, "--key", key.to_str().unwrap()])["statement"].clone()
}

#[test]
fn a_program_logs_in_and_publishes_with_a_token_that_it_never_sees() {
    let at = At::new();
    let (name, placeholder) = at.log_in("claude");
    let kept = at.home.json(&["minted"]);
    assert_eq!(kept.as_array().map(Vec::len), Some(1), "{kept}");
    let id = kept[0]["id"].as_str().expect("an id");
    assert_eq!((&kept[0]["agent"], &kept[0]["connection"]), (&json!("claude"), &json!("npm")));
    let made = at.receipt("npm.users.login");
    assert_eq!(made["minted"], json!({ "made": [id] }), "{made}");
    assert_eq!(made["intent"]["index"], kept[0]["intent"], "{made}");
    // Another run of the same agent: the token of the user, not the connection's.
    assert_eq!(at.who("claude", &placeholder), (200, name.clone()));
    let used = at.receipt("npm.whoami");
    assert_eq!(used["minted"], json!({ "used": id }), "{used}");
    let (_, own) = at.who("claude", "$SYMREF_NPM");
    assert_ne!(own, name, "the connection's own goes on being itself");
    assert!(at.receipt("npm.whoami").get("minted").is_none());

    // npm itself, which finds what it was given in its own file and nothing in its environment.
    let package = at.home.beside("package");
    std::fs::create_dir(&package).unwrap();
    let manifest = r#"{"name":"@symbolon/medlar","version":"1.0.0","description":"A medlar"}"#;
    std::fs::write(package.join("package.json"), manifest).unwrap();
    let authority = at.tls.base_url().replace("https://", "");
    let own = format!("//{authority}/:_authToken={placeholder}\n");
    std::fs::write(package.join(".npmrc"), own).unwrap();
    let publish = || {
        let unset = format!("npm_config_//{authority}/:_authToken");
        let unset = ["env", "-u", &unset, "-u", "npm_config_globalconfig"];
        let given = [&["run", "--agent", "claude", "--"], &unset[..], &["npm", "publish"]].concat();
        let mut run = at.home.command(&given);
        run.env("HOME", at.home.beside("")).env("npm_config_cache", at.home.beside("cache"));
        run.env("npm_config_update_notifier", "false").env("npm_config_access", "public");
        let output = run.current_dir(&package).output().expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    at.home.grant("claude", "npm.packages.read");
    let (published, said) = publish();
    assert!(!published && said.contains("403"), "published without a grant: {said}");
    at.home.json(&["grant", "claude", "npm.packages.write", "--for", "1h", "--ask", "never"]);
    let (published, said) = publish();
    assert!(published, "{said}");
    assert_eq!(at.receipt("npm.packages.publish")["minted"], json!({ "used": id }));

    let token = at.tap.tokens().remove(0);
    assert!(at.tap.was_asked_with(&format!("Bearer {token}")), "another token went out");
    assert!(!at.tap.was_asked_with(&placeholder), "the placeholder went out");
    let canaries = Canaries::new().plant("minted", token.as_bytes());
    assert_clean(&canaries.find_in("what npm said", said.as_bytes()));
    for place in [package, at.home.beside("cache")] {
        assert_clean(&canaries.find_below(&place).expect("readable"));
    }
    at.assert_clean();
}

#[test]
fn a_placeholder_is_good_for_its_agent_in_its_place_until_it_is_revoked() {
    let at = At::new();
    let (name, placeholder) = at.log_in("claude");
    let calls = at.tap.asked.lock().unwrap().len();
    assert_eq!(at.who("mallory", &placeholder), (403, "minted_unknown".to_owned()));
    let refused = at.receipt("npm.whoami");
    assert_eq!(refused["decision"]["outcome"], "refused", "{refused}");
    assert_eq!(refused["agent"], "mallory");
    let (status, body) =
        at.curl("claude", "$SYMREF_NPM", "-G", &format!("/-/v1/search?text={placeholder}"));
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("placeholder_elsewhere"), "{body}");
    let header = format!("-H 'X-Copy: {placeholder}'");
    let (status, body) = at.curl("claude", &placeholder, &header, "/-/whoami");
    assert!(status == 403 && body.contains("placeholder_elsewhere"), "{status} {body}");
    let bent = placeholder.replace("symmint_", "symmint_0").get(..40).unwrap().to_owned();
    assert_eq!(at.who("claude", &bent), (403, "minted_unknown".to_owned()));
    assert_eq!(at.tap.asked.lock().unwrap().len(), calls, "something was sent");

    // A broker that was killed has it still.
    at.home.kill_broker();
    at.home.ok(&["unlock"]);
    assert_eq!(at.who("claude", &placeholder), (200, name));
    let id = at.home.json(&["minted"])[0]["id"].as_str().expect("an id").to_owned();
    at.home.json(&["minted", "revoke", &id]);
    assert_eq!(at.who("claude", &placeholder), (403, "minted_unknown".to_owned()));
    assert_eq!(at.home.refused(&["minted", "revoke", &id]).code, "no_minted");

    // One that goes with its connection.
    let (_, other) = at.log_in("claude");
    at.home.ok(&["disconnect", "npm"]);
    assert_eq!(at.home.json(&["minted"]), json!([]));
    at.assert_clean();
    drop(other);
}

#[test]
fn an_agent_has_a_placeholder_through_every_door() {
    let at = At::new();
    for scope in ["npm.users.read", "npm.users.write"] {
        at.home.grant("claude", scope);
    }
    let name = format!("user-{}", random::secret(8).to_lowercase());
    let arguments = json!({ "user": name, "name": name, "password": random::secret(24) });
    let mut agent = at.home.mcp("claude", Revision::Stateless);
    let login = json!({ "tool": "npm.users.login", "arguments": arguments });
    let made = agent.call("symbolon.call_tool", login);
    let body = &made["structuredContent"]["body"];
    let placeholder = body["token"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let who = json!({ "tool": "npm.whoami", "minted": placeholder });
    let said = agent.call("symbolon.call_tool", who.clone());
    assert_eq!(said["structuredContent"]["body"]["username"], name, "{said}");
    let tool = json!({ "tool": "npm.packages.get", "arguments": { "package": placeholder } });
    let refused = agent.call("symbolon.call_tool", tool);
    assert!(refused.to_string().contains("placeholder_elsewhere"), "{refused}");
    let (transcript, _) = agent.finish();

    let call = |agent: &str| {
        ["--json", "call", "npm.whoami", "--agent", agent, "--minted", &placeholder]
            .map(str::to_owned)
    };
    let call = |agent: &str| {
        let call = call(agent);
        at.home.run(&call.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(call("claude").succeeded().json()["body"]["username"], name);
    at.home.grant("mallory", "npm.users.read");
    assert_eq!(call("mallory").refused().code, "minted_unknown");

    let canaries = Canaries::new().plant("minted", at.tap.tokens()[0].as_bytes());
    assert_clean(&canaries.find_in("the transcript", &transcript));
    at.assert_clean();
}

/// A registry that answers each request with the next of these bodies, and 201.
fn answering(bodies: Vec<Vec<u8>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for (mut program, body) in listener.incoming().flatten().zip(bodies) {
            let mut asked = Vec::new();
            let mut piece = [0; 4096];
            while !asked.ends_with(b"}") {
                match program.read(&mut piece) {
                    Ok(n @ 1..) => asked.extend_from_slice(&piece[..n]),
                    _ => break,
                }
            }
            let head = format!(
                "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nx-token: {TOKEN}\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = program.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    port
}

const TOKEN: &str = "npm_minted-by-a-strange-registry-0123456789";

#[test]
fn an_answer_whose_token_cannot_be_taken_out_is_not_given_out() {
    let bad = [
        format!("<p>{TOKEN}</p>"),
        format!(r#"{{"tokens":["{TOKEN}"]}}"#),
        format!(r#"{{"token":["{TOKEN}"]}}"#),
        format!(r#"{{"token":"x","token":"{TOKEN}"}}"#),
        format!(r#"{{"token":"{TOKEN}\u0000"}}"#),
        r#"{"token":"short"}"#.to_owned(),
        format!(r#"{{"token":"{TOKEN}","more":"{}"}}"#, "x".repeat(300_000)),
    ];
    let good = format!(r#"{{"a":"{TOKEN}","token":"{TOKEN}","b":["x{TOKEN}"]}}"#);
    let all = bad.iter().chain([&good]).map(|body| body.clone().into_bytes()).collect();
    let tls = Upstream::tls_for(answering(all));
    let home = Home::new();
    home.connect("npm", &tls, &random::secret(40));
    home.grant("cli", "npm.users.write");
    let login = ["call", "npm.users.login", "user=u", "name=u", "password=hidden-word"];
    for body in &bad {
        let refused = home.refused(&login);
        assert_eq!(refused.code, "mint_unreadable", "{body}");
        assert!(refused.next.as_deref().is_some_and(|next| next.contains("revoke it")), "{body}");
        let said = receipt(&home, "npm.users.login");
        assert_eq!((&said["error"], &said["minted"]), (&json!("mint_unreadable"), &Value::Null));
    }
    assert_eq!(home.json(&["minted"]), json!([]));
    // All that is around the token's place is searched for it, headers too.
    let answer = home.json(&login);
    let token = answer["body"]["token"].as_str().expect("a placeholder");
    assert!(token.starts_with("symmint_"), "{answer}");
    assert_eq!(answer["body"]["a"], "[redacted:symbolon]", "{answer}");
    assert_eq!(answer["body"]["b"][0], "x[redacted:symbolon]", "{answer}");
    let canaries = Canaries::new().plant("minted", TOKEN.as_bytes());
    assert_clean(&canaries.find_in("what was said", &home.said()));
    assert_clean(&canaries.find_below(&home.path()).expect("a readable home"));
}

#[test]
fn a_broker_that_is_killed_between_a_token_and_its_answer_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let tls = Upstream::tls_for(listener.local_addr().expect("bound").port());
    let home = Arc::new(Home::new());
    home.connect("npm", &tls, &random::secret(40));
    home.grant("cli", "npm.users.write");
    let caller = {
        let home = home.clone();
        let login = ["call", "npm.users.login", "user=u", "name=u", "password=hidden-word"];
        thread::spawn(move || home.run(&login).is_success())
    };
    let (mut registry, _) = listener.accept().expect("the call comes");
    let mut piece = [0; 4096];
    let n = registry.read(&mut piece).expect("a request");
    assert!(piece[..n].starts_with(b"PUT /-/user/"));
    // The registry has made it, and half of its answer is on the way.
    let half = format!("HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{{\"token\":\"{TOKEN}");
    registry.write_all(half.as_bytes()).expect("written");
    home.kill_broker();
    assert!(!caller.join().expect("no panic"), "the call came back well");
    assert_eq!(home.json(&["minted"]), json!([]));
    let rows = home.receipts();
    let open = rows.iter().find(|row| row["outcome"] == "open");
    let open = open.unwrap_or_else(|| panic!("nothing says that a call is open: {rows:?}"));
    let shown = home.refused(&["receipts", "show", &open["number"].to_string()]);
    assert!(shown.message.contains("may have made a credential"), "{}", shown.message);
    let canaries = Canaries::new().plant("minted", TOKEN.as_bytes());
    assert_clean(&canaries.find_below(&home.path()).expect("a readable home"));
}

#[test]
fn a_gateway_takes_the_placeholder_in_a_header_of_its_own() {
    let at = At::new();
    for scope in ["npm.users.read", "npm.users.write"] {
        at.home.grant("claude", scope);
        at.home.grant("mallory", scope);
    }
    let key = |agent| {
        let added = at.home.json(&["agents", "add", agent]);
        added["key"].as_str().expect("a key").to_owned()
    };
    let (claude, mallory) = (key("claude"), key("mallory"));
    at.home.ok(&["lock", "--stop"]);
    let port = free_port();
    let mut command = at.home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut service = Service::start("symbolon serve", command.stdin(Stdio::null()));
    service.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });
    let name = format!("user-{}", random::secret(8).to_lowercase());
    let user = json!({ "name": name, "password": random::secret(24) });
    let path = format!("/to/npm/-/user/org.couchdb.user:{name}");
    let put = Request::new("PUT", port, &path).bearer(&claude).json(&user);
    let placeholder = put.answer().expect(201).json()["token"].as_str().expect("one").to_owned();
    assert!(placeholder.starts_with("symmint_"), "{placeholder}");
    let who = |key: &str, shown: &str| {
        let get = Request::get(port, "/to/npm/-/whoami").bearer(key);
        get.header("symbolon-minted", shown).answer()
    };
    assert_eq!(who(&claude, &placeholder).expect(200).json()["username"], name);
    assert_eq!(who(&mallory, &placeholder).expect(403).json()["code"], "minted_unknown");
    assert_eq!(who(&claude, "npm_else").expect(400).json()["code"], "minted");
    at.assert_clean();
}
