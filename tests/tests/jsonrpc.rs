//! JSON-RPC by method name, against npm's jayson: from `symbolon call`, and from a program that speaks
//! JSON-RPC itself.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::random;
use symbolon_tests::service::{Service, free_port};
use symbolon_tests::upstream::Upstream;

/// A home that is connected to a node by the catalogue's own entry.
struct Node {
    _plain: Service,
    plain_port: u16,
    tls: Upstream,
    home: Home,
    canaries: Canaries,
}

impl Node {
    fn start() -> Self {
        let credential = random::secret(40);
        let plain_port = free_port();
        let mut command = Command::new(place::node());
        command
            .arg(place::fixture("interop/jsonrpc.mjs"))
            .args([&plain_port.to_string(), &credential])
            .current_dir(place::node_folder())
            .stdin(Stdio::null());
        let mut plain = Service::start("jayson", &mut command);
        plain.wait_for("answer", |_| {
            let asked = Request::get(plain_port, "/admin/calls").send();
            asked.ok().filter(|answer| answer.status == 200)
        });
        let tls = Upstream::tls_for(plain_port);
        let home = Home::new();
        home.connect("solana", &tls, &credential);
        let canaries = Canaries::new().plant("credential", credential.as_bytes());
        Self { _plain: plain, plain_port, tls, home, canaries }
    }

    /// What reached the node's methods, in order.
    fn reached(&self) -> Vec<Value> {
        let answer = Request::get(self.plain_port, "/admin/calls").send().expect("it answers");
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// The status and body that a program gets which sends this to the node, with its placeholder.
    #[track_caller]
    fn program(&self, grant: &str, body: &str) -> (u16, String) {
        let url = format!("{}/?api-key=$SYMREF_SOLANA", self.tls.base_url());
        let line = format!(
            "curl -sS -w '\\n%{{http_code}}' -H 'Accept: application/json' \
             -H 'Content-Type: application/json' -d \"$BODY\" \"{url}\""
        );
        let script = format!("BODY='{body}'\n{line}");
        let ran = self.home.run(&["run", "--grant", grant, "--", "sh", "-c", &script]);
        assert_clean(&self.canaries.find_in("what it said", ran.all().as_bytes()));
        let said = ran.stdout();
        let (body, status) = said.rsplit_once('\n').unwrap_or_else(|| panic!("{}", ran.all()));
        (status.parse().unwrap_or_else(|_| panic!("{}", ran.all())), body.to_owned())
    }
}

const ADDRESS: &str = "83astBRguLMdt2h5U1Tpdq5tjFoJ6noeGwaY3mDLVcri";

#[test]
fn arguments_become_a_call_of_the_method() {
    let node = Node::start();
    node.home.grant("cli", "solana.read");
    let (address, config) = (format!("address={ADDRESS}"), r#"config:={"commitment":"finalized"}"#);
    let answer = node.home.json(&["call", "solana.balance.get", &address, config]);
    assert_eq!(answer["body"]["result"]["value"], 44, "{answer}");
    assert_eq!(answer["body"]["result"]["config"]["commitment"], "finalized", "{answer}");
    assert_eq!(
        node.reached(),
        [json!({ "name": "getBalance", "params": [ADDRESS, { "commitment": "finalized" }] })]
    );
    // The node's own error is an answer, and its receipt one of a call that was made.
    let signature = format!("signature={}", "5".repeat(88));
    let answer = node.home.json(&["call", "solana.transactions.get", &signature]);
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(answer["body"]["error"]["code"], -32004, "{answer}");
    let receipts = node.home.receipts();
    assert!(receipts.iter().all(|row| row["outcome"] == "allowed"), "{receipts:?}");
    // A grant to read sends nothing.
    let refusal = node.home.refused(&["call", "solana.transactions.send", "transaction=AQID"]);
    assert_eq!(refusal.code, "no_grant");
    assert_eq!(node.reached().len(), 2, "the refused call reached the node");
}

#[test]
fn a_program_calls_what_is_listed_and_granted_and_nothing_else() {
    let node = Node::start();
    let call = |method: &str, params: &Value| {
        json!({ "jsonrpc": "2.0", "id": "own-7", "method": method, "params": params }).to_string()
    };
    let (status, body) = node.program("solana.read", &call("getBalance", &json!([ADDRESS])));
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["id"], "own-7", "the program's own id comes back: {body}");
    assert_eq!(answer["result"]["value"], 44, "{body}");

    // Not in the catalogue; in it, but not granted; twice, where readers differ; many at once.
    let (status, body) = node.program("solana.*", &call("validatorExit", &json!([])));
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("\"code\":\"not_listed\"") && body.contains("validatorExit"), "{body}");
    let (status, body) = node.program("solana.read", &call("sendTransaction", &json!(["AQID"])));
    assert_eq!(status, 403, "{body}");
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","method":"validatorExit"}"#;
    let (status, body) = node.program("solana.*", twice);
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("twice"), "{body}");
    let batch = format!("[{}]", call("getSlot", &json!([])));
    let (status, body) = node.program("solana.*", &batch);
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("send each call by itself"), "{body}");

    let names: Vec<Value> = node.reached().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["getBalance"], "what was refused reached the node");
    assert_clean(&node.canaries.find_below(&node.home.path()).expect("a readable home"));
}
