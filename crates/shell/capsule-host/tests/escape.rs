//! What a capsule may try, and how each ends. The engine in this process; `process.rs` has the rest.

mod common;

use std::sync::Arc;
use std::time::Instant;

use common::*;
use symbolon_capsule_host::{Entry, Given, Outline, RunError, Runtime};

#[test]
fn a_handler_gives_its_input_back_and_uses_the_same_fuel_each_time() {
    let first = run(&echo(), &job(b"{\"a\":1}")).unwrap();
    assert_eq!(first.output, b"{\"a\":1}");
    assert!(first.fuel_used > 0);
    assert_eq!(first.memory_bytes, 2 * 65536);
    assert_eq!(run(&echo(), &job(b"{\"a\":1}")).unwrap(), first);
}

#[test]
fn a_program_writes_to_its_standard_output() {
    assert_eq!(run(&program(2), &job(b"")).unwrap().output, b"hello\nhello\n");
}

#[test]
fn a_loop_ends_with_its_fuel() {
    let mut few = job(b"");
    few.limits.fuel = 100_000;
    few.limits.time_ms = 60_000;
    assert_eq!(run(&looping(), &few), Err(RunError::Fuel));
}

#[test]
fn a_loop_ends_with_its_time() {
    let mut short = job(b"");
    short.limits.fuel = 1_000_000_000_000;
    short.limits.time_ms = 50;
    let began = Instant::now();
    assert_eq!(run(&looping(), &short), Err(RunError::Time));
    assert!(began.elapsed().as_secs() < 20);
}

#[test]
fn a_wait_ends_with_its_time() {
    let mut short = job(b"");
    short.limits.time_ms = 50;
    assert_eq!(run(&sleeper(), &short), Err(RunError::Time));
}

#[test]
fn memory_ends_at_its_limit() {
    let body = "(loop $again (drop (memory.grow (i32.const 1))) (br $again)) (unreachable)";
    let greedy = Text { body, ..Text::default() }.component();
    assert_eq!(run(&greedy, &job(b"")), Err(RunError::Memory));
    // Also what it has from the beginning.
    let mut small = job(b"");
    small.limits.memory_bytes = 65536;
    assert_eq!(run(&echo(), &small), Err(RunError::Memory));
}

#[test]
fn calls_that_go_too_deep_end() {
    let core = "(func $deep (param i32) (result i32)
        (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))";
    let body = "(call $deep (i32.const 0))";
    let deep = Text { core, body, ..Text::default() }.component();
    let mut long = job(b"");
    long.limits.fuel = 1_000_000_000;
    assert_eq!(run(&deep, &long), Err(RunError::Stack));
}

#[test]
fn output_ends_at_its_limit_however_it_is_given() {
    let body = "(local.set $at (i32.const 0)) (local.set $length (i32.const 65537))";
    let body = format!("{body} {GIVE}");
    let long = Text { body: &body, ..Text::default() }.component();
    assert_eq!(run(&long, &job(b"")), Err(RunError::Output));
    assert_eq!(run(&program(20_000), &job(b"")), Err(RunError::Output));
    // What just fits is given.
    let mut fits = job(b"");
    fits.limits.output_bytes = 12;
    assert_eq!(run(&program(2), &fits).unwrap().output.len(), 12);
    assert_eq!(run(&program(3), &fits), Err(RunError::Output));
}

#[test]
fn there_is_no_folder_and_a_forged_file_is_no_file() {
    assert_eq!(run(&file_opener(false), &job(b"")).unwrap().output, [0; 4]);
    let forged = run(&file_opener(true), &job(b"")).unwrap_err();
    assert!(matches!(&forged, RunError::Trap(why) if why.contains("handle")), "{forged}");
}

#[test]
fn sockets_http_and_strange_interfaces_are_refused_by_name() {
    for name in [
        "wasi:sockets/tcp-create-socket@0.2.0",
        "wasi:sockets/instance-network@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:cli/environment@0.3.0",
        "symbolon:capsule/broker@2.0.0",
        "env",
    ] {
        let imports = format!("(import \"{name}\" (instance))");
        let text = Text { imports: &imports, body: GIVE, ..Text::default() };
        let refused = run(&text.component(), &job(b"")).unwrap_err();
        assert_eq!(refused, RunError::Import(name.to_owned()));
    }
}

#[test]
fn a_capability_that_was_not_given_is_refused_by_name() {
    let refused = run(&talker(), &job(b"hi")).unwrap_err();
    assert_eq!(refused, RunError::Import("symbolon:capsule/log@1.0.0".into()));
    let refused = run(&caller(), &job(b"github.issues.list")).unwrap_err();
    assert_eq!(refused, RunError::Import("symbolon:capsule/broker@1.0.0".into()));
}

#[test]
fn with_the_capability_lines_and_calls_go_through_their_doors() {
    let mut may = job(b"hi");
    may.given = Given { log: true, ..NOTHING };
    let kept = Arc::new(Kept::default());
    assert_eq!(run_with(&talker(), &may, kept.clone()).unwrap().output, b"hi");
    assert_eq!(*kept.lines.lock().unwrap(), ["hi", "hi"]);

    let mut may = job(b"github.issues.list");
    may.given = Given { call: true, deterministic: false, ..NOTHING };
    let kept = Arc::new(Kept::default());
    assert_eq!(run_with(&caller(), &may, kept.clone()).unwrap().output, b"[1]");
    let calls = kept.calls.lock().unwrap().clone();
    assert_eq!(calls, [("github.issues.list".to_owned(), "{}".to_owned())]);
    may.input = b"github.repos.delete".to_vec();
    assert_eq!(run(&caller(), &may), Err(RunError::Guest("refused".into())));
}

#[test]
fn what_breaks_a_rule_is_stopped() {
    let trap = Text { body: "(unreachable)", ..Text::default() }.component();
    assert!(matches!(run(&trap, &job(b"")), Err(RunError::Trap(_))));
    let body = "(i32.load (i32.const -8))";
    let outside = Text { body, ..Text::default() }.component();
    assert!(matches!(run(&outside, &job(b"")), Err(RunError::Trap(_))));
    // A result that lies outside of the memory.
    let body = format!("(local.set $at (i32.const -1)) {GIVE}");
    let lying = Text { body: &body, ..Text::default() }.component();
    assert!(matches!(run(&lying, &job(b"x")), Err(RunError::Trap(_))));
}

#[test]
fn what_is_no_component_and_what_exports_nothing_is_refused() {
    let runtime = Runtime::build().unwrap();
    for bytes in [&b"\0asm\x01\0\0\0"[..], b"", b"\x7fELF", &echo()[..100]] {
        assert!(matches!(runtime.compile(bytes), Err(RunError::Component(_))));
        assert!(matches!(Outline::read(bytes), Err(RunError::Component(_))));
    }
    let empty = wat::parse_str("(component)").unwrap();
    assert_eq!(run(&empty, &job(b"")), Err(RunError::Entry));
    assert_eq!(Outline::read(&empty), Err(RunError::Entry));
}

#[test]
fn an_outline_is_what_the_outermost_component_imports() {
    let of = |component: &[u8]| Outline::read(component).unwrap();
    assert_eq!(of(&echo()), Outline { imports: vec![], entry: Entry::Handle });
    assert_eq!(of(&talker()).imports, ["symbolon:capsule/log@1.0.0"]);
    let program = of(&program(1));
    assert_eq!(program.entry, Entry::Run);
    assert!(!program.imports.is_empty() && program.imports.iter().all(|it| it.contains("wasi:")));
    // What is imported within is given from without, or not at all.
    let imports = "(component $within (import \"a:b/c@1.0.0\" (instance)))";
    let nested = Text { imports, body: GIVE, ..Text::default() }.component();
    assert_eq!(of(&nested).imports, [""; 0]);
    // What nothing can begin is no capsule, also where something within it can be begun.
    let within = "(component (component (import \"f\" (func)) (export \"handle\" (func 0))))";
    for nothing in ["(component)", within] {
        assert_eq!(Outline::read(&wat::parse_str(nothing).unwrap()), Err(RunError::Entry));
    }
    // So deep, or so many, that to validate it would take minutes, or much memory.
    let many = format!("(component {})", "(component)".repeat(10_000));
    let deep = (0..64).fold("(component)".to_owned(), |within, _| format!("(component {within})"));
    for bomb in [many, deep] {
        let refusal = Outline::read(&wat::parse_str(bomb).unwrap()).unwrap_err();
        assert!(matches!(&refusal, RunError::Component(why) if why.contains("64")), "{refusal}");
    }
    // Damaged it is refused, or the damage is where no meaning is: in the names of its last section.
    let good = echo();
    let cut: Vec<_> = (0..good.len()).filter_map(|end| Outline::read(&good[..end]).ok()).collect();
    assert_eq!(cut, [of(&good)]);
    for at in 0..good.len() {
        let mut wrong = good.clone();
        wrong[at] ^= 1;
        let _ = Outline::read(&wrong);
    }
}

#[test]
fn one_run_leaves_nothing_for_the_next() {
    // Counts in its memory how often it ran.
    let body = format!(
        "(i32.store (i32.const 512) (i32.add (i32.load (i32.const 512)) (i32.const 1)))
         (local.set $at (i32.const 512)) (local.set $length (i32.const 4)) {GIVE}"
    );
    let counter = Text { body: &body, ..Text::default() }.component();
    let runtime = Runtime::new().unwrap();
    let compiled = symbolon_capsule_host::Compiled::make(&runtime, &counter).unwrap();
    let loaded = runtime.load(&compiled, NOTHING).unwrap();
    for _ in 0..20 {
        let done = runtime.run(&loaded, &job(b""), Arc::new(Kept::default())).unwrap();
        assert_eq!(done.output, [1, 0, 0, 0]);
    }
}
