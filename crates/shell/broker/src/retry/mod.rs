//! Trying again, where that cannot do a thing twice. `specs/retries.md`.

mod after;
mod key;
mod tries;
mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_capability::Release;
use symbolon_capability::engine::TOKEN_TTL_SECONDS;

use crate::Broker;
use crate::call::Prepared;
use crate::mount::MountFault;
use crate::receipts::Completion;
use crate::upstream::{Answer, Live, Outgoing, UpstreamError};
use verdict::{Came, came};

pub(crate) use key::{key_to_add, own_key};
pub(crate) use tries::Tries;
pub(crate) use verdict::only_reads;

/// Tries of one call at most.
const TRIES_MAX: u8 = 3;
/// The first pause is drawn from this; each later one from twice as much.
const PAUSE_MS: u64 = 100;
/// A longer `Retry-After` is the caller's to wait for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

impl Broker {
    /// Sends a released call, and where that is safe once more. `live` becomes what the answer came
    /// by; `kept` has what renews its token.
    pub(crate) async fn send(
        &self,
        kept: &Live,
        live: &mut Arc<Live>,
        completion: &Completion<&Self>,
        prepared: &Prepared,
    ) -> Result<Answer, UpstreamError> {
        let (release, tries) = (completion.release(), completion.tries());
        let key = match prepared.own_key.clone() {
            Some(own) => Some(own),
            None => key_to_add(release.operation(), &live.headers, release)?
                .inspect(|_| tries.set_key(release.idempotency_key())),
        };
        let may_repeat = key.is_some() || verdict::only_reads(release.operation());
        let begun = Instant::now();
        let whole = self.limits.total;
        let mut is_renewed = false;
        loop {
            tries.begin();
            let left = whole.saturating_sub(begun.elapsed());
            let outgoing = Outgoing::new(live, release.clone(), &prepared.bound, key.clone(), left);
            let answered = match (release.operation().mcp(), &live.mount) {
                (None, _) => self.upstream.send(outgoing).await,
                (Some(_), Some(mount)) => {
                    // Boxed: other calls need not make room for what it waits for.
                    Box::pin(mount.exchange(&self.mounting, outgoing, prepared.is_check)).await
                }
                (Some(_), None) => Err(not_mounted(release)),
            };
            let is_under_key = key.is_some() && tries.released();
            let came = came(&answered, is_under_key, self.clock.unix_ms());
            tries.ended(&answered);
            let wait = match came {
                Came::Unsent => self.pause(tries.retries()),
                Came::Maybe(wait) if may_repeat && wait <= RETRY_AFTER_MAX => {
                    wait + self.pause(tries.retries())
                }
                Came::Refused if !is_renewed => Duration::ZERO,
                Came::Refused | Came::Maybe(_) | Came::Over => return answered,
            };
            let end = if release.approved().is_some() { whole.min(APPROVED) } else { whole };
            if tries.count() >= TRIES_MAX || begun.elapsed() + wait >= end {
                return answered;
            }
            let other = if came == Came::Refused {
                let left = end.saturating_sub(begun.elapsed());
                let renewal = tokio::time::timeout(left, kept.ready_instead_of(live, release));
                let Some(other) = renewal.await.ok().flatten() else { return answered };
                Some(other)
            } else {
                tokio::time::sleep(wait).await;
                None
            };
            if !self.stands(release) {
                return answered;
            }
            // Not before: an answer that is handed over is searched for the token that it came by.
            if let Some(other) = other {
                (*live, is_renewed) = (other, true);
            }
            // Nobody looked for an echo in it, so its connection is closed with it.
            drop(answered);
        }
    }

    /// Whether the call might be released anew, this moment.
    fn stands(&self, release: &Release) -> bool {
        self.engine.still_stands(release).is_ok()
    }

    /// Full jitter: callers that failed together do not come back together.
    fn pause(&self, retries: u8) -> Duration {
        let mut random = [0; 8];
        self.rng.fill(&mut random);
        let most = PAUSE_MS << retries.min(TRIES_MAX);
        Duration::from_millis(u64::from_le_bytes(random) % (most + 1))
    }
}

/// A tool whose server nobody mounted: its catalogue file was brought here by hand.
fn not_mounted(release: &Release) -> UpstreamError {
    let service = release.operation().name().service().to_owned();
    MountFault::NotMounted(service).unsent().into()
}

/// How long after its release an approved call is tried again: as long as its token would live.
const APPROVED: Duration = Duration::from_secs(TOKEN_TTL_SECONDS);
