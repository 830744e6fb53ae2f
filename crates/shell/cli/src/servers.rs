//! What a vault's server said, in pairs. Its advice is not taken: a next command comes from here alone.

use symbolon_crypto::opaque::OpaqueError;
use symbolon_holder::server::{ClientError, PastFailure, SyncFailure};
use symbolon_vault::replica::SyncError;

use crate::failure::Failure;

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let says = error.to_string();
        match &error {
            ClientError::Unreachable { .. } | ClientError::Late { .. } => {
                Self::environment("server_away", says).next("symbolon vault sync, when it is back")
            }
            ClientError::Certificate { .. } => Self::environment("certificate", says)
                .next("the server's own certificate mended, or its CA among this machine's roots"),
            ClientError::Opaque(OpaqueError::Refused) => Self::refused("wrong_password", says)
                .next("the same command with the right handle and password"),
            ClientError::Opaque(OpaqueError::OtherServer { .. }) => Self::refused(
                "other_server",
                format!("this is not the server that was joined: {says}"),
            )
            .next("ask who runs the server whether its setup was lost"),
            ClientError::Opaque(OpaqueError::Length) => {
                Self::usage(says).next("a longer one, such as five words")
            }
            ClientError::Refused(refusal) => {
                let next = match refusal.code.as_str() {
                    "exists" => {
                        "symbolon vault join, where the handle is yours; else another handle"
                    }
                    "rate_limited" => "the same command, after a minute",
                    "bad_signature" => "date, and mend this machine's clock where it is wrong",
                    "unknown_key" => {
                        "symbolon vault join --vault NEW_NAME: this device was removed from the account"
                    }
                    "quota" => "symbolon note rm --erase of what is not needed",
                    "bad_proof" | "no_challenge" => "the same command again",
                    _ => "symbolon vault status",
                };
                Self::refused(&refusal.code, says).next(next)
            }
            _ => Self::refused("server", says)
                .next("the address of a server that was started with `symbolon serve --accounts`"),
        }
    }
}

impl From<SyncFailure> for Failure {
    fn from(failure: SyncFailure) -> Self {
        let says = failure.to_string();
        match failure {
            SyncFailure::Client(error) => error.into(),
            SyncFailure::Holder(error) => error.into(),
            SyncFailure::NoServer => Self::refused("no_server", says)
                .next("symbolon vault create --server URL --vault NEW_NAME"),
            SyncFailure::Server(SyncError::Rollback { .. }) => Self::refused("rollback", says)
                .next(
                    "ask who runs the server: it shows a state of before; nothing here was changed",
                ),
            SyncFailure::Server(SyncError::Fork { .. } | SyncError::OtherRevision { .. }) => {
                Self::refused("fork", says)
                    .next("ask who runs the server; nothing here was changed")
            }
            SyncFailure::Server(SyncError::NoKey(_)) => Self::refused("rotated", says)
                .next("symbolon vault rotate-key where it was begun here; else symbolon vault join --vault NEW_NAME"),
            SyncFailure::Server(_) => Self::refused("not_the_vault", says)
                .next("ask who runs the server; nothing here was changed"),
            SyncFailure::Busy { .. } => Self::refused("busy", says).next("symbolon vault sync"),
            _ => Self::refused("sync", says).next("symbolon vault status"),
        }
    }
}

impl From<PastFailure> for Failure {
    fn from(failure: PastFailure) -> Self {
        match failure {
            PastFailure::Sync(failure) => failure.into(),
            other => Self::refused("history", other.to_string()).next("symbolon vault sync"),
        }
    }
}
