use std::io::Write;

use super::*;

const TEXT: &[u8] = br#"{"token":"secret-token-1"}"#;

/// [`TEXT`] as other people's encoders have it: gzip and zlib of Python, Node, zstd 1.5.
const GIVEN: [(&str, &str); 5] = [
    (
        "gzip",
        "1f8b0800000000000203ab562ac9cf4ecd53b2522a4e4d2e4a2dd10573750d956a019bdd4fe11a000000",
    ),
    ("deflate", "ab562ac9cf4ecd53b2522a4e4d2e4a2dd10573750d956a01"),
    ("br", "8b0c807b22746f6b656e223a227365637265742d746f6b656e2d31227d03"),
    ("zstd", "28b52ffd241ad100007b22746f6b656e223a227365637265742d746f6b656e2d31227dfb1f018d"),
    ("zstd", "28b52ffd0458d100007b22746f6b656e223a227365637265742d746f6b656e2d31227dfb1f018d"),
];

/// Three events of a stream by zstd 1.5, flushed behind each; the later two refer to the first.
const FLUSHED: [&str; 3] = [
    "28b52ffd0458500100646174613a206576656e74206e756d6265722031206f6620612073747265616d20696e207a\
     7374640a0a",
    "4c0000083202004091962820",
    "550000106433020040110f5c01936ef409",
];

/// Three hundred times `long(1000)` by zstd 1.5 with a window of 32 KiB.
const REPEATED: &str = "\
    28b52ffd04281c0600428e2014b0693865b300be4499c82d534a49fad0ee040702c7fcd31049d1e993db135943\
    1eea78dca45d79c8c7f1743e249291bf912daae39892d3d1a98ffbf865255f537798952949ba5b2f54fd94e6da\
    cc3a25e631477d9b483b275fd975585a269ffd315d4df211d7361a5aea93832440b008108c816140101286c0f2\
    797d60140e862221a831040d0144b1bbbf01003728d41a11340ce17708a7e15bffbf0311fcfbd4d173b4344fce\
    60ba9ebb178250312e8861f66144244461251fc45a08fc2a4c0000000100fdff60bf33203c0000000100fdff0e\
    803c0000000100fdff0e803c0000000100fdff0e803c0000000100fdff0e803c0000000100fdff0e803c000000\
    0100fdff0e803c0000000100fdff0e803d00000001008dd80320241baf1a";

fn parse(values: &[&str]) -> Result<Codings, UndecodableBody> {
    Codings::parse(values.iter().map(|value| value.as_bytes()))
}

fn decode(name: &str, body: &[u8], size: usize) -> Result<Vec<u8>, UndecodableBody> {
    decode_to(name, body, size, 64 << 20)
}

fn decode_to(
    name: &str,
    body: &[u8],
    size: usize,
    bytes_max: u64,
) -> Result<Vec<u8>, UndecodableBody> {
    let mut decoder = Decoder::new(&parse(&[name])?, bytes_max);
    let mut out = Vec::new();
    for piece in body.chunks(size) {
        decoder.push::<UndecodableBody>(piece, &mut |decoded| {
            out.extend_from_slice(decoded);
            Ok(())
        })?;
    }
    decoder.finish()?;
    Ok(out)
}

fn encode(name: &str, body: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match name {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "deflate" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            ::brotli::BrotliCompress(&mut &*body, &mut out, &Default::default()).unwrap();
            out
        }
        "zstd" => {
            ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest)
        }
        other => panic!("{other}"),
    }
}

/// Text that does not shrink to nothing.
fn long(len: usize) -> Vec<u8> {
    let mut state = 7u64;
    let mut text = Vec::new();
    while text.len() < len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.extend_from_slice(
            format!("{{\"id\":{},\"name\":\"a name\"}},\n", state >> 40).as_bytes(),
        );
    }
    text
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

const NAMES: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

#[test]
fn what_others_encode_is_decoded_however_it_is_split() {
    for (name, given) in GIVEN {
        for size in [1, 2, 3, 5, 1000] {
            assert_eq!(decode(name, &unhex(given), size).as_deref(), Ok(TEXT), "{name} by {size}");
        }
    }
    let text = long(100_000);
    for name in NAMES {
        let body = encode(name, &text);
        for size in [1009, 16 << 10, 1 << 20] {
            assert!(decode(name, &body, size) == Ok(text.clone()), "{name} by {size}");
        }
    }
}

#[test]
fn a_foreign_coding_is_one_that_nobody_undoes_and_alone() {
    let are_foreign = |values: &[&str]| Codings::are_foreign(values.iter().map(|v| v.as_bytes()));
    for foreign in [&["aws-chunked"][..], &["binary", "utf-8"], &["identity, none"], &["a,,b"]] {
        assert!(are_foreign(foreign), "{foreign:?}");
        assert_eq!(parse(foreign), Err(UndecodableBody::Unknown), "{foreign:?}");
    }
    for other in [
        &[][..],
        &[""],
        &["identity"],
        &["gzip"],
        &["X-GZIP"],
        &["none, Gzip"],
        &["none", "zstd"],
        &["br;q=1"],
        &["\"none\""],
        &["a b"],
        &["\u{e9}"],
    ] {
        assert!(!are_foreign(other), "{other:?}");
    }
}

#[test]
fn what_is_decoded_is_given_out_while_the_rest_is_on_its_way() {
    for name in NAMES {
        let body = encode(name, &long(600_000));
        let mut decoder = Decoder::new(&parse(&[name]).unwrap(), 1 << 20);
        let mut out = 0;
        let mut sink = |piece: &[u8]| -> Result<(), UndecodableBody> {
            out += piece.len();
            Ok(())
        };
        decoder.push(&body[..body.len() / 2], &mut sink).unwrap();
        assert!(out > 120_000, "{name} gave {out}");
        assert_eq!(decoder.finish(), Err(UndecodableBody::Truncated));
    }
}

#[test]
fn a_block_of_zstd_is_given_out_when_it_is_whole() {
    let mut decoder = Decoder::new(&parse(&["zstd"]).unwrap(), 1 << 20);
    for (number, flushed) in (1..).zip(FLUSHED) {
        let mut out = Vec::new();
        let mut sink = |piece: &[u8]| -> Result<(), UndecodableBody> {
            out.extend_from_slice(piece);
            Ok(())
        };
        let flushed = unhex(flushed);
        // The last one has the frame's checksum behind its block.
        let (block, rest) = flushed.split_at(flushed.len() - 4);
        decoder.push(block, &mut sink).unwrap();
        decoder.push(rest, &mut sink).unwrap();
        let event = format!("data: event number {number} of a stream in zstd\n\n");
        assert_eq!(String::from_utf8(out).unwrap(), event);
    }
    decoder.finish().unwrap();
}

#[test]
fn blocks_of_zstd_refer_to_all_of_the_window_when_older_bytes_are_forgotten() {
    let text = long(1000).repeat(300);
    let body = unhex(REPEATED);
    for size in [1, 7, 1000] {
        assert!(decode("zstd", &body, size).as_ref() == Ok(&text), "by {size}");
    }
    // The checksum is of all of it.
    let mut changed = body;
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(decode("zstd", &changed, 1000), Err(UndecodableBody::Damaged));
}

#[test]
fn codings_stand_on_top_of_each_other_up_to_three() {
    let body = encode("zstd", &encode("br", &encode("gzip", TEXT)));
    assert_eq!(decode("gzip, br, zstd", &body, 7).as_deref(), Ok(TEXT));
    assert_eq!(decode("zstd, br, gzip", &body, 7), Err(UndecodableBody::Damaged));
    assert_eq!(parse(&["gzip, gzip", "gzip", "gzip"]), Err(UndecodableBody::Layered));
}

#[test]
fn what_is_not_named_or_not_known_is_refused() {
    for identity in [&[][..], &[""], &["identity"], &["identity, , identity"]] {
        assert!(parse(identity).unwrap().is_identity(), "{identity:?}");
    }
    for (values, expected) in [
        (&[" X-GZIP "][..], Coding::Gzip),
        (&["identity, Deflate"], Coding::Deflate),
        (&["BR"], Coding::Brotli),
        (&["", "zstd"], Coding::Zstd),
    ] {
        assert_eq!(parse(values), Ok(Codings(vec![expected])), "{values:?}");
    }
    for unknown in ["compress", "gzip;q=1", "gz\0ip", "dcb", "aes128gcm", "gzip br"] {
        assert_eq!(parse(&[unknown]), Err(UndecodableBody::Unknown), "{unknown}");
    }
}

#[test]
fn members_and_frames_follow_each_other() {
    for (name, _) in GIVEN.iter().filter(|(name, _)| matches!(*name, "gzip" | "zstd")) {
        let two = [encode(name, TEXT), encode(name, TEXT)].concat();
        for size in [1, 9, 1000] {
            assert_eq!(decode(name, &two, size), Ok([TEXT, TEXT].concat()), "{name}");
        }
    }
    // A skippable frame in front of, between and behind frames; nobody is shown what is in it.
    let skippable = unhex("5a2a4d1803000000abcdef");
    let frame = encode("zstd", TEXT);
    let body = [&skippable[..], &frame, &skippable, &frame, &skippable].concat();
    for size in [1, 1000] {
        assert_eq!(decode("zstd", &body, size), Ok([TEXT, TEXT].concat()));
    }
}

#[test]
fn a_gzip_header_with_every_field_is_read_over() {
    let plain = unhex(GIVEN[0].1);
    let mut body = plain[..10].to_vec();
    body[3] = 0x1e;
    body.extend_from_slice(b"\x03\x00abc");
    body.extend_from_slice(b"secret-token-1\0a comment\0\x12\x34");
    body.extend_from_slice(&plain[10..]);
    for size in [1, 1000] {
        assert_eq!(decode("gzip", &body, size).as_deref(), Ok(TEXT));
    }
    let endless = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0][..], &vec![b'x'; 300_000]].concat();
    assert_eq!(decode("gzip", &endless, 4096), Err(UndecodableBody::Window));
}

#[test]
fn a_body_that_ends_early_is_never_whole() {
    for (name, given) in GIVEN {
        let body = unhex(given);
        assert_eq!(decode(name, b"", 1).as_deref(), Ok(&b""[..]), "no body is whole");
        for len in 1..body.len() {
            assert_eq!(
                decode(name, &body[..len], 4),
                Err(UndecodableBody::Truncated),
                "{name} {len}"
            );
        }
    }
}

#[test]
fn bytes_behind_the_end_are_refused() {
    for (name, given) in GIVEN {
        for garbage in [&b"secret-token-1"[..], b"\0", b"\0\0\0\0\0\0\0\0"] {
            let body = [&unhex(given), garbage].concat();
            for size in [1, 1000] {
                let told = decode(name, &body, size).map(|_| ());
                // A single byte could begin another frame of zstd: that ends early.
                let expected = match (name, garbage.len()) {
                    ("zstd", 1) => UndecodableBody::Truncated,
                    _ => UndecodableBody::Trailing,
                };
                assert_eq!(told, Err(expected), "{name} {garbage:?}");
            }
        }
    }
}

#[test]
fn a_changed_byte_is_told_where_the_coding_has_a_checksum() {
    for (name, given) in [GIVEN[0], GIVEN[3], GIVEN[4]] {
        let body = unhex(given);
        for at in (body.len() - 12)..body.len() {
            let mut changed = body.clone();
            changed[at] ^= 0x10;
            assert!(decode(name, &changed, 1000).is_err(), "{name} at {at}");
        }
    }
}

#[test]
fn bombs_are_stopped_before_they_go_off() {
    let zeros = vec![0; 2 << 20];
    for name in NAMES {
        let bomb = encode(name, &zeros);
        assert_eq!(decode(name, &bomb, 4096), Err(UndecodableBody::Bomb), "{name}");
    }
    let twice = encode("gzip", &encode("gzip", &zeros));
    assert_eq!(decode("gzip, gzip", &twice, 4096), Err(UndecodableBody::Bomb));
    let text = long(200_000);
    for name in NAMES.into_iter().chain(["identity"]) {
        let body = if name == "identity" { text.clone() } else { encode(name, &text) };
        let told = decode_to(name, &body, 4096, 100_000);
        assert_eq!(told, Err(UndecodableBody::TooLong(100_000)), "{name}");
        assert_eq!(decode_to(name, &body, 4096, text.len() as u64).as_ref(), Ok(&text), "{name}");
    }
}

#[test]
fn memory_that_a_response_does_not_get_is_refused() {
    // A window of 16 MiB, of 2 GiB, and a dictionary.
    for header in ["28b52ffd0070", "28b52ffd00a8", "28b52ffd015807"] {
        let told = decode("zstd", &unhex(header), 1000);
        assert_eq!(told, Err(UndecodableBody::Window), "{header}");
    }
    // Brotli with a large window, which RFC 7932 does not have.
    assert_eq!(decode("br", &[0x11, 0x1e, 0, 0], 1000), Err(UndecodableBody::Damaged));
}
