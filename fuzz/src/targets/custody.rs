//! The first byte chooses: a stored vault as it is, or one of our own whose bytes are changed in the
//! places that the rest says.

use std::sync::LazyLock;

use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_crypto::opaque::ExportKey;
use symbolon_crypto::{RecoveryCode, Seed};
use symbolon_custody::{Chain, Enrol, Opener, Origin, Unlocked, Vault};
use symbolon_secret::Secret;

/// A vault with a way in of each kind that is quick, and a rotation behind it.
struct Own {
    code: RecoveryCode,
    prf: Secret<[u8; 32]>,
    password: ExportKey,
    seed: Seed,
    vault: Vec<u8>,
    commitments: [[u8; 32]; 2],
}

static OWN: LazyLock<Own> = LazyLock::new(Own::make);

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    if mode % 2 == 0 {
        read(rest);
    } else {
        let mut text = OWN.vault.clone();
        for place in rest.chunks_exact(3).take(16) {
            let at = usize::from(u16::from_be_bytes([place[0], place[1]])) % text.len();
            text[at] ^= place[2];
        }
        read(&text);
    }
}

fn read(bytes: &[u8]) {
    let Ok(vault) = serde_json::from_slice::<Vault>(bytes) else { return };
    let again = serde_json::to_vec(&vault).expect("what was read can be written");
    assert_eq!(serde_json::from_slice::<Vault>(&again).expect("and read again"), vault);
    assert!(!vault.wraps().is_empty());
    for opener in OWN.openers() {
        match vault.unlock(&opener) {
            // Whatever else is in the file: a key that opens is the key that was sealed.
            Ok(unlocked) => {
                assert_eq!(commitment(&unlocked), OWN.commitments[1]);
                if let Ok(earlier) = unlocked.earlier(1) {
                    assert_eq!(commitment(&earlier), OWN.commitments[0]);
                }
            }
            Err(error) => assert!(!format!("{error} {}", error.next_step()).is_empty()),
        }
    }
}

impl Own {
    fn make() -> Self {
        let (rng, clock) = (SeededRng::new(3), ManualClock::at(1_700_000_000_000));
        let page = |text: &str| {
            Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
        };
        let words = page("test test test test test test test test test test test junk");
        let mut own = Self {
            code: RecoveryCode::make(&rng),
            prf: Secret::<[u8; 32]>::make(|b| b.fill(1)),
            password: ExportKey::from_secret(Secret::<[u8; 64]>::make(|b| b.fill(2))),
            seed: Seed::parse(&words, &page("")).expect("a phrase"),
            vault: Vec::new(),
            commitments: [[0; 32]; 2],
        };
        let origin: Origin = "http://127.0.0.1:7070".parse().expect("an origin");
        let ways = [
            Enrol::new(Opener::Recovery(&own.code)),
            Enrol::new(Opener::Passkey { credential: b"own", prf: &own.prf }),
            Enrol::new(Opener::Password(&own.password)),
            Enrol::seed(&origin, &own.seed, Chain::Ethereum),
            Enrol::seed(&origin, &own.seed, Chain::Solana),
        ];
        let (vault, first) = Vault::create(&ways[0], &rng, &clock).expect("a vault");
        let (change, second) =
            vault.rotate_data_key(&first, &ways, &rng, &clock).expect("a rotation");
        let commitments = [commitment(&first), commitment(&second)];
        own.vault = serde_json::to_vec(&change.vault).expect("JSON");
        own.commitments = commitments;
        own
    }

    fn openers(&self) -> [Opener<'_>; 4] {
        [
            Opener::Recovery(&self.code),
            Opener::Passkey { credential: b"own", prf: &self.prf },
            Opener::Password(&self.password),
            Opener::Seed(&self.seed),
        ]
    }
}

fn commitment(unlocked: &Unlocked) -> [u8; 32] {
    *unlocked.state_key().commitment()
}
