//! Small components from their text, each for one thing that a capsule may try.

#![allow(dead_code)]

use std::sync::{Arc, Mutex};

use symbolon_capsule::Limits;
use symbolon_capsule_host::{Compiled, Doors, Finished, Given, Job, RunError, Runtime};

/// Parts of a component that exports `handle`.
#[derive(Default, Clone, Copy)]
pub struct Text<'a> {
    /// Component-level imports.
    pub imports: &'a str,
    /// `(core func $x (canon lower …))`.
    pub lowered: &'a str,
    /// `(export "x" (func $x))` of the instance `host`.
    pub host: &'a str,
    /// The core module's imports of them, and functions of its own.
    pub core: &'a str,
    /// What `handle` does; it leaves where its result is.
    pub body: &'a str,
}

impl Text<'_> {
    pub fn component(&self) -> Vec<u8> {
        let Self { imports, lowered, host, core, body } = self;
        let text = format!(
            r#"(component
  {imports}
  (core module $memory
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $memory))
  {lowered}
  (core module $main
    (import "memory" "memory" (memory 1))
    {core}
    (func (export "handle") (param $at i32) (param $length i32) (result i32)
      {body}))
  (core instance $main (instantiate $main
    (with "memory" (instance $memory))
    (with "host" (instance {host}))))
  (func (export "handle") (param "input" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $main "handle")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc")))))"#
        );
        wat::parse_str(text).unwrap()
    }
}

/// Gives what stands at `at`, so long.
pub const GIVE: &str = r#"
      (i32.store8 (i32.const 16) (i32.const 0))
      (i32.store (i32.const 20) (local.get $at))
      (i32.store (i32.const 24) (local.get $length))
      (i32.const 16)"#;

pub fn echo() -> Vec<u8> {
    Text { body: GIVE, ..Text::default() }.component()
}

pub fn looping() -> Vec<u8> {
    Text { body: "(loop $again (br $again)) (unreachable)", ..Text::default() }.component()
}

pub const NOTHING: Given =
    Given { call: false, log: false, random: false, time: false, deterministic: true };

pub fn job(input: &[u8]) -> Job {
    Job { input: input.to_vec(), limits: Limits::DRAFT, given: NOTHING, now_ms: 1000, seed: 7 }
}

/// Doors that keep what came through them.
#[derive(Default)]
pub struct Kept {
    pub lines: Mutex<Vec<String>>,
    pub calls: Mutex<Vec<(String, String)>>,
}

impl Doors for Kept {
    fn line(&self, text: &str) {
        self.lines.lock().unwrap().push(text.to_owned());
    }
    fn call(&self, operation: &str, parameters: &str) -> Result<String, String> {
        self.calls.lock().unwrap().push((operation.to_owned(), parameters.to_owned()));
        if operation == "github.issues.list" { Ok("[1]".into()) } else { Err("refused".into()) }
    }
}

pub fn run(component: &[u8], job: &Job) -> Result<Finished, RunError> {
    run_with(component, job, Arc::new(Kept::default()))
}

pub fn run_with(component: &[u8], job: &Job, doors: Arc<Kept>) -> Result<Finished, RunError> {
    let runtime = Runtime::new()?;
    let loaded = runtime.load(&Compiled::make(&runtime, component)?, job.given)?;
    runtime.run(&loaded, job, doors)
}

/// `symbolon:capsule/log`, and a handler that says its input twice.
pub fn talker() -> Vec<u8> {
    Text {
        imports: r#"(import "symbolon:capsule/log@1.0.0" (instance $log
            (export "line" (func (param "text" string)))))"#,
        lowered: r#"(core func $line (canon lower (func $log "line") (memory (core memory $memory "memory"))))"#,
        host: r#"(export "line" (func $line))"#,
        core: r#"(import "host" "line" (func $line (param i32 i32)))"#,
        body: &format!(
            "(call $line (local.get $at) (local.get $length))
             (call $line (local.get $at) (local.get $length)) {GIVE}"
        ),
    }
    .component()
}

/// `symbolon:capsule/broker`: the input is the operation, and the answer, or the refusal, the output.
pub fn caller() -> Vec<u8> {
    Text {
        imports: r#"(import "symbolon:capsule/broker@1.0.0" (instance $broker
            (export "call" (func (param "operation" string) (param "parameters" string)
              (result (result string (error string)))))))"#,
        lowered: r#"(core func $call (canon lower (func $broker "call")
            (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))"#,
        host: r#"(export "call" (func $call))"#,
        core: r#"(import "host" "call" (func $call (param i32 i32 i32 i32 i32)))
            (data (i32.const 512) "{}")"#,
        // The result of the call has the form of ours: both are a word, a place and a length.
        body: "(call $call (local.get $at) (local.get $length) (i32.const 512) (i32.const 2)
                 (i32.const 16)) (i32.const 16)",
    }
    .component()
}

/// A program that writes a line to its standard output `times` times.
pub fn program(times: u32) -> Vec<u8> {
    let text = format!(
        r#"(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-type))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $out (sub resource)))
    (alias outer 1 $error-type (type $e0))
    (export "error" (type $e (eq $e0)))
    (type $why0 (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $why (eq $why0)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8))
        (result (result (error $why)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream (type $s0))
    (export "output-stream" (type $s (eq $s0)))
    (export "get-stdout" (func (result (own $s))))))
  (core module $memory (memory (export "memory") 1))
  (core instance $memory (instantiate $memory))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $memory "memory"))))
  (core module $main
    (import "memory" "memory" (memory 1))
    (import "host" "get" (func $get (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (data (i32.const 64) "hello\n")
    (func (export "run") (result i32)
      (local $stream i32) (local $left i32)
      (local.set $stream (call $get))
      (local.set $left (i32.const {times}))
      (loop $again
        (call $write (local.get $stream) (i32.const 64) (i32.const 6) (i32.const 128))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $again (local.get $left)))
      (i32.const 0)))
  (core instance $main (instantiate $main
    (with "memory" (instance $memory))
    (with "host" (instance (export "get" (func $get)) (export "write" (func $write))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $interface (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $interface)))"#
    );
    wat::parse_str(text).unwrap()
}

/// Waits for an hour.
pub fn sleeper() -> Vec<u8> {
    Text {
        imports: r#"(import "wasi:io/poll@0.2.0" (instance $poll
            (export "pollable" (type $p (sub resource)))
            (export "[method]pollable.block" (func (param "self" (borrow $p))))))
          (alias export $poll "pollable" (type $pollable))
          (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
            (alias outer 1 $pollable (type $p0))
            (export "pollable" (type $p (eq $p0)))
            (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))"#,
        lowered: r#"(core func $subscribe (canon lower (func $clock "subscribe-duration")))
          (core func $block (canon lower (func $poll "[method]pollable.block")))"#,
        host: r#"(export "subscribe" (func $subscribe)) (export "block" (func $block))"#,
        core: r#"(import "host" "subscribe" (func $subscribe (param i64) (result i32)))
          (import "host" "block" (func $block (param i32)))"#,
        body: "(call $block (call $subscribe (i64.const 3600000000000))) (unreachable)",
    }
    .component()
}

/// The folders that it was given, one byte: how many; and, with `forge`, a file in the first.
pub fn file_opener(forge: bool) -> Vec<u8> {
    let body = if forge {
        "(drop (call $forged (i32.const 3))) (unreachable)".to_owned()
    } else {
        format!(
            "(call $folders (i32.const 256))
             (local.set $at (i32.const 260)) (local.set $length (i32.const 4)) {GIVE}"
        )
    };
    Text {
        imports: r#"(import "wasi:filesystem/types@0.2.0" (instance $types
            (export "descriptor" (type $d (sub resource)))
            (type $flags0 (flags "read" "write" "file-integrity-sync" "data-integrity-sync"
              "requested-write-sync" "mutate-directory"))
            (export "descriptor-flags" (type $flags (eq $flags0)))
            (type $code0 (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock"
              "quota" "exist" "file-too-large" "illegal-byte-sequence" "in-progress"
              "interrupted" "invalid" "io" "is-directory" "loop" "too-many-links"
              "message-size" "name-too-long" "no-device" "no-entry" "no-lock"
              "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
              "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow"
              "not-permitted" "pipe" "read-only" "invalid-seek" "text-file-busy"
              "cross-device"))
            (export "error-code" (type $code (eq $code0)))
            (export "[method]descriptor.sync" (func (param "self" (borrow $d))
              (result (result (error $code)))))))
          (alias export $types "descriptor" (type $descriptor))
          (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
            (alias outer 1 $descriptor (type $d0))
            (export "descriptor" (type $d (eq $d0)))
            (export "get-directories" (func (result (list (tuple (own $d) string)))))))"#,
        lowered: r#"(core func $folders (canon lower (func $preopens "get-directories")
            (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
          (core func $forged0 (canon lower (func $types "[method]descriptor.sync")
            (memory (core memory $memory "memory"))))"#,
        host: r#"(export "folders" (func $folders)) (export "forged" (func $forged0))"#,
        core: r#"(import "host" "folders" (func $folders (param i32)))
          (import "host" "forged" (func $forged0 (param i32 i32)))
          (func $forged (param i32) (result i32)
            (call $forged0 (local.get 0) (i32.const 256)) (i32.const 0))"#,
        body: &body,
    }
    .component()
}
