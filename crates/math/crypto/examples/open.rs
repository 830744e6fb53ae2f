//! How long an envelope of 48 bytes takes to open: `cargo run --release -p symbolon-crypto --example open`.

use std::hint::black_box;
use std::time::Instant;

use symbolon_ambient::SystemRng;
use symbolon_crypto::{Aad, MasterKey, labels, sha256};
use symbolon_secret::on_stack;

fn main() {
    let rng = SystemRng;
    let key = MasterKey::make(&rng).derive_aead(&labels::KEY_CONNECTIONS, b"vault");
    let (tag, context) = (labels::CONNECTION_CREDENTIAL, [&b"vault"[..], b"connection"]);
    let envelope = key.seal(&tag, &context, &[b'x'; 48], &rng);
    let aad = Aad::new(&tag, &context);

    let nanoseconds = |name: &str, each: &mut dyn FnMut()| {
        let mut rounds: Vec<f64> = (0..101)
            .map(|_| {
                let start = Instant::now();
                (0..2000).for_each(|_| each());
                start.elapsed().as_nanos() as f64 / 2000.0
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        println!("{name}: median {:.0} ns, best {:.0} ns", rounds[50], rounds[0]);
    };

    let mut out = [0; 48];
    on_stack(|| {
        nanoseconds("open_into_with, 48 bytes", &mut || {
            let n = key.open_into_with(black_box(&aad), black_box(&envelope), &mut out);
            assert_eq!(black_box(n), Ok(48));
        });
    });
    nanoseconds("open_into_with, 48 bytes, with the switch of stack", &mut || {
        on_stack(|| assert_eq!(key.open_into_with(&aad, black_box(&envelope), &mut out), Ok(48)));
    });
    nanoseconds("Aad::new", &mut || {
        black_box(Aad::new(black_box(&tag), black_box(&context)));
    });
    let leaf = [7; 300];
    nanoseconds("sha256, 300 bytes", &mut || {
        black_box(sha256(black_box(&leaf)));
    });
}
