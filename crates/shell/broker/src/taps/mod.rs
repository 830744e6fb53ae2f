//! A home that is opened by a passkey's tap in the page: `specs/custody.md`, "A tap in the page".

use std::sync::atomic::Ordering::SeqCst;

use serde::Serialize;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_codec::b64url;
use symbolon_crypto::{HPKE_SEALED_BYTES, HpkeError};
use symbolon_custody::{
    Act, Enrol, NONCE_BYTES, Opener, SALT_BYTES, Tap, Vault, Wrap, WrapKey, prf_input,
};

use crate::Broker;
use crate::api::{CallError, Method, WrapView};
use crate::custody::{no_such_wrap, wrap_id};
use crate::desk::desk_id;
use crate::errors;

mod questions;

pub(crate) use questions::Taps;
use questions::{Now, Question, TapRefused};

/// What a page is asked: a key of one wrap, sealed to this process.
#[derive(Debug, Clone, Serialize)]
pub struct TapAsked {
    /// The process's key, base64url.
    pub key: String,
    /// Good for one answer, base64url.
    pub nonce: String,
    /// Whose wrap it is, hex.
    pub vault: String,
    /// When the question ends.
    pub expires_unix_ms: u64,
    /// What the passkey's PRF is asked with, base64url.
    pub prf: String,
    /// The passkeys that open this home.
    pub passkeys: Vec<TapPasskey>,
    /// Of the wrap to be made, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// A passkey that opens this home.
#[derive(Debug, Clone, Serialize)]
pub struct TapPasskey {
    /// Its wrap.
    pub wrap: String,
    /// Its id, base64url.
    pub credential: String,
    /// Of its wrap, base64url.
    pub salt: String,
}

/// What a page answers.
#[derive(Debug, Clone)]
pub struct TapAnswer {
    /// What was asked with.
    pub nonce: [u8; NONCE_BYTES],
    /// The key, sealed to this process.
    pub sealed: [u8; HPKE_SEALED_BYTES],
}

impl Broker {
    /// Asks the browser of this cookie for what opens the home.
    ///
    /// # Errors
    /// `open` where it is, `no_passkey` where none opens it, `tap_rate`.
    pub async fn ask_unlock(&self, cookie: &[u8]) -> Result<TapAsked, CallError> {
        if self.opened().is_ok() {
            return Err(is_open());
        }
        let vault = self.vault().await?;
        if !vault.methods().contains(&Method::Passkey) {
            let message = "no passkey opens this home";
            return Err(CallError::caller("no_passkey", message)
                .status(404)
                .next("symbolon unlock"));
        }
        self.tap_asked(Act::Unlock, cookie, &vault)
    }

    /// Opens the home with what the browser of this cookie answered at this origin.
    ///
    /// # Errors
    /// `tap_nonce`, `tap_rate`, `open`, `no_way`, `tap_sealed`; and as [`Broker::unlock`].
    pub async fn unlock_by_tap(
        &self,
        cookie: &[u8],
        origin: &str,
        wrap: &str,
        answer: &TapAnswer,
    ) -> Result<(), CallError> {
        let question = self.answered(Act::Unlock, cookie, answer)?;
        let _one = self.changes.lock().await;
        if self.opened().is_ok() {
            return Err(is_open());
        }
        let vault = self.vault().await?;
        let found = vault.wraps().iter().find(|one| one.id().to_string() == wrap);
        let (credential, salt) = found.and_then(passkey_of).ok_or_else(|| no_way(wrap))?;
        let key = self.handed_over(&question, origin, &vault, (credential, salt), answer)?;
        let unlocked = vault.unlock(&Opener::WrapKey(&key)).map_err(errors::unlock)?;
        self.put_open(unlocked).await?;
        self.by_hand.store(false, SeqCst);
        // Whoever opened the home showed that it is theirs.
        let _ = self.desk.confirm(cookie, self.clock.mono_ns(), self.clock.unix_ms());
        tracing::info!(wrap, "unlocked by a passkey in the page");
        Ok(())
    }

    /// Asks the browser of this cookie for the key of a wrap that is to be made.
    ///
    /// # Errors
    /// `locked`, `tap_rate`.
    pub async fn ask_way(&self, cookie: &[u8]) -> Result<TapAsked, CallError> {
        self.opened()?;
        self.tap_asked(Act::Add, cookie, &self.vault().await?)
    }

    /// Adds a passkey as a way to open the home.
    ///
    /// # Errors
    /// `tap_nonce`, `tap_rate`, `locked`, `exists`, `tap_sealed`; and as [`Broker::add_wrap`].
    pub async fn add_way(
        &self,
        cookie: &[u8],
        origin: &str,
        credential: &[u8],
        answer: &TapAnswer,
    ) -> Result<WrapView, CallError> {
        let question = self.answered(Act::Add, cookie, answer)?;
        let _one = self.changes.lock().await;
        let open = self.opened()?;
        let vault = self.vault().await?;
        if vault.wraps().iter().any(|wrap| wrap.passkey() == Some(credential)) {
            let message = "this passkey opens this home already";
            return Err(CallError::caller("exists", message).status(409));
        }
        let of = (credential, &question.salt);
        let key = self.handed_over(&question, origin, &vault, of, answer)?;
        let enrol = Enrol::new(Opener::WrapKey(&key));
        let change = vault.add_wrap(&open.unlocked, &enrol, &SystemRng, &SystemClock);
        let added = self.put_change(&change.map_err(errors::wrap)?).await?;
        tracing::info!(wrap = added.id, "a passkey was added in the page");
        Ok(added)
    }

    /// Removes a passkey that was added in the page. Other ways are made in a terminal, and go there.
    ///
    /// # Errors
    /// `not_here` for another way; and as [`Broker::remove_wrap`].
    pub async fn remove_way(&self, id: &str) -> Result<(), CallError> {
        let wanted = wrap_id(id)?;
        let vault = self.vault().await?;
        let found = vault.wraps().iter().find(|wrap| wrap.id() == wanted);
        if found.ok_or_else(|| no_such_wrap(id))?.passkey().is_none() {
            let message = "this way was made in a terminal, and is removed there";
            return Err(CallError::caller("not_here", message)
                .status(409)
                .next(format!("symbolon custody remove {wanted}")));
        }
        self.remove_wrap(id).await?;
        tracing::info!(wrap = id, "a passkey was removed in the page");
        Ok(())
    }

    fn tap_asked(&self, act: Act, cookie: &[u8], vault: &Vault) -> Result<TapAsked, CallError> {
        let asked = self.taps.ask(act, desk_id(cookie), &*self.rng, self.now());
        let question = asked.map_err(refused)?;
        let passkeys = vault.wraps().iter().filter_map(|wrap| {
            let (credential, salt) = passkey_of(wrap)?;
            Some(TapPasskey {
                wrap: wrap.id().to_string(),
                credential: b64url::encode(credential),
                salt: b64url::encode(salt),
            })
        });
        Ok(TapAsked {
            key: b64url::encode(self.taps.own.public().as_bytes()),
            nonce: b64url::encode(&question.nonce),
            vault: vault.id().to_string(),
            expires_unix_ms: question.expires_unix_ms,
            prf: b64url::encode(prf_input().as_bytes()),
            passkeys: passkeys.collect(),
            salt: (act == Act::Add).then(|| b64url::encode(&question.salt)),
        })
    }

    fn answered(&self, act: Act, cookie: &[u8], answer: &TapAnswer) -> Result<Question, CallError> {
        self.taps.take(act, desk_id(cookie), &answer.nonce, self.now()).map_err(refused)
    }

    fn handed_over(
        &self,
        question: &Question,
        origin: &str,
        vault: &Vault,
        (credential, salt): (&[u8], &[u8; SALT_BYTES]),
        answer: &TapAnswer,
    ) -> Result<WrapKey, CallError> {
        let to = self.taps.own.public();
        let tap = Tap {
            act: question.act,
            origin,
            vault: vault.id(),
            to: &to,
            nonce: &question.nonce,
            expires_unix_ms: question.expires_unix_ms,
            credential,
            salt,
        };
        WrapKey::handed_over(&self.taps.own, &tap, &answer.sealed).map_err(|error| match error {
            HpkeError::NoPage => CallError::environment("memory", error.to_string()),
            _ => {
                let message = "what was sealed is not for this question, this passkey or this page";
                CallError::caller("tap_sealed", message).status(422).next("tap once more")
            }
        })
    }

    fn now(&self) -> Now {
        Now { mono_ns: self.clock.mono_ns(), unix_ms: self.clock.unix_ms() }
    }
}

fn passkey_of(wrap: &Wrap) -> Option<(&[u8], &[u8; SALT_BYTES])> {
    wrap.passkey().zip(wrap.passkey_salt())
}

fn refused(refused: TapRefused) -> CallError {
    match refused {
        TapRefused::Nonce => {
            let message = "this answer was not asked for here, was used, or came too late";
            CallError::caller("tap_nonce", message).status(409).next("tap once more")
        }
        TapRefused::Rate(seconds) => {
            let message = format!("too many taps; there is one more in {seconds} s");
            let error = CallError::caller("tap_rate", message).status(429);
            CallError { retry_after_seconds: Some(seconds), ..error }
        }
    }
}

fn is_open() -> CallError {
    CallError::caller("open", "this broker is not locked").status(409)
}

fn no_way(wrap: &str) -> CallError {
    let wrap: String = wrap.chars().take(64).collect();
    let message = format!("no passkey opens this home by the way {wrap}");
    CallError::caller("no_way", message).status(404).next("symbolon unlock")
}
