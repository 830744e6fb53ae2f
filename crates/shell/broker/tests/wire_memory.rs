//! The credential is in no readable memory of the process that sends it: not between requests, not
//! while one is held open in its window, over TLS and over plain TCP. The allocator is the ordinary
//! one here, so nothing is hidden by wiping on free.

mod wire_common;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use symbolon_broker::wire::{OpenCredential, OpenError, Roots, Target};
use symbolon_secret::scan::{MASK, Needle, own_memory};
use symbolon_secret::{Protection, protection};
use wire_common::*;

/// A random credential of letters, held masked; opened by unmasking, and held open on demand.
struct Canary {
    masked: [u8; 48],
    hold: AtomicU8,
}

const PASS: u8 = 0;
const HOLD: u8 = 1;
const HELD: u8 = 2;

impl Canary {
    fn make() -> Self {
        let mut masked = [0; 48];
        File::open("/dev/urandom").expect("urandom").read_exact(&mut masked).expect("entropy");
        for b in &mut masked {
            *b = (b'a' + *b % 26) ^ MASK;
        }
        Canary { masked, hold: AtomicU8::new(PASS) }
    }
    fn hits(&self) -> usize {
        let found = own_memory(&Needle::masked(&self.masked)).expect("own memory");
        assert!(found.bytes > 1 << 20, "something was searched: {found:?}");
        if !found.hits.is_empty() {
            eprintln!("{:?}", found.hits);
        }
        found.hits.iter().map(|(_, n)| n).sum()
    }
}

impl OpenCredential for Canary {
    fn wire_len(&self) -> usize {
        48
    }
    fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
        for (to, from) in out.iter_mut().zip(self.masked) {
            *to = from ^ MASK;
        }
        if self.hold.load(Ordering::SeqCst) == HOLD {
            self.hold.store(HELD, Ordering::SeqCst);
            while self.hold.load(Ordering::SeqCst) == HELD {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(48)
    }
}

/// An upstream in another process: it must have the credential, this one must not.
struct Upstream {
    child: Child,
    url: String,
    roots: Option<Roots>,
}

impl Upstream {
    fn start(canary: &Canary, scheme: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("exe"))
            .args(["--ignored", "--exact", "upstream_in_child", "--nocapture"])
            .env("WIRE_MASKED", hex(&canary.masked))
            .env("WIRE_SCHEME", scheme)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("child");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let line = lines
            .find_map(|l| l.expect("a line").split_once("UPSTREAM ").map(|(_, l)| l.to_owned()))
            .expect("the upstream's address");
        let (port, pem) = line.split_once(' ').expect("port and certificate");
        Upstream {
            child,
            url: format!("{scheme}://localhost:{port}"),
            roots: (scheme == "https")
                .then(|| Roots::with_extra(&unhex(pem)).expect("certificate")),
        }
    }
    fn target(&self) -> Target {
        target(&self.url, self.roots.clone())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "an upstream; run by the test below in another process"]
fn upstream_in_child() {
    let masked = unhex(&std::env::var("WIRE_MASKED").expect("set by the parent"));
    let want: String = masked.iter().map(|b| char::from(b ^ MASK)).collect();
    let is_tls = std::env::var("WIRE_SCHEME").is_ok_and(|s| s == "https");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("tokio");
    runtime.block_on(async {
        let identity = Identity::make();
        let tls = is_tls.then(|| identity.server(&rustls::version::TLS13, None));
        let server = Server::start(tls, move |seen| {
            let is_right = seen.head.contains(&format!("Bearer {want}\r\n"))
                && seen.head.matches(&want).count() == 1;
            let status = if is_right { "200 OK" } else { "401 Unauthorized" };
            (format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok").into_bytes(), false)
        })
        .await;
        println!("UPSTREAM {} {}", server.address.port(), hex(identity.pem.as_bytes()));
        std::io::stdout().flush().expect("flush");
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
}

#[test]
fn the_credential_is_nowhere_readable_before_while_and_after_it_is_used() {
    if protection() != Protection::MemfdSecret {
        eprintln!("skipped: no memfd_secret on this kernel");
        return;
    }
    for scheme in ["https", "http"] {
        let canary = Arc::new(Canary::make());
        let upstream = Upstream::start(&canary, scheme);
        assert_eq!(canary.hits(), 0, "{scheme}: before");
        std::thread::scope(|scope| {
            let (c, target) = (canary.clone(), upstream.target());
            let calls = scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("tokio");
                runtime.block_on(async {
                    let client = client();
                    for i in 0..400usize {
                        if i == 200 {
                            c.hold.store(HOLD, Ordering::SeqCst);
                        }
                        let armed = bearer(c.clone());
                        let body = vec![b'b'; [0, 10, 40_000][i % 3]];
                        let method = if body.is_empty() { "GET" } else { "POST" };
                        let request = request(&armed, method, "/", &body);
                        let (parts, reply, _) =
                            client.send(&target, armed, request).await.expect("answer");
                        assert_eq!(parts.status, 200, "the right credential arrived");
                        reply.collect_bytes().await.expect("body");
                    }
                    // The runtime, the connection and all their buffers are still there.
                    assert_eq!(c.hits(), 0, "{scheme}: after");
                });
            });
            // Nothing is asserted while the calls wait to be let go on.
            let mut during = 0;
            while canary.hold.load(Ordering::SeqCst) != HELD && !calls.is_finished() {
                during = during.max(canary.hits());
            }
            let held = canary.hits();
            canary.hold.store(PASS, Ordering::SeqCst);
            calls.join().expect("no panic");
            assert_eq!(during, 0, "{scheme}: under load");
            assert_eq!(held, 0, "{scheme}: in the clear, and held");
        });
        assert_eq!(canary.hits(), 0, "{scheme}: at the end");

        // The control: the ordinary way, in a header map.
        let mut text = b"Bearer ".to_vec();
        text.extend(canary.masked.iter().map(|b| b ^ MASK));
        let value = http::HeaderValue::from_bytes(&text).expect("a header value");
        assert!(canary.hits() >= 41, "{scheme}: an ordinary header is found");
        drop(value);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex"))
        .collect()
}
