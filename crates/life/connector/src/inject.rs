//! Injection: which bytes of a request head become the credential, and what the credential is as
//! bytes on the wire. `specs/injection.md` is the standard.

mod error;
mod field_block;
mod form;
mod framing;
mod inspect;
mod own;
mod placeholder;
mod slot;
mod wire_form;

pub use error::{FramingError, InjectError};
pub use field_block::{FieldBlock, RequestLine};
pub use form::FormPlan;
pub use framing::Framing;
pub use inspect::{Expected, HEAD_BYTES_MAX, Plan, inspect_head, inspect_upgrade_head};
pub use own::{without_cookie, without_field};
pub use placeholder::Placeholder;
pub use slot::{CookieName, HeaderName, ParameterName, Prefix, Slot, SlotError};
pub use wire_form::{
    CREDENTIAL_BYTES_MAX, CREDENTIAL_BYTES_MIN, WireFormError, wire_form, write_wire_form,
};
