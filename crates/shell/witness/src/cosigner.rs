//! A witness's door.

use http::{Method, StatusCode};
use symbolon_ambient::{Clock, SystemClock};
use symbolon_log::{ADD_CHECKPOINT_BYTES_MAX, Witness, WitnessRefusal, WitnessStore};

use crate::serve::{Asked, Door, Given};

/// `POST /add-checkpoint`, and at `/` the key (C2SP `tlog-witness`).
pub struct Cosigner<S> {
    witness: Witness<S>,
}

impl<S: WitnessStore> Cosigner<S> {
    /// Of this witness.
    pub const fn new(witness: Witness<S>) -> Self {
        Self { witness }
    }

    fn refuse(refusal: &WitnessRefusal) -> Given {
        let status = match refusal {
            WitnessRefusal::Size { size } | WitnessRefusal::Forked { size, .. } => {
                if let WitnessRefusal::Forked { .. } = refusal {
                    tracing::error!("{refusal}");
                }
                let given = Given::text(StatusCode::CONFLICT, format!("{size}\n"));
                return Given { media_type: SIZE, ..given };
            }
            WitnessRefusal::UnknownLog { .. } => StatusCode::NOT_FOUND,
            WitnessRefusal::Signature(_) | WitnessRefusal::Handover(_) => StatusCode::FORBIDDEN,
            WitnessRefusal::Keys { .. } => {
                tracing::error!("{refusal}");
                StatusCode::FORBIDDEN
            }
            WitnessRefusal::Proof(_) => {
                tracing::warn!("{refusal}");
                StatusCode::UNPROCESSABLE_ENTITY
            }
            WitnessRefusal::Store(cause) => {
                tracing::error!(%cause, "nothing is signed: {refusal}");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Given::text(status, format!("{refusal}\n"))
    }
}

impl<S: WitnessStore + 'static> Door for Cosigner<S> {
    const BODY_BYTES_MAX: usize = ADD_CHECKPOINT_BYTES_MAX;

    fn answer(&self, asked: &Asked) -> Given {
        match (asked.path.as_str(), &asked.method) {
            ("add-checkpoint", &Method::POST) => {
                let now = SystemClock.unix_ms() / 1000;
                match self.witness.add_checkpoint(&asked.body, now) {
                    Ok(line) => Given::text(StatusCode::OK, line),
                    Err(refusal) => Self::refuse(&refusal),
                }
            }
            ("", &Method::GET | &Method::HEAD) => {
                Given::text(StatusCode::OK, format!("{}\n", self.witness.public()))
            }
            ("add-checkpoint" | "", _) => {
                Given::text(StatusCode::METHOD_NOT_ALLOWED, "POST /add-checkpoint\n")
            }
            _ => Given::text(StatusCode::NOT_FOUND, "POST /add-checkpoint\n"),
        }
    }
}

/// Media type of a known size.
pub(crate) const SIZE: &str = "text/x.tlog.size";
