//! What a proof takes: `cargo run --release -p symbolon-stark --example measure -- LENGTH`.

use std::time::Instant;

use symbolon_ambient::{Rng, SystemRng};
use symbolon_stark::{Context, Cost, Proof, prove, verify};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let length: usize = std::env::args().nth(1).ok_or("how many bytes?")?.parse()?;
    let mut binary = vec![0; length];
    SystemRng.fill(&mut binary);
    println!("expected {:?}", Cost::of(length)?);

    let context = Context::new("https://auditor.example", SystemRng.bytes())?;
    let began = Instant::now();
    let proof = prove(&binary, context.clone(), &SystemRng)?;
    println!("proved in {:.2} s", began.elapsed().as_secs_f64());

    let file = proof.to_bytes()?;
    let digest = proof.statement().digest;
    let mut verified = Vec::new();
    for _ in 0..9 {
        let began = Instant::now();
        verify(&Proof::from_bytes(&file)?, &digest, &context)?;
        verified.push(began.elapsed().as_secs_f64() * 1e3);
    }
    verified.sort_by(f64::total_cmp);
    println!("file of {} bytes, read and verified in {:.1} ms (median)", file.len(), verified[4]);
    for line in std::fs::read_to_string("/proc/self/status")?.lines() {
        if line.starts_with("VmHWM") {
            println!("{line}");
        }
    }
    Ok(())
}
