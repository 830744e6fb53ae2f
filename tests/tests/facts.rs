//! Facts without values: an issuer signs, a holder keeps and proves, anybody verifies; and each way in which that must
//! not go.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use symbolon_codec::hex;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::place;

const PASSWORD: &[u8] = b"correct horse battery";
/// Values that nobody but issuer and holder may see: a date of birth and a number as no other file has them.
const BIRTH: &str = "1987-03-14";
const NUMBER: &str = "ZQ7714093KX";

/// A vault on a device of its own.
fn vault() -> Home {
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let line = ["vault", "create", "--local", "--device", "--from-stdin", "--recovery-file"];
    home.ok_with(&[&line[..], &[path(&code)]].concat(), PASSWORD);
    fs::remove_file(code).unwrap();
    home
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn file(home: &Home, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = home.beside(name);
    fs::write(&path, content).unwrap();
    path
}

/// What an issuer knows of Ann.
fn ann(home: &Home) -> PathBuf {
    let known = json!({ "birth_date": BIRTH, "nationality": "FRA", "document_expiry": "2041-05-01",
        "document_state": "FRA", "document_number": NUMBER });
    file(home, "ann.json", known.to_string())
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// A shop asks, on a day that it names.
fn asks(home: &Home, date: &str, group: &str, issuer: &str) -> PathBuf {
    let request = json!({
        "type": "symbolon/proof-request/v1", "audience": "https://shop.example", "account": "c-1029",
        "nonce": "000102030405060708090a0b0c0d0e0f", "date": date, "expires_unix_ms": unix_ms() + 600_000,
        "policy": { "statement": "identity/1", "at_least_years": 18, "group": group, "issuers": [issuer] },
    });
    file(home, &format!("asks-{date}-{}.json", group.replace('/', "-")), request.to_string())
}

/// The holder makes a request that is good until a day, and gives it to the issuer.
fn requested(ann: &Home, until: &str) -> PathBuf {
    let request = ann.beside(&format!("request-{until}.json"));
    ann.ok(&["claims", "request", "--out", path(&request), "--until", until]);
    request
}

struct World {
    city: Home,
    key: String,
    ann: Home,
    claims: PathBuf,
}

/// An issuer, and a holder with a file of claims that is not in the vault yet.
fn world(until: &str) -> World {
    let (city, ann_home) = (vault(), vault());
    let key =
        city.json(&["issuer", "init", "--name", "City of Ulm"])["key"].as_str().unwrap().to_owned();
    let request = requested(&ann_home, until);
    let (known, claims) = (ann(&city), city.beside("claims.json"));
    let line = [
        "issuer",
        "issue",
        "--request",
        path(&request),
        "--from",
        path(&known),
        "--out",
        path(&claims),
    ];
    city.ok(&line);
    fs::remove_file(known).unwrap();
    World { city, key, ann: ann_home, claims }
}

fn shows(home: &Home, request: &Path, out: &Path) -> Value {
    home.json(&["prove", "age", "--request", path(request), "--out", path(out), "--yes"])
}

#[test]
fn claims_are_issued_kept_proven_and_verified_and_their_values_are_nowhere() {
    let World { city, key, ann, claims } = world("2050-01-01");
    assert_eq!(fs::metadata(&claims).unwrap().permissions().mode() & 0o777, 0o600);
    let shop = ann.beside("proof.json");

    // Before the claims are there, each way on is a command.
    let day = asks(&ann, "2005-03-14", "WORLD/1", &key);
    let none = ann.refused(&["prove", "age", "--request", path(&day), "--yes"]);
    assert_eq!((none.code.as_str(), none.next.is_some()), ("no_claims", true));

    let kept = ann.json(&["claims", "add", path(&claims)]);
    assert_eq!((&kept["issuer"], &kept["until"]), (&json!("City of Ulm"), &json!("2041-05-01")));
    fs::remove_file(&claims).unwrap();
    let listed = ann.json(&["claims", "ls"]);
    assert_eq!((&listed[0]["demo"], &listed[0]["over"]), (&json!(false), &json!(false)));
    assert_eq!(listed[0]["says"].as_array().unwrap().len(), 4);

    // What does not hold is said to the holder alone, and before any key is made.
    for (date, group, code) in [
        ("2005-03-13", "WORLD/1", "too_young"),
        ("2026-11-22", "NORDIC/1", "not_in_group"),
        ("2041-05-02", "WORLD/1", "document_over"),
    ] {
        let request = asks(&ann, date, group, &key);
        let refused = ann.refused(&["prove", "age", "--request", path(&request), "--yes"]);
        assert_eq!(refused.code, code, "{}", refused.message);
    }
    assert!(!ann.path().join("cache").exists());
    let agreed = ann.refused(&["prove", "age", "--request", path(&day)]);
    assert_eq!(agreed.code, "usage", "nobody is there to agree");

    // On the day of the eighteenth birthday.
    let done = shows(&ann, &day, &shop);
    assert_eq!((&done["demo"], &done["audience"]), (&json!(false), &json!("https://shop.example")));
    let issuer = city.beside("issuer.json");
    city.ok(&["issuer", "publish", "--out", path(&issuer)]);
    let anybody = Home::empty(place::symbolon());
    let seen = anybody.json(&["verify", path(&shop), "--issuer", path(&issuer)]);
    for (name, value) in [
        ("verified", json!(true)),
        ("at_least_years", json!(18)),
        ("date", json!("2005-03-14")),
        ("issuer_name", json!("City of Ulm")),
        ("issuer_named", json!(true)),
        ("demo", json!(false)),
        ("session_checked", json!(false)),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    let told = anybody.ok(&["verify", path(&shop)]).all();
    assert!(
        told.contains("not one you named") && told.contains("Only the audience can tell"),
        "{told}"
    );
    let demo = "e4469b728afe187ab274280b1b6424241ad424f40b71a4a759bf0b85d6ea521c";
    let other = anybody.refused(&["verify", path(&shop), "--issuer", demo]);
    assert_eq!(other.code, "unknown_issuer");

    // Changed for another audience, it shows nothing.
    let proof = fs::read_to_string(&shop).unwrap();
    let moved = file(&ann, "moved.json", proof.replace("shop.example", "evil.example"));
    assert_eq!(anybody.refused(&["verify", path(&moved)]).code, "not_shown");
    let cut = file(&ann, "cut.json", &proof[..proof.len() - 9]);
    assert_eq!(anybody.refused(&["verify", path(&cut), "--issuer", &key]).code, "proof_form");

    // The key is read again; damaged, it is made again.
    let cached = ann.path().join("cache").join("identity.1.key");
    assert_eq!(fs::metadata(&cached).unwrap().permissions().mode() & 0o777, 0o600);
    let mut bytes = fs::read(&cached).unwrap();
    let whole = bytes.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&cached, bytes).unwrap();
    let again = ann.beside("again.json");
    let line = ["prove", "age", "--request", path(&day), "--out", path(&again), "--yes"];
    let said = ann.ok(&line).all();
    assert!(said.contains("damaged"), "{said}");
    assert!(fs::read(&cached).unwrap() == whole, "the pinned one");
    assert_ne!(fs::read(&again).unwrap(), fs::read(&shop).unwrap(), "no two proofs are the same");

    let canaries =
        Canaries::new().plant("birth", BIRTH.as_bytes()).plant("number", NUMBER.as_bytes());
    for home in [&ann, &city] {
        assert_clean(&canaries.find_in("what was said", &home.said()));
        assert_clean(&canaries.find_below(&home.path()).unwrap());
    }
    assert_clean(&canaries.find_in_file(&shop).unwrap());
}

#[test]
fn claims_that_were_changed_or_are_somebody_elses_are_not_kept() {
    let World { city, key, ann, claims } = world("2040-01-01");
    let text = fs::read_to_string(&claims).unwrap();
    for (from, to, code) in [
        (BIRTH, "1980-03-14", "claims_signature"),
        ("\"FRA\"", "\"DEU\"", "claims_signature"),
        (NUMBER, "ZQ7714093KY", "claims_signature"),
        ("symbolon/claims/v1", "symbolon/claims/v9", "claims_form"),
        ("2040-01-01", "2099-01-01", "other_holder"),
        ("\"until\"", "\"upto\"", "claims_form"),
    ] {
        let changed = file(&ann, "changed.json", text.replacen(from, to, 1));
        let refused = ann.refused(&["claims", "add", path(&changed)]);
        assert_eq!(refused.code, code, "{from}: {}", refused.message);
        assert!(refused.next.is_some() && !refused.message.contains(to), "{}", refused.message);
    }
    let other = vault();
    assert_eq!(other.refused(&["claims", "add", path(&claims)]).code, "other_holder");
    assert_eq!(other.json(&["claims", "ls"]), json!([]));
    // Who has the vault of the issuer has no claims of Ann's.
    assert_eq!(city.json(&["claims", "ls"]), json!([]));
    ann.ok(&["claims", "add", path(&claims)]);
    let late = asks(&ann, "2040-01-02", "WORLD/1", &key);
    let over = ann.refused(&["prove", "age", "--request", path(&late), "--yes"]);
    assert_eq!(over.code, "claims_over");
    assert!(over.next.unwrap().starts_with("symbolon claims request"));
}

#[test]
fn an_issuer_signs_what_a_state_signed_and_nothing_that_is_over() {
    let (city, ann) = (vault(), vault());
    city.ok(&["issuer", "init"]);
    let request = requested(&ann, "2050-01-01");
    let vectors = include_str!("../../vectors/passport/chips.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let chips = vectors["chips"].as_array().unwrap();
    let chip = chips.iter().find(|it| it["name"] == "RSA-PSS, Germany's one letter").unwrap();
    let bytes = |name: &str| hex::decode(chip[name].as_str().unwrap()).unwrap();
    let (dg1, sod) = (bytes("dg1"), bytes("sod"));
    let (dg1_file, sod) = (file(&city, "dg1", &dg1), file(&city, "sod", sod));
    let folder = city.beside("csca");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("de.cer"), bytes("authority")).unwrap();
    let out = city.beside("chip.json");
    let by_chip = |dg1: &Path, csca: &Path| {
        let line = [
            "issuer",
            "issue",
            "--request",
            path(&request),
            "--dg1",
            path(dg1),
            "--sod",
            path(&sod),
        ];
        city.run(&[&["--json"], &line[..], &["--csca", path(csca), "--out", path(&out)]].concat())
    };
    let mut changed = dg1.clone();
    let at = changed.windows(6).position(|it| it == b"640812").unwrap();
    changed[at] = b'5';
    let changed = file(&city, "changed", changed);
    assert_eq!(by_chip(&changed, &folder).refused().code, "chip");
    assert_eq!(
        by_chip(&dg1_file, &sod).refused().code,
        "csca",
        "a chip's own files are no authority"
    );
    assert!(!out.exists());
    let issued = by_chip(&dg1_file, &folder).succeeded().json();
    assert_eq!(
        (&issued["known_by"], &issued["revocation_checked"]),
        (&json!("chip"), &json!(false))
    );
    ann.ok(&["claims", "add", path(&out)]);
    assert_eq!(ann.json(&["claims", "ls"]).as_array().unwrap().len(), 1);

    // A printed zone is taken where somebody looked at the document.
    let from = dg1.windows(2).position(|it| it == b"P<").unwrap();
    let zone = file(&city, "zone.txt", &dg1[from..from + 88]);
    let printed = city.beside("printed.json");
    let line = [
        "issuer",
        "issue",
        "--request",
        path(&request),
        "--mrz",
        path(&zone),
        "--out",
        path(&printed),
    ];
    let refused = city.refused(&line);
    assert!(refused.message.contains("--i-have-seen-the-document"), "{}", refused.message);
    city.ok(&[&line[..], &["--i-have-seen-the-document", "--valid-until", "2030-01-01"]].concat());
    let printed = fs::read_to_string(printed).unwrap();
    assert!(printed.contains("\"2030-01-01\"") && printed.contains("\"1964-08-12\""));

    // Over, or not to come.
    for (name, value) in
        [("document_expiry", "2020-01-01"), ("birth_date", "2099-01-01"), ("nationality", "ZZZ")]
    {
        let mut known: Value =
            serde_json::from_slice(&fs::read(self::ann(&city)).unwrap()).unwrap();
        known[name] = json!(value);
        let known = file(&city, "wrong.json", known.to_string());
        let out = city.beside("wrong-claims.json");
        let line = [
            "issuer",
            "issue",
            "--request",
            path(&request),
            "--from",
            path(&known),
            "--out",
            path(&out),
        ];
        let refused = city.refused(&line);
        assert!(refused.code == "usage" && !out.exists(), "{name}: {}", refused.message);
    }
}

#[test]
fn a_demo_is_marked_and_a_service_that_does_not_ask_for_it_gets_none() {
    let ann_home = vault();
    let known = ann(&ann_home);
    let made = ann_home.json(&["claims", "demo", "--from", path(&known)]);
    assert_eq!(made["demo"], json!(true));
    let listed = ann_home.ok(&["claims", "ls"]).stdout();
    assert!(listed.contains("demo") && !listed.contains(BIRTH), "{listed}");
    let city = vault();
    let key = city.json(&["issuer", "init"])["key"].as_str().unwrap().to_owned();
    let request = asks(&ann_home, "2026-11-22", "WORLD/1", &key);
    let refused = ann_home.refused(&["prove", "age", "--request", path(&request), "--yes"]);
    assert_eq!(refused.code, "no_issuer");
    assert!(refused.next.unwrap().starts_with("symbolon claims request"));

    // A request whose time is over, and none at all.
    let mut over: Value = serde_json::from_slice(&fs::read(&request).unwrap()).unwrap();
    over["expires_unix_ms"] = json!(1);
    let over = file(&ann_home, "over.json", over.to_string());
    let line = ["prove", "age", "--request", path(&over), "--yes"];
    assert_eq!(ann_home.refused(&line).code, "request_over");
    let none = file(&ann_home, "none.json", "{}");
    assert_eq!(ann_home.refused(&["prove", "age", "--request", path(&none), "--yes"]).code, "form");
    let away = ["prove", "age", "--for", "http://localhost:9", "--yes"];
    assert_eq!(ann_home.refused(&away).code, "server_away");
}
