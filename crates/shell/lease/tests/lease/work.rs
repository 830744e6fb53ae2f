use symbolon_account::AccountStore;
use symbolon_lease::{LeaseError, Purpose};
use symbolon_vault::Item;
use symbolon_vault::item::{Body, Title};
use symbolon_vault::replica::{EditError, Filter};

use crate::made::{Holder, Server, login, note};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_under_a_lease_its_holder_has_and_the_other_way_round() {
    let server = Server::new().await;
    let mut holder = Holder::sign_up(&server, 1).await;
    let first = holder.write(&note("Groceries", "milk and rye bread"));
    holder.sync(&server).await;
    holder.lend(&server, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();

    assert_eq!(leased.read(first).await.unwrap().item.body.as_str(), "milk and rye bread");
    let hits = leased.search("rye", &Filter::default(), 10).await.unwrap();
    assert_eq!((hits.len(), hits[0].listed.id), (1, first));
    assert!(hits[0].snippet.text.contains("rye"));

    let folder = leased.save(&Item::folder(Title::new("Trips").unwrap()), None).await.unwrap();
    let inner = leased.save(&Item::folder(Title::new("2026").unwrap()), Some(folder.id)).await;
    let inner = inner.unwrap();
    let second = leased.save(&note("Oslo", "by train"), Some(inner.id)).await.unwrap();
    let written = leased.update(first, |item| {
        item.body = Body::new("oat milk").unwrap();
        Ok(())
    });
    assert!(written.await.unwrap().copy.is_none());
    let folders = leased.folders().await.unwrap();
    let paths: Vec<Vec<_>> =
        folders.iter().map(|f| f.path.iter().map(|t| t.as_str()).collect()).collect();
    assert_eq!(paths, [vec!["Trips"], vec!["Trips", "2026"]]);

    holder.sync(&server).await;
    assert_eq!(holder.replica.body(first).unwrap().as_str(), "oat milk");
    assert_eq!(holder.replica.overview(second.id).unwrap().folder, Some(inner.id));

    // The holder's own change is there for the next call, without a new lease.
    holder.write(&note("Later", "written on the phone"));
    holder.sync(&server).await;
    assert_eq!(leased.search("phone", &Filter::default(), 10).await.unwrap().len(), 1);
    leased.trash(second.id).await.unwrap();
    assert!(leased.read(second.id).await.unwrap().listed.is_trashed);
    let trashed = Filter { trashed: true, ..Filter::default() };
    assert_eq!(leased.items(&trashed).await.unwrap().len(), 1);
    leased.restore(second.id).await.unwrap();
    leased.move_to(second.id, None).await.unwrap();
    assert_eq!(leased.read(second.id).await.unwrap().listed.folder, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_write_one_part_both_are_kept() {
    let server = Server::new().await;
    let mut holder = Holder::sign_up(&server, 1).await;
    let id = holder.write(&note("Plan", "one"));
    holder.sync(&server).await;
    holder.lend(&server, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();
    leased.read(id).await.unwrap();

    // A commit of the holder comes between the fetch of an update and its own commit.
    let item = note("Plan", "by the holder");
    holder.replica.update_item(id, &item, &*server.clock, &holder.rng).unwrap();
    let commit = holder.replica.commit(&*server.clock).unwrap().unwrap();
    let written = leased.update(id, |item| {
        let rows = symbolon_lease::commit_rows(&commit);
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(server.store.commit(rows)).unwrap();
        });
        item.body = Body::new("by the assistant").unwrap();
        Ok(())
    });
    let written = written.await.unwrap();
    let copy = written.copy.expect("both are kept");
    assert_eq!(leased.read(id).await.unwrap().item.body.as_str(), "by the holder");
    assert_eq!(leased.read(copy).await.unwrap().item.body.as_str(), "by the assistant");
    assert_eq!(leased.read(copy).await.unwrap().listed.conflict_of, Some(id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_of_one_lease_all_stand() {
    let server = Server::new().await;
    let mut holder = Holder::sign_up(&server, 1).await;
    holder.lend(&server, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();
    let tasks = (0..12).map(|n| {
        let leased = leased.clone();
        tokio::spawn(async move {
            leased.save(&note(&format!("note {n}"), "text"), None).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(leased.items(&Filter::default()).await.unwrap().len(), 12);
    holder.sync(&server).await;
    assert_eq!(holder.replica.list(&Filter::default()).len(), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_for_notes_knows_nothing_of_other_items() {
    let server = Server::new().await;
    let mut holder = Holder::sign_up(&server, 1).await;
    let secret = holder.write(&login("Bank vault", b"hunter2-canary"));
    let open = holder.write(&note("Bank opening hours", "nine to five"));
    holder.sync(&server).await;
    holder.lend(&server, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();

    let is_no_item = |e: &LeaseError| matches!(e, LeaseError::Edit(EditError::NoItem(_)));
    assert!(is_no_item(&leased.read(secret).await.unwrap_err()));
    assert!(is_no_item(&leased.trash(secret).await.unwrap_err()));
    assert!(is_no_item(&leased.update(secret, |_| Ok(())).await.unwrap_err()));
    let found = leased.search("bank", &Filter::default(), 10).await.unwrap();
    assert_eq!(found.iter().map(|hit| hit.listed.id).collect::<Vec<_>>(), [open]);
    let all = leased.items(&Filter::default()).await.unwrap();
    assert_eq!(all.iter().map(|one| one.id).collect::<Vec<_>>(), [open]);
    let new = leased.save(&login("planted", b"x"), None).await.unwrap_err();
    assert!(matches!(new, LeaseError::Reach));
    assert!(server.leases.open(holder.account, Purpose::Connections).is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_has_no_room_for_is_not_half_written() {
    let server = Server::new().await;
    let mut holder = Holder::sign_up(&server, 1).await;
    holder.lend(&server, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();
    let text = "a".repeat(700 << 10);
    let mut written = 0;
    let refused = loop {
        match leased.save(&note(&format!("n{written}"), &text), None).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, LeaseError::Account(symbolon_account::AccountError::Quota { .. })));
    assert!(written > 2, "{written}");
    assert_eq!(leased.items(&Filter::default()).await.unwrap().len(), written);
    holder.sync(&server).await;
    assert_eq!(holder.replica.list(&Filter::default()).len(), written);
}
