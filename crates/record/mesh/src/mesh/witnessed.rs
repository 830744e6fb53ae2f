//! Cosignatures come later than the checkpoints that they are of, one after the other: they spread by themselves, each once.

use symbolon_log::Storage;

use super::{Followed, Mesh};
use crate::checkpoint::{NOTE_BYTES_MAX, RawCheckpoint};
use crate::cosigned::Cosigned;
use crate::name::LogId;
use crate::replica::{Known, ReplicaError};
use crate::{Output, Topic};

impl<S: Storage> Mesh<S> {
    /// Takes the lines of witnesses under a checkpoint that was held against what is known. Whether one of them is news.
    pub(super) fn witnessed(&mut self, id: LogId, known: &Known, out: &mut Vec<Output>) -> bool {
        let Some(followed) = self.logs.get_mut(&id).filter(|it| !it.is_forked) else {
            return false;
        };
        let read = Cosigned::read(followed.replica.name(), known, &self.witnesses);
        let Some(cosigned) = read else { return false };
        if known.size > followed.replica.head_size() {
            return cosigned.join(&mut followed.ahead);
        }
        match followed.replica.cosign(cosigned) {
            Ok(false) => false,
            Ok(true) => {
                self.tell_cosigned(id, out);
                true
            }
            Err(error) => {
                self.stop(id, &error, out);
                false
            }
        }
    }

    /// Entries came: a checkpoint that witnesses signed may be reached now.
    pub(super) fn reach_witnessed(&mut self, id: LogId, out: &mut Vec<Output>) {
        let Some(followed) = self.logs.get_mut(&id).filter(|it| !it.is_forked) else { return };
        match followed.reach_witnessed() {
            Ok(false) => {}
            Ok(true) => self.tell_cosigned(id, out),
            Err(error) => self.stop(id, &error, out),
        }
    }

    fn tell_cosigned(&self, id: LogId, out: &mut Vec<Output>) {
        let cosigned = self.logs.get(&id).and_then(|followed| followed.replica.cosigned());
        if let Some(cosigned) = cosigned {
            out.push(Output::Cosigned { log: id, note: cosigned.note() });
        }
    }

    /// What witnesses said of a checkpoint of our own log, which was spread before: it spreads too, whomever we believe.
    pub(super) fn own_witnessed(&mut self, id: LogId, note: &str, out: &mut Vec<Output>) {
        let Some(followed) = self.logs.get(&id) else { return };
        let is_plain = followed.replica.is_own() && !followed.is_forked;
        let Ok(known) = followed.replica.known(note) else { return };
        let size = followed.replica.head_size();
        if !is_plain || known.size > size || note.len() > NOTE_BYTES_MAX {
            return;
        }
        let text = followed.replica.name().text().to_owned();
        // One of another history is evidence against ourselves.
        if self.sight(id, &known, out) {
            return;
        }
        self.witnessed(id, &known, out);
        self.publish(Topic::Checkpoints, RawCheckpoint { log: &text, note }.to_bytes(), out);
    }
}

impl<S: Storage> Followed<S> {
    fn reach_witnessed(&mut self) -> Result<bool, ReplicaError> {
        let reached = self.replica.head_size();
        match self.ahead.take_if(|ahead| ahead.size <= reached) {
            Some(cosigned) => self.replica.cosign(cosigned),
            None => Ok(false),
        }
    }
}
