//! The socket with something small behind it: frames, bounds, descriptors, limits.

use std::fs::File;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_broker::{CallError, Fault, Lanes, Method};
use symbolon_secret::Secret;
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use super::frame::{JSON_BYTES_MAX, SECRET_BYTES_MAX};
use super::op::Op;
use super::place::{Listener, check_peer};
use super::serve::{Handle, Limits, serve_with};
use super::{Client, fds};

/// Answers with what it was asked, and gives a secret back doubled.
struct Echo;

impl Handle for Echo {
    type Memory = u64;

    async fn handle(
        &self,
        asked: &mut u64,
        op: Op,
        secret: Option<Secret<[u8]>>,
        _: &CancellationToken,
    ) -> Result<Answer, CallError> {
        *asked += 1;
        match op {
            Op::Revoke { id } => Err(refusal(&format!("no grant {id}"))),
            Op::Metrics {} => Answer::of("x".repeat(5 << 20)),
            Op::Receipt { number } => {
                tokio::time::sleep(Duration::from_millis(number)).await;
                Answer::of("slept")
            }
            op => {
                let twice = secret.map(|secret| {
                    let bytes = secret.expose();
                    Secret::<[u8]>::make_slice(bytes.len() * 2, |page| {
                        page[..bytes.len()].copy_from_slice(bytes);
                        page[bytes.len()..].copy_from_slice(bytes);
                    })
                });
                Answer::with(json!({ "asked": *asked, "op": op }), twice)
            }
        }
    }

    /// Copies until the end, in blocking threads as a file's would be.
    async fn mcp(&self, agent: String, read: OwnedFd, write: OwnedFd) -> Result<(), CallError> {
        let copy = tokio::task::spawn_blocking(move || {
            let (mut read, mut write) = (File::from(read), File::from(write));
            write.write_all(agent.as_bytes()).and_then(|()| std::io::copy(&mut read, &mut write))
        });
        copy.await.unwrap().map(drop).map_err(|error| refusal(&error.to_string()))
    }
}

fn refusal(message: &str) -> CallError {
    CallError {
        code: "refused".to_owned(),
        message: message.to_owned(),
        next: Some("symbolon grants".to_owned()),
        fault: Fault::Caller,
        http_status: 403,
        receipt: Some(7),
        retry_after_seconds: None,
    }
}

/// A served socket in a folder of its own.
struct Served {
    folder: tempfile::TempDir,
    run: PathBuf,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().to_owned();
        Self::at(folder, run, limits)
    }

    fn at(folder: tempfile::TempDir, run: PathBuf, limits: Limits) -> Self {
        let stop = CancellationToken::new();
        let (told, at) = (stop.clone(), run.clone());
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = Listener::bind_locked(&at).unwrap();
                ready.send(()).unwrap();
                serve_with(listener, Echo, limits, &Lanes::here(), told).await;
            });
        });
        is_ready.recv().unwrap();
        Self { folder, run, stop, thread: Some(thread) }
    }

    fn client(&self) -> Client {
        Client::connect(&self.run).unwrap().expect("it listens")
    }

    fn raw(&self) -> UnixStream {
        let stream = UnixStream::connect(self.run.join(super::SOCKET)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        assert!(self.folder.path().exists());
    }
}

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
}

/// One reply, read by hand.
fn reply(stream: &mut UnixStream) -> (Value, Vec<u8>) {
    let mut part = || {
        let mut word = [0; 4];
        stream.read_exact(&mut word).unwrap();
        let mut bytes = vec![0; u32::from_be_bytes(word) as usize];
        stream.read_exact(&mut bytes).unwrap();
        bytes
    };
    (serde_json::from_slice(&part()).unwrap(), part())
}

fn frame(json: &str, secret: &[u8]) -> Vec<u8> {
    let mut out = (json.len() as u32).to_be_bytes().to_vec();
    out.extend_from_slice(json.as_bytes());
    out.extend_from_slice(&(secret.len() as u32).to_be_bytes());
    out.extend_from_slice(secret);
    out
}

fn is_closed(stream: &mut UnixStream) -> bool {
    matches!(stream.read(&mut [0; 1]), Ok(0))
}

/// The error's code for a request sent by hand; the connection's state after it.
fn refused(served: &Served, bytes: &[u8]) -> (String, bool) {
    let mut stream = served.raw();
    stream.write_all(bytes).unwrap();
    let (json, _) = reply(&mut stream);
    let code = json["error"]["code"].as_str().unwrap_or("none").to_owned();
    stream.write_all(&frame(r#"{"v":1,"op":"status"}"#, b"")).ok();
    let mut word = [0; 4];
    let goes_on = stream.read_exact(&mut word).is_ok();
    (code, goes_on)
}

#[test]
fn the_specs_worked_bytes_are_what_is_sent() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let thread = std::thread::spawn(move || {
        let mut bytes = [0; 59];
        theirs.read_exact(&mut bytes[..29]).unwrap();
        assert_eq!(bytes[..29], frame(r#"{"v":1,"op":"status"}"#, b""));
        assert_eq!(bytes[..4], [0, 0, 0, 0x15]);
        theirs.write_all(&frame(r#"{"ok":{}}"#, b"")).unwrap();
        theirs.read_exact(&mut bytes[..55]).unwrap();
        assert_eq!(bytes[..4], [0, 0, 0, 0x2b]);
        let json = r#"{"v":1,"op":"unlock","method":"passphrase"}"#;
        assert_eq!(bytes[..55], frame(json, b"open"));
        theirs.write_all(&frame(r#"{"ok":{}}"#, b"")).unwrap();
    });
    let mut client = Client::over(ours);
    client.exchange(&Op::Status {}, None).unwrap();
    client.exchange(&Op::Unlock { method: Method::Passphrase }, Some(&secret(b"open"))).unwrap();
    thread.join().unwrap();
}

#[test]
fn questions_and_secrets_go_both_ways_in_order() {
    let served = Served::new();
    let mut client = served.client();
    let first: Value = client.ask(&Op::Status {}).unwrap();
    assert_eq!(first, json!({"asked": 1, "op": {"op": "status"}}));
    let given = secret(&[7; SECRET_BYTES_MAX / 2]);
    let op = Op::Unlock { method: Method::Recovery };
    let answer = client.exchange(&op, Some(&given)).unwrap();
    assert_eq!(answer.ok, json!({"asked": 2, "op": {"op": "unlock", "method": "recovery"}}));
    assert_eq!(answer.secret.unwrap().expose(), [7; SECRET_BYTES_MAX]);
    let big: String = client.ask(&Op::Metrics {}).unwrap();
    assert_eq!(big.len(), 5 << 20);
    let none = client.exchange(&Op::Status {}, None).unwrap();
    assert!(none.secret.is_none());
}

#[test]
fn a_refusal_arrives_whole_and_the_connection_goes_on() {
    let served = Served::new();
    let mut client = served.client();
    let error = client.ask::<Value>(&Op::Revoke { id: 3 }).unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("refused", "no grant 3"));
    assert_eq!((error.next.as_deref(), error.receipt), (Some("symbolon grants"), Some(7)));
    assert!(client.ask::<Value>(&Op::Status {}).is_ok());
}

#[test]
fn bad_requests_are_refused_each_with_its_own_code() {
    let served = Served::new();
    let deep = format!(r#"{{"v":1,"op":"grant","new":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
    let goes_on = [
        (frame("[]", b""), "control_request"),
        (frame("{not json}", b""), "control_request"),
        (frame(&deep, b""), "control_request"),
        (frame(r#"{"v":1,"op":"status","op":"lock"}"#, b""), "control_request"),
        (frame(r#"{"v":1,"op":"nonsense"}"#, b""), "control_request"),
        (frame(r#"{"v":1,"op":"revoke"}"#, b""), "control_request"),
        (frame(r#"{"v":1,"op":"revoke","id":1,"more":1}"#, b""), "control_request"),
        (frame(r#"{"v":2,"op":"lock"}"#, b""), "control_version"),
        (frame(r#"{"op":"lock"}"#, b""), "control_version"),
        (frame(r#"{"v":1,"op":"lock"}"#, b"secret"), "control_secret"),
        (frame(r#"{"v":1,"op":"mcp","agent":"a"}"#, b""), "control_descriptors"),
    ];
    for (bytes, code) in goes_on {
        let told = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(refused(&served, &bytes), (code.to_owned(), true), "{told}");
    }
    let ends = [
        (0u32.to_be_bytes().to_vec(), "control_frame"),
        (u32::MAX.to_be_bytes().to_vec(), "control_frame"),
        ((JSON_BYTES_MAX as u32 + 1).to_be_bytes().to_vec(), "control_frame"),
        ([&frame(r#"{"v":1,"op":"lock"}"#, b"")[..23], &[0, 1, 0, 1]].concat(), "control_frame"),
    ];
    for (bytes, code) in ends {
        assert_eq!(refused(&served, &bytes), (code.to_owned(), false), "{bytes:?}");
    }
}

#[test]
fn status_and_stop_are_understood_in_every_version() {
    let served = Served::new();
    let mut stream = served.raw();
    stream.write_all(&frame(r#"{"v":9,"op":"status"}"#, b"")).unwrap();
    assert_eq!(reply(&mut stream).0["ok"]["asked"], 1);
}

#[test]
fn what_is_too_long_is_not_even_sent() {
    let served = Served::new();
    let mut client = served.client();
    let op = Op::Disconnect { name: "x".repeat(JSON_BYTES_MAX) };
    assert_eq!(client.exchange(&op, None).unwrap_err().code, "control_frame");
    let long = secret(&vec![1; SECRET_BYTES_MAX + 1]);
    let op = Op::Unlock { method: Method::Passphrase };
    assert_eq!(client.exchange(&op, Some(&long)).unwrap_err().code, "control_frame");
    assert!(client.ask::<Value>(&Op::Status {}).is_ok());
}

#[test]
fn descriptors_where_none_belong_are_closed_and_refused() {
    let served = Served::new();
    let mut stream = served.raw();
    let (mut kept, given) = UnixStream::pair().unwrap();
    let bytes = frame(r#"{"v":1,"op":"status"}"#, b"");
    let sent = fds::send(stream.as_fd(), &bytes, &[given.as_fd()]).unwrap();
    assert_eq!(sent, bytes.len());
    drop(given);
    assert_eq!(reply(&mut stream).0["error"]["code"], "control_descriptors");
    kept.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert!(is_closed(&mut kept), "the broker keeps a descriptor that it refused");
}

#[test]
fn an_mcp_session_runs_on_the_clients_descriptors_until_its_input_ends() {
    let served = Served::new();
    let client = served.client();
    let (mut host_in, input) = UnixStream::pair().unwrap();
    let (mut host_out, output) = UnixStream::pair().unwrap();
    let thread = std::thread::spawn(move || {
        let mut begun = false;
        let ended = client.mcp("claude", input.as_fd(), output.as_fd(), || begun = true);
        (begun, ended.map_err(|error| error.code))
    });
    host_in.write_all(b" says hello").unwrap();
    host_in.shutdown(Shutdown::Write).unwrap();
    let mut said = String::new();
    host_out.read_to_string(&mut said).unwrap();
    assert_eq!(said, "claude says hello");
    assert_eq!(thread.join().unwrap(), (true, Ok(())));
}

#[test]
fn an_mcp_session_ends_when_the_client_is_killed() {
    let limits = Limits { sessions: 1, ..Limits::default() };
    let served = Served::with(limits);
    let mut stream = served.raw();
    let (host_in, input) = UnixStream::pair().unwrap();
    let bytes = frame(r#"{"v":1,"op":"mcp","agent":"a"}"#, b"");
    fds::send(stream.as_fd(), &bytes, &[input.as_fd(), input.as_fd()]).unwrap();
    assert_eq!(reply(&mut stream).0, json!({"ok": {"serving": true}}));

    let second = served.client();
    let busy = second.mcp("b", input.as_fd(), input.as_fd(), || {}).unwrap_err();
    assert_eq!(busy.code, "control_busy");

    drop(stream);
    // The place is free again: not before the broker has seen the first client go.
    let began = Instant::now();
    loop {
        let mut again = served.raw();
        fds::send(again.as_fd(), &bytes, &[input.as_fd(), input.as_fd()]).unwrap();
        if reply(&mut again).0 == json!({"ok": {"serving": true}}) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "the session outlives its client");
    }
    drop(host_in);
}

#[test]
fn sessions_do_not_take_the_places_of_commands() {
    let served = Served::with(Limits { connections: 1, ..Limits::default() });
    let mut stream = served.raw();
    let (_host, input) = UnixStream::pair().unwrap();
    let bytes = frame(r#"{"v":1,"op":"mcp","agent":"a"}"#, b"");
    fds::send(stream.as_fd(), &bytes, &[input.as_fd(), input.as_fd()]).unwrap();
    assert_eq!(reply(&mut stream).0, json!({"ok": {"serving": true}}));
    assert!(served.client().ask::<Value>(&Op::Status {}).is_ok());
}

#[test]
fn too_many_connections_are_told_so() {
    let served = Served::with(Limits { connections: 2, ..Limits::default() });
    let mut first = served.client();
    let mut second = served.client();
    first.ask::<Value>(&Op::Status {}).unwrap();
    second.ask::<Value>(&Op::Status {}).unwrap();
    let refused = served.client().ask::<Value>(&Op::Status {}).unwrap_err();
    assert_eq!(refused.code, "control_busy");
    drop(first);
    let began = Instant::now();
    while served.client().ask::<Value>(&Op::Status {}).is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "a place that is never free again");
    }
}

#[test]
fn a_half_sent_frame_and_an_idle_connection_are_closed() {
    let quick = Duration::from_millis(100);
    let served = Served::with(Limits { idle: quick * 3, frame: quick, ..Limits::default() });
    let mut half = served.raw();
    half.write_all(&[0, 0, 0]).unwrap();
    let began = Instant::now();
    assert_eq!(reply(&mut half).0["error"]["code"], "control_io");
    assert!(is_closed(&mut half));
    assert!(began.elapsed() < Duration::from_secs(3));
    let mut idle = served.raw();
    assert!(is_closed(&mut idle));
}

#[test]
fn a_call_that_began_is_answered_although_the_broker_stops() {
    let served = Served::new();
    let mut slow = served.client();
    let thread = std::thread::spawn(move || slow.ask::<String>(&Op::Receipt { number: 300 }));
    std::thread::sleep(Duration::from_millis(100));
    served.client().stop().unwrap();
    assert_eq!(thread.join().unwrap().unwrap(), "slept");
    assert!(Client::connect(&served.run).unwrap().is_none(), "the socket is still there");
    assert!(!served.run.join(super::SOCKET).exists());
}

#[test]
fn the_socket_is_private_and_replaces_a_stale_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().to_owned();
    drop(std::os::unix::net::UnixListener::bind(run.join(super::SOCKET)).unwrap());
    assert!(Client::connect(&run).unwrap().is_none(), "nobody listens at a stale socket");
    let served = Served::at(folder, run, Limits::default());
    let meta = std::fs::metadata(served.run.join(super::SOCKET)).unwrap();
    assert_eq!(meta.mode() & 0o777, 0o600);
    assert!(served.client().ask::<Value>(&Op::Status {}).is_ok());
    assert_eq!(std::fs::read_dir(&served.run).unwrap().count(), 1, "something is left behind");
}

#[test]
fn a_home_with_a_long_path_works_too() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("x".repeat(120)).join("y".repeat(120));
    std::fs::create_dir_all(&run).unwrap();
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o700)).unwrap();
    let served = Served::at(folder, run, Limits::default());
    assert!(served.client().ask::<Value>(&Op::Status {}).is_ok());
}

#[test]
fn another_users_process_is_a_stranger() {
    let us = rustix::process::geteuid().as_raw();
    assert!(check_peer(us).is_ok());
    let error = check_peer(us + 1).unwrap_err();
    assert_eq!(CallError::from(error).code, "control_stranger");
}

#[test]
fn nobody_listens_where_there_is_no_socket() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Client::connect(folder.path()).unwrap().is_none());
    assert!(Client::connect(Path::new("/nowhere/at/all")).unwrap().is_none());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_request_or_an_error(bytes: Vec<u8>) {
        let _ = Op::from_json(&bytes);
    }

    #[test]
    fn a_request_is_read_as_it_was_written(agent in ".*", tool in ".*", value in ".*", n: u64) {
        let mut arguments = serde_json::Map::new();
        arguments.insert("text".to_owned(), value.into());
        arguments.insert("n".to_owned(), n.into());
        let request = symbolon_broker::CallRequest {
            tool,
            arguments,
            connection: None,
            minted: None,
        };
        let context = symbolon_broker::Context::Pipeline { run: "r".into(), step: "s".into() };
        let op = Op::Call { agent, request, context };
        let json = op.to_json().unwrap();
        assert!(json.starts_with(br#"{"v":1,"op":"call","#));
        let read = Op::from_json(&json).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&op).unwrap());
    }
}
