//! Makes the keys of all statements, writes the verifying keys' files into `keys`, and prints the
//! table of `src/key/pins.rs`. Run where a circuit was changed on purpose:
//!
//! ```sh
//! cargo run --release -p symbolon-circuits --example pin
//! ```

use std::path::Path;

use symbolon_circuits::{
    KeyError, ProvingKey, Statement, age, binding, capsule, claimed, identity, nationality,
    possession, returning, validity,
};
use symbolon_crypto::sha256;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pin::<age::Age>()?;
    pin::<validity::Validity>()?;
    pin::<nationality::Nationality>()?;
    pin::<binding::Bound>()?;
    pin::<possession::Key>()?;
    pin::<claimed::Says>()?;
    pin::<returning::Returning>()?;
    pin::<identity::Identity>()?;
    pin::<capsule::Capsule>()?;
    Ok(())
}

fn pin<S: Statement>() -> Result<(), Box<dyn std::error::Error>> {
    let (key, verifying) = ProvingKey::<S>::make_both().map_err(|e: KeyError| e.to_string())?;
    let (name, version) = (S::NAME, S::VERSION);
    let file = format!("{name}.{version}.vk");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys");
    std::fs::write(folder.join(&file), &verifying)?;
    println!("    {} = \"{name}/{version}\" \"{file}\"", name.to_uppercase());
    println!("        \"{}\"", hex::encode(sha256(&verifying).0));
    println!("        \"{}\" {};", hex::encode(sha256(&key.write()).0), key.proof_bytes());
    Ok(())
}
