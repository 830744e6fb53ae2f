//! A credential as the first field of a form.

use memchr::memmem;

use super::inspect::decodes_to;
use super::{Expected, InjectError, Placeholder, Slot};

/// What is known of a form from its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormPlan {
    pub(super) head_len: usize,
    pub(super) length: u64,
    /// The digits of Content-Length in the head.
    pub(super) digits: (usize, usize),
}

impl FormPlan {
    /// How many bytes of body [`place`](Self::place) must see: the field and what ends it.
    pub fn body_needed(&self, slot: &Slot) -> usize {
        let Slot::Form { name } = slot else { return 0 };
        let field = name.as_str().len() + 2 + Placeholder::LEN;
        usize::try_from(self.length).map_or(field, |length| length.min(field))
    }

    /// Checks head and first bytes of the body together, and writes the length that the body has
    /// with a credential of `wire_len` bytes in the place of the placeholder. The place of the
    /// placeholder in `bytes`, which may have moved by a digit.
    ///
    /// The rest of the body is looked at too, as far as it is there: the field must not come twice.
    ///
    /// # Errors
    /// [`InjectError`]; nothing may go out then.
    pub fn place(
        &self,
        bytes: &mut Vec<u8>,
        expected: &Expected<'_>,
        wire_len: usize,
    ) -> Result<usize, InjectError> {
        let Slot::Form { name } = expected.slot else {
            return Err(InjectError::PlaceholderElsewhere);
        };
        let body = bytes.get(self.head_len..).unwrap_or_default();
        let placeholder = expected.placeholder.as_bytes();
        let at = memmem::find(body, placeholder).ok_or(InjectError::PlaceholderMissing)?;
        if memmem::find(&body[at + 1..], placeholder).is_some() {
            return Err(InjectError::PlaceholderTwice);
        }
        let end = at + Placeholder::LEN;
        match body[..at].strip_suffix(b"=") {
            Some(before) if before == name.as_str().as_bytes() => {}
            Some(before) if before.ends_with(name.as_str().as_bytes()) => {
                return Err(InjectError::SlotPrefix);
            }
            _ => return Err(InjectError::PlaceholderElsewhere),
        }
        if end as u64 != self.length && body.get(end) != Some(&b'&') {
            return Err(InjectError::SlotSuffix);
        }
        for pair in body.get(end + 1..).unwrap_or_default().split(|b| *b == b'&') {
            let key = pair.split(|b| *b == b'=').next().unwrap_or_default();
            if decodes_to(key, name.as_str().as_bytes()) {
                return Err(InjectError::SlotTwice);
            }
        }
        let length = self.length - Placeholder::LEN as u64 + wire_len as u64;
        let digits = length.to_string();
        let (from, to) = self.digits;
        bytes.splice(from..to, digits.bytes());
        Ok(self.head_len + digits.len() - (to - from) + at)
    }
}
