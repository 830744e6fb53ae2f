//! Files against the rows that they were made of.

mod common;

use std::collections::HashSet;

use common::*;
use proptest::prelude::*;
use symbolon_audit::*;
use symbolon_log::Span;

fn packed(rows: &[Row]) -> (Vec<u8>, Summary) {
    let mut file = Vec::new();
    let summary = pack(rows.to_vec(), &mut file).unwrap();
    (file, summary)
}

fn span(rows: &[Row]) -> Span {
    let mut span = Span::empty(rows[0].index);
    rows.iter().for_each(|row| span.push(row.entry.leaf_hash()));
    span
}

fn closed(rows: &[Row]) -> HashSet<u64> {
    rows.iter().filter_map(|r| r.entry.receipt()?.predicate.intent).map(|i| i.index).collect()
}

fn naive(rows: &[Row], filter: &Filter, limit: usize, closed: &HashSet<u64>) -> Vec<Row> {
    let found = rows.iter().rev().filter(|row| filter.finds(row, |i| closed.contains(&i)));
    found.take(limit).cloned().collect()
}

fn arb_filter() -> impl Strategy<Value = Filter> {
    let time = || prop::option::of((0u64..5_000).prop_map(|ms| EPOCH + ms));
    let tools = prop::sample::select(vec!["stripe.*", "*.create", "github.issues.list", "none.*"]);
    let outcomes = prop::sample::subsequence(Word::ALL.to_vec(), 1..4);
    (
        (time(), time()),
        prop::option::of(prop::sample::select(AGENTS.to_vec())),
        prop::option::of(prop::sample::select(HOSTS.to_vec())),
        prop::collection::vec(tools, 0..2),
        prop::option::of(outcomes),
        prop::option::weighted(0.1, 1000u64..3000),
    )
        .prop_map(|((since, until), agent, host, tools, outcomes, index)| Filter {
            since,
            until,
            agent: agent.map(str::to_owned),
            host: host.map(str::to_owned),
            tools: tools.into_iter().map(|t| vec![Glob::new(t)]).collect(),
            outcomes,
            index,
            request: None,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_query_finds_what_looking_at_every_row_finds(
        seeds in prop::collection::vec(arb_seed(), 1..2500),
        filters in prop::collection::vec((arb_filter(), 1usize..40), 6),
        one in any::<prop::sample::Index>(),
    ) {
        let rows = rows(1000, &seeds);
        let (file, summary) = packed(&rows);
        prop_assert_eq!(summary.tree(), Some(span(&rows)));
        let segment = Segment::open(file).unwrap();
        segment.check().unwrap();
        let closed = closed(&rows);
        let request = one.get(&rows).entry.receipt().map(|statement| statement.request);
        let by_request = filters.iter().map(|(f, limit)| (Filter { request, ..f.clone() }, *limit));
        let by_request: Vec<_> = by_request.take(usize::from(request.is_some()) * 2).collect();
        for (filter, limit) in filters.into_iter().chain(by_request) {
            let found = segment.find(&filter, limit, |i| closed.contains(&i)).unwrap();
            prop_assert_eq!(found, naive(&rows, &filter, limit, &closed), "{:?}", filter);
        }
    }

    #[test]
    fn lines_give_back_their_rows(seeds in prop::collection::vec(arb_seed(), 1..60), cut in 0usize..400) {
        let rows = rows(5, &seeds);
        let mut text = Vec::new();
        for row in &rows {
            write_line(row.index, &row.entry.bytes(), &row.entry, &mut text).unwrap();
        }
        let mut read = Vec::new();
        let all = read_lines(&*text, 5, |row, leaf| {
            assert_eq!(leaf, row.entry.leaf_hash());
            read.push(row);
            Ok(())
        }).unwrap();
        prop_assert_eq!(&read, &rows);
        prop_assert_eq!(all, Lines { next: 5 + rows.len() as u64, bytes: text.len() as u64 });
        // A torn end is passed over, and no whole line with it.
        let torn = &text[..text.len() - cut.min(text.len())];
        let whole = torn.iter().filter(|b| **b == b'\n').count() as u64;
        let found = read_lines(torn, 5, |_, _| Ok(())).unwrap();
        prop_assert_eq!(found.next, 5 + whole);
    }
}

fn some_rows(count: usize) -> Vec<Row> {
    let seed = |n: u64| Seed {
        kind: [0, 1, 6, 4, 7, 0, 8, 5, 6, 2][n as usize % 10],
        agent: n as usize % 4,
        tool: n as usize % 5,
        ms: n,
        status: 200,
        noise: n * 31,
    };
    rows(0, &(0..count as u64).map(seed).collect::<Vec<_>>())
}

#[test]
fn a_changed_byte_of_a_file_never_gives_another_answer() {
    let rows = some_rows(30);
    let (file, _) = packed(&rows);
    let root = span(&rows);
    let all = |segment: &Segment<Vec<u8>>| segment.find(&Filter::default(), 100, |_| false).ok();
    let right = all(&Segment::open(file.clone()).unwrap()).unwrap();
    assert!(right.len() > 10);
    // The Parquet reader panics on some of these; that is caught, and need not be heard.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut refused, mut harmless, mut wrong) = (0, 0, Vec::new());
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        let good = Segment::open(changed).ok().filter(|segment| segment.check().is_ok());
        // What a query asks of a file beside: that its part of the tree is the log's.
        let good = good.filter(|segment| segment.summary().tree().as_ref() == Some(&root));
        match good.as_ref().and_then(all) {
            None => refused += 1,
            Some(found) if found == right => harmless += 1,
            Some(_) => wrong.push(at),
        }
    }
    let _ = std::panic::take_hook();
    assert_eq!(wrong, [0usize; 0], "another answer with these bytes changed");
    assert!(refused > harmless, "{refused} refused, {harmless} harmless");
}

#[test]
fn a_row_that_is_changed_double_or_gone_is_found() {
    let rows = some_rows(40);
    let root = span(&rows);
    let same_tree = |rows: &[Row]| {
        let mut file = Vec::new();
        let Ok(summary) = pack(rows.to_vec(), &mut file) else { return false };
        Segment::open(file).unwrap().check().unwrap();
        summary.tree().as_ref() == Some(&root)
    };
    assert!(same_tree(&rows));
    for at in 0..rows.len() {
        let mut gone = rows.clone();
        gone.remove(at);
        assert!(!same_tree(&gone), "{at} gone");
        let mut moved = gone.clone();
        moved.iter_mut().skip(at).for_each(|row| row.index -= 1);
        assert!(!same_tree(&moved), "{at} gone, the others moved up");
        let mut changed = rows.clone();
        changed[at].entry = Entry::read(b"another");
        assert!(!same_tree(&changed), "{at} changed");
        let mut double = rows.clone();
        double.insert(at, rows[at].clone());
        assert!(!same_tree(&double), "{at} double");
    }
}

#[test]
fn what_a_file_says_of_all_receipts_is_held_against_each() {
    let (file, summary) = packed(&some_rows(1200));
    let said = serde_json::to_string(&summary.same).unwrap();
    assert!(said.contains(r#""context":"direct""#) && said.contains(r#""entry":null"#), "{said}");
    assert!(!said.contains("agent") && !said.contains("status"), "they differ: {said}");
    let find = |text: &str| file.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();
    for (is, other) in [
        (r#""context":"direct""#, r#""context":"dir-ct""#),
        (r#""approval":null"#, r#""approval":"{}""#),
        (r#""durability":"relaxed""#, r#""durability":"group"  "#),
    ] {
        let mut changed = file.clone();
        changed[find(is)..][..is.len()].copy_from_slice(other.as_bytes());
        let segment = Segment::open(changed).unwrap();
        assert_ne!(segment.summary().same, summary.same);
        assert!(matches!(segment.check(), Err(AuditError::Rows(_))), "{other}");
    }
    let mut changed = file.clone();
    let is = r#""context":"direct""#;
    changed[find(is)..][..is.len()].copy_from_slice(br#""cantext":"direct""#);
    assert!(matches!(Segment::open(changed), Err(AuditError::Form(_))), "no such column");
}

#[test]
fn one_receipt_that_differs_takes_a_column_out_of_what_all_say() {
    let mut rows = some_rows(600);
    let last = rows.iter().rposition(|row| row.entry.receipt().is_some()).unwrap();
    let Entry::Receipt(mut statement) = rows[last].entry.clone() else { unreachable!() };
    statement.predicate.context = "flow".into();
    rows[last].entry = Entry::Receipt(statement);
    let (file, summary) = packed(&rows);
    assert!(!serde_json::to_string(&summary.same).unwrap().contains("context"));
    let segment = Segment::open(file).unwrap();
    segment.check().unwrap();
    let newest = segment.find(&Filter::default(), 1, |_| true).unwrap();
    assert_eq!(newest, rows[last..=last]);
}

#[test]
fn a_file_of_receipts_alone_and_one_without_any_are_searched() {
    let all = |rows: &[Row]| {
        let segment = Segment::open(packed(rows).0).unwrap();
        segment.check().unwrap();
        segment.find(&Filter::default(), 2000, |_| false).unwrap()
    };
    let is_receipt = |row: &Row| row.entry.receipt().is_some_and(|s| s.predicate.intent.is_none());
    let mixed = some_rows(1200);
    for wanted in [true, false] {
        let mut rows: Vec<Row> =
            mixed.iter().filter(|r| is_receipt(r) == wanted).cloned().collect();
        if !wanted {
            rows.retain(|row| row.entry.intent().is_some());
        }
        (0..).zip(&mut rows).for_each(|(at, row)| row.index = at);
        let newest_first: Vec<Row> = rows.iter().rev().cloned().collect();
        assert!(!rows.is_empty());
        assert_eq!(all(&rows), newest_first, "receipts: {wanted}");
    }
}

#[test]
fn a_receipt_cannot_hide_among_other_entries() {
    let mut rows = some_rows(30);
    let at = rows.iter().position(|row| row.entry.receipt().is_some()).unwrap();
    rows[at].entry = Entry::Raw(rows[at].entry.bytes().into_owned());
    let (file, summary) = packed(&rows);
    assert_eq!(summary.tree(), Some(span(&rows)), "the tree says nothing against it");
    let segment = Segment::open(file).unwrap();
    assert!(matches!(segment.check(), Err(AuditError::Rows(_))));
    assert!(segment.find(&Filter::default(), 100, |_| false).is_err());
}

#[test]
fn a_changed_line_is_refused() {
    let rows = some_rows(12);
    let mut text = Vec::new();
    for row in &rows {
        write_line(row.index, &row.entry.bytes(), &row.entry, &mut text).unwrap();
    }
    for at in 0..text.len() - 1 {
        let mut changed = text.clone();
        changed[at] ^= 1;
        let mut span = Span::empty(0);
        let read = read_lines(&*changed, 0, |_, leaf| {
            span.push(leaf);
            Ok(())
        });
        // An entry that is another one with its own right hash is found by the tree.
        let same = read.is_ok() && span == self::span(&rows);
        assert!(!same, "byte {at}");
    }
}

#[test]
fn a_file_has_one_to_many_entries() {
    assert!(matches!(pack([], Vec::new()), Err(AuditError::Count { found: 0 })));
    let mut packer = Packer::new(0);
    let entry = Entry::read(b"x");
    let leaf = entry.leaf_hash();
    for index in 0..ENTRIES_MAX {
        packer.push(Row { index, entry: entry.clone() }, leaf).unwrap();
    }
    let more = packer.push(Row { index: ENTRIES_MAX, entry }, leaf);
    assert!(matches!(more, Err(AuditError::Count { .. })));
    let mut file = Vec::new();
    let summary = packer.finish(&mut file).unwrap();
    assert_eq!((summary.others, summary.receipts), (ENTRIES_MAX, 0));
    Segment::open(file).unwrap().check().unwrap();
}
