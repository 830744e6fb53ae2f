//! Days and clocks: the relying party's day in UTC is what is proven about, and nobody else's clock is asked.

use super::*;

/// 2028-02-28, the last millisecond.
const BEFORE_LEAP_DAY: u64 = 1_835_395_199_999;
const DAY_MS: u64 = 86_400_000;

#[tokio::test]
async fn the_day_is_utc_and_knows_the_29th_of_february() {
    let server = Server::start().await;
    let asking = json!({ "account": "c-1", "policy": adults(None) });
    server.clock.set_unix_ms(BEFORE_LEAP_DAY);
    let last = server.ask(&asking).await;
    for (ms, day) in [(1, "2028-02-29"), (DAY_MS - 1, "2028-02-29"), (1, "2028-03-01")] {
        server.clock.advance_ms(ms);
        assert_eq!(server.ask(&asking).await["date"], day);
    }
    assert_eq!(last["date"], "2028-02-28");

    // Born on the 29th of February 2008: not 20 on the 28th of February 2028, and 20 on the day after.
    let leapling = Person::born("2008-02-29");
    let policy = with(&adults(None), "/at_least_years", json!(20));
    let asking = json!({ "account": "c-1", "policy": policy });
    server.clock.set_unix_ms(BEFORE_LEAP_DAY);
    assert!(leapling.tries(&server.ask(&asking).await, &issuer()).is_none());
    server.clock.advance_ms(1);
    let request = server.ask(&asking).await;
    let answer = leapling.answer(&request, &issuer());
    // The day goes by while they prove: what was asked is what counts.
    assert_eq!(server.post("/api/proofs", &answer).await.ok()["accepted"], true);

    // 18 on the 28th of February 2026 would be a day early.
    let policy = with(&adults(None), "/at_least_years", json!(18));
    let asking = json!({ "account": "c-1", "policy": policy });
    for (day_ms, is_of_age) in [(1_772_236_800_000, false), (1_772_323_200_000, true)] {
        server.clock.set_unix_ms(day_ms);
        let request = server.ask(&asking).await;
        let shown = leapling.tries(&request, &issuer());
        assert_eq!(shown.is_some(), is_of_age, "{}", request["date"]);
    }
}

#[tokio::test]
async fn a_session_ends_by_the_servers_clock_and_no_others() {
    let server = Server::start().await;
    let ann = Person::ann();
    let mut answers = Vec::new();
    for account in ["c-1", "c-2", "c-3", "c-4"] {
        let request = server.ask(&json!({ "account": account, "policy": adults(None) })).await;
        answers.push(ann.answer(&request, &issuer()));
    }
    // A holder's clock that is minutes, or years, off says only when they agreed.
    let now = server.clock.unix_ms();
    for (answer, agreed) in answers.iter().zip([now - 600_000, now + 600_000]) {
        let answer = with(answer, "/agreed_unix_ms", json!(agreed));
        server.post("/api/proofs", &answer).await.ok();
    }
    server.clock.advance_ms(SESSION_MS - 1);
    server.post("/api/proofs", &answers[2]).await.ok();
    server.clock.advance_ms(1);
    assert_eq!(server.post("/api/proofs", &answers[3]).await.code(410), "expired");
    // A second server of the database, whose clock is two minutes behind, takes it still; one that is ahead does not.
    server.clock.set_unix_ms(now + SESSION_MS - 120_000);
    server.post("/api/proofs", &answers[3]).await.ok();
}
