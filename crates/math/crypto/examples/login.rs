//! How many OPAQUE logins a server answers on one core, and how long one takes a client:
//! `cargo run --release -p symbolon-crypto --example login`.

use std::time::Instant;

use symbolon_ambient::SystemRng;
use symbolon_crypto::opaque::{
    ClientLogin, ClientRegistration, CredentialRequest, RegistrationUpload, ServerSetup,
};
use symbolon_secret::Secret;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (rng, name) = (SystemRng, b"name");
    let server = ServerSetup::make(&rng);
    let password = Secret::<[u8]>::make_slice(21, |b| b.copy_from_slice(b"correct horse battery"));
    let (state, request) = ClientRegistration::start(&password, &rng)?;
    let answer = server.start_registration(&request, name)?;
    let made = state.finish(&password, &answer, &server.public_key(), &rng)?;

    let began = Instant::now();
    let (state, request) = ClientLogin::start(&password, &rng)?;
    let (login, answer) = server.start_login(Some(&made.upload), &request, name, &rng)?;
    let logged = state.finish(&password, &answer, &server.public_key(), &rng)?;
    println!("client, Argon2id of 64 MiB: {} ms", began.elapsed().as_millis());
    assert!(login.finish(&logged.finalization)?.secret().ct_eq(logged.session_key.secret()));

    // What a server does: read both messages and the record, answer, and compare the proof, which
    // takes the same time whether it fits.
    let (request, record) = (request.to_bytes(), made.upload.to_bytes());
    let mut nanoseconds = [Vec::new(), Vec::new()];
    for round in 0..2000 {
        let began = Instant::now();
        let request = CredentialRequest::from_bytes(&request)?;
        let record = RegistrationUpload::from_bytes(&record)?;
        let record = (round % 2 == 0).then_some(&record);
        let (login, _) = server.start_login(record, &request, name, &rng)?;
        assert!(login.finish(&logged.finalization).is_err(), "a replayed proof");
        nanoseconds[round % 2].push(began.elapsed().as_nanos());
    }
    for (what, mut all) in ["known", "unknown"].into_iter().zip(nanoseconds) {
        all.sort_unstable();
        let median = all[all.len() / 2];
        println!(
            "server, {what} account: median {} µs, {}/s",
            median / 1000,
            1_000_000_000 / median
        );
    }
    Ok(())
}
