//! Components as text, and a home whose publisher a root certified.

use serde_json::Value;
use symbolon_tests::home::Home;

/// Gives its input back.
pub const ECHO: &str = r#"(component
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

/// Never ends.
pub const LOOP: &str = r#"(component
  (core module $main
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "handle") (param i32 i32) (result i32) (loop $again (br $again)) (unreachable)))
  (core instance $main (instantiate $main))
  (func (export "handle") (param "input" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $main "handle") (memory (core memory $main "memory"))
      (realloc (core func $main "realloc")))))"#;

/// Asks the broker for the operation that its input names, without parameters, and gives back what it said.
pub const CALLER: &str = r#"(component
  (import "symbolon:capsule/broker@1.0.0" (instance $broker
    (export "call" (func (param "operation" string) (param "parameters" string)
      (result (result string (error string)))))))
  (core module $memory
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $memory))
  (core func $call (canon lower (func $broker "call")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $main
    (import "memory" "memory" (memory 1))
    (import "host" "call" (func $call (param i32 i32 i32 i32 i32)))
    (data (i32.const 512) "{}")
    (func (export "handle") (param $at i32) (param $length i32) (result i32)
      (call $call (local.get $at) (local.get $length) (i32.const 512) (i32.const 2) (i32.const 16))
      (i32.const 16)))
  (core instance $main (instantiate $main
    (with "memory" (instance $memory))
    (with "host" (instance (export "call" (func $call))))))
  (func (export "handle") (param "input" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $main "handle") (memory (core memory $memory "memory"))
      (realloc (core func $memory "realloc")))))"#;

/// A home that trusts a root, and a publisher that the root certified.
pub struct Shop {
    pub home: Home,
}

impl Shop {
    pub fn new() -> Self {
        let home = Home::new();
        home.ok(&["capsule", "key", "--out", "root.key"]);
        home.ok(&["capsule", "key", "--out", "publisher.key", "--post-quantum"]);
        home.ok(&["capsule", "trust", "root.pub"]);
        Self { home }
    }

    /// A component, its draft, its signed manifest and a certificate beside it.
    pub fn publish(&self, name: &str, text: &str, change: impl Fn(&mut Value)) {
        self.publish_below(&[], name, text, change);
    }

    /// The same, with a certificate that allows more.
    pub fn publish_below(
        &self,
        ceiling: &[&str],
        name: &str,
        text: &str,
        change: impl Fn(&mut Value),
    ) {
        let component = wat::parse_str(text).expect("a component's text");
        std::fs::write(self.home.beside(&format!("{name}.wasm")), component).expect("a file");
        self.publish_file(ceiling, name, change);
    }

    /// The same, of a component that is a file already.
    pub fn publish_file(&self, ceiling: &[&str], name: &str, change: impl Fn(&mut Value)) {
        self.home.ok(&["capsule", "build", &format!("{name}.wasm")]);
        let draft = self.home.beside(&format!("{name}.manifest.json"));
        let read = std::fs::read(&draft).expect("the draft");
        let mut manifest: Value = serde_json::from_slice(&read).expect("JSON");
        change(&mut manifest);
        std::fs::write(&draft, manifest.to_string()).expect("a file");
        let draft = format!("{name}.manifest.json");
        self.home.ok(&["capsule", "sign", &draft, "--key", "publisher.key"]);
        let out = format!("{name}.certificate.json");
        let certify = ["capsule", "certify", "acme", "--public", "publisher.pub"];
        let more = ["--root", "root.key", "--out", &out, "--number", "7"];
        self.home.ok(&[&certify[..], &more, ceiling].concat());
    }

    #[track_caller]
    pub fn refused(&self, arguments: &[&str], code: &str) {
        let refusal = self.home.run(&[&["--json"], arguments].concat()).refused();
        assert_eq!(refusal.code, code, "{}", refusal.message);
    }
}
