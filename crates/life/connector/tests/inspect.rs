//! Each check of a request head, by an input that breaks only it.

use proptest::prelude::*;
use symbolon_connector::inject::{
    Expected, Framing, HEAD_BYTES_MAX, InjectError, Placeholder, Plan, Slot, inspect_head,
    inspect_upgrade_head,
};
use symbolon_connector::ssrf::{Allow, base_url};

const PLACEHOLDER: &str = "000102030405060708090a0b0c0d0e0f";

fn inspect_for(slot: &Slot, head: &str) -> Result<Plan, InjectError> {
    let entropy: [u8; 16] = std::array::from_fn(|i| i as u8);
    let placeholder = Placeholder::from_entropy(entropy);
    assert_eq!(placeholder.as_str(), PLACEHOLDER);
    let base = base_url("https://api.example.com", Allow::default()).unwrap();
    let head = head.replace('$', PLACEHOLDER);
    let expected = Expected { placeholder: &placeholder, slot, authority: base.authority() };
    inspect_head(head.as_bytes(), &expected)
}

fn inspect(head: &str) -> Result<Plan, InjectError> {
    inspect_for(&Slot::bearer(), head)
}

/// A good head with more lines.
fn with(lines: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer $\r\n{lines}\r\n")
}

/// A good head with another request line and no more.
fn line(request_line: &str) -> String {
    format!("{request_line}\r\nHost: api.example.com\r\nAuthorization: Bearer $\r\n\r\n")
}

#[test]
fn a_good_head_is_planned() {
    let head =
        with("Content-Length: 12\r\nX-Note: caf\u{e9}\tx\r\nConnection: Keep-Alive, close\r\n");
    let plan = inspect(&head).unwrap();
    assert_eq!(plan.at, head.find('$'));
    assert_eq!(plan.framing, Framing::length(12));
    assert_eq!(inspect(&with("")).unwrap().framing, Framing::none());
    assert_eq!(inspect(&with("Content-Length: 0\r\n")).unwrap().framing, Framing::none());
    let chunked = inspect(&with("transfer-encoding: Chunked \r\n")).unwrap();
    assert_eq!(chunked.framing, Framing::chunked());
    assert!(inspect(&line("GET https://API.example.com:443/a?b HTTP/1.1")).is_ok());
    assert!(inspect(&line("GET https://api.example.com HTTP/1.1")).is_ok());
}

/// The worked bytes of specs/injection.md.
#[test]
fn the_worked_example_holds() {
    let head = "GET /a HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer $\r\n\r\n";
    assert_eq!(inspect(head), Ok(Plan { at: Some(62), framing: Framing::none(), form: None }));
}

#[test]
fn every_slot_is_found() {
    let host = "Host: api.example.com:443\r\n";
    let cases = [
        (Slot::bearer(), format!("GET / HTTP/1.1\r\nauthorization:Bearer $\r\n{host}\r\n")),
        (Slot::bearer(), format!("GET / HTTP/1.1\r\nauthorization: \t Bearer $\r\n{host}\r\n")),
        (Slot::Basic, format!("GET / HTTP/1.1\r\n{host}Authorization: Basic $\r\n\r\n")),
        (
            Slot::header("x-api-key", "").unwrap(),
            format!("GET / HTTP/1.1\r\n{host}X-Api-Key: $\r\n\r\n"),
        ),
        (Slot::query("key").unwrap(), format!("GET /?key=$ HTTP/1.1\r\n{host}\r\n")),
        (Slot::query("key").unwrap(), format!("GET /?a=b&key=$&keys=1 HTTP/1.1\r\n{host}\r\n")),
        (
            Slot::query("key").unwrap(),
            format!("GET https://api.example.com?%6bey=$ HTTP/1.1\r\n{host}\r\n"),
        ),
    ];
    for (slot, head) in cases {
        let plan = inspect_for(&slot, &head);
        assert_eq!(plan.map(|plan| plan.at), Ok(head.find('$')), "{head}");
    }
}

#[test]
fn a_cookie_stands_among_others_and_has_one_name() {
    use InjectError::*;
    let slot = Slot::cookie("sid").unwrap();
    let get = |lines: &str| format!("GET / HTTP/1.1\r\nHost: api.example.com\r\n{lines}\r\n");
    for good in ["sid=$", "a=b; sid=$", "sid=$; a=b", "a=b;sid=$;c=d; side=1; x=sid", "a; sid=$"] {
        let head = get(&format!("Cookie: {good}\r\n"));
        let plan = inspect_for(&slot, &head);
        assert_eq!(plan.map(|plan| plan.at), Ok(head.find('$')), "{good}");
    }
    for (bad, error) in [
        ("cookie: a=$", PlaceholderElsewhere),
        ("cookie: sid=x; b=$", PlaceholderElsewhere),
        ("x-cookie: sid=$", PlaceholderElsewhere),
        ("cookie: sid=$; sid=x", SlotTwice),
        ("cookie: sid=x; sid=$", SlotTwice),
        ("cookie: SID=x; sid=$", SlotTwice),
        ("cookie: s%69d=x; sid=$", SlotTwice),
        ("cookie: sid=$\r\nCOOKIE: a=b", SlotTwice),
        ("cookie: a=b\r\ncookie: sid=$", SlotTwice),
        ("cookie: sid=x$", SlotPrefix),
        ("cookie: sid = $", SlotPrefix),
        ("cookie: Sid=$", SlotPrefix),
        ("cookie: sid=\"$\"", SlotPrefix),
        ("cookie: sid=$x", SlotSuffix),
        ("cookie: sid=$ ; a=b", SlotSuffix),
        ("cookie: sid=$, a=b", SlotSuffix),
        ("connection: cookie\r\ncookie: sid=$", ConnectionNamesSlot),
    ] {
        assert_eq!(inspect_for(&slot, &get(&format!("{bad}\r\n"))), Err(error), "{bad}");
    }
}

/// Head and body of a form with the body's real length: the plan, and what goes out.
fn form(head: &str, body: &str, wire: &str) -> Result<String, InjectError> {
    let entropy: [u8; 16] = std::array::from_fn(|i| i as u8);
    let placeholder = Placeholder::from_entropy(entropy);
    let base = base_url("https://api.example.com", Allow::default()).unwrap();
    let slot = Slot::form("token").unwrap();
    let body = body.replace('$', PLACEHOLDER);
    let head = format!("POST /a HTTP/1.1\r\nHost: api.example.com\r\n{head}\r\n")
        .replace('#', &body.len().to_string())
        .replace('$', PLACEHOLDER);
    let expected = Expected { placeholder: &placeholder, slot: &slot, authority: base.authority() };
    let plan = inspect_head(head.as_bytes(), &expected)?;
    let mut bytes = [head, body].concat().into_bytes();
    let at = plan.form.expect("a form").place(&mut bytes, &expected, wire.len())?;
    bytes.splice(at..at + 32, wire.bytes());
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn a_form_field_goes_out_with_the_length_that_it_has_then() {
    use InjectError::*;
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let head = format!("{kind}Content-Length: #\r\n");
    for (body, wire) in [
        ("token=$", "12345678"),
        ("token=$&a=b", "12345678"),
        ("token=$&a=b&tokens=1&x=token", &"w".repeat(70)),
        ("token=$", &"w".repeat(4000)),
    ] {
        let sent = form(&head, body, wire).unwrap();
        let (sent_head, sent_body) = sent.split_once("\r\n\r\n").unwrap();
        assert_eq!(sent_body, body.replace('$', wire));
        assert!(sent_head.ends_with(&format!("Content-Length: {}", sent_body.len())), "{sent}");
    }
    for (body, error) in [
        ("a=b", PlaceholderMissing),
        ("a=$", PlaceholderElsewhere),
        ("a=b&token=$", SlotPrefix),
        ("token[a]=$", PlaceholderElsewhere),
        ("Token=$", PlaceholderElsewhere),
        ("token=x$", PlaceholderElsewhere),
        ("token=$x", SlotSuffix),
        ("token=$;a=b", SlotSuffix),
        ("token=$&a=$", PlaceholderTwice),
        ("token=$&token=x", SlotTwice),
        ("token=$&a=b&t%6fken=x", SlotTwice),
        ("token=$&token", SlotTwice),
    ] {
        assert_eq!(form(&head, body, "12345678"), Err(error), "{body}");
    }
    for (head, error) in [
        ("Content-Length: #\r\n".to_owned(), FormType),
        (format!("{head}{kind}"), FormType),
        (head.replace("x-www-form-urlencoded", "json"), FormType),
        (head.replace("urlencoded", "urlencoded; charset=utf-16"), FormType),
        (kind.to_owned(), FormFraming),
        (format!("{kind}Transfer-Encoding: chunked\r\n"), FormFraming),
        (format!("{head}Transfer-Encoding: chunked\r\n"), FormFraming),
        (format!("{head}Content-Encoding: gzip\r\n"), FormFraming),
        (format!("{head}Content-Length: #\r\n"), ContentLengthTwice),
        (format!("{head}X-A: $\r\n"), PlaceholderElsewhere),
    ] {
        assert_eq!(form(&head, "token=$", "12345678"), Err(error), "{head}");
    }
}

#[test]
fn a_signed_request_has_no_place_for_the_credential() {
    let head = "GET /a HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: x\r\n\r\n";
    let plan = inspect_for(&Slot::signed(None).unwrap(), head);
    assert_eq!(plan, Ok(Plan { at: None, framing: Framing::none(), form: None }));
    let head = head.replace('x', "$");
    assert_eq!(inspect_for(&Slot::Nowhere, &head), Err(InjectError::PlaceholderElsewhere));
}

#[test]
fn each_check_refuses_what_breaks_only_it() {
    use InjectError::*;
    let full = HEAD_BYTES_MAX - with("X-Pad: \r\n").len() - 31;
    assert!(inspect(&with(&format!("X-Pad: {}\r\n", "x".repeat(full)))).is_ok());
    let host = "Host: api.example.com\r\n";
    let bearer = "Authorization: Bearer $\r\n";
    let cases: Vec<(String, InjectError)> = vec![
        (with(&format!("X-Pad: {}\r\n", "x".repeat(full + 1))), HeadTooLong),
        (with("").trim_end().to_owned() + "\r\n", Unterminated),
        (with("") + "x", Unterminated),
        (with("\r\nX-A: b\r\n"), SecondHead),
        (with("") + "GET / HTTP/1.1\r\n\r\n", SecondHead),
        (with("X-A: b\nX-C: d\r\n"), BareLineFeed),
        (with("X-A: b\n\nX-C: d\r\n"), BareLineFeed),
        (with("X-A: b\rX-C: d\r\n"), BareCarriageReturn),
        (with("X-A: b\r\r\n"), BareCarriageReturn),
        (with("X-A: b\0\r\n"), Nul),
        (with("X-A: b\x0b\r\n"), Control),
        (with("X-A: b\x7f\r\n"), Control),
        (line("GET /a"), RequestLine),
        (line("GET  /a HTTP/1.1"), RequestLine),
        (line("GET /a b HTTP/1.1"), RequestLine),
        (line("GET /a HTTP/1.1 "), RequestLine),
        (line(" GET /a HTTP/1.1"), RequestLine),
        (line(""), RequestLine),
        (line("G(T /a HTTP/1.1"), Method),
        (line("CONNECT /a HTTP/1.1"), Method),
        (line("GET /a HTTP/1.0"), Version),
        (line("GET /a HTTP/2"), Version),
        (line("GET /a http/1.1"), Version),
        (line("GET /a#b HTTP/1.1"), Target),
        (line("GET /\u{e9} HTTP/1.1"), Target),
        (line("GET /a\tb HTTP/1.1"), Target),
        (line("OPTIONS * HTTP/1.1"), Target),
        (line("GET api.example.com:443 HTTP/1.1"), Target),
        (line("GET http://api.example.com/ HTTP/1.1"), TargetOrigin),
        (line("GET https://evil.example/ HTTP/1.1"), TargetOrigin),
        (line("GET https://u@api.example.com/ HTTP/1.1"), TargetOrigin),
        (line("GET https://api.example.com:444/ HTTP/1.1"), TargetOrigin),
        (line("GET https://api.example.com\\@evil.example/ HTTP/1.1"), TargetOrigin),
        (with("X-A: b\r\n c\r\n"), Folded),
        (with("X-A: b\r\n\tc\r\n"), Folded),
        (with("X-A\r\n"), HeaderName),
        (with(": b\r\n"), HeaderName),
        (with("X-A : b\r\n"), HeaderName),
        (with("X(A: b\r\n"), HeaderName),
        (with("\u{e9}: b\r\n"), HeaderName),
        (format!("GET / HTTP/1.1\r\n{bearer}\r\n"), HostMissing),
        (with(host), HostTwice),
        (format!("GET / HTTP/1.1\r\nHost: evil.example\r\n{bearer}\r\n"), HostMismatch),
        (format!("GET / HTTP/1.1\r\nHost: \r\n{bearer}\r\n"), HostMismatch),
        (format!("GET / HTTP/1.1\r\nHost: api.example.com:80\r\n{bearer}\r\n"), HostMismatch),
        (with("Content-Length: \r\n"), ContentLength),
        (with("Content-Length: +1\r\n"), ContentLength),
        (with("Content-Length: 1, 1\r\n"), ContentLength),
        (with("Content-Length: 0x1\r\n"), ContentLength),
        (with("Content-Length: 1234567890123456789\r\n"), ContentLength),
        (with("Content_Length: 1\r\n"), ContentLength),
        (with("Content-Length: 1\r\ncontent-length: 1\r\n"), ContentLengthTwice),
        (with("Transfer-Encoding: gzip, chunked\r\n"), TransferEncoding),
        (with("Transfer-Encoding: identity\r\n"), TransferEncoding),
        (with("Transfer-Encoding: \x20xchunked\r\n"), TransferEncoding),
        (with("Transfer_Encoding: chunked\r\n"), TransferEncoding),
        (
            with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            TransferEncodingTwice,
        ),
        (with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), TwoFramings),
        (with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), TwoFramings),
        (with("Upgrade: h2c\r\n"), Upgrade),
        (with("Connection: Authorization\r\n"), ConnectionNamesSlot),
        (with("Connection: close, authorization\r\n"), ConnectionNamesSlot),
        (with("Connection: Upgrade\r\n"), ConnectionOption),
        (with("Connection: x-a\r\n"), ConnectionOption),
        (with("Connection: \r\n"), ConnectionOption),
        (with("").replace('$', "x"), PlaceholderMissing),
        (with("").replace('$', &PLACEHOLDER.to_ascii_uppercase()), PlaceholderMissing),
        (with("X-A: $\r\n"), PlaceholderTwice),
        (line("GET /?a=$ HTTP/1.1"), PlaceholderTwice),
        (format!("GET / HTTP/1.1\r\n{host}X-A: $\r\n\r\n"), PlaceholderElsewhere),
        (format!("GET /$ HTTP/1.1\r\n{host}\r\n"), PlaceholderElsewhere),
        (format!("GET /?a=$ HTTP/1.1\r\n{host}\r\n"), PlaceholderElsewhere),
        (format!("GET / HTTP/1.1\r\n{host}$: Bearer\r\n\r\n"), PlaceholderElsewhere),
        (format!("GET / HTTP/1.1\r\n{host}X-A: Bearer $\r\n\r\n"), PlaceholderElsewhere),
        (with("Authorization: Bearer x\r\n"), SlotTwice),
        (with("AUTHORIZATION: \r\n"), SlotTwice),
        (with("").replace("Bearer $", "Bearer  $"), SlotPrefix),
        (with("").replace("Bearer $", "bearer $"), SlotPrefix),
        (with("").replace("Bearer $", "$"), SlotPrefix),
        (with("").replace("Bearer $", "x Bearer $"), SlotPrefix),
        (with("").replace("Bearer $", "Bearer\t$"), SlotPrefix),
        (with("").replace("Bearer $", "Bearer $ "), SlotSuffix),
        (with("").replace("Bearer $", "Bearer $0"), SlotSuffix),
        (with("").replace("Bearer $", "Bearer $, x"), SlotSuffix),
    ];
    for (head, error) in cases {
        assert_eq!(inspect(&head), Err(error), "{:?}", head.get(..300).unwrap_or(&head));
    }
}

#[test]
fn other_spellings_of_the_slot_count() {
    use InjectError::*;
    let slot = Slot::header("x-api-key", "").unwrap();
    let head = |lines: &str| {
        format!("GET / HTTP/1.1\r\nHost: api.example.com\r\nX-Api-Key: $\r\n{lines}\r\n")
    };
    assert!(inspect_for(&slot, &head("")).is_ok());
    assert_eq!(inspect_for(&slot, &head("X_API_KEY: y\r\n")), Err(SlotTwice));
    assert_eq!(inspect_for(&slot, &head("x_api-key: y\r\n")), Err(SlotTwice));
    let names_slot = head("Connection: x_api_key\r\n");
    assert_eq!(inspect_for(&slot, &names_slot), Err(ConnectionNamesSlot));

    let slot = Slot::query("key").unwrap();
    let query = |target: &str| {
        inspect_for(&slot, &format!("GET {target} HTTP/1.1\r\nHost: api.example.com\r\n\r\n"))
    };
    assert!(query("/?key=$").is_ok());
    for (target, error) in [
        ("/?key=$&key=x", SlotTwice),
        ("/?key&key=$", SlotTwice),
        ("/?key=$&%6Bey=x", SlotTwice),
        ("/?k%65y=x&key=$", SlotTwice),
        ("/?key=x$", SlotPrefix),
        ("/?key==$", SlotPrefix),
        ("/?key=$x", SlotSuffix),
        ("/?key=$;x", SlotSuffix),
        ("/?Key=$", PlaceholderElsewhere),
        ("/?$=key", PlaceholderElsewhere),
        ("/?key$", PlaceholderElsewhere),
        ("/key=$", PlaceholderElsewhere),
        ("/?a=$&key=x", PlaceholderElsewhere),
        ("/?key=$&b=$", PlaceholderTwice),
        ("/?key=$#", Target),
    ] {
        assert_eq!(query(target), Err(error), "{target}");
    }
    let in_header = "GET /?key=x HTTP/1.1\r\nHost: api.example.com\r\nkey: $\r\n\r\n";
    assert_eq!(inspect_for(&slot, in_header), Err(PlaceholderElsewhere));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever passes has one head, one placeholder, and that in its slot.
    #[test]
    fn no_mutation_passes_that_moves_the_credential(
        cuts in prop::collection::vec((0usize..200, 0usize..6, "[\r\n\0 :$,;a-zA-Z/?=-]{0,12}"), 1..4),
    ) {
        let mut head = with("Content-Length: 3\r\nConnection: close\r\n");
        for (at, removed, inserted) in cuts {
            let at = at.min(head.len());
            let end = (at + removed).min(head.len());
            head.replace_range(at..end, &inserted);
        }
        if let Ok(plan) = inspect(&head) {
            let sent = head.replace('$', PLACEHOLDER);
            prop_assert_eq!(sent.matches(PLACEHOLDER).count(), 1);
            prop_assert_eq!(sent.find("\r\n\r\n"), Some(sent.len() - 4));
            let at = plan.at.unwrap();
            prop_assert_eq!(&sent[at..at + 32], PLACEHOLDER);
            let before = &sent[..at];
            let line = before[before.rfind("\r\n").unwrap() + 2..].to_ascii_lowercase();
            prop_assert!(line.starts_with("authorization:") && line.ends_with(" bearer ") || line == "authorization:bearer ", "{line}");
            prop_assert!(sent[at + 32..].starts_with("\r\n"));
            prop_assert_eq!(sent.to_ascii_lowercase().matches("\r\nhost:").count(), 1);
        }
    }

    /// No input is a panic.
    #[test]
    fn arbitrary_bytes_are_told(head in "(GET|\\PC{0,4}) ?[ -~]{0,20}( HTTP/1.1)?(\r\n[ -~]{0,30}){0,5}(\r\n\r\n)?") {
        let _ = inspect(&head);
        let _ = inspect_for(&Slot::query("key").unwrap(), &head);
    }
}

#[test]
fn only_a_whole_websocket_upgrade_passes_and_only_where_one_may_be_asked_for() {
    let base = base_url("https://api.example.com", Allow::default()).unwrap();
    let entropy: [u8; 16] = std::array::from_fn(|i| i as u8);
    let placeholder = Placeholder::from_entropy(entropy);
    let slot = Slot::bearer();
    let expected = Expected { placeholder: &placeholder, slot: &slot, authority: base.authority() };
    let head = |more: &str| {
        format!(
            "GET /a HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {PLACEHOLDER}\r\n{more}\r\n"
        )
    };
    let good = head("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n");
    assert!(inspect_upgrade_head(good.as_bytes(), &expected).is_ok());
    assert!(inspect_head(good.as_bytes(), &expected).is_err());
    for (bad, error) in [
        ("", InjectError::Upgrade),
        ("Connection: upgrade\r\n", InjectError::Upgrade),
        ("Upgrade: websocket\r\n", InjectError::Upgrade),
        ("Connection: upgrade\r\nUpgrade: h2c\r\n", InjectError::Upgrade),
        ("Connection: upgrade\r\nUpgrade: websocket, h2c\r\n", InjectError::Upgrade),
        (
            "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n",
            InjectError::Upgrade,
        ),
        (
            "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n",
            InjectError::Upgrade,
        ),
        (
            "Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n",
            InjectError::Upgrade,
        ),
        (
            "Connection: upgrade, authorization\r\nUpgrade: websocket\r\n",
            InjectError::ConnectionNamesSlot,
        ),
        ("Connection: upgrade, te\r\nUpgrade: websocket\r\n", InjectError::ConnectionOption),
    ] {
        assert_eq!(inspect_upgrade_head(head(bad).as_bytes(), &expected), Err(error), "{bad}");
    }
}
