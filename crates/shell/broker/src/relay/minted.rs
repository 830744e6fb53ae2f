//! An answer that holds a new credential: read whole, and given out when that is kept.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use symbolon_connector::body::Codings;

use super::body::Ledger;
use super::clean::Cleaner;
use super::head::{self, Kept};
use super::{RelayReply, RelayedBody};
use crate::Broker;
use crate::answer::decode;
use crate::api::CallError;
use crate::echo;
use crate::minted::{ANSWER_BYTES_MAX, Made, MintError};
use crate::reading::Reading;
use crate::upstream::{Live, UpstreamError};
use crate::wire::LimitedBody;

impl Broker {
    /// Reads it, keeps what it holds, and redacts the rest.
    pub(super) async fn relay_minted(
        &self,
        live: &Arc<Live>,
        status: StatusCode,
        headers: &HeaderMap,
        mut source: LimitedBody,
        reading: &Reading,
        mut ledger: Ledger,
    ) -> Result<RelayReply, CallError> {
        let relayed = self.keep_minted(live, headers, &mut source, reading, &mut ledger).await;
        let received_bytes = source.received_bytes();
        // The connection is closed with it: its buffers held the credential.
        drop(source);
        echo::forget().await;
        let heard = ledger.heard.get_or_insert_default();
        heard.bytes_in = received_bytes;
        let (headers, body) = relayed.map_err(|e| ledger.fail(&e))?;
        if let Some(heard) = &mut ledger.heard {
            heard.bytes_out = body.len() as u64;
        }
        ledger.close()?;
        Ok(RelayReply { status, headers, body: RelayedBody::whole(body), upgraded: None })
    }

    async fn keep_minted(
        &self,
        live: &Arc<Live>,
        headers: &HeaderMap,
        source: &mut LimitedBody,
        reading: &Reading,
        ledger: &mut Ledger,
    ) -> Result<(HeaderMap, Bytes), UpstreamError> {
        let raw = tokio::select! {
            biased;
            raw = whole(source) => raw?,
            () = self.calls.stopped() => return Err(UpstreamError::Stopped),
        };
        let bytes_max = reading.bytes_max.min(ANSWER_BYTES_MAX as u64);
        let decoded = decode(&Reading { bytes_max, ..reading.clone() }, raw.into());
        let decoded = decoded.map_err(|e| match e {
            UpstreamError::TooLong(_) => MintError::TooLong(ANSWER_BYTES_MAX).into(),
            other => other,
        })?;
        let release = ledger.completion.release().clone();
        let Made { body, live, ids } = self.mint(live, &release, &decoded).await?;
        ledger.completion.set_made(ids);
        let mut cleaner = Cleaner::new(&live, &Codings::default(), u64::MAX);
        let mut clean = Vec::with_capacity(body.len());
        let searched = (|| {
            cleaner.push(&body, &mut clean)?;
            cleaner.finish(&mut clean)?;
            let echo = cleaner.echo().clone();
            let counts = cleaner.counts();
            Ok(head::inbound(headers, &live, &echo, Kept::default(), counts)?)
        })();
        ledger.heard.get_or_insert_default().redactions = cleaner.total();
        searched.map(|headers| (headers, clean.into()))
    }
}

/// All of the body, where it is as short as such an answer is.
async fn whole(source: &mut LimitedBody) -> Result<Vec<u8>, UpstreamError> {
    let mut source = Pin::new(source);
    let mut all = Vec::new();
    while let Some(frame) = source.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if all.len() + data.len() > ANSWER_BYTES_MAX {
            return Err(MintError::TooLong(ANSWER_BYTES_MAX).into());
        }
        all.extend_from_slice(&data);
    }
    Ok(all)
}
