//! What is spent is never lost, and never given back twice.

use symbolon_capability::budget::{
    Cooled, GiveBack, Line, Reservation, Shadowed, SpendingChange, SpendingStore,
};

use super::SqliteStore;
use super::tests::Scratch;

const DAY: u64 = 20_000;

fn reservation(intent: u8, micros: u64) -> Reservation {
    let line = |budget, by_count, micros| Line { grant: 7, budget, slot: DAY, micros, by_count };
    Reservation {
        intent: [intent; 16],
        log_size: 40 + u64::from(intent),
        relaxed: false,
        lines: vec![line(0, false, micros), line(1, true, 1_000_000)],
        cooled: vec![Cooled { grant: 7, scope: "a.read".into(), at_unix_ms: 5, seconds: 60 }],
    }
}

async fn change(store: &SqliteStore, changes: &[SpendingChange]) {
    store.change_spending(changes).await.unwrap();
}

async fn spent(store: &SqliteStore) -> Vec<(u16, u64)> {
    store.spent().await.unwrap().iter().map(|s| (s.budget, s.micros)).collect()
}

fn settle(intent: u8, give_back: GiveBack) -> SpendingChange {
    SpendingChange::Settle { intent: [intent; 16], give_back }
}

#[tokio::test]
async fn reservations_count_at_once_and_settle_once() {
    let scratch = Scratch::new("spending");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    let reserve = |intent| SpendingChange::Reserve(reservation(intent, 50));
    change(&store, &[reserve(1), reserve(2), reserve(3), reserve(4)]).await;
    assert_eq!(spent(&store).await, [(0, 200), (1, 4_000_000)]);
    change(&store, &[settle(1, GiveBack::Nothing), settle(2, GiveBack::Moved)]).await;
    change(&store, &[settle(3, GiveBack::All), settle(3, GiveBack::All)]).await;
    change(&store, &[settle(2, GiveBack::All), settle(9, GiveBack::All)]).await;
    assert_eq!(spent(&store).await, [(0, 100), (1, 3_000_000)]);
    store.close().await;

    let store = SqliteStore::open(&scratch.file()).await.unwrap();
    assert_eq!(spent(&store).await, [(0, 100), (1, 3_000_000)], "after a restart");
    let left = store.reservations().await.unwrap();
    assert_eq!(left, [Reservation { cooled: Vec::new(), ..reservation(4, 50) }]);
    assert_eq!(store.cooled().await.unwrap()[0].seconds, 60);
}

#[tokio::test]
async fn a_list_of_changes_is_all_or_nothing() {
    let scratch = Scratch::new("spending-whole");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    let twice = SpendingChange::Reserve(reservation(1, 50));
    assert!(store.change_spending(&[twice.clone(), twice]).await.is_err());
    assert_eq!((spent(&store).await.len(), store.reservations().await.unwrap().len()), (0, 0));
}

#[tokio::test]
async fn old_slots_go_and_those_that_can_come_back_stay() {
    let scratch = Scratch::new("spending-old");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    let at = |intent, slot| {
        let mut r = reservation(intent, 50);
        r.lines.iter_mut().for_each(|l| l.slot = slot);
        SpendingChange::Reserve(r)
    };
    change(&store, &[at(1, 10), at(2, 11), settle(1, GiveBack::Nothing), at(3, 300)]).await;
    let slots: Vec<u64> = store.spent().await.unwrap().iter().map(|s| s.slot).collect();
    assert_eq!(slots, [11, 300, 11, 300]);
}

#[tokio::test]
async fn what_shadow_mode_passed_over_is_counted_by_kind() {
    let scratch = Scratch::new("shadowed");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    let one = |agent: &str, at| {
        SpendingChange::Shadow(Box::new(Shadowed {
            agent: agent.into(),
            connection: "github".into(),
            tool: "github.issues.list".into(),
            scope: "github.issues.read".into(),
            gate: "scope".into(),
            code: "no_grant".into(),
            message: "said so".into(),
            count: 1,
            first_unix_ms: at,
            last_unix_ms: at,
        }))
    };
    change(&store, &[one("a", 1), one("b", 2), one("a", 3)]).await;
    let found = store.shadowed().await.unwrap();
    let rows: Vec<_> = found.iter().map(|s| (&*s.agent, s.count, s.first_unix_ms)).collect();
    assert_eq!(rows, [("a", 2, 1), ("b", 1, 2)]);
    let many: Vec<_> = (0..2100).map(|i| one(&format!("agent-{i}"), 4)).collect();
    change(&store, &many).await;
    assert_eq!(store.shadowed().await.unwrap().len(), 2000, "the list is bounded");
    store.clear_shadowed().await.unwrap();
    assert!(store.shadowed().await.unwrap().is_empty());
    assert!(!store.shadow_is_kept().await.unwrap());
    for keep in [true, true, false, false, true] {
        store.keep_shadow(keep).await.unwrap();
        assert_eq!(store.shadow_is_kept().await.unwrap(), keep);
    }
}
