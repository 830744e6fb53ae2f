//! Whole lives of a mesh from a seed: nodes with logs, loss, reordering, duplicates, partitions, clocks that differ,
//! crashes at writes, torn writes, an operator with two histories, a node that lies, floods.
//!
//! Always true: no entry that a node accepted is lost; once the net is whole all honest nodes have all of every honest
//! log; whoever saw two histories of a log has the proof; no honest operator is accused, and no honest node is blamed
//! for what another did. 500 seeds, or `SYMBOLON_SIMULATION_SEEDS` of them; those in `seeds.txt` failed once.

#[path = "simulation/party.rs"]
mod party;
#[path = "simulation/world.rs"]
mod world;

use world::World;

/// Gives the number of forks that nodes noticed, and of faults that they saw.
fn live(seed: u64) -> (u64, u64) {
    let mut world = World::new(seed);
    for _ in 0..30 {
        world.happen();
    }
    world.heal();
    let forks = world.nodes.iter().map(|node| node.accused.len() as u64).sum();
    (forks, world.faults)
}

fn lives(seeds: &[u64]) -> (u64, u64) {
    let one = |seed: &u64| {
        std::panic::catch_unwind(|| live(*seed)).unwrap_or_else(|_| {
            panic!("seed {seed} failed: write it into seeds.txt, with what it found")
        })
    };
    seeds
        .iter()
        .map(one)
        .fold((0, 0), |(forks, faults), (more, others)| (forks + more, faults + others))
}

#[test]
fn many_lives() {
    let count = std::env::var("SYMBOLON_SIMULATION_SEEDS").ok();
    let count: u64 = count.map_or(500, |text| text.parse().expect("a number of seeds"));
    let kept = include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#'));
    let kept = kept.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let seeds: Vec<u64> = kept.chain(0..count).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = seeds.len().div_ceil(threads);
    let (forks, faults) = std::thread::scope(|scope| {
        let parts: Vec<_> = seeds.chunks(part).map(|seeds| scope.spawn(|| lives(seeds))).collect();
        let parts =
            parts.into_iter().map(|it| it.join().expect("a seed failed; it is named above"));
        parts.fold((0, 0), |(forks, faults), (more, others)| (forks + more, faults + others))
    });
    // The lives are of the kind that is meant.
    assert!(forks >= count && faults >= count, "{forks} forks, {faults} faults");
}
