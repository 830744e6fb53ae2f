//! Redaction: an upstream that echoes the credential does not hand it to the caller.
//! `specs/redaction.md` is the standard.
//!
//! A [`Pattern`] knows hashes of pieces of the credential in each [`Form`], in secret memory. The
//! [`Redactor`] looks for those pieces in a response; where one may be, [`Confirm`] opens the
//! credential in secret memory for the instant of a comparison ([`judge`]). Spellings with escapes
//! cannot be listed, so escapes are undone and the result is searched as well. A [`Filter`] is all
//! of it for a body in its content codings; [`redact_field`] is it for headers and trailers.

mod filter;
mod fold;
mod folded;
mod form;
mod judge;
mod marks;
mod pattern;
mod places;
mod row;
mod skim;
mod stream;
mod text;
mod view;

pub use filter::{ECHOES_MAX, Filter, FilterError};
pub use form::Form;
pub use judge::{Confirm, Match, Unconfirmed, Verdict, judge, judge_scratch_len};
pub use pattern::{Pattern, PatternError};
pub use stream::{Counts, Field, REPLACEMENT, RedactError, Redactor, redact_field, redact_value};
