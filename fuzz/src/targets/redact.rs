//! The first byte chooses the content codings, the second how the body is split; what is left is
//! the body as it comes over the wire. In identity, a byte 0xff stands for the credential.

use std::sync::{Arc, LazyLock};

use symbolon_ambient::SeededRng;
use symbolon_connector::body::Codings;
use symbolon_connector::inject::{Slot, wire_form};
use symbolon_connector::redact::{
    Confirm, Filter, FilterError, Pattern, Unconfirmed, Verdict, judge, judge_scratch_len,
};
use symbolon_secret::{Secret, with_window};

const SECRET: &[u8] = b"ghp_0123456789abcdefghijABCDEFGHIJ012345";
const CODINGS: [&str; 8] =
    ["identity", "gzip", "deflate", "br", "zstd", "gzip, br", "zstd, gzip", "deflate, zstd, br"];

pub fn run(data: &[u8]) {
    let [coding, size, body @ ..] = data else { return };
    let codings = CODINGS[usize::from(*coding) % CODINGS.len()];
    let is_identity = codings == "identity";
    let body = if is_identity { planted(body) } else { body.to_vec() };
    let whole = filtered(codings, &body, body.len().max(1));
    let split = filtered(codings, &body, usize::from(*size).max(1));
    match (&whole, &split) {
        (Ok(whole), Ok(split)) => assert_eq!(whole, split, "the split shows in what comes out"),
        (Err(_), Err(_)) => {}
        _ => panic!("one way to split it is refused and another is not"),
    }
    let Ok((out, found)) = whole else { return };
    assert!(!out.windows(SECRET.len()).any(|w| w == SECRET), "the credential came out");
    assert!(!is_identity || found > 0 || out == body, "what holds no credential is changed");
}

fn planted(body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    for byte in body.iter().take(4096) {
        match byte {
            0xff => whole.extend_from_slice(SECRET),
            other => whole.push(*other),
        }
    }
    whole
}

fn filtered(codings: &str, body: &[u8], size: usize) -> Result<(Vec<u8>, u32), FilterError> {
    let credential = &*CREDENTIAL;
    let codings = Codings::parse([codings.as_bytes()])?;
    let mut filter = Filter::new(credential.pattern.clone(), credential, &codings, 4 << 20);
    let mut out = Vec::new();
    for piece in body.chunks(size) {
        filter.push(piece, &mut out)?;
    }
    let found = filter.finish(&mut out)?.total();
    Ok((out, found))
}

struct Credential {
    slot: Slot,
    wire: Secret<[u8]>,
    pattern: Arc<Pattern>,
}

static CREDENTIAL: LazyLock<Credential> = LazyLock::new(|| {
    let raw = Secret::make_slice(SECRET.len(), |out| out.copy_from_slice(SECRET));
    let slot = Slot::bearer();
    let wire = wire_form(&slot, &raw).expect("a usable credential");
    let pattern = Pattern::learn(&slot, &wire, &SeededRng::new(7)).expect("a pattern");
    Credential { pattern: Arc::new(pattern), slot, wire }
});

impl Confirm for Credential {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        with_window(|window| {
            let scratch = window.take(judge_scratch_len(self.wire.len()));
            // EXPOSE: the target's own credential, compared in the window.
            judge(&self.slot, self.wire.expose(), scratch, haystack, at)
        })
        .map_err(|_| Unconfirmed)?
    }
}
