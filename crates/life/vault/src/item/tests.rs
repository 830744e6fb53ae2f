use proptest::prelude::*;

use super::code::{About, Lineage, Plain};
use super::*;
use crate::wire::{BlobId, ItemId};
use symbolon_codec::Digest32;
use symbolon_secret::Secret;

pub(crate) fn hidden(text: &str) -> Hidden {
    Hidden::copy_of(text.as_bytes()).expect("in bounds")
}

fn line<const N: usize>(text: &str) -> text::Line<N> {
    text::Line::new(text).expect("in bounds")
}

/// One item of each kind, every field its own text.
pub(crate) fn of_each_kind() -> Vec<Item> {
    let item = |title: &str, contents| Item {
        title: line(title),
        marks: Marks { tags: vec![line("one"), line("zwei")], pinned: true, template: false },
        body: Body::new("a *body*\n").expect("in bounds"),
        contents,
    };
    let custom = |name: &str, kind, value: &str| CustomField {
        name: line(name),
        kind,
        value: hidden(value),
    };
    vec![
        item("Note", Contents::Note),
        item("Folder", Contents::Folder),
        item(
            "Profile",
            Contents::Profile {
                username: line("ada"),
                email: line("ada@example.com"),
                picture: Some(Picture { media_type: line("image/png"), bytes: vec![1, 2, 3] }),
            },
        ),
        item(
            "Login",
            Contents::Login {
                username: line("ada"),
                uris: vec![line("https://example.com"), line("https://example.org")],
                password: hidden("correct horse"),
                totp: hidden("JBSWY3DPEHPK3PXP"),
                fields: vec![
                    custom("pin", CustomKind::Hidden, "1234"),
                    custom("shop", CustomKind::Text, "main street"),
                    custom("active", CustomKind::Boolean, "true"),
                ],
            },
        ),
        item(
            "API key",
            Contents::ApiKey {
                service: line("github"),
                scopes: vec![line("repo"), line("gist")],
                expires_unix_ms: Some(5),
                key: hidden("ghp_example"),
            },
        ),
        item(
            "Connection",
            Contents::Connection {
                service: line("github"),
                base_url: line("https://api.github.com"),
                scheme: line("bearer"),
                credential: hidden("ghp_other"),
            },
        ),
        item(
            "picture.png",
            Contents::Attachment {
                media_type: line("image/png"),
                length_bytes: 7,
                blob: BlobId::from([9; 16]),
                digest: Digest32([8; 32]),
                key: Secret::<[u8; 32]>::make(|b| b.fill(7)),
            },
        ),
        item(
            "Claims",
            Contents::Claims {
                issuer: line("City of Ulm"),
                until: line("2027-12-31"),
                holder: hidden("{\"type\":\"symbolon/holder/v1\"}"),
            },
        ),
    ]
}

/// What an item says, for comparing: a test may see its secrets.
pub(crate) fn shown(item: &Item) -> Vec<u8> {
    let plain = Plain::write(item, Lineage::default(), [0; 32]).expect("in bounds");
    // EXPOSE: a test compares.
    [&plain.about[..], &plain.title, &plain.content, plain.secrets.expose()].concat()
}

#[test]
fn each_kind_is_read_as_it_was_written() {
    let lineage =
        Lineage { previous: Some(Digest32([3; 32])), conflict_of: Some(ItemId::from([4; 16])) };
    for item in of_each_kind() {
        let plain = Plain::write(&item, lineage, [5; 32]).expect("in bounds");
        let (back, about) = plain.read().expect("ours");
        assert_eq!((about.lineage, about.salt), (lineage, [5; 32]));
        assert_eq!(shown(&back), shown(&item), "{:?}", item.kind());
        assert_eq!((back.kind(), &back.marks), (item.kind(), &item.marks));
        // EXPOSE: a test looks at the length.
        for len in [plain.about.len(), plain.title.len(), plain.secrets.expose().len()] {
            assert_eq!(len, symbolon_codec::padme::padded_len(len, 64));
        }
    }
}

#[test]
fn what_is_secret_stands_in_the_secrets_alone() {
    for item in of_each_kind() {
        let plain = Plain::write(&item, Lineage::default(), [5; 32]).expect("in bounds");
        let open = [&plain.about[..], &plain.title, &plain.content].concat();
        let open = String::from_utf8_lossy(&open).into_owned();
        let words =
            ["correct horse", "JBSWY3DPEHPK3PXP", "1234", "main street", "ghp_", "\u{7}\u{7}\u{7}"];
        assert!(words.iter().all(|word| !open.contains(word)), "{:?}", item.kind());
    }
}

#[test]
fn each_bound_is_broken_alone() {
    let refused = |change: fn(&mut Vec<Item>) -> Item| {
        let item = change(&mut of_each_kind());
        Plain::write(&item, Lineage::default(), [0; 32]).err()
    };
    let tags = |items: &mut Vec<Item>, n: usize| {
        let mut item = items.remove(0);
        item.marks.tags = (0..n).map(|n| line(&format!("tag {n}"))).collect();
        item
    };
    let many = tags(&mut of_each_kind(), 64);
    assert!(Plain::write(&many, Lineage::default(), [0; 32]).is_ok());
    let more = tags(&mut of_each_kind(), 65);
    assert_eq!(Plain::write(&more, Lineage::default(), [0; 32]).err(), Some(ItemError::Tags));
    let twice = |items: &mut Vec<Item>| {
        let mut item = items.remove(0);
        item.marks.tags = vec![line("x"), line("x")];
        item
    };
    assert_eq!(refused(twice), Some(ItemError::Tags));
    let large = |items: &mut Vec<Item>| {
        let mut item = items.remove(6);
        let Contents::Attachment { length_bytes, .. } = &mut item.contents else { panic!() };
        *length_bytes = ATTACHMENT_BYTES_MAX + 1;
        item
    };
    assert_eq!(refused(large), Some(ItemError::TooMuch("attachment")));
    let picture = |items: &mut Vec<Item>| {
        let mut item = items.remove(2);
        let Contents::Profile { picture: Some(p), .. } = &mut item.contents else { panic!() };
        p.bytes = vec![0; (256 << 10) + 1];
        item
    };
    assert_eq!(refused(picture), Some(ItemError::TooMuch("picture")));
    let uris = |items: &mut Vec<Item>| {
        let mut item = items.remove(3);
        let Contents::Login { uris, .. } = &mut item.contents else { panic!() };
        *uris = vec![line("u"); 33];
        item
    };
    assert_eq!(refused(uris), Some(ItemError::TooMuch("uris")));
    let secrets = |items: &mut Vec<Item>| {
        let mut item = items.remove(3);
        let Contents::Login { password, totp, .. } = &mut item.contents else { panic!() };
        (*password, *totp) = (hidden(&"p".repeat(32 << 10)), hidden(&"t".repeat(32 << 10)));
        item
    };
    assert_eq!(refused(secrets), Some(ItemError::TooMuch("secrets")));
    let long = Hidden::copy_of(&[0; (32 << 10) + 1]);
    assert_eq!(long.err(), Some(ItemError::TooMuch("secret")));
}

/// A commitment is of every plaintext and of the salt.
#[test]
fn a_commitment_is_of_all_that_is_said() {
    let base = || of_each_kind().remove(3);
    let of = |item: &Item, salt: [u8; 32]| {
        let plain = Plain::write(item, Lineage::default(), [0; 32]).expect("in bounds");
        plain.commitment(&salt).expect("padded")
    };
    let own = of(&base(), [1; 32]);
    assert_eq!(of(&base(), [1; 32]), own);
    assert_ne!(of(&base(), [2; 32]), own);
    let mut changed = [base(), base(), base(), base()];
    changed[0].title = line("Other");
    changed[1].body = Body::default();
    changed[2].marks.pinned = false;
    let Contents::Login { password, .. } = &mut changed[3].contents else { panic!() };
    *password = hidden("other");
    assert!(changed.iter().all(|item| of(item, [1; 32]) != own));
}

proptest! {
    #[test]
    fn changed_plaintexts_are_refused_or_read(kind in 0usize..7, at: prop::sample::Index, to: u8, which in 0usize..3) {
        let item = of_each_kind().remove(kind);
        let mut plain = Plain::write(&item, Lineage::default(), [0; 32]).expect("in bounds");
        let changed = [&mut plain.about, &mut plain.title, &mut plain.content];
        let changed = &mut *changed.into_iter().nth(which).expect("of three");
        let at = at.index(changed.len());
        changed[at] = to;
        if let Ok((back, about)) = plain.read() {
            // What is read is what it says: written again it is the same.
            let again = Plain::write(&back, about.lineage, about.salt).expect("in bounds");
            prop_assert_eq!(&again.about, &plain.about);
            prop_assert_eq!(&again.title, &plain.title);
            prop_assert_eq!(&again.content, &plain.content);
        }
    }

    #[test]
    fn strangers_bytes_do_no_harm(bytes: Vec<u8>) {
        prop_assert!(About::read(&bytes).is_err());
        let _ = (code::read_title(&bytes), code::read_content(&bytes));
    }
}
