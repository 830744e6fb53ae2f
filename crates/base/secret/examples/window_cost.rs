//! What a window costs without a cipher: `cargo run --release -p symbolon-secret --example window_cost`.

use std::time::Instant;

use symbolon_secret::{CLEAR, Secret, on_stack, protection, scrub_registers, with_window};

fn main() {
    println!("pages: {}", protection());
    time("window of 700 bytes, clock included", || {
        let _ = with_window(|w| {
            w.opened();
            w.take(700)[0] = 1;
            w.sealed();
        });
    });
    time("on_stack", || on_stack(|| ()));
    time("scrub_registers", scrub_registers);
    time("Instant::now", || {
        std::hint::black_box(Instant::now());
    });
    time("Secret of 32 bytes, made and dropped", || {
        drop(Secret::<[u8; 32]>::make(|b| b[0] = 1));
    });
    println!("in the clear: {CLEAR:?}");
}

fn time(what: &str, mut f: impl FnMut()) {
    const ROUNDS: u32 = 1_000_000;
    (0..1000).for_each(|_| f());
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| f());
    println!("{what}: {:.1} ns", start.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
}
