//! What a vault's server and holder read of each other, by the first byte: a commit, a revision, a head, a
//! share, a snapshot, a folder of Markdown.

use std::sync::LazyLock;

use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Enrol, Opener, Unlocked, Vault};
use symbolon_vault::markdown::{Files, export, import};
use symbolon_vault::wire::{Commit, SealedRevision, SignedHead};
use symbolon_vault::{Keys, Replica, wiki_links};

pub fn run(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 6 {
        0 => {
            let Ok(commit) = Commit::decode(bytes) else { return };
            assert_eq!(commit.encode(), bytes, "one commit has one form");
        }
        1 => {
            let Ok(revision) = SealedRevision::decode(bytes) else { return };
            let fields: Vec<_> =
                (1..=15).filter_map(|n| Some((n, revision.field(n)?.to_vec()))).collect();
            let again = SealedRevision::new(revision.header(), &fields).expect("it was read");
            assert_eq!(again.as_bytes(), bytes, "one revision has one form");
        }
        2 => {
            let Ok(head) = SignedHead::decode(bytes) else { return };
            assert_eq!(head.encode(), bytes, "one head has one form");
        }
        3 => assert!(keys().open_share(bytes).is_err(), "nobody shared anything"),
        4 => assert!(Replica::open_snapshot(keys(), bytes).is_err(), "nobody wrote a snapshot"),
        _ => markdown(bytes),
    }
}

fn markdown(bytes: &[u8]) {
    let links = std::str::from_utf8(bytes).map(wiki_links).unwrap_or_default();
    assert!(links.windows(2).all(|two| two[0].range.end <= two[1].range.start));
    let (clock, rng) = (ManualClock::at(1), SeededRng::new(1));
    let mut replica = Replica::create(keys(), &clock);
    let files = Files::from([("a/Note.md".to_owned(), bytes.to_vec())]);
    import(&mut replica, &files, &clock, &rng).expect("the path is a good one");
    // Once more than once: a link to nothing that is spelled as a file's name leads there then.
    let mut written = export(&replica, |_| None).expect("it opens").files;
    for last in [false, true] {
        let mut other = Replica::create(keys(), &clock);
        import(&mut other, &written, &clock, &rng).expect("ours");
        let again = export(&other, |_| None).expect("it opens").files;
        assert!(!last || again == written, "what is written is read and written the same");
        written = again;
    }
}

fn keys() -> Keys {
    Keys::new(&UNLOCKED, 1)
}

static UNLOCKED: LazyLock<Unlocked> = LazyLock::new(|| {
    let (clock, rng) = (ManualClock::at(1), SeededRng::new(1));
    let code = RecoveryCode::make(&rng);
    let made = Vault::create(&Enrol::new(Opener::Recovery(&code)), &rng, &clock);
    made.expect("a vault").1
});
