//! A server that is none of ours.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// What a client makes of an answer.
async fn answered(answer: Vec<u8>) -> ClientError {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await.unwrap();
        // The client may have had enough before it is written whole.
        let _ = stream.write_all(&answer).await;
    });
    let mut client = Client::new(format!("http://localhost:{port}").parse().unwrap());
    let asked = client.get::<Value>(By::Nobody, "/api/vault").await;
    served.abort();
    asked.unwrap_err()
}

fn with_body(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn answers_that_are_none_are_refused_as_that() {
    let moved = b"HTTP/1.1 307 Moved\r\nlocation: http://localhost:1/\r\ncontent-length: 0\r\n\r\n";
    let other = |error: ClientError| match error {
        ClientError::Other { what, .. } => what,
        error => panic!("{error:?}"),
    };
    assert_eq!(other(answered(moved.to_vec()).await), "status 307");
    assert_eq!(other(answered(with_body("500 x", "<html>")).await), "status 500");
    assert!(other(answered(with_body("200 OK", "{\"a\": 1")).await).starts_with("JSON at line 1"));
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    let long = [head.to_vec(), vec![b' '; 25 << 20]].concat();
    assert_eq!(other(answered(long).await), "an answer that is too long");
}

#[tokio::test]
async fn a_refusal_keeps_its_words_and_not_its_advice() {
    let says = r#"{"code":"quota","message":"Too much.","next":"rm -rf /"}"#;
    let error = answered(with_body("413 x", says)).await;
    assert!(error.is_code("quota") && !error.is_offline());
    assert!(!format!("{error} {error:?}").contains("rm -rf"), "{error:?}");
    let busy = r#"{"code":"rate_limited","message":"Later.","retry_after_seconds":3}"#;
    assert!(answered(with_body("429 x", busy)).await.is_offline());
}

#[tokio::test]
async fn nobody_there_is_offline() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut client = Client::new(format!("http://localhost:{port}").parse().unwrap());
    let error = client.get::<Value>(By::Nobody, "/api/vault").await.unwrap_err();
    assert!(error.is_offline(), "{error:?}");
    assert!(answered(Vec::new()).await.is_offline(), "cut off in the middle");
}
