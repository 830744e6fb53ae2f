//! How long a cached component takes to be ready, and what a call costs beyond what it does: the medians of
//! many. `cargo run --release -p symbolon-capsule-host --example capsule_speed`

use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_capsule::{ComponentDigest, Limits};
use symbolon_capsule_host::{Cache, Compiled, Doors, Given, Job, Runtime};

const ECHO: &str = r#"(component
  (core module $main
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "handle") (param $at i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 16) (i32.const 0))
      (i32.store (i32.const 20) (local.get $at))
      (i32.store (i32.const 24) (local.get $length))
      (i32.const 16)))
  (core instance $main (instantiate $main))
  (func (export "handle") (param "input" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $main "handle") (memory (core memory $main "memory"))
      (realloc (core func $main "realloc")))))"#;

struct Nobody;

impl Doors for Nobody {
    fn line(&self, _text: &str) {}
    fn call(&self, _operation: &str, _parameters: &str) -> Result<String, String> {
        Err("nobody".into())
    }
}

fn median(mut all: Vec<Duration>) -> f64 {
    all.sort();
    all[all.len() / 2].as_secs_f64() * 1e6
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(folder.path()).expect("a cache");
    let runtime = Runtime::new().expect("an engine");
    let component = wat::parse_str(ECHO).expect("a component");
    let digest = ComponentDigest::of(&component);
    let compiled = Compiled::make(&runtime, &component).expect("it compiles");
    cache.put(&runtime.version(), &digest, &compiled).expect("it is kept");
    let given = Given { call: false, log: false, random: false, time: false, deterministic: true };
    let job =
        Job { input: b"{\"a\":1}".to_vec(), limits: Limits::DRAFT, given, now_ms: 1, seed: 1 };
    let doors: Arc<dyn Doors> = Arc::new(Nobody);
    let start = |_| {
        let began = Instant::now();
        let compiled = cache.get(&runtime.version(), &digest).expect("it is there");
        let loaded = runtime.load(&compiled, given).expect("it loads");
        let ready = began.elapsed();
        assert_eq!(runtime.run(&loaded, &job, doors.clone()).expect("it runs").output, job.input);
        ready
    };
    println!("start of a cached component: {:.1} us", median((0..300).map(start).collect()));
    let loaded = runtime.load(&compiled, given).expect("it loads");
    let call = |_| {
        let began = Instant::now();
        let done = runtime.run(&loaded, &job, doors.clone()).expect("it runs");
        let took = began.elapsed();
        assert_eq!(done.output, job.input);
        took
    };
    println!("a call, in a new instance: {:.1} us", median((0..5000).map(call).collect()));
}
