use super::*;
use serde_json::Value;

/// `vectors/sigv4`: requests signed by botocore; three of them are AWS's own published examples
/// (get-vanilla, post-vanilla, get-vanilla-query-order-key-case).
#[test]
fn botocore_signs_the_same() {
    let text = include_str!("../../../../../../vectors/sigv4/botocore.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 14);
    for case in cases {
        let name = text(&case["name"]);
        let aws4 = Aws4::new(
            case["unix_ms"].as_u64().unwrap(),
            &text(&case["region"]),
            &text(&case["service"]),
        );
        let (method, path, query) =
            (text(&case["method"]), text(&case["path"]), text(&case["query"]));
        let mut headers: Vec<(String, Vec<u8>)> = case["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|h| (text(&h[0]), text(&h[1]).into_bytes()))
            .collect();
        headers.reverse();
        let payload = Payload::asked(&text(&case["payload"])).unwrap();
        let request =
            Aws4Request { method: &method, path: &path, query: &query, headers, payload: &payload };
        assert_eq!(aws4.canonical(&request).0, text(&case["canonical"]), "{name}");
        let key = aws4.key(text(&vectors["secret"]).as_bytes());
        let signed = aws4.sign(&key, &request, None);
        // The same with the first header's value kept apart, as a session token is.
        let mut apart = request.clone();
        let value = std::mem::replace(&mut apart.headers[0].1, b"placeholder".to_vec());
        assert_eq!(aws4.sign(&key, &apart, Some(("placeholder", &value))), signed, "{name}");
        let value = aws4.authorization(&text(&vectors["key_id"]), &signed);
        assert_eq!(value, text(&case["authorization"]), "{name}");
    }
}

#[test]
fn a_callers_payload_is_one_of_five_kinds() {
    assert_eq!(Payload::asked(&"A".repeat(64)), Some(Payload::Hash("a".repeat(64))));
    for kind in
        [Payload::Unsigned, Payload::Chunks, Payload::ChunksAndTrailer, Payload::UnsignedChunks]
    {
        assert_eq!(Payload::asked(kind.as_str()), Some(kind.clone()));
    }
    for other in ["", "unsigned-payload", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "abc"] {
        assert_eq!(Payload::asked(other), None, "{other}");
    }
}

#[test]
fn what_a_caller_signed_is_known_in_any_spelling() {
    assert!(is_aws4_parameter("X-Amz-Signature") && is_aws4_parameter("x-amz-%53ignature"));
    assert!(is_aws4_parameter("X-AMZ-CREDENTIAL") && !is_aws4_parameter("x-id"));
    assert!(is_aws4_header("x-amz-security-token") && !is_aws4_header("x-amz-meta-a"));
}
