//! The first byte chooses: a machine-readable zone; a chip of ours with places of its two files changed;
//! or a certificate and a list for the trust.

use std::sync::LazyLock;

use symbolon_codec::hex;
use symbolon_passport::{Chip, Date, Mrz, Trust};

/// A chip that a trusted state signed, at a time when it is good.
struct Own {
    dg1: Vec<u8>,
    sod: Vec<u8>,
    trust: Trust,
    now_unix_ms: u64,
}

static OWN: LazyLock<Own> = LazyLock::new(|| {
    let text = include_str!("../../../vectors/passport/chips.json");
    let vectors: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let chip = &vectors["chips"][0];
    let bytes =
        |field: &str| hex::decode(chip[field].as_str().expect("text")).expect("hexadecimal");
    let mut trust = Trust::new();
    trust.add_authority(&bytes("authority")).expect("an authority");
    let now_unix_ms = vectors["now_unix_ms"].as_u64().expect("a time");
    Own { dg1: bytes("dg1"), sod: bytes("sod"), trust, now_unix_ms }
});

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 3 {
        0 => zone(rest),
        1 => chip(rest),
        _ => trust(rest),
    }
}

fn zone(text: &[u8]) {
    let today = Date::new(2026, 11, 22).expect("a day");
    let Ok(mrz) = Mrz::parse(text, today) else { return };
    let joined: Vec<u8> = text.iter().copied().filter(u8::is_ascii_graphic).collect();
    assert_eq!(Mrz::parse(&joined, today), Ok(mrz.clone()), "without ends of lines");
    assert!(mrz.birth() <= today && !mrz.number().is_empty() && !mrz.surname().is_empty());
}

/// Only what the state signed is believed.
fn chip(places: &[u8]) {
    let (mut dg1, mut sod) = (OWN.dg1.clone(), OWN.sod.clone());
    for place in places.chunks_exact(3).take(16) {
        let at = usize::from(u16::from_be_bytes([place[0], place[1]])) % (dg1.len() + sod.len());
        match at.checked_sub(dg1.len()) {
            None => dg1[at] ^= place[2],
            Some(at) => sod[at] ^= place[2],
        }
    }
    let judged =
        Chip::read(&dg1, &sod).and_then(|chip| chip.authenticate(&OWN.trust, OWN.now_unix_ms));
    assert_eq!(judged.is_ok(), dg1 == OWN.dg1 && sod == OWN.sod, "{judged:?}");
}

fn trust(bytes: &[u8]) {
    let mut trust = Trust::new();
    let is_authority = trust.add_authority(bytes).is_ok();
    assert_eq!(trust.is_empty(), !is_authority);
    assert!(trust.add_list(bytes).is_err(), "a certificate is no list");
    let _ = Chip::read(bytes, bytes);
}
