use super::*;

fn forms(slot: &Slot, wire: &str) -> Vec<(Form, String)> {
    let mut found = Vec::new();
    let mut scratch = vec![0; 8 * wire.len()];
    for_each(slot, wire.as_bytes(), &mut scratch, |form, bytes| {
        found.push((form, bytes.escape_ascii().to_string()));
    })
    .unwrap();
    found
}

#[test]
fn a_plain_token_has_few_spellings() {
    let expected = [
        (Form::Raw, "tok-en_~1"),
        (Form::Base64, "dG9rLWVuX34x"),
        // From "?dG9rLWVuX34x" shifted: printf '.tok-en_~1' | base64 is "LnRvay1lbl9+MQ==".
        (Form::Base64, "Rvay1lbl9+M"),
        // printf '..tok-en_~1' | base64 is "Li50b2stZW5ffjE=".
        (Form::Base64, "0b2stZW5ffj"),
        (Form::Base64Url, "Rvay1lbl9-M"),
        (Form::HexLower, "746f6b2d656e5f7e31"),
        (Form::HexUpper, "746F6B2D656E5F7E31"),
        (Form::Utf16Le, r"t\x00o\x00k\x00-\x00e\x00n\x00_\x00~\x001\x00"),
        (Form::Utf16Be, r"\x00t\x00o\x00k\x00-\x00e\x00n\x00_\x00~\x001"),
        (Form::Upper, "TOK-EN_~1"),
    ];
    let expected = expected.map(|(form, text)| (form, text.to_owned()));
    assert_eq!(forms(&Slot::bearer(), "tok-en_~1"), expected);
}

#[test]
fn escapes_appear_where_they_differ() {
    let found = forms(&Slot::bearer(), r#"a/"\<&>'!b1"#);
    let of = |form| {
        found.iter().filter(|(f, _)| *f == form).map(|(_, text)| text.as_str()).next().unwrap()
    };
    assert_eq!(of(Form::PercentUpper), "a%2F%22%5C%3C%26%3E%27%21b1");
    assert_eq!(of(Form::PercentLower), "a%2f%22%5c%3c%26%3e%27%21b1");
    assert_eq!(of(Form::PercentComponent), r"a%2F%22%5C%3C%26%3E\'!b1");
    assert_eq!(of(Form::Json), r#"a/\\\"\\\\<&>\'!b1"#);
    assert_eq!(of(Form::JsonSlash), r#"a\\/\\\"\\\\<&>\'!b1"#);
    assert_eq!(of(Form::JsonHtml), r#"a/\\\"\\\\\\u003c\\u0026\\u003e\'!b1"#);
    assert_eq!(of(Form::Html), r"a/&quot;\\&lt;&amp;&gt;&#39;!b1");
}

#[test]
fn the_secret_is_taken_out_of_its_wire_form() {
    let raw = |slot: &Slot, wire: &str| -> Vec<String> {
        let raw = forms(slot, wire).into_iter().filter(|(form, _)| *form == Form::Raw);
        raw.map(|(_, text)| text).collect()
    };
    let query = Slot::query("key").unwrap();
    assert_eq!(raw(&query, "a%20b%26c%3Dd"), ["a b&c=d"][..0]); // shorter than a window
    assert_eq!(raw(&query, "a%20b%26c%3Dd%25e~-._"), ["a b&c=d%e~-._"]);
    let basic = raw(&Slot::Basic, "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(basic, ["open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ"]);
}

#[test]
fn what_is_no_wire_form_is_told() {
    let mut scratch = [0; 256];
    for (slot, wire) in [
        (Slot::Basic, "open sesame"),
        (Slot::Basic, "bm9jb2xvbmF0YWxs"),
        (Slot::query("k").unwrap(), "abc%2"),
        (Slot::query("k").unwrap(), "abc%zz"),
    ] {
        let told = for_each(&slot, wire.as_bytes(), &mut scratch, |_, _| {});
        assert_eq!(told, None, "{wire}");
    }
}

#[test]
fn text_outside_ascii_is_escaped_as_units() {
    let wire = "dTp6w6nwn5iAcGFzcw=="; // "u:z\u{e9}\u{1f600}pass"
    let found = forms(&Slot::Basic, wire);
    let ascii = found.iter().find(|(form, _)| *form == Form::JsonAscii).unwrap();
    assert_eq!(ascii.1, r"z\\u00e9\\ud83d\\ude00pass");
}

#[test]
fn every_form_has_its_number_and_name() {
    for (number, form) in Form::ALL.into_iter().enumerate() {
        assert_eq!(form as usize, number);
        assert!(Form::ALL.iter().filter(|other| other.name() == form.name()).count() == 1);
    }
}
