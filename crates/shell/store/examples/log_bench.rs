//! What the log costs here: `log_bench FOLDER`, or `log_bench FOLDER postgres` for a server beside it alone. Build with
//! `--release`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_ambient::SeededRng;
use symbolon_crypto::SigningKey;
use symbolon_log::{Durability, Log, MemoryStorage, Shards, Storage};
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_store::{Faults, FolderStorage, LogService, LogSettings, LogStorage, PostgresStorage};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("log_bench FOLDER")?);
    let entry = [7u8; 300];
    if std::env::args().nth(2).as_deref() == Some("postgres") {
        return beside_postgres(&folder, &entry);
    }
    hashes();
    for threads in [1, 2, 10, 100] {
        appends(&entry, threads)?;
    }
    syncs(&folder)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for durability in [Durability::Group, Durability::Relaxed] {
        for tasks in [1, 10, 50, 100] {
            let _ = std::fs::remove_dir_all(&folder);
            let storage = FolderStorage::open(&folder)?.into();
            runtime.block_on(waits(storage, durability, tasks, &entry))?;
        }
    }
    Ok(())
}

/// Appends alone: what is written goes nowhere. Wall time, and the processor time of all threads,
/// which holds still when the machine is busy.
fn appends(entry: &[u8], threads: usize) -> Result<(), Box<dyn std::error::Error>> {
    const COUNT: usize = 2_000_000;
    let log = Log::open(Nowhere(MemoryStorage::new()), "example.test/log", None)?;
    let (start, cpu) = (Instant::now(), cpu_ns());
    std::thread::scope(|s| {
        for _ in 0..threads {
            s.spawn(|| {
                for i in 0..COUNT / threads {
                    while log.append(entry).is_err() {
                        let _ = log.hand_over();
                    }
                    if i % 1000 == 999 {
                        let _ = log.hand_over();
                    }
                }
            });
        }
    });
    let count = (COUNT / threads * threads) as f64;
    let wall = start.elapsed().as_nanos() as f64 / count;
    let cpu = (cpu_ns() - cpu) as f64 / count;
    println!(
        "append {} B, {threads} threads: wall {wall:.0} ns, processor {cpu:.0} ns, {:.0}/s",
        entry.len(),
        1e9 / wall
    );
    Ok(())
}

fn hashes() {
    let (entry, chained) = ([7u8; 300], [2u8; 49]);
    for (what, bytes) in [("leaf of 300 B", &entry[..]), ("link of the chain", &chained[..])] {
        let cpu = cpu_ns();
        for _ in 0..1_000_000 {
            std::hint::black_box(symbolon_log::leaf_hash(std::hint::black_box(bytes)));
        }
        println!("{what}: processor {} ns", (cpu_ns() - cpu) / 1_000_000);
    }
}

fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Forgets entries.
struct Nowhere(MemoryStorage);

impl Storage for Nowhere {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(offset, out)
    }
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset == 0 { self.0.write(offset, bytes) } else { Ok(()) }
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    fn cut(&self, offset: u64) -> io::Result<()> {
        self.0.cut(offset)
    }
    fn set_aside(&self, shards: &Shards) -> io::Result<()> {
        self.0.set_aside(shards)
    }
    fn give_up(&self, shards: &Shards) -> io::Result<()> {
        self.0.give_up(shards)
    }
    fn begin_at(&self, shards: &Shards, last: &[u8]) -> io::Result<()> {
        self.0.begin_at(shards, last)
    }
    fn get(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        self.0.get(name, max)
    }
    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(name, offset, out)
    }
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(name, offset, bytes)
    }
    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.publish(name, bytes)
    }
}

fn syncs(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let _ = std::fs::remove_dir_all(folder);
    let storage = FolderStorage::open(folder)?;
    let mut times = Vec::new();
    for i in 0..500u64 {
        storage.write(i * 340, &[1; 340])?;
        let start = Instant::now();
        storage.sync()?;
        times.push(start.elapsed());
    }
    report("bare pwrite + fdatasync of 340 B, allocated ahead", &mut times, Duration::ZERO);
    drop(storage);
    use std::os::unix::fs::FileExt;
    let plain = std::fs::File::create(folder.join("plain"))?;
    for i in 0..500u64 {
        plain.write_all_at(&[1; 340], i * 340)?;
        let start = Instant::now();
        plain.sync_data()?;
        times.push(start.elapsed());
    }
    report("the same, growing the file", &mut times, Duration::ZERO);
    plain.write_all_at(&vec![0; 1 << 20], 0)?;
    plain.sync_all()?;
    for i in 0..500u64 {
        plain.write_all_at(&[1; 340], i * 340)?;
        let start = Instant::now();
        plain.sync_data()?;
        times.push(start.elapsed());
    }
    report("the same, over zeros written before", &mut times, Duration::ZERO);
    Ok(())
}

/// The folder, and PostgreSQL on the same disk, in turns; what was told durable is counted in both.
fn beside_postgres(folder: &Path, entry: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let place = std::env::temp_dir().join(format!("symbolon-bench-{}", std::process::id()));
    let server = OwnPostgres::start(&place, Afterwards::Remove)?;
    let address = server.make_database("log")?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for durability in [Durability::Group, Durability::Relaxed] {
        for tasks in [1, 10, 100] {
            let _ = std::fs::remove_dir_all(folder);
            println!("folder");
            let storage = FolderStorage::open(folder)?.into();
            runtime.block_on(waits(storage, durability, tasks, entry))?;
            println!("postgres");
            let origin = "example.test/log";
            let storage = PostgresStorage::open_new(&address, origin)?.into();
            runtime.block_on(waits(storage, durability, tasks, entry))?;
            PostgresStorage::open(&address, origin, Faults::none())?.remove()?;
        }
    }
    Ok(())
}

async fn waits(
    storage: LogStorage,
    durability: Durability,
    tasks: usize,
    entry: &[u8],
) -> Result<(), Box<dyn std::error::Error>> {
    let key = Arc::new(SigningKey::make(&SeededRng::new(5)));
    let log = Log::open(storage, "example.test/log", Some(key))?;
    let service = Arc::new(LogService::start(log, LogSettings::new(durability))?);
    let start = Instant::now();
    let end = start + Duration::from_secs(2);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (service, entry) = (service.clone(), entry.to_vec());
        all.spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < end {
                let start = Instant::now();
                let Ok(ticket) = service.append(&entry) else { break };
                if service.durable(ticket).await.is_err() {
                    break;
                }
                times.push(start.elapsed());
                tokio::task::consume_budget().await;
            }
            times
        });
    }
    let mut times = Vec::new();
    while let Some(part) = all.join_next().await {
        times.extend(part?);
    }
    let took = start.elapsed();
    let told = times.len() as u64;
    report(&format!("{durability} append and wait, {tasks} tasks"), &mut times, took);
    let size = service.size();
    let last = size.checked_sub(1).ok_or("nothing was appended")?;
    if size < told || service.entry(last)? != entry || service.proof(last)?.index != last {
        return Err(format!("{told} were told durable, and {size} are there").into());
    }
    let start = Instant::now();
    service.close()?;
    println!("    close {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

fn report(what: &str, times: &mut Vec<Duration>, took: Duration) {
    times.sort();
    let at = |p: f64| times[((times.len() - 1) as f64 * p) as usize].as_secs_f64() * 1e6;
    let rate = match took.is_zero() {
        true => String::new(),
        false => format!(", {:.0}/s", times.len() as f64 / took.as_secs_f64()),
    };
    println!("{what}: p50 {:.1} p95 {:.1} p99 {:.1} us{rate}", at(0.5), at(0.95), at(0.99));
    times.clear();
}
