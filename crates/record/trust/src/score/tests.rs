use proptest::collection::vec;
use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::SigningKey;
use symbolon_log::{Checkpoint, WitnessKey, cosign, with_lines};

use super::history::DAY_MS;
use super::*;

const ONE: Operator = Operator([1; 32]);

fn scores(seen: &[(Kind, u64)]) -> Scores {
    let mut scores = Scores::new();
    for (kind, at) in seen {
        assert_eq!(scores.observe(ONE, Evidence::test(*kind), *at), Observed::Kept);
    }
    scores
}

fn thousandths(seen: &[(Kind, u64)], now: u64) -> u32 {
    scores(seen).score(&ONE, now).thousandths()
}

fn arb_seen() -> impl Strategy<Value = Vec<(Kind, u64)>> {
    let kind = prop::sample::select(Kind::ALL.to_vec());
    let at = prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), 0..400 * DAY_MS];
    vec((kind, at), 0..60)
}

/// Evidence of a clock that did not run ahead of `now`.
fn arb_past() -> impl Strategy<Value = (Vec<(Kind, u64)>, u64)> {
    (0..400 * DAY_MS).prop_flat_map(|now| {
        let kinds = Kind::ALL.into_iter().filter(|it| !it.is_proof()).collect::<Vec<_>>();
        (vec((prop::sample::select(kinds), 0..=now), 0..80), Just(now))
    })
}

proptest! {
    #[test]
    fn reasons_add_up_to_the_score_at_any_clock(seen in arb_seen(), now in any::<u64>()) {
        let score = scores(&seen).score(&ONE, now);
        let sum: i64 = score.reasons().iter().map(|it| i64::from(it.thousandths)).sum();
        prop_assert_eq!(sum, i64::from(score.thousandths()));
        prop_assert!(score.thousandths() <= THOUSANDTHS_MAX && score.points() <= 100);
    }

    #[test]
    fn more_good_evidence_never_lowers_and_more_bad_never_raises(
        (seen, now) in arb_past(), place in 0usize..9, back in 0..400 * DAY_MS,
    ) {
        let kind = Kind::ALL[place];
        let before = thousandths(&seen, now);
        let more = [seen, vec![(kind, now.saturating_sub(back))]].concat();
        let after = thousandths(&more, now);
        let held = if kind.is_good() { after >= before } else { after <= before };
        prop_assert!(held, "{before} then {after}");
    }

    #[test]
    fn the_order_in_which_evidence_comes_does_not_matter(
        (seen, other) in arb_seen().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
    ) {
        prop_assert_eq!(scores(&seen), scores(&other));
    }

    #[test]
    fn nothing_buys_back_a_proof(seen in arb_seen(), place in 6usize..9, now in any::<u64>()) {
        let convicted = [seen, vec![(Kind::ALL[place], 0)]].concat();
        let scores = scores(&convicted);
        prop_assert_eq!(scores.score(&ONE, now).thousandths(), 0);
        for policy in Policy::ALL {
            let mut scores = scores.clone();
            scores.set_policy(policy);
            prop_assert!(!scores.admits(&ONE, now) && !scores.believes(&ONE, now));
        }
    }

    #[test]
    fn a_file_reads_as_it_was_written(seen in arb_seen(), distrusted: bool) {
        let mut scores = scores(&seen);
        scores.set_policy(Policy::Strict);
        if distrusted {
            assert_eq!(scores.distrust(Operator([2; 32]), 0), Observed::Kept);
        }
        let bytes = scores.to_bytes();
        prop_assert!(bytes.len() <= SCORES_BYTES_MAX);
        prop_assert_eq!(Scores::parse(&bytes), Ok(scores));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(Scores::parse(&bytes).is_err());
        // And with a checksum that holds.
        let sum = symbolon_crypto::sha256(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        prop_assert!(Scores::parse(&bytes).is_err());
    }
}

#[test]
fn a_newcomer_with_a_flood_of_good_receipts_stays_where_it_was() {
    let flood = vec![(Kind::Receipt, 0); 100_000];
    assert_eq!(thousandths(&flood, 0), 50_000);
    // A month later it has what a history without witnesses can have, and no more.
    let month = (0..30).flat_map(|day| vec![(Kind::Receipt, day * DAY_MS); 20]);
    let month: Vec<_> = month.collect();
    let score = scores(&month).score(&ONE, 30 * DAY_MS);
    assert_eq!(score.points(), 55);
    assert!(score.reasons().iter().any(|it| it.why == Why::Unwitnessed));
}

#[test]
fn a_long_witnessed_history_earns_everything_and_fades_to_the_start() {
    let day = |day| {
        vec![
            (Kind::Checkpoint, day * DAY_MS),
            (Kind::Checkpoint, day * DAY_MS),
            (Kind::Receipt, day * DAY_MS),
        ]
    };
    let mut seen: Vec<_> = (0..120).flat_map(day).collect();
    seen.extend((0..120).flat_map(|day| vec![(Kind::Receipt, day * DAY_MS); 10]));
    seen.extend((0..120).flat_map(|day| vec![(Kind::Answer, day * DAY_MS); 10]));
    let scores = scores(&seen);
    let at = |day| scores.score(&ONE, day * DAY_MS).points();
    assert_eq!([at(120), at(150), at(183), at(400)], [100, 87, 50, 50]);
}

#[test]
fn bad_evidence_fades_slower_than_good() {
    let seen = [(Kind::Invalid, 0), (Kind::Flood, 0)];
    let at = |days| thousandths(&seen, days * DAY_MS);
    assert_eq!([at(0), at(64), at(128), at(256)], [43_000, 44_750, 46_500, 50_000]);
}

#[test]
fn policies_ask_for_what_the_specification_says() {
    let mut scores = Scores::new();
    let (open, strict) = (Policy::Open.bar(Alarm(9)), Policy::Strict.bar(Alarm(9)));
    assert_eq!((open.admits, open.believes), (20_000, 50_000));
    assert_eq!((strict.admits, strict.believes), (50_000, 75_000));
    assert_eq!((scores.bar(0).admits, scores.bar(0).believes), (35_000, 50_000));
    for key in 0..20 {
        let evidence = Evidence::behaviour(Behaviour::Invalid);
        assert_eq!(scores.observe(Operator([key + 100; 32]), evidence, 0), Observed::Kept);
    }
    assert_eq!((scores.bar(0).admits, scores.bar(0).believes), (50_000, 65_000));
    // Who is new and did nothing is let in still, and not believed until the alarm is over.
    assert!(scores.admits(&ONE, 0) && !scores.believes(&ONE, 0));
    assert!(scores.believes(&ONE, 32 * DAY_MS));
}

#[test]
fn strangers_push_out_nobody_who_has_more_to_remember() {
    let mut scores = Scores::new();
    let key = |n: usize| {
        let mut key = [0xee; 32];
        key[..8].copy_from_slice(&n.to_be_bytes());
        Operator(key)
    };
    assert_eq!(scores.observe(ONE, Evidence::test(Kind::Checkpoint), 0), Observed::Kept);
    let forked = Operator([2; 32]);
    assert_eq!(scores.observe(forked, Evidence::test(Kind::Fork), 0), Observed::Kept);
    let mut refused = 0;
    for n in 0..8_000 {
        let kind = if n % 2 == 0 { Kind::Fork } else { Kind::Receipt };
        let seen = scores.observe(key(n), Evidence::test(kind), 0);
        refused += usize::from(seen == Observed::Full);
    }
    assert_eq!(refused, 4_000 - 1_023);
    assert_eq!(scores.operators().len(), OPERATORS_MAX);
    assert!(scores.knows(&ONE) && scores.score(&forked, 0).points() == 0);
    assert!(scores.to_bytes().len() <= SCORES_BYTES_MAX);
    assert_eq!(Scores::parse(&scores.to_bytes()), Ok(scores));
}

#[test]
fn what_is_distrusted_is_out_until_it_is_forgotten() {
    let mut scores = scores(&[(Kind::Receipt, 0)]);
    assert_eq!(scores.distrust(ONE, 0), Observed::Kept);
    assert_eq!(scores.score(&ONE, 0).thousandths(), 0);
    assert!(scores.forget(&ONE) && !scores.forget(&ONE));
    assert_eq!(scores.score(&ONE, 0).points(), 50);
    let proven = super::tests::scores(&[(Kind::Fork, 5), (Kind::Fork, 6)]);
    assert_eq!(ONE.convictions(&proven).collect::<Vec<_>>(), [Kind::Fork]);
}

#[test]
fn a_checkpoint_counts_where_somebody_else_cosigned_it() {
    let key = |seed| SigningKey::make(&SeededRng::new(seed));
    let (log, witness, other) = (key(1), key(2), key(3));
    let checkpoint =
        Checkpoint { origin: "a.example/log".into(), size: 3, root: Digest32([4; 32]) };
    let note = checkpoint.sign(&log);
    let known = |key: &SigningKey| WitnessKey::new("w.example", key.verifying_key()).unwrap();
    let signed = |key| with_lines(&note, &cosign(&note, "w.example", key, 7).unwrap()).unwrap();
    let see = |note: &str, known: &[WitnessKey]| {
        Evidence::cosigned(note, "a.example/log", &log.verifying_key(), known).map(Evidence::kind)
    };
    assert_eq!(see(&signed(&witness), &[known(&witness)]), Ok(Kind::Checkpoint));
    // Nobody, somebody that the user did not name, and the operator itself.
    assert_eq!(see(&note, &[known(&witness)]), Err(EvidenceError::Witnesses));
    assert_eq!(see(&signed(&other), &[known(&witness)]), Err(EvidenceError::Witnesses));
    assert_eq!(see(&signed(&log), &[known(&log)]), Err(EvidenceError::Witnesses));
    let foreign = Evidence::cosigned(&note, "b.example/log", &log.verifying_key(), &[]);
    assert!(matches!(foreign, Err(EvidenceError::Checkpoint(_))));
}

#[test]
fn a_file_with_any_byte_changed_is_noticed() {
    let bytes = scores(&[(Kind::Receipt, 5), (Kind::Fork, 7), (Kind::Flood, 9)]).to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(Scores::parse(&changed).is_err(), "byte {at}");
        assert!(Scores::parse(&bytes[..at]).is_err(), "cut at {at}");
    }
}
