//! An issuer and a holder, from the request to the record in the vault.

use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_circuits::IssuerKey;
use symbolon_codec::hex;

use super::*;

fn secret(text: &str) -> symbolon_secret::Secret<[u8]> {
    json::secret(text).expect("a page")
}

fn text(bytes: &symbolon_secret::Secret<[u8]>) -> String {
    // EXPOSE: a test looks.
    String::from_utf8(bytes.expose().to_vec()).expect("UTF-8")
}

fn today() -> symbolon_circuits::Date {
    "2026-11-22".parse().expect("a day")
}

const ANN: &str = r#"{"birth_date": "1990-03-14", "nationality": "FRA", "document_expiry": "2031-05-01",
    "document_state": "D", "document_number": "L898902C3"}"#;

fn record() -> HolderRecord {
    HolderRecord::make("2027-12-31".parse().expect("a day"), &SeededRng::new(1))
}

fn issued(record: &HolderRecord, key: &IssuerKey) -> ClaimsFile {
    let known = Particulars::parse(&secret(ANN), today()).expect("in form");
    let request = record.request().expect("pages");
    let request =
        ClaimsRequest::parse(request.to_value().to_string().as_bytes()).expect("as written");
    let name = IssuerName::new("City of Ulm").expect("a name");
    known.issue(key, name, &request, &SeededRng::new(2)).expect("pages")
}

#[test]
fn claims_go_from_an_issuer_to_a_record_and_out_of_the_vault_again() {
    let (key, mut mine) = (IssuerKey::make(&SeededRng::new(3)), record());
    let bytes = issued(&mine, &key).write().expect("pages");
    let value: serde_json::Value = serde_json::from_str(&text(&bytes)).expect("JSON");
    assert_eq!(value["type"], "symbolon/claims/v1");
    assert_eq!((&value["state"], &value["number"]), (&"D<<".into(), &"L898902C3".into()));
    assert_eq!(value["claims"][0]["type"], "0x101");

    let claims = ClaimsFile::parse(&bytes).expect("as issued");
    assert_eq!(text(&claims.write().expect("pages")), text(&bytes));
    assert_eq!(claims.good_until().to_string(), "2027-12-31", "the secret's day is the first");
    assert_eq!(claims.kinds().count(), 4);
    assert!(!claims.is_demo());
    mine.add(claims).expect("about this holder");

    let kept = mine.write().expect("pages");
    let again = HolderRecord::parse(&kept).expect("as kept");
    assert_eq!(text(&again.write().expect("pages")), text(&kept));
    let (holder, claims) = (again.holder().expect("a page"), again.claims().expect("kept"));
    let set = claims.check(&holder).expect("signed and about the holder");
    assert_eq!(claims.held(&set, &holder).issuer, key.public());
    assert_eq!(again.request().expect("pages"), mine.request().expect("pages"));
    for shown in [format!("{again:?}"), format!("{claims:?}")] {
        assert!(!shown.contains("1990") && !shown.contains("L898902C3"), "{shown}");
    }
}

#[test]
fn claims_about_another_holder_are_not_kept() {
    let key = IssuerKey::make(&SeededRng::new(3));
    let other = HolderRecord::make("2027-12-31".parse().expect("a day"), &SeededRng::new(9));
    let mut mine = record();
    assert_eq!(mine.add(issued(&other, &key)), Err(ClaimsError::AnotherHolder));
    assert!(mine.claims().is_none());
}

#[test]
fn each_changed_member_is_refused_and_none_is_quoted() {
    let key = IssuerKey::make(&SeededRng::new(3));
    let file = text(&issued(&record(), &key).write().expect("pages"));
    let salt = file.split("\"salt\":\"").nth(1).expect("there")[..64].to_owned();
    for (from, to) in [
        ("1990-03-14", "1960-03-14"),
        ("FRA", "DEU"),
        ("2031-05-01", "2041-05-01"),
        ("\"L898902C3\"", "\"L898902C4\""),
        ("D<<", "UTO"),
        ("\"0x101\"", "\"0x102\""),
        ("\"0x401\"", "\"0x402\""),
        ("\"0x101\"", "\"0X101\""),
        ("symbolon/claims/v1", "symbolon/claims/v2"),
        (&salt, &"0".repeat(64)),
        (&salt, &"f".repeat(64)),
    ] {
        let changed = file.replacen(from, to, 1);
        assert_ne!(changed, file, "{from}");
        let error = ClaimsFile::parse(&secret(&changed)).expect_err(from);
        assert!(!error.to_string().contains(to), "{error}");
    }
    // The name and the last day are not signed: the name is the holder's to judge, and a record that
    // has another day refuses.
    let renamed = file.replacen("City of Ulm", "City of Bonn", 1);
    assert_eq!(
        ClaimsFile::parse(&secret(&renamed)).expect("a name").issuer_name().as_str(),
        "City of Bonn"
    );
    let later = ClaimsFile::parse(&secret(&file.replacen("2027-12-31", "2099-12-31", 1)));
    assert_eq!(record().add(later.expect("signed")), Err(ClaimsError::AnotherHolder));
    let escaped = file.replacen("FRA", "\\u0046RA", 1);
    assert!(matches!(ClaimsFile::parse(&secret(&escaped)), Err(ClaimsError::Form { line: 1, .. })));
    let long = format!("{file}{}", " ".repeat(16 << 10));
    assert_eq!(
        ClaimsFile::parse(&secret(&long)).err(),
        Some(ClaimsError::TooLong { max: 16 << 10 })
    );
}

#[test]
fn what_is_said_of_a_person_has_its_form() {
    for (from, to, particular) in [
        ("1990-03-14", "1990-02-30", Particular::BirthDate),
        ("1990-03-14", "2026-11-23", Particular::BirthDate),
        ("FRA", "ZZZ", Particular::Nationality),
        ("FRA", "fra", Particular::Nationality),
        ("2031-05-01", "2026-11-21", Particular::DocumentEnded),
        ("2031-05-01", "01.05.2031", Particular::DocumentExpiry),
        ("\"D\"", "\"<<<\"", Particular::DocumentState),
        ("\"D\"", "\"D<<<\"", Particular::DocumentState),
        ("L898902C3", "L 898902C3", Particular::DocumentNumber),
        ("L898902C3", "", Particular::DocumentNumber),
    ] {
        let known = Particulars::parse(&secret(&ANN.replacen(from, to, 1)), today());
        assert_eq!(known.err(), Some(ClaimsError::Particular(particular)), "{from} {to}");
    }
    let on_the_last_day = ANN.replacen("2031-05-01", "2026-11-22", 1);
    assert!(Particulars::parse(&secret(&on_the_last_day), today()).is_ok());
    let more = ANN.replacen('{', "{\"name\": \"Ann\",", 1);
    assert!(matches!(Particulars::parse(&secret(&more), today()), Err(ClaimsError::Form { .. })));
}

#[test]
fn the_demo_issuer_is_the_same_for_everybody_and_known_for_it() {
    let demo = demo_issuer().public();
    assert_eq!(hex::encode(demo.to_bytes()), DEMO_KEY);
    assert!(is_demo(&demo) && !is_demo(&IssuerKey::make(&SeededRng::new(3)).public()));
    let name = IssuerName::new("Demo").expect("a name");
    let file = IssuerFile { name, key: demo };
    let written = file.to_value().to_string();
    assert_eq!(IssuerFile::parse(written.as_bytes()), Ok(file));
    let hidden = written.replacen("true", "false", 1);
    assert!(IssuerFile::parse(hidden.as_bytes()).is_err(), "a demo that says it is none");
    assert!(issued(&record(), &demo_issuer()).is_demo());
    for name in ["", " x", "x ", "a\"b", "a\\b", "a\nb", &"x".repeat(129)] {
        assert!(IssuerName::new(name).is_err(), "{name}");
    }
}

/// As in `specs/issuer.md`.
const DEMO_KEY: &str = "e4469b728afe187ab274280b1b6424241ad424f40b71a4a759bf0b85d6ea521c";

proptest! {
    #[test]
    fn no_bytes_are_claims_by_chance(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let page = json::copy(&bytes).expect("a page");
        prop_assert!(ClaimsFile::parse(&page).is_err() && HolderRecord::parse(&page).is_err());
        prop_assert!(Particulars::parse(&page, today()).is_err());
        prop_assert!(ClaimsRequest::parse(&bytes).is_err() && IssuerFile::parse(&bytes).is_err());
    }
}
