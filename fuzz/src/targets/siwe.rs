//! The text of a message that a wallet signed to sign in.

use symbolon_account::siwe::{Expected, Message};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(message) = Message::parse(text) else { return };
    let fields = message.fields();
    let again = Message::make(fields.clone()).expect("what was read can be written");
    assert_eq!(again.text(), text);
    let expected = Expected {
        domain: &fields.domain,
        uri: &fields.uri,
        chain_id: &fields.chain_id,
        nonce: &fields.nonce,
        unix_ms: fields.issued_at.unix_ms(),
    };
    for bytes in [64, 65] {
        assert!(
            message.verify(&expected, &data[..data.len().min(bytes)]).is_err(),
            "signed by text"
        );
    }
}
