use serde_json::json;
use tokio::{
    io::{AsyncReadExt, DuplexStream, ReadHalf, WriteHalf},
    time::{Duration, timeout},
};

use super::*;

type Duplex = Lines<ReadHalf<DuplexStream>, WriteHalf<DuplexStream>>;

fn pair(room: usize) -> (DuplexStream, Duplex) {
    let (theirs, ours) = tokio::io::duplex(room);
    let (read, write) = tokio::io::split(ours);
    (theirs, Lines::new(read, write, Default::default()))
}

fn ping(id: u32) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string() + "\n"
}

async fn said(theirs: &mut DuplexStream) -> Value {
    let mut line = Vec::new();
    loop {
        let byte = theirs.read_u8().await.unwrap();
        if byte == b'\n' {
            return serde_json::from_slice(&line).unwrap();
        }
        line.push(byte);
    }
}

async fn next_id(lines: &mut Duplex) -> Option<RequestId> {
    match timeout(Duration::from_secs(5), lines.receive()).await.unwrap() {
        Some(RxJsonRpcMessage::<RoleServer>::Request(request)) => Some(request.id),
        None => None,
        Some(other) => panic!("not a request: {other:?}"),
    }
}

#[tokio::test]
async fn each_kind_of_bad_line_is_answered_and_the_session_goes_on() {
    for (line, code) in [
        ("{nope", -32700),
        ("\u{1}\u{2}", -32700),
        ("[]", -32600),
        ("7", -32600),
        (r#"{"jsonrpc":"1.0","id":4,"method":"ping"}"#, -32600),
        (r#"{"id":4}"#, -32600),
    ] {
        let (mut theirs, mut lines) = pair(1 << 16);
        theirs.write_all(format!("{line}\n{}", ping(9)).as_bytes()).await.unwrap();
        assert_eq!(next_id(&mut lines).await, Some(RequestId::Number(9)), "{line}");
        let answer = said(&mut theirs).await;
        assert_eq!(answer["error"]["code"], code, "{line}");
        assert!(!answer.to_string().contains("nope"), "an answer quotes nothing");
    }
}

#[tokio::test]
async fn an_invalid_request_keeps_its_id() {
    let (mut theirs, mut lines) = pair(1 << 16);
    theirs.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":7}\n").await.unwrap();
    theirs.write_all(ping(1).as_bytes()).await.unwrap();
    next_id(&mut lines).await;
    assert_eq!(said(&mut theirs).await["id"], "x");
}

#[tokio::test]
async fn what_needs_no_answer_gets_none() {
    let (mut theirs, mut lines) = pair(1 << 16);
    let quiet = "\n\r\n{\"jsonrpc\":\"2.0\",\"method\":7}\n{\"jsonrpc\":\"2.0\",\"result\":{}}\n";
    theirs.write_all(format!("{quiet}{}", ping(1)).as_bytes()).await.unwrap();
    next_id(&mut lines).await;
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(30), theirs.read(&mut byte)).await.is_err());
}

#[tokio::test]
async fn a_line_that_is_too_long_is_passed_over_whole() {
    let (mut theirs, mut lines) = pair(1 << 16);
    let feed = tokio::spawn(async move {
        theirs.write_all(&vec![b'{'; LINE_BYTES_MAX + 10]).await.unwrap();
        theirs.write_all(format!("\n{}", ping(5)).as_bytes()).await.unwrap();
        theirs
    });
    assert_eq!(next_id(&mut lines).await, Some(RequestId::Number(5)));
    assert!(lines.line.capacity() <= LINE_BYTES_MAX);
    let answer = said(&mut feed.await.unwrap()).await;
    assert_eq!(answer["error"]["code"], -32600);
}

#[tokio::test]
async fn a_read_that_was_dropped_goes_on_where_it_was() {
    let (mut theirs, mut lines) = pair(1 << 16);
    let whole = ping(3);
    let (head, tail) = whole.split_at(12);
    theirs.write_all(head.as_bytes()).await.unwrap();
    assert!(timeout(Duration::from_millis(20), lines.receive()).await.is_err());
    theirs.write_all(tail.as_bytes()).await.unwrap();
    assert_eq!(next_id(&mut lines).await, Some(RequestId::Number(3)));
}

#[tokio::test]
async fn a_peer_that_sends_only_rubbish_is_left() {
    let (mut theirs, mut lines) = pair(1 << 20);
    theirs.write_all("x\n".repeat(UNREADABLE_MAX as usize + 1).as_bytes()).await.unwrap();
    assert_eq!(next_id(&mut lines).await, None);
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_not_read_from() {
    let (mut theirs, mut lines) = pair(64);
    let big = TxJsonRpcMessage::<RoleServer>::error(
        ErrorData::internal_error("x".repeat(WAITING_BYTES_MAX), None),
        None,
    );
    let first = tokio::spawn(lines.send(big.clone()));
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = tokio::spawn(lines.send(big));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(timeout(Duration::from_millis(50), lines.receive()).await.is_err());
    said(&mut theirs).await;
    said(&mut theirs).await;
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    theirs.write_all(ping(2).as_bytes()).await.unwrap();
    assert_eq!(next_id(&mut lines).await, Some(RequestId::Number(2)));
}

#[tokio::test]
async fn answers_keep_their_order_and_leave_whole() {
    let (mut theirs, mut lines) = pair(1 << 16);
    let sends: Vec<_> = (0..50)
        .map(|n| {
            let error = ErrorData::internal_error(format!("{n}"), None);
            let message = TxJsonRpcMessage::<RoleServer>::error(error, Some(RequestId::Number(n)));
            tokio::spawn(lines.send(message))
        })
        .collect();
    for n in 0..50 {
        assert_eq!(said(&mut theirs).await["id"], n);
    }
    for send in sends {
        send.await.unwrap().unwrap();
    }
}

#[test]
fn deep_json_is_refused_without_a_crash() {
    let deep = "[".repeat(200_000);
    assert!(matches!(parse(deep.as_bytes()), Parsed::Wrong(ErrorCode::PARSE_ERROR, ..)));
}
