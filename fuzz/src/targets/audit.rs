//! The first byte chooses: lines as they are, a Parquet file as it is, or a place in a file of our own that is changed.

use std::sync::{LazyLock, Once};

use symbolon_audit::{Entry, Filter, Row, Segment, pack, read_lines, write_line};
use symbolon_codec::Fields;
use symbolon_crypto::labels;

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 3 {
        0 => lines(rest),
        1 => drop(found(rest.to_vec())),
        _ => changed(rest),
    }
}

/// What is read can be written, byte for byte.
fn lines(bytes: &[u8]) {
    let mut again = Vec::new();
    let read = read_lines(bytes, 0, |row, leaf| {
        assert_eq!(leaf, row.entry.leaf_hash());
        write_line(row.index, &row.entry.bytes(), &row.entry, &mut again)
    });
    if let Ok(read) = read {
        assert_eq!(again, bytes[..read.bytes as usize]);
    }
}

/// Two bytes for the place, one for the change; what is left is put in there.
fn changed(rest: &[u8]) {
    let [high, low, change, inserted @ ..] = rest else { return };
    let whole = &*OURS;
    let at = usize::from(u16::from_be_bytes([*high, *low])) % whole.len();
    let mut bytes = whole.clone();
    bytes[at] ^= change;
    bytes.splice(at..at, inserted.iter().copied());
    let ours = found(whole.clone()).expect("our own file");
    if let Some((rows, span)) = found(bytes).filter(|(_, span)| *span == ours.1) {
        assert_eq!((rows, span), ours, "another answer under the same part of the tree");
    }
}

/// The rows of a file that passes its check, and its part of the log's tree.
fn found(bytes: Vec<u8>) -> Option<(Vec<Row>, symbolon_log::Span)> {
    quiet();
    let segment = Segment::open(bytes).ok()?;
    segment.check().ok()?;
    let span = segment.summary().tree().expect("it was checked");
    Some((segment.find(&Filter::default(), 100, |_| false).ok()?, span))
}

/// The Parquet reader panics on some files, which is caught: neither a fuzzer nor a reader need hear of it.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

static OURS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let intent = |n: u64| {
        Fields::new(labels::INTENT.as_str())
            .u64(1_795_000_000_000 + n)
            .bytes(&[n as u8; 16])
            .bytes(&[7; 16])
            .str("claude")
            .str("mcp")
            .bytes(&[0; 32])
            .str("github.issues.list")
            .str("main")
            .str("https://api.github.com")
            .u64(1)
            .bytes(&[15])
            .bytes(&[n as u8; 32])
            .finish()
    };
    let digest = "5a".repeat(32);
    let receipt = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"request","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://symbolon.dev/receipt/v1","predicate":{{"agent":"claude","session":"{digest}","door":"mcp","context":"direct","tool":"github.issues.list","service":"github","connection":"main","method":"GET","host":"api.github.com","path_template":"/issues","parameters":"{digest}","decision":{{"outcome":"refused","gates":[{{"gate":"scope","held":false}}]}},"times":{{"requested":"2026-11-18T10:40:00.000Z","completed":"2026-11-18T10:40:00.001Z"}},"durability":"group"}}}}"#
    );
    let entries = [intent(1), receipt.into_bytes(), intent(2), b"another entry".to_vec()];
    let rows = (0..).zip(entries).map(|(index, entry)| Row { index, entry: Entry::read(&entry) });
    let rows: Vec<Row> = rows.collect();
    assert!(rows[1].entry.receipt().is_some(), "a receipt");
    let mut file = Vec::new();
    pack(rows, &mut file).expect("a file of four entries");
    file
});
