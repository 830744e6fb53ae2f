//! The first byte chooses: a bundle, an envelope or a statement as it is, or a place in a bundle of
//! our own that is changed.

use std::sync::{Arc, LazyLock};

use symbolon_crypto::{SigningKey, sha256};
use symbolon_log::{Durability, Log, MemoryStorage};
use symbolon_receipt::{
    Bundle, Decision, Door, Envelope, Gate, IntentRef, OperatorKey, Outcome, Predicate, Response,
    Salt, Statement, Time, Times, media_type, verify,
};
use symbolon_secret::Secret;

const ORIGIN: &str = "symbolon.test/fuzz";

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 4 {
        0 => bundle(rest),
        1 => envelope(rest),
        2 => statement(rest),
        _ => changed(rest),
    }
}

fn bundle(bytes: &[u8]) {
    let operator = OperatorKey::from(signer().verifying_key());
    let verified = verify(bytes, &operator);
    let Ok(read) = Bundle::parse(bytes) else {
        assert!(verified.is_err());
        return;
    };
    let again = Bundle::parse(&read.to_json()).expect("what was read can be written");
    assert_eq!(again, read);
}

fn envelope(bytes: &[u8]) {
    let Ok(read) = Envelope::parse(bytes) else { return };
    let again = Envelope::parse(&read.to_json()).expect("what was read can be written");
    assert_eq!(again, read);
    let (signer, payload) = (signer(), bytes.to_vec());
    let signed = Envelope::sign(payload, &signer);
    assert_eq!(signed.verify(&signer.verifying_key()).ok(), Some(bytes));
}

fn statement(bytes: &[u8]) {
    let Ok(read) = Statement::parse(bytes) else { return };
    let mut written = Vec::new();
    read.write(&mut written).expect("what was read can be written");
    assert_eq!(Statement::parse(&written).as_ref(), Ok(&read));
}

/// Two bytes for the place, one for the change; what is left is put in there.
fn changed(rest: &[u8]) {
    let [high, low, change, inserted @ ..] = rest else { return };
    let (whole, operator) = &*OURS;
    let at = usize::from(u16::from_be_bytes([*high, *low])) % whole.len();
    let mut bytes = whole.clone();
    bytes[at] ^= change;
    bytes.splice(at..at, inserted.iter().copied());
    if bytes == *whole {
        verify(&bytes, operator).expect("our own receipt");
    } else if let Ok(verified) = verify(&bytes, operator) {
        // Spaces between JSON's words are nobody's to sign: all else must be as it was.
        let read = Bundle::parse(&bytes).expect("it was verified");
        assert_eq!(Ok(read), Bundle::parse(whole), "a receipt was changed at {at}");
        assert_eq!(verified, verify(whole, operator).expect("our own receipt"));
    }
}

static OURS: LazyLock<(Vec<u8>, OperatorKey)> = LazyLock::new(|| {
    let key = Arc::new(signer());
    let log = Log::open(MemoryStorage::new(), ORIGIN, Some(key.clone())).expect("memory");
    let ticket = log.append(b"an intent").expect("memory");
    log.commit().expect("memory");
    let intent = log.durable(&ticket, Durability::Group).expect("committed");
    let mut entry = Vec::new();
    receipt(IntentRef::from(&intent)).write(&mut entry).expect("within its bounds");
    let index = log.append(&entry).expect("memory").index();
    log.append(b"another entry").expect("memory");
    log.commit().expect("memory");
    let proof = log.prove(index).expect("it is there");
    let bundle = Bundle::make(entry, proof, ORIGIN, &key).expect("a log's name");
    (bundle.to_json(), OperatorKey::from(key.verifying_key()))
});

fn receipt(intent: IntentRef) -> Statement<'static> {
    let salt = Salt::from_bytes([9; 32]);
    let predicate = Predicate {
        agent: "claude".into(),
        session: sha256(b"session"),
        door: Door::Mcp,
        context: "direct".into(),
        tool: "github.issues.list".into(),
        service: "github".into(),
        connection: "github".into(),
        method: "GET".into(),
        host: "api.github.com".into(),
        path_template: "/repos/{owner}/{repo}/issues".into(),
        parameters: salt.parameters(br#"{"owner":"a","repo":"b"}"#),
        decision: Decision {
            outcome: Outcome::Allowed,
            gates: vec![Gate { gate: "scope".into(), held: true, detail: "".into() }],
        },
        lineage: std::borrow::Cow::default(),
        approval: None,
        intent: Some(intent),
        retries: 0,
        idempotency_key: None,
        minted: None,
        request_body: None,
        response: Some(Response {
            status: 200,
            bytes_in: 5120,
            bytes_out: 5120,
            content_type: media_type("application/json"),
            redactions: vec![],
            redirects: 0,
            grpc_status: None,
            searched: None,
        }),
        error: None,
        times: Times {
            requested: Time::from_unix_ms(1_795_169_160_000),
            released: Some(Time::from_unix_ms(1_795_169_160_002)),
            completed: Time::from_unix_ms(1_795_169_160_300),
        },
        durability: Durability::Group,
    };
    Statement { request: salt.request(&sha256(b"request")), predicate }
}

/// The same key in every run.
fn signer() -> SigningKey {
    SigningKey::from_seed(Secret::<[u8; 32]>::make(|seed| seed.fill(7)))
}
