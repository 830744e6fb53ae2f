use serde_json::json;

use super::{CLAUDE, CURSOR, Tester};

#[tokio::test]
async fn a_request_goes_on_as_it_came_and_its_answer_comes_back_as_http() {
    let door = Tester::new();
    let headers = [("x-api-key", "sym_claude"), ("content-type", "text/x-y")];
    let target = "/to/echo/repos/a%2Fb/../c//d?q=1&r=%20";
    let answer = door.send("PATCH", target, &headers, "hello").await;
    assert_eq!(answer.status(), 201);
    assert_eq!(
        answer.json(),
        json!({
            "agent": "claude",
            "method": "PATCH",
            "path": "/repos/a%2Fb/../c//d",
            "query": "q=1&r=%20",
            "content_type": "text/x-y",
            "body": "hello"
        })
    );
    assert_eq!(answer.header("symbolon-receipt"), "7");
    assert_eq!(answer.header("content-type"), "application/json");
    let many: Vec<_> = answer.head.headers.get_all("x-many").iter().collect();
    assert_eq!(many, ["1", "2"]);
    for name in ["transfer-encoding", "content-length"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
}

#[tokio::test]
async fn an_empty_path_is_the_root() {
    let door = Tester::new();
    for target in ["/to/echo", "/to/echo/", "/to/echo?q=1"] {
        assert_eq!(door.get(target, &[CLAUDE]).await.json()["path"], "/", "{target}");
    }
}

#[tokio::test]
async fn refusals_are_pairs_here_too() {
    let door = Tester::new();
    let refused = door.get("/to/other/x", &[CURSOR]).await;
    assert_eq!((refused.status(), refused.code().as_str()), (403, "no_grant"));
    assert_eq!(door.get("/to/", &[CLAUDE]).await.code(), "no_connection");
    assert_eq!(door.get("/to//x", &[CLAUDE]).await.code(), "no_connection");
    assert_eq!(door.get("/to", &[CLAUDE]).await.code(), "no_route");
}

#[tokio::test]
async fn bytes_pass_unchanged() {
    let door = Tester::new();
    let body: String = (0u8..128).map(char::from).collect();
    assert_eq!(door.send("POST", "/to/echo/raw", &[CLAUDE], &body).await.text, body);
}
