//! The owner's browsers (`specs/page.md`): links that are good once, and the sessions that came of them.
//!
//! Both live in memory alone: they end with the broker. A session is two secrets that a browser keeps in two
//! places: a cookie, which it sends to every port of this machine, and a word that the page alone can read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::{Store, StoreError};
use symbolon_codec::{Digest32, b64url, time::rfc3339};
use symbolon_crypto::labels::{self, Label};
use symbolon_crypto::sha256_parts;
use symbolon_secret::Secret;

use crate::Broker;
use crate::api::CallError;

/// Links and sessions, by the hashes of their secrets.
#[derive(Default)]
pub(crate) struct Desk {
    /// Where the page is served.
    address: RwLock<Option<String>>,
    links: Mutex<Vec<Link>>,
    sessions: Mutex<HashMap<Digest32, Kept>>,
}

struct Link {
    hash: Digest32,
    until_ns: u64,
}

struct Kept {
    csrf: Digest32,
    opened_unix_ms: u64,
    expires_unix_ms: u64,
    until_ns: u64,
    /// Until when it is as good as one that was just opened.
    confirmed_unix_ms: u64,
    confirmed_ns: u64,
}

/// A link to the page; its code stands beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PageLink {
    /// All of it but the code, such as `http://127.0.0.1:7070/#link=`.
    pub before: String,
    /// Seconds until it is worthless.
    pub expires_in_seconds: u64,
}

/// What a browser is given for the code of a link.
#[derive(Debug)]
pub struct DeskOpened {
    /// For its cookie: 43 characters of base64url.
    pub cookie: Secret<[u8]>,
    /// For the page, which says it with every request: 43 characters of base64url.
    pub csrf: Secret<[u8]>,
    /// The session.
    pub session: DeskSession,
}

/// A browser's session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeskSession {
    /// When it began, RFC 3339.
    pub opened: String,
    /// When it ends, RFC 3339.
    pub expires: String,
    /// Until when it may change who opens the home, RFC 3339.
    pub confirmed_until: String,
}

impl Broker {
    /// The page is served here from now on: `http://127.0.0.1:7070`, no slash behind it.
    pub fn serve_page_at(&self, url: &str) {
        let mut address = self.desk.address.write().unwrap_or_else(PoisonError::into_inner);
        *address = Some(url.to_owned());
    }

    /// Makes a link that opens the page as its owner, once, within ten minutes. The code is for the
    /// fragment, which no browser sends.
    ///
    /// # Errors
    /// `no_page` where this broker serves no HTTP.
    pub fn page_link(&self) -> Result<(PageLink, Secret<[u8]>), CallError> {
        let address = self.desk.address.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(address) = address else {
            let message = "this broker serves no page";
            return Err(CallError::caller("no_page", message)
                .status(409)
                .next("symbolon lock --stop, then symbolon serve"));
        };
        let link =
            PageLink { before: format!("{address}/#link="), expires_in_seconds: LINK_SECONDS };
        Ok((link, self.desk.make_link(self.clock.mono_ns())))
    }

    /// A session for the code of a link, which is worthless from now on.
    ///
    /// # Errors
    /// `bad_link` where the code is none, was used, or is too old.
    pub fn open_desk(&self, code: &Secret<[u8]>) -> Result<DeskOpened, CallError> {
        self.desk.open(code, self.clock.mono_ns(), self.clock.unix_ms()).ok_or_else(|| {
            let message = "this link was used already, or is older than ten minutes";
            CallError::caller("bad_link", message).status(403).next("symbolon page")
        })
    }

    /// Makes an account the owner's: who signs in to it is the owner in that browser from then on. It is
    /// kept across restarts, and there is one at most.
    ///
    /// # Errors
    /// `joined` where another account is the owner's already; those of the store.
    pub async fn join_account(&self, account: &[u8; 16]) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        let joined = self.store.put_owner_account(account, self.clock.unix_ms()).await;
        joined.map_err(|error| match error {
            StoreError::Exists(_) => {
                let message = "another account is this broker's owner already";
                CallError::caller("joined", message).status(409).next("DELETE /api/owner/account")
            }
            error => error.into(),
        })
    }

    /// The account that is the owner's.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn owner_account(&self) -> Result<Option<[u8; 16]>, CallError> {
        Ok(self.store.owner_account().await?)
    }

    /// The owner has no account any more, and connections are taken from it no longer; browsers that came
    /// by it stay the owner's until their sessions end.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn leave_account(&self) -> Result<(), CallError> {
        let left = self.owner_account().await?;
        {
            let _one = self.changes.lock().await;
            self.store.delete_owner_account().await?;
        }
        if left.is_some() && self.takes_from() == left {
            self.take_from_nobody();
            self.give_back().await?;
        }
        Ok(())
    }

    /// As [`Broker::leave_account`], where it is this one that is the owner's.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn forget_account(&self, account: &[u8; 16]) -> Result<(), CallError> {
        if self.owner_account().await? == Some(*account) {
            self.leave_account().await?;
        }
        Ok(())
    }

    /// A session for whoever just proved to be the account that is the owner's.
    ///
    /// # Errors
    /// `not_owner` where it is not.
    pub async fn open_desk_as(&self, account: &[u8; 16]) -> Result<DeskOpened, CallError> {
        if self.owner_account().await? != Some(*account) {
            return Err(not_owner());
        }
        Ok(self.desk.begin(self.clock.mono_ns(), self.clock.unix_ms()))
    }

    /// The session of this cookie, for a page that says this word with it. Both are 256 random bits
    /// and are compared as hashes, so the time it takes tells nothing about them.
    pub fn desk_session(&self, cookie: &[u8], csrf: &[u8]) -> Option<DeskSession> {
        self.desk.session(cookie, csrf, self.clock.mono_ns())
    }

    /// Whether whoever has this session showed within the last ten minutes that they are the owner.
    pub fn is_desk_confirmed(&self, cookie: &[u8]) -> bool {
        self.desk.is_confirmed(cookie, self.clock.mono_ns())
    }

    /// Takes it as shown by the account that just proved itself.
    ///
    /// # Errors
    /// `not_owner` where it is not the owner's; those of the store.
    pub async fn confirm_desk(
        &self,
        cookie: &[u8],
        account: &[u8; 16],
    ) -> Result<DeskSession, CallError> {
        if self.owner_account().await? != Some(*account) {
            return Err(not_owner());
        }
        let confirmed = self.desk.confirm(cookie, self.clock.mono_ns(), self.clock.unix_ms());
        confirmed.ok_or_else(not_owner)
    }

    /// Ends a session.
    pub fn close_desk(&self, cookie: &[u8]) {
        self.desk.close(cookie);
    }
}

impl Desk {
    fn make_link(&self, now_ns: u64) -> Secret<[u8]> {
        let code = word();
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| now_ns < link.until_ns);
        if links.len() >= LINKS_MAX {
            links.remove(0);
        }
        let until_ns = now_ns + LINK_SECONDS * 1_000_000_000;
        links.push(Link { hash: hash(labels::PAGE_LINK, &code), until_ns });
        code
    }

    fn open(&self, code: &Secret<[u8]>, now_ns: u64, unix_ms: u64) -> Option<DeskOpened> {
        let wanted = hash(labels::PAGE_LINK, code);
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let at = links.iter().position(|link| link.hash == wanted)?;
        // Taken before it is judged: whatever comes of it, it is gone.
        let link = links.remove(at);
        drop(links);
        (now_ns < link.until_ns).then(|| self.begin(now_ns, unix_ms))
    }

    fn begin(&self, now_ns: u64, unix_ms: u64) -> DeskOpened {
        let (cookie, csrf) = (word(), word());
        let kept = Kept {
            csrf: hash(labels::PAGE_CSRF, &csrf),
            opened_unix_ms: unix_ms,
            expires_unix_ms: unix_ms + SESSION_SECONDS * 1000,
            until_ns: now_ns + SESSION_SECONDS * 1_000_000_000,
            confirmed_unix_ms: unix_ms + CONFIRMED_SECONDS * 1000,
            confirmed_ns: now_ns + CONFIRMED_SECONDS * 1_000_000_000,
        };
        let session = kept.view();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, kept| now_ns < kept.until_ns);
        let oldest = sessions.iter().min_by_key(|(_, kept)| kept.until_ns).map(|(id, _)| *id);
        if let Some(oldest) = oldest.filter(|_| sessions.len() >= SESSIONS_MAX) {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(labels::PAGE_SESSION, &cookie), kept);
        DeskOpened { cookie, csrf, session }
    }

    fn session(&self, cookie: &[u8], csrf: &[u8], now_ns: u64) -> Option<DeskSession> {
        let cookie = desk_id(cookie);
        let csrf = hash_bytes(labels::PAGE_CSRF, csrf);
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = sessions.get(&cookie)?;
        (kept.csrf == csrf && now_ns < kept.until_ns).then(|| kept.view())
    }

    fn is_confirmed(&self, cookie: &[u8], now_ns: u64) -> bool {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions
            .get(&desk_id(cookie))
            .is_some_and(|kept| now_ns < kept.confirmed_ns.min(kept.until_ns))
    }

    pub(crate) fn confirm(&self, cookie: &[u8], now_ns: u64, unix_ms: u64) -> Option<DeskSession> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = sessions.get_mut(&desk_id(cookie)).filter(|kept| now_ns < kept.until_ns)?;
        kept.confirmed_unix_ms = unix_ms + CONFIRMED_SECONDS * 1000;
        kept.confirmed_ns = now_ns + CONFIRMED_SECONDS * 1_000_000_000;
        Some(kept.view())
    }

    /// Everybody has to show again that they are the owner.
    pub(crate) fn forget_confirmations(&self) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for kept in sessions.values_mut() {
            (kept.confirmed_unix_ms, kept.confirmed_ns) = (kept.opened_unix_ms, 0);
        }
    }

    fn close(&self, cookie: &[u8]) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&desk_id(cookie));
    }
}

impl Kept {
    fn view(&self) -> DeskSession {
        DeskSession {
            opened: rfc3339(self.opened_unix_ms),
            expires: rfc3339(self.expires_unix_ms),
            confirmed_until: rfc3339(self.confirmed_unix_ms.min(self.expires_unix_ms)),
        }
    }
}

/// What a session is known by: the hash of its cookie.
pub(crate) fn desk_id(cookie: &[u8]) -> Digest32 {
    hash_bytes(labels::PAGE_SESSION, cookie)
}

fn not_owner() -> CallError {
    let message = "this account is not the owner's of this broker";
    CallError::caller("not_owner", message).status(403).next("symbolon page")
}

/// 256 random bits in base64url.
fn word() -> Secret<[u8]> {
    Secret::make_slice(WORD_BYTES, |out| {
        let mut bits = [0; 32];
        SystemRng.fill(&mut bits);
        out.copy_from_slice(b64url::encode(&bits).as_bytes());
    })
}

fn hash(label: Label, word: &Secret<[u8]>) -> Digest32 {
    // EXPOSE: hashed.
    hash_bytes(label, word.expose())
}

fn hash_bytes(label: Label, word: &[u8]) -> Digest32 {
    sha256_parts(&[label.as_str().as_bytes(), word])
}

const WORD_BYTES: usize = 43;
const LINK_SECONDS: u64 = 600;
const SESSION_SECONDS: u64 = 12 * 60 * 60;
const CONFIRMED_SECONDS: u64 = 10 * 60;
const LINKS_MAX: usize = 16;
const SESSIONS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn is_good(desk: &Desk, opened: &DeskOpened, now_ns: u64) -> bool {
        desk.session(opened.cookie.expose(), opened.csrf.expose(), now_ns).is_some()
    }

    #[test]
    fn a_link_is_good_once_and_for_ten_minutes() {
        let desk = Desk::default();
        let code = desk.make_link(0);
        let last = LINK_SECONDS * SECOND - 1;
        assert!(desk.open(&code, last, 0).is_some());
        assert!(desk.open(&code, last, 0).is_none(), "twice");
        let code = desk.make_link(0);
        assert!(desk.open(&code, LINK_SECONDS * SECOND, 0).is_none(), "too late");
        assert!(desk.open(&code, 0, 0).is_none(), "it was taken");
        assert!(desk.open(&word(), 0, 0).is_none(), "nobody made it");
    }

    #[test]
    fn a_session_is_both_words_together_until_it_ends() {
        let desk = Desk::default();
        let open = || desk.open(&desk.make_link(0), 0, 0).unwrap();
        let (one, other) = (open(), open());
        assert!(is_good(&desk, &one, 0));
        assert!(desk.session(one.cookie.expose(), other.csrf.expose(), 0).is_none());
        assert!(desk.session(one.csrf.expose(), one.cookie.expose(), 0).is_none());
        assert!(desk.session(one.cookie.expose(), b"", 0).is_none());
        assert!(is_good(&desk, &one, SESSION_SECONDS * SECOND - 1));
        assert!(!is_good(&desk, &one, SESSION_SECONDS * SECOND));
        desk.close(one.cookie.expose());
        assert!(!is_good(&desk, &one, 0) && is_good(&desk, &other, 0));
    }

    #[test]
    fn a_session_is_confirmed_for_ten_minutes_of_its_link_or_of_a_proof() {
        let desk = Desk::default();
        let opened = desk.open(&desk.make_link(0), 0, 0).unwrap();
        let cookie = opened.cookie.expose();
        let end = CONFIRMED_SECONDS * SECOND;
        assert!(desk.is_confirmed(cookie, end - 1) && !desk.is_confirmed(cookie, end));
        assert!(desk.confirm(cookie, end, 0).is_some());
        assert!(desk.is_confirmed(cookie, 2 * end - 1) && !desk.is_confirmed(cookie, 2 * end));
        assert!(!desk.is_confirmed(b"nobody", 0));
        assert!(desk.confirm(b"nobody", 0, 0).is_none());
        let over = SESSION_SECONDS * SECOND;
        assert!(desk.confirm(cookie, over - 1, 0).is_some() && !desk.is_confirmed(cookie, over));
        assert!(desk.confirm(cookie, over, 0).is_none(), "it is over");
        assert!(desk.confirm(cookie, 0, 0).is_some() && desk.is_confirmed(cookie, 1));
        desk.forget_confirmations();
        assert!(!desk.is_confirmed(cookie, 1) && is_good(&desk, &opened, 1));
    }

    #[test]
    fn of_too_many_the_oldest_goes() {
        let desk = Desk::default();
        let codes: Vec<_> = (0..=LINKS_MAX as u64).map(|at| desk.make_link(at)).collect();
        assert!(desk.open(&codes[0], 20, 0).is_none());
        assert!(desk.open(&codes[1], 20, 0).is_some());
        let open = |at| desk.open(&desk.make_link(at), at, 0).unwrap();
        let sessions: Vec<_> = (100..=100 + SESSIONS_MAX as u64).map(open).collect();
        assert!(!is_good(&desk, &sessions[0], 200) && is_good(&desk, &sessions[1], 200));
    }
}
