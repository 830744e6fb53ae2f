//! Passive authentication over chips whose certificates and signatures were made by other programs
//! (`vectors/passport/make.py`).

use std::collections::BTreeMap;

use serde::Deserialize;
use symbolon_codec::hex;
use symbolon_passport::{Authentic, Chip, ChipError, Revocation, Trust, TrustError, Who};

#[derive(Deserialize)]
struct Vectors {
    now_unix_ms: u64,
    chips: Vec<Files>,
    #[serde(rename = "refused authorities")]
    refused_authorities: BTreeMap<String, String>,
    #[serde(rename = "refused lists")]
    refused_lists: BTreeMap<String, String>,
    #[serde(rename = "without lists")]
    without_lists: String,
}

#[derive(Deserialize, Clone)]
struct Files {
    name: String,
    expected: String,
    dg1: String,
    sod: String,
    authority: String,
    lists: Vec<String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../vectors/passport/chips.json")).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

impl Files {
    fn trust(&self) -> Trust {
        let mut trust = Trust::new();
        trust.add_authority(&bytes(&self.authority)).unwrap();
        for list in &self.lists {
            trust.add_list(&bytes(list)).unwrap();
        }
        trust
    }

    fn judged(&self, trust: &Trust, now: u64) -> Result<Authentic, ChipError> {
        judge(&bytes(&self.dg1), &bytes(&self.sod), trust, now)
    }
}

fn judge(dg1: &[u8], sod: &[u8], trust: &Trust, now: u64) -> Result<Authentic, ChipError> {
    Chip::read(dg1, sod)?.authenticate(trust, now)
}

/// What a chip of the vectors comes to, in their words.
fn outcome(judged: &Result<Authentic, ChipError>) -> &'static str {
    match judged {
        Ok(authentic) if authentic.revocation() == Revocation::NotRevoked => "not revoked",
        Ok(_) => "ok",
        Err(ChipError::Group) => "group",
        Err(ChipError::Object(_)) => "object",
        Err(ChipError::NoDigest) => "no digest",
        Err(ChipError::Changed) => "changed",
        Err(ChipError::Certificate(Who::Signer, _)) => "signer's certificate",
        Err(ChipError::Untrusted(_)) => "untrusted",
        Err(ChipError::Time(Who::Signer)) => "signer's time",
        Err(ChipError::Time(Who::Authority)) => "authority's time",
        Err(ChipError::Revoked) => "revoked",
        Err(ChipError::ListOutOfDate) => "list out of date",
        Err(ChipError::Zone(_)) => "zone",
        Err(ChipError::OtherState) => "other state",
        Err(_) => "another",
    }
}

#[test]
fn chips_of_states_and_what_must_not_pass_for_one() {
    let vectors = vectors();
    assert!(vectors.chips.len() > 28);
    for files in &vectors.chips {
        let judged = files.judged(&files.trust(), vectors.now_unix_ms);
        assert_eq!(outcome(&judged), files.expected, "{}: {judged:?}", files.name);
        if let Ok(authentic) = judged {
            let (mrz, is_german) = (authentic.mrz(), files.name.contains("Germany"));
            let state = if is_german { "D" } else { "UTO" };
            assert_eq!((mrz.issuer().code(), mrz.nationality().code()), (state, state));
            assert_eq!(
                mrz.birth().to_string(),
                if is_german { "1964-08-12" } else { "1974-08-12" }
            );
            assert!(authentic.authority().contains("CN=CSCA"), "{}", authentic.authority());
        }
    }
}

#[test]
fn nobody_is_believed_by_default() {
    let vectors = vectors();
    let judged = vectors.chips[0].judged(&Trust::new(), vectors.now_unix_ms);
    assert_eq!(judged.unwrap_err(), ChipError::Untrusted("UT".to_owned()));
    // Times are looked at to the second: the signer's certificate begins in 2024 and ends in 2035.
    let trust = vectors.chips[0].trust();
    for (seconds, is_good) in [
        (1_704_067_200, true),
        (1_704_067_199, false),
        (2_051_222_400, true),
        (2_051_222_401, false),
    ] {
        let judged = vectors.chips[0].judged(&trust, seconds * 1000);
        assert_eq!(judged.is_ok(), is_good, "{seconds}: {judged:?}");
    }
}

/// Each byte of EF.SOD is held by something: by DER, by the signature, by the authority's, or by what
/// the CMS must be.
#[test]
fn every_byte_of_both_files_counts() {
    let vectors = vectors();
    for name in ["Brainpool curves", "RSA-PSS, Germany's one letter"] {
        let files = vectors.chips.iter().find(|files| files.name == name).unwrap();
        let (trust, dg1, sod) = (files.trust(), bytes(&files.dg1), bytes(&files.sod));
        for place in 0..sod.len() {
            let mut changed = sod.clone();
            changed[place] ^= 1 << (place % 8);
            let judged = judge(&dg1, &changed, &trust, vectors.now_unix_ms);
            assert!(judged.is_err(), "{name}: byte {place} of EF.SOD");
        }
        for place in 0..dg1.len() {
            let mut changed = dg1.clone();
            changed[place] ^= 1 << (place % 8);
            let judged = judge(&changed, &sod, &trust, vectors.now_unix_ms);
            let seen = matches!(judged, Err(ChipError::Changed | ChipError::Group));
            assert!(seen, "{name}: byte {place} of EF.DG1: {judged:?}");
        }
        for len in 0..sod.len() {
            assert!(judge(&dg1, &sod[..len], &trust, vectors.now_unix_ms).is_err(), "{len} bytes");
        }
        let long = [&sod[..], &[0]].concat();
        assert!(matches!(judge(&dg1, &long, &trust, 0), Err(ChipError::Object(_))));
        assert!(matches!(judge(&dg1, &[0x77; 70_000], &trust, 0), Err(ChipError::Object(_))));
    }
}

#[test]
fn a_chips_own_certificates_are_never_trusted() {
    let vectors = vectors();
    let mut trust = Trust::new();
    for (name, der) in &vectors.refused_authorities {
        assert!(trust.add_authority(&bytes(der)).is_err(), "{name}");
    }
    assert!(trust.is_empty());
    let good = &vectors.chips[0];
    trust.add_authority(&bytes(&good.authority)).unwrap();
    trust.add_authority(&bytes(&vectors.without_lists)).unwrap();
    for (name, der) in &vectors.refused_lists {
        assert_eq!(trust.add_list(&bytes(der)), Err(TrustError::List), "{name}");
    }
    let listed = vectors.chips.iter().find(|files| files.name == "revoked").unwrap();
    let mut list = bytes(&listed.lists[0]);
    assert_eq!(trust.add_list(&list), Ok(()));
    *list.last_mut().unwrap() ^= 1;
    assert_eq!(trust.add_list(&list), Err(TrustError::List));
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = Chip::read(&bytes, &bytes);
        let _ = Trust::new().add_authority(&bytes);
        let _ = Trust::new().add_list(&bytes);
    }

    #[test]
    fn any_two_changes(a in 0_usize..4000, b in 0_usize..4000, with in proptest::prelude::any::<u8>()) {
        let vectors = vectors();
        let files = &vectors.chips[0];
        let mut sod = bytes(&files.sod);
        let len = sod.len();
        sod[a % len] = with;
        sod.remove(b % len);
        proptest::prop_assert!(judge(&bytes(&files.dg1), &sod, &files.trust(), vectors.now_unix_ms).is_err());
    }
}
